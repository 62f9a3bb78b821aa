//! Keys as the store keeps them: who they are and what they may spend, never their text.
//! What they have spent lives in the book.

use std::fmt;

use jiff::Timestamp;
use ledger::{Layer, Limit, Pace, Period, Tally, Terms};
use money::Money;
use uuid::Uuid;

/// The SHA-256 of a key's whole text: its identity everywhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyHash(pub [u8; 32]);

impl KeyHash {
    /// The hash that `text` is; `None` where it is not 64 lower-case hex digits.
    pub fn parse(text: &str) -> Option<KeyHash> {
        let mut hash = [0; 32];
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 64 || !text.bytes().all(is_hex) {
            return None;
        }
        for (place, byte) in hash.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
        }
        Some(KeyHash(hash))
    }
}

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// When a key's limit starts afresh; a limit without one is a lifetime limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reset {
    /// At midnight UTC.
    Daily,
    /// On Monday at midnight UTC.
    Weekly,
    /// On the first of the month at midnight UTC.
    Monthly,
}

impl Reset {
    /// The API's word for it, which is also what is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Reset::Daily => "daily",
            Reset::Weekly => "weekly",
            Reset::Monthly => "monthly",
        }
    }

    /// The reset of that name.
    pub fn parse(text: &str) -> Option<Reset> {
        [Reset::Daily, Reset::Weekly, Reset::Monthly]
            .into_iter()
            .find(|reset| reset.as_str() == text)
    }
}

/// An inference key's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// Its identity.
    pub hash: KeyHash,
    /// The SHA-256 of a second text that authenticates it (`external.api_key`).
    pub second_hash: Option<KeyHash>,
    /// Masked text for people to recognise it by.
    pub label: String,
    /// As given by its maker; not unique.
    pub name: String,
    /// Refused at its next request.
    pub disabled: bool,
    /// The most it may spend; `None` is unlimited.
    pub limit: Option<Money>,
    /// When the limit starts afresh; `None` is never.
    pub limit_reset: Option<Reset>,
    /// Whether BYOK use counts towards the limit.
    pub include_byok_in_limit: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its settings last changed; `None` until the first change.
    pub updated_at: Option<Timestamp>,
    /// From this moment on it is refused.
    pub expires_at: Option<Timestamp>,
    /// The member it was made for; `None` for a key that belongs to its workspace.
    pub creator: Option<String>,
    /// The workspace it belongs to now.
    pub workspace: Uuid,
    /// The partner's name for the end user it was made for.
    pub external_user: Option<String>,
    /// The only models it may use: exact ids, and `author/*` for all of an author's; `None` is all.
    pub allowed_models: Option<Vec<String>>,
    /// How fast it may go.
    pub pace: Pace,
    /// Counts changes, so that two edits at once can't overwrite each other.
    pub version: u64,
}

impl KeyRecord {
    /// The terms its account spends under.
    pub fn terms(&self) -> Terms {
        let period = match self.limit_reset {
            Some(Reset::Daily) => Period::Day,
            Some(Reset::Weekly) => Period::Week,
            Some(Reset::Monthly) => Period::Month,
            None => Period::Lifetime,
        };
        let limit = self.limit.map(|amount| Limit {
            layer: Layer::Key,
            amount,
            period,
            include_byok: self.include_byok_in_limit,
        });
        Terms {
            closed: self.disabled,
            expires_at: self.expires_at,
            limits: limit.into_iter().collect(),
            pace: self.pace,
        }
    }

    /// Whether it may use the model of that id.
    pub fn allows(&self, model: &str) -> bool {
        let allowed = self.allowed_models.as_ref();
        allowed.is_none_or(|allowed| allowed.iter().any(|entry| means_model(entry, model)))
    }
}

/// Whether an entry of a list of models, an exact id or `author/*`, means the model of that id.
pub fn means_model(entry: &str, model: &str) -> bool {
    match entry.strip_suffix('*') {
        Some(author) => model.starts_with(author),
        None => entry == model,
    }
}

/// A live key with what it has spent, as loaded at a start.
#[derive(Clone, Debug)]
pub struct LoadedKey {
    /// Its settings.
    pub record: KeyRecord,
    /// Its spend.
    pub tally: Tally,
    /// When its latest recorded request was admitted.
    pub last_used_at: Option<Timestamp>,
}

/// Which keys to list.
#[derive(Clone, Copy, Debug)]
pub struct KeyPage {
    /// Only keys of this workspace.
    pub workspace: Uuid,
    /// Disabled keys too.
    pub include_disabled: bool,
    /// `Some(now)` leaves out keys expired by then.
    pub unexpired_at: Option<Timestamp>,
    /// How many to skip.
    pub offset: u64,
    /// How many at most.
    pub most: u64,
}

/// A key for administration only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagementKey {
    /// Its identity.
    pub hash: KeyHash,
    /// Masked text for people to recognise it by.
    pub label: String,
    /// The name the audit log shows.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked; it stays known, so that it stays revoked.
    pub revoked_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::sample::key;

    #[test]
    fn a_list_allows_its_ids_and_all_of_its_authors_and_nothing_else() {
        let list = ["openai/gpt-4o-mini", "meta/*"].map(str::to_owned).to_vec();
        let listed = KeyRecord { allowed_models: Some(list), ..key(1) };
        for model in ["openai/gpt-4o-mini", "meta/llama", "meta/llama:free", "meta/"] {
            assert!(listed.allows(model), "{model}");
        }
        let others = [
            "openai/gpt-4o",
            "openai/gpt-4o-mini:free",
            "OpenAI/gpt-4o-mini",
            "meta",
            "metal/llama",
            "not-meta/llama",
            "*",
            "",
        ];
        for model in others {
            assert!(!listed.allows(model), "{model}");
        }
        assert!(KeyRecord { allowed_models: None, ..key(1) }.allows("any/model"));
    }
}
