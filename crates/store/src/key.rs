//! Keys as the store keeps them: who they are and what they may spend, never their text.
//! What they have spent lives in the book.

use std::fmt;

use jiff::Timestamp;
use ledger::{Layer, Limit, Period, Tally, Terms};
use money::Money;
use uuid::Uuid;

/// The SHA-256 of a key's whole text: its identity everywhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyHash(pub [u8; 32]);

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
        }
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
