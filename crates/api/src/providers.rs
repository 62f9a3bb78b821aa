//! `GET /providers`: who runs the models, and where to read what they do with prompts
//! (SEMANTICS 10.6). Every member is always sent.

use serde::{Deserialize, Serialize};

/// A model provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    /// Its name for people.
    pub name: String,
    /// Its name in routing.
    pub slug: String,
    /// Where its privacy policy is.
    pub privacy_policy_url: Option<String>,
    /// Where its terms of service are.
    #[serde(default)]
    pub terms_of_service_url: Option<String>,
    /// Where it says how it is doing.
    #[serde(default)]
    pub status_page_url: Option<String>,
    /// The country it is seated in, in two capital letters.
    #[serde(default)]
    pub headquarters: Option<String>,
    /// The countries its machines are in, in two capital letters each.
    #[serde(default)]
    pub datacenters: Option<Vec<String>>,
}
