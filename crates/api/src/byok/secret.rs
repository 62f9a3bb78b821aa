//! A provider's key on its way in: a type of its own, so that it can't end in a log by accident.

use std::fmt;

use serde::Serialize;
use zeroize::Zeroizing;

use crate::{Field, Invalid};

/// How long a provider's key may be: a cloud's service account is a document of a few KiB.
pub const SECRET_BYTES_MAX: usize = 16_384;

/// A provider's key as its owner sent it; its memory is wiped when it is dropped.
///
/// It can be written, for a client that sends it, and never read back. It has no `Display`, and its
/// `Debug` says nothing.
///
/// ```
/// # use api::byok::Secret;
/// let secret = Secret::from("sk-proj-0e6f".to_owned());
/// assert_eq!(format!("{secret:?}"), "Secret(…)");
/// assert_eq!(secret.expose(), "sk-proj-0e6f");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The text itself, for whoever seals or sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Reads a text that says something; what it must be besides is up to its provider.
    pub(super) fn read(field: &Field<'_>) -> Result<Secret, Invalid> {
        let allowed = format!("a string of 1 to {SECRET_BYTES_MAX} bytes, not blank");
        let secret = Secret::from(field.text(&allowed)?);
        let problem = if secret.expose().trim().is_empty() {
            "is blank"
        } else if secret.expose().len() > SECRET_BYTES_MAX {
            "is too long"
        } else {
            return Ok(secret);
        };
        Err(field.invalid(problem, &allowed))
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Secret {
        Secret(Zeroizing::new(text))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}
