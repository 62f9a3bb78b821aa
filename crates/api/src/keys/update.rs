//! The body of `PATCH /keys/{hash}` (SEMANTICS 3.4).
//! What is omitted stays as it is; `null` clears the limit and its window and is refused elsewhere,
//! since clients that send `null` for "unchanged" would else lose a limit without noticing.

use serde::Serialize;
use uuid::Uuid;

use super::{LimitReset, NAME_CHARS_MAX};
use crate::{Field, Invalid, Object, Usd};

/// The changes to a key; `None` leaves a field as it is.
///
/// ```
/// # use api::keys::UpdateKey;
/// let update = UpdateKey::parse(br#"{"limit": null}"#)?;
/// assert_eq!(update, UpdateKey { limit: Some(None), ..UpdateKey::default() });
/// assert_eq!(
///     UpdateKey::parse(br#"{"foo": 1}"#).unwrap_err().to_string(),
///     "No update fields provided",
/// );
/// # Ok::<(), api::Invalid>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UpdateKey {
    /// A new name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether to refuse the key from its next request on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// A new limit; `Some(None)` takes the limit away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Option<Usd>>,
    /// A new window; `Some(None)` makes it the key's whole life.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_reset: Option<Option<LimitReset>>,
    /// Whether spend on the owner's own provider keys counts towards the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_byok_in_limit: Option<bool>,
    /// The workspace to move it to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace_id: Option<Uuid>,
}

impl UpdateKey {
    /// Reads the body; [`Invalid`] names the first field that is not what it may be, or says that
    /// there is nothing to update.
    pub fn parse(body: &[u8]) -> Result<UpdateKey, Invalid> {
        let object = Object::parse(body)?;
        let given = |name| object.field(name).given();
        let update = UpdateKey {
            name: given("name").map(|field| field.line(NAME_CHARS_MAX)).transpose()?,
            disabled: given("disabled").map(|field| field.flag()).transpose()?,
            limit: given("limit")
                .map(|field| field.or_null().map(|field| field.amount().map(Usd)).transpose())
                .transpose()?,
            limit_reset: given("limit_reset")
                .map(|field| field.or_null().map(|field| limit_reset(&field)).transpose())
                .transpose()?,
            include_byok_in_limit: given("include_byok_in_limit")
                .map(|field| field.flag())
                .transpose()?,
            workspace_id: given("workspace_id").map(|field| field.uuid()).transpose()?,
        };
        if update == UpdateKey::default() { Err(Invalid::NothingToUpdate) } else { Ok(update) }
    }
}

/// One of the three windows by its name.
pub(super) fn limit_reset(field: &Field<'_>) -> Result<LimitReset, Invalid> {
    const ALLOWED: &str = "`daily`, `weekly` or `monthly`";
    match field.text(ALLOWED)?.as_str() {
        "daily" => Ok(LimitReset::Daily),
        "weekly" => Ok(LimitReset::Weekly),
        "monthly" => Ok(LimitReset::Monthly),
        _ => Err(field.invalid("is none of the windows there are", ALLOWED)),
    }
}
