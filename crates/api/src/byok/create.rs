//! The body of `POST /byok` (SEMANTICS 8.1 to 8.4).
//! Members it does not know are ignored; those it knows are taken exactly or refused.

use serde::Serialize;
use uuid::Uuid;

use super::update::sort_order;
use super::{NAME_CHARS_MAX, PROVIDER_CHARS_MAX, Region, Secret, filters};
use crate::{Field, Invalid, Object};

/// A credential to be made.
///
/// ```
/// # use api::byok::CreateByok;
/// let made = CreateByok::parse(br#"{"provider": "openai", "key": "sk-proj-0e6f"}"#)?;
/// assert_eq!((made.provider.as_str(), made.key.expose()), ("openai", "sk-proj-0e6f"));
/// assert_eq!(
///     CreateByok::parse(br#"{"provider": "openai"}"#).unwrap_err().to_string(),
///     "`key` is missing; allowed: a string of 1 to 16384 bytes, not blank",
/// );
/// # Ok::<(), api::Invalid>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CreateByok {
    /// The slug of the provider it is for.
    pub provider: String,
    /// The provider's key.
    pub key: Secret,
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The workspace whose requests may use it: `None` is the default one, `Some(None)` every one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace_id: Option<Option<Uuid>>,
    /// Whether no request uses it.
    pub disabled: bool,
    /// Whether it is tried after the operator's own credential, instead of before.
    pub is_fallback: bool,
    /// Whether the operator's own is not used for the models it may be used for.
    pub is_required: bool,
    /// Whether the operator's own is not used at its provider for any model.
    pub is_byok_only: bool,
    /// Its place among those of its provider; `None` is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort_order: Option<u32>,
    /// The only models it may be used for; `None` is all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_models: Option<Vec<String>>,
    /// The hashes of the only keys that may use it; `None` is all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_api_key_hashes: Option<Vec<String>>,
    /// The only creators of keys that may use it; `None` is all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_user_ids: Option<Vec<String>>,
    /// Where its owner says that its requests are processed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared_region: Option<Region>,
    /// Whether its owner says that the provider keeps nothing of what is sent with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared_zdr: Option<bool>,
}

impl CreateByok {
    /// Reads the body; [`Invalid`] names the first field that is not what it may be.
    pub fn parse(body: &[u8]) -> Result<CreateByok, Invalid> {
        let object = Object::parse(body)?;
        let given = |name| object.field(name).given();
        let value = |name| given(name).and_then(Field::or_null);
        let flag = |name| given(name).map_or(Ok(false), |field| field.flag());
        let workspace = given("workspace_id").map(Field::or_null);
        Ok(CreateByok {
            provider: object.field("provider").line(PROVIDER_CHARS_MAX)?,
            key: Secret::read(&object.field("key"))?,
            name: value("name").map(|field| field.line(NAME_CHARS_MAX)).transpose()?,
            workspace_id: workspace
                .map(|given| given.map(|field| field.uuid()).transpose())
                .transpose()?,
            disabled: flag("disabled")?,
            is_fallback: flag("is_fallback")?,
            is_required: flag("is_required")?,
            is_byok_only: flag("is_byok_only")?,
            sort_order: given("sort_order").map(|field| sort_order(&field)).transpose()?,
            allowed_models: value("allowed_models")
                .map(|field| filters::models(&field))
                .transpose()?,
            allowed_api_key_hashes: value("allowed_api_key_hashes")
                .map(|field| filters::hashes(&field))
                .transpose()?,
            allowed_user_ids: value("allowed_user_ids")
                .map(|field| filters::users(&field))
                .transpose()?,
            declared_region: value("declared_region")
                .map(|field| filters::region(&field))
                .transpose()?,
            declared_zdr: value("declared_zdr").map(|field| field.flag()).transpose()?,
        })
    }
}
