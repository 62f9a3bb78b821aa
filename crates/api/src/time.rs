//! Moments on the wire: RFC 3339 in UTC, and the strict form in which an expiry is accepted.
//! No local time and no other offset exist here; what names one is refused, never converted.

use jiff::Timestamp;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

use crate::Invalid;

/// What is taken as a moment, as the error messages say it.
pub(crate) const ALLOWED: &str =
    "a time in UTC with seconds that ends in `Z`, such as `2026-11-21T22:50:00Z`";

/// A moment as JSON: `"2026-11-21T22:50:00.123Z"`, always with milliseconds (SEMANTICS 1.6).
///
/// What is finer than a millisecond is cut off. Read from any RFC 3339 text with an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Utc(pub Timestamp);

impl From<Timestamp> for Utc {
    fn from(moment: Timestamp) -> Utc {
        Utc(moment)
    }
}

impl Serialize for Utc {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:.3}", self.0))
    }
}

impl<'de> Deserialize<'de> for Utc {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Utc, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Utc).map_err(|_| D::Error::custom("a time is RFC 3339 with an offset"))
    }
}

/// The moment in an `expires_at`: `YYYY-MM-DDTHH:MM:SS[.f]`, then `Z` or `+00:00`.
///
/// All else is refused with a message of its own, above all a text without an offset, which
/// clients send by mistake and which must not be guessed at (SEMANTICS 3.2). A past moment is
/// accepted.
///
/// ```
/// let no_offset = api::parse_expiry("2026-11-21T22:50:00").unwrap_err();
/// assert!(no_offset.to_string().starts_with("`expires_at` has no offset; allowed: "));
/// ```
pub fn parse_expiry(text: &str) -> Result<Timestamp, Invalid> {
    parse(text).map_err(|problem| Invalid::new("expires_at", problem, ALLOWED))
}

/// The moment in `text`, or what is wrong with it.
pub(crate) fn parse(text: &str) -> Result<Timestamp, &'static str> {
    let Some(rest) = shaped(text.as_bytes(), b"0000-00-00") else {
        return Err("is not a date and time");
    };
    let rest = match rest.split_first() {
        Some((b'T', rest)) => rest,
        Some((b' ', _)) => return Err("has a space where `T` belongs"),
        _ => return Err("has no time of day after `T`"),
    };
    let Some(rest) = shaped(rest, b"00:00") else {
        return Err("has no time of day after `T`");
    };
    let Some(rest) = shaped(rest, b":00") else {
        return Err("has no seconds");
    };
    match fraction(rest) {
        Some(b"Z" | b"+00:00") => {}
        Some(b"") => return Err("has no offset"),
        Some(offset) if shaped(offset, b"+00:00").or(shaped(offset, b"-00:00")).is_some() => {
            return Err("is not in UTC");
        }
        Some(_) => return Err("does not end in `Z`"),
        None => return Err("has a fraction of a second that is not 1 to 9 digits"),
    }
    // The shape is known; what is left is whether the calendar has such a day and minute.
    text.parse().map_err(|_| "is not a moment from year 0 to the end of 9999-12-30")
}

/// What follows `pattern` at the start of `text`, where `0` stands for any digit.
fn shaped<'a>(text: &'a [u8], pattern: &[u8]) -> Option<&'a [u8]> {
    let (start, rest) = text.split_at_checked(pattern.len())?;
    let fits = start.iter().zip(pattern).all(|(byte, expected)| match expected {
        b'0' => byte.is_ascii_digit(),
        _ => byte == expected,
    });
    fits.then_some(rest)
}

/// What follows a fraction of a second, or all of `text` where it has none.
fn fraction(text: &[u8]) -> Option<&[u8]> {
    let Some((b'.', rest)) = text.split_first() else { return Some(text) };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (1..=9).contains(&digits).then(|| &rest[digits..])
}
