//! The text that authenticates: a type of its own, so that it cannot end in a log by accident.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The text of a key, shown once and never stored or logged (DESIGN, invariant I6).
///
/// It has no `Display`, and its `Debug` says nothing; JSON is the one way out besides
/// [`expose`](PlainKey::expose).
///
/// ```
/// # use api::keys::PlainKey;
/// let key = PlainKey::from("sk-or-v1-0e6f".to_owned());
/// assert_eq!(format!("{key:?}"), "PlainKey(…)");
/// assert_eq!(key.expose(), "sk-or-v1-0e6f");
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlainKey(String);

impl PlainKey {
    /// The text itself, for whoever hashes, sends or shows it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for PlainKey {
    fn from(text: String) -> PlainKey {
        PlainKey(text)
    }
}

impl fmt::Debug for PlainKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainKey(…)")
    }
}
