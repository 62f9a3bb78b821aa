//! A key's text, which is shown once and is not printed by accident.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The text of a key. `Debug` does not show it.
///
/// ```
/// let key = tollgate::Secret::from("sk-or-v1-0e6f");
/// assert_eq!(format!("{key:?}"), "Secret(…)");
/// assert_eq!(key.expose(), "sk-or-v1-0e6f");
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    ///
    /// ```
    /// let key = tollgate::Secret::from("sk-or-v1-0e6f");
    /// assert!(key.expose().starts_with("sk-or-v1-"));
    /// ```
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Secret {
        Secret(text.to_owned())
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Secret {
        Secret(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
