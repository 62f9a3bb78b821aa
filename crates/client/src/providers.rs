//! Who runs the models.

use serde::{Deserialize, Serialize};

use crate::page::Data;
use crate::request::Call;
use crate::{Client, Error};

/// A model provider.
///
/// ```
/// # fn show(provider: tollgate::Provider) {
/// println!("{} ({})", provider.name, provider.slug);
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Provider {
    /// Its name for people.
    pub name: String,
    /// Its name in routing.
    pub slug: String,
    /// Where its privacy policy is.
    #[serde(default)]
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

/// The call about providers.
///
/// ```no_run
/// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
/// let providers = client.providers().list().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Providers(Client);

impl Client {
    /// The call about providers.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// println!("{} providers", client.providers().list().await?.len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn providers(&self) -> Providers {
        Providers(self.clone())
    }
}

impl Providers {
    /// All of them.
    ///
    /// # Errors
    ///
    /// Where the server can't be asked.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// for provider in client.providers().list().await? {
    ///     println!("{}", provider.slug);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn list(&self) -> Result<Vec<Provider>, Error> {
        Call::get(["providers"]).send::<Data<_>>(&self.0).await.map(|answer| answer.data)
    }
}
