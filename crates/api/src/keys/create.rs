//! The body of `POST /keys` (SEMANTICS 3.2).
//! Members it does not know are ignored; those it knows are taken exactly or refused.

use std::num::NonZeroU64;

use serde::Serialize;
use uuid::Uuid;

use super::update::limit_reset;
use super::{LimitReset, NAME_CHARS_MAX, PlainKey, USER_CHARS_MAX, extras};
use crate::{Field, Invalid, Object, Usd, Utc};

/// The least and the most characters of a secret that a partner supplies.
const SECRET_CHARS: std::ops::RangeInclusive<usize> = 32..=512;
/// How many different characters such a secret must have, to be no word and no counter.
const SECRET_DISTINCT_CHARS_MIN: usize = 16;

/// A key to be made.
///
/// ```
/// # use {api::{Usd, keys::CreateKey}, money::Money};
/// let key = CreateKey::parse(br#"{"name": "ci", "limit": 5e-05, "colour": "red"}"#)?;
/// assert_eq!(key.limit, Some(Usd(Money::nanos(50_000))));
/// assert_eq!(
///     CreateKey::parse(b"{}").unwrap_err().to_string(),
///     "`name` is missing; allowed: a string of 1 to 255 characters, not blank, \
///      no control characters",
/// );
/// # Ok::<(), api::Invalid>(())
/// ```
#[derive(Clone, Debug, Default, Serialize)]
pub struct CreateKey {
    /// Its name, as given; names need not differ.
    pub name: String,
    /// What it may spend in a window; `None` is unlimited.
    pub limit: Option<Usd>,
    /// The limit's window; `None` is the key's whole life.
    pub limit_reset: Option<LimitReset>,
    /// Whether spend on the owner's own provider keys counts towards the limit.
    pub include_byok_in_limit: bool,
    /// From when on it is refused; a past moment is taken.
    pub expires_at: Option<Utc>,
    /// The member it belongs to; `None` makes it the workspace's.
    pub creator_user_id: Option<String>,
    /// Its workspace; `None` is the default one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace_id: Option<Uuid>,
    /// The partner's end user it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external: Option<External>,
    /// The only models it may use: exact ids, and `author/*`; `None` is all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_models: Option<Vec<String>>,
    /// How many requests it may make in any 60 seconds; `None` is unlimited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<NonZeroU64>,
    /// How many tokens the requests of any 60 seconds may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<NonZeroU64>,
    /// How many requests it may have in flight at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrent_requests: Option<NonZeroU64>,
}

/// A partner's end user, and the partner's own text for the key.
#[derive(Clone, Debug, Serialize)]
pub struct External {
    /// The end user's id at the partner.
    pub user: String,
    /// A second text that authenticates the same key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<PlainKey>,
}

impl CreateKey {
    /// Reads the body; [`Invalid`] names the first field that is not what it may be.
    pub fn parse(body: &[u8]) -> Result<CreateKey, Invalid> {
        let object = Object::parse(body)?;
        let given = |name| object.field(name).given();
        let value = |name| given(name).and_then(Field::or_null);
        let limit = |name| value(name).map(|field| extras::limit(&field)).transpose();
        Ok(CreateKey {
            name: object.field("name").line(NAME_CHARS_MAX)?,
            limit: value("limit").map(|field| field.amount()).transpose()?.map(Usd),
            limit_reset: value("limit_reset").map(|field| limit_reset(&field)).transpose()?,
            include_byok_in_limit: given("include_byok_in_limit")
                .map_or(Ok(false), |field| field.flag())?,
            expires_at: value("expires_at").map(|field| field.time()).transpose()?.map(Utc),
            creator_user_id: value("creator_user_id")
                .map(|field| field.line(USER_CHARS_MAX))
                .transpose()?,
            workspace_id: given("workspace_id").map(|field| field.uuid()).transpose()?,
            external: given("external").map(|field| external(&field)).transpose()?,
            allowed_models: value("allowed_models")
                .map(|field| extras::allowed_models(&field))
                .transpose()?,
            requests_per_minute: limit("requests_per_minute")?,
            tokens_per_minute: limit("tokens_per_minute")?,
            concurrent_requests: limit("concurrent_requests")?,
        })
    }
}

fn external(field: &Field<'_>) -> Result<External, Invalid> {
    let object = field.object()?;
    Ok(External {
        user: object.field("user").line(USER_CHARS_MAX)?,
        api_key: object.field("api_key").given().map(|field| secret(&field)).transpose()?,
    })
}

/// A text that can stand in an `Authorization` header and is not easily guessed.
fn secret(field: &Field<'_>) -> Result<PlainKey, Invalid> {
    let (least, most) = SECRET_CHARS.into_inner();
    let allowed = format!(
        "a secret of {least} to {most} visible ASCII characters, at least \
         {SECRET_DISTINCT_CHARS_MIN} of them different"
    );
    let text = field.text(&allowed)?;
    let mut seen = [false; 256];
    text.bytes().for_each(|byte| seen[usize::from(byte)] = true);
    let problem = if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        "has a character that is not visible ASCII"
    } else if text.len() < least {
        "is too short"
    } else if text.len() > most {
        "is too long"
    } else if seen.iter().filter(|seen| **seen).count() < SECRET_DISTINCT_CHARS_MIN {
        "is too easily guessed"
    } else {
        return Ok(PlainKey::from(text));
    };
    Err(field.invalid(problem, &allowed))
}
