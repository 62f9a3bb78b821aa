//! Bring-your-own-key credentials as the store keeps them: whose they are, who may use them, and
//! the provider's key itself only encrypted (DESIGN I6).

use std::fmt;

use jiff::Timestamp;
use uuid::Uuid;

use crate::KeyHash;

/// A secret as it is stored: encrypted, readable only with the master key.
///
/// Its `Debug` says how long it is and no more, so that not even this ends in a log.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Encrypted(pub Vec<u8>);

impl fmt::Debug for Encrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Encrypted({} bytes)", self.0.len())
    }
}

/// Where an owner says that a credential's requests are processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Region {
    /// Anywhere.
    Global,
    /// In Europe.
    Europe,
    /// In the United States.
    Us,
}

impl Region {
    /// The API's word for it, which is also what is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Region::Global => "global",
            Region::Europe => "europe",
            Region::Us => "us",
        }
    }

    /// The region of that name.
    pub fn parse(text: &str) -> Option<Region> {
        [Region::Global, Region::Europe, Region::Us]
            .into_iter()
            .find(|region| region.as_str() == text)
    }
}

/// A credential of a provider that somebody brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialRecord {
    /// Its identity.
    pub id: Uuid,
    /// The slug of the provider it is for; fixed.
    pub provider: String,
    /// The workspace whose requests may use it; `None` is every workspace. Fixed.
    pub workspace: Option<Uuid>,
    /// As given by its maker; not unique.
    pub name: Option<String>,
    /// Masked text for people to recognise it by.
    pub label: String,
    /// The provider's key, encrypted; empty once it was deleted, and in exports.
    pub encrypted: Encrypted,
    /// No request uses it.
    pub disabled: bool,
    /// Tried after the operator's own credential instead of before it.
    pub is_fallback: bool,
    /// The operator's own is not used at this provider, for the models this one may be used for.
    pub is_required: bool,
    /// The operator's own is not used at this provider, for no model.
    pub is_byok_only: bool,
    /// Its place among those of its provider; the lowest is tried first.
    pub sort_order: u32,
    /// The only models it may be used for: exact ids, and `author/*`; `None` is all.
    pub allowed_models: Option<Vec<String>>,
    /// The only keys whose requests may use it; `None` is all.
    pub allowed_api_key_hashes: Option<Vec<KeyHash>>,
    /// The only members whose keys' requests may use it; `None` is all, and keys without a member.
    pub allowed_user_ids: Option<Vec<String>>,
    /// Where the owner says that its requests are processed.
    pub declared_region: Option<Region>,
    /// Whether the owner says that the provider keeps nothing of what it is sent with it; `None`
    /// leaves it at what the endpoint says.
    pub declared_zdr: Option<bool>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed; `None` until the first change.
    pub updated_at: Option<Timestamp>,
    /// Counts changes, so that two edits at once can't overwrite each other.
    pub version: u64,
}

impl CredentialRecord {
    /// The same without its secret, for whoever may not even have it encrypted.
    pub fn without_secret(&self) -> CredentialRecord {
        CredentialRecord { encrypted: Encrypted::default(), ..self.clone() }
    }
}

/// A credential's secret, encrypted anew under another master key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reencrypted {
    /// Which credential.
    pub id: Uuid,
    /// The version it was read at.
    pub version: u64,
    /// Its secret.
    pub encrypted: Encrypted,
}
