//! The body of `PATCH /byok/{id}` (SEMANTICS 8.3, 8.7).
//! What is omitted stays as it is; `null` clears what may be absent and is refused elsewhere.

use serde::Serialize;

use super::{NAME_CHARS_MAX, Region, SORT_ORDER_MAX, Secret, filters};
use crate::{Field, Invalid, Object};

/// The changes to a credential; `None` leaves a field as it is.
///
/// ```
/// # use api::byok::UpdateByok;
/// let update = UpdateByok::parse(br#"{"allowed_models": null}"#)?;
/// assert_eq!(update, UpdateByok { allowed_models: Some(None), ..UpdateByok::default() });
/// assert_eq!(
///     UpdateByok::parse(br#"{"provider": "openai"}"#).unwrap_err().to_string(),
///     "No update fields provided",
/// );
/// # Ok::<(), api::Invalid>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UpdateByok {
    /// Another key of the provider's, in the place of the one before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Secret>,
    /// A new name; `Some(None)` takes it away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Option<String>>,
    /// Whether no request uses it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// Whether it is tried after the operator's own credential, instead of before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_fallback: Option<bool>,
    /// Whether the operator's own is not used for the models it may be used for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_required: Option<bool>,
    /// Whether the operator's own is not used at its provider for any model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_byok_only: Option<bool>,
    /// Its place among those of its provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort_order: Option<u32>,
    /// The only models it may be used for; `Some(None)` allows all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_models: Option<Option<Vec<String>>>,
    /// The hashes of the only keys that may use it; `Some(None)` allows all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_api_key_hashes: Option<Option<Vec<String>>>,
    /// The only creators of keys that may use it; `Some(None)` allows all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_user_ids: Option<Option<Vec<String>>>,
    /// Where its owner says that its requests are processed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared_region: Option<Option<Region>>,
    /// Whether its owner says that the provider keeps nothing of what is sent with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared_zdr: Option<Option<bool>>,
}

impl UpdateByok {
    /// Reads the body; [`Invalid`] names the first field that is not what it may be, or says that
    /// there is nothing to update.
    pub fn parse(body: &[u8]) -> Result<UpdateByok, Invalid> {
        let object = Object::parse(body)?;
        let given = |name| object.field(name).given();
        let flag = |name| given(name).map(|field| field.flag()).transpose();
        let update = UpdateByok {
            key: given("key").map(|field| Secret::read(&field)).transpose()?,
            name: cleared_or(given("name"), |field| field.line(NAME_CHARS_MAX))?,
            disabled: flag("disabled")?,
            is_fallback: flag("is_fallback")?,
            is_required: flag("is_required")?,
            is_byok_only: flag("is_byok_only")?,
            sort_order: given("sort_order").map(|field| sort_order(&field)).transpose()?,
            allowed_models: cleared_or(given("allowed_models"), filters::models)?,
            allowed_api_key_hashes: cleared_or(given("allowed_api_key_hashes"), filters::hashes)?,
            allowed_user_ids: cleared_or(given("allowed_user_ids"), filters::users)?,
            declared_region: cleared_or(given("declared_region"), filters::region)?,
            declared_zdr: given("declared_zdr")
                .map(|given| given.or_null().map(|field| field.flag()).transpose())
                .transpose()?,
        };
        if update == UpdateByok::default() { Err(Invalid::NothingToUpdate) } else { Ok(update) }
    }
}

/// A place among the credentials of a provider.
pub(super) fn sort_order(field: &Field<'_>) -> Result<u32, Invalid> {
    let allowed = format!("a whole number from 0 to {SORT_ORDER_MAX}");
    let number = field.count(SORT_ORDER_MAX, &allowed)?;
    u32::try_from(number).map_err(|_| field.invalid("is too large", &allowed))
}

/// A field that `null` clears: nothing where it was not given.
fn cleared_or<T>(
    given: Option<Field<'_>>,
    read: impl Fn(&Field<'_>) -> Result<T, Invalid>,
) -> Result<Option<Option<T>>, Invalid> {
    given.map(|field| field.or_null().map(|field| read(&field)).transpose()).transpose()
}
