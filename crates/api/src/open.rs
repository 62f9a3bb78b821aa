//! A word from a list that may grow after this was compiled.
//! An unknown one is kept as it came, so that reading it never fails and writing it loses nothing.

use serde::{Deserialize, Serialize};

/// A known `T`, or the text of one that a newer server sent (SEMANTICS 1.4).
///
/// ```
/// # use api::{Open, keys::LimitReset};
/// let known: Open<LimitReset> = serde_json::from_str(r#""daily""#)?;
/// let newer: Open<LimitReset> = serde_json::from_str(r#""hourly""#)?;
/// assert_eq!(known, Open::Known(LimitReset::Daily));
/// assert_eq!(newer, Open::Unknown("hourly".to_owned()));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Open<T> {
    /// A word this version knows.
    Known(T),
    /// Any other word.
    Unknown(String),
}

impl<T> From<T> for Open<T> {
    fn from(word: T) -> Open<T> {
        Open::Known(word)
    }
}
