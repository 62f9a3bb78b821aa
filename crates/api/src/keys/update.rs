//! The body of `PATCH /keys/{hash}` (SEMANTICS 3.4).
//! What is omitted stays as it is; `null` clears what may be absent and is refused elsewhere, since
//! clients that send `null` for "unchanged" would else lose a limit without noticing.

use std::num::NonZeroU64;

use serde::Serialize;
use uuid::Uuid;

use super::{LimitReset, NAME_CHARS_MAX, extras};
use crate::{Field, Invalid, Object, Usd, Utc};

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
    /// From when on it is refused, an extension; `Some(None)` lets it live for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Option<Utc>>,
    /// The only models it may use; `Some(None)` allows all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_models: Option<Option<Vec<String>>>,
    /// How many requests it may make in any 60 seconds; `Some(None)` takes the limit away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<Option<NonZeroU64>>,
    /// How many tokens the requests of any 60 seconds may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<Option<NonZeroU64>>,
    /// How many requests it may have in flight at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrent_requests: Option<Option<NonZeroU64>>,
}

impl UpdateKey {
    /// Reads the body; [`Invalid`] names the first field that is not what it may be, or says that
    /// there is nothing to update.
    pub fn parse(body: &[u8]) -> Result<UpdateKey, Invalid> {
        let object = Object::parse(body)?;
        let given = |name| object.field(name).given();
        let pace = |name| cleared_or(given(name), extras::limit);
        let update = UpdateKey {
            name: given("name").map(|field| field.line(NAME_CHARS_MAX)).transpose()?,
            disabled: given("disabled").map(|field| field.flag()).transpose()?,
            limit: cleared_or(given("limit"), |field| field.amount().map(Usd))?,
            limit_reset: cleared_or(given("limit_reset"), limit_reset)?,
            include_byok_in_limit: given("include_byok_in_limit")
                .map(|field| field.flag())
                .transpose()?,
            workspace_id: given("workspace_id").map(|field| field.uuid()).transpose()?,
            expires_at: cleared_or(given("expires_at"), |field| field.time().map(Utc))?,
            allowed_models: cleared_or(given("allowed_models"), extras::allowed_models)?,
            requests_per_minute: pace("requests_per_minute")?,
            tokens_per_minute: pace("tokens_per_minute")?,
            concurrent_requests: pace("concurrent_requests")?,
        };
        if update == UpdateKey::default() { Err(Invalid::NothingToUpdate) } else { Ok(update) }
    }
}

/// A field that `null` clears: nothing where it was not given.
fn cleared_or<T>(
    given: Option<Field<'_>>,
    read: impl Fn(&Field<'_>) -> Result<T, Invalid>,
) -> Result<Option<Option<T>>, Invalid> {
    given.map(|field| field.or_null().map(|field| read(&field)).transpose()).transpose()
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
