//! Keys: what one is, may spend and has spent, and the requests that make and change them.
//! Rules of the fields are SEMANTICS 3.1 to 3.4; `allowed_models` and what limits a key's pace are
//! extensions.

mod create;
mod extras;
mod hash;
mod list;
mod plain;
mod update;

use serde::ser::{Serialize, Serializer};
use uuid::Uuid;

use crate::{Data, Deleted, Open, Usd, Utc};

pub use create::{CreateKey, External};
pub(crate) use extras::is_authors;
pub use extras::{ALLOWED_MODELS_MAX, MODEL_CHARS_MAX, PACE_MAX};
pub use hash::{hex, parse_hash};
pub use list::ListKeys;
pub use plain::PlainKey;
pub use update::UpdateKey;

/// How many characters a key's name may have.
pub const NAME_CHARS_MAX: usize = 255;
/// How many characters the id of a creator or of an external user may have.
pub const USER_CHARS_MAX: usize = 255;

/// One key, as its manager sees it; every member is always sent, `null` included.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ApiKey {
    /// SHA-256 of the key's text in lower-case hex: its id in every path.
    pub hash: String,
    /// The name it was given.
    pub name: String,
    /// The key's text with its middle left out.
    pub label: String,
    /// Whether it is refused at its next request.
    pub disabled: bool,
    /// What it may spend in a window; `None` is unlimited, zero blocks all that costs.
    pub limit: Option<Usd>,
    /// What is left of `limit` in the current window, below zero where the limit was lowered.
    pub limit_remaining: Option<Usd>,
    /// The limit's window; `None` is the key's whole life.
    pub limit_reset: Option<Open<LimitReset>>,
    /// Whether spend on the owner's own provider keys counts towards the limit.
    pub include_byok_in_limit: bool,
    /// Credits charged, all time.
    pub usage: Usd,
    /// Credits charged this UTC day.
    pub usage_daily: Usd,
    /// Credits charged this ISO week, from Monday.
    pub usage_weekly: Usd,
    /// Credits charged this calendar month.
    pub usage_monthly: Usd,
    /// Spend on the owner's own provider keys, all time; not contained in `usage`.
    pub byok_usage: Usd,
    /// The same, this UTC day.
    pub byok_usage_daily: Usd,
    /// The same, this ISO week.
    pub byok_usage_weekly: Usd,
    /// The same, this calendar month.
    pub byok_usage_monthly: Usd,
    /// When it was made.
    pub created_at: Utc,
    /// When a person last changed it; spending does not.
    pub updated_at: Option<Utc>,
    /// From when on it is refused.
    pub expires_at: Option<Utc>,
    /// Who made it; `None` for a key the workspace owns.
    pub creator_user_id: Option<String>,
    /// The workspace it belongs to.
    pub workspace_id: Uuid,
    /// The partner's end user it was made for.
    pub external_user: Option<String>,
    /// When it was last used, up to a minute stale.
    pub last_used_at: Option<Utc>,
    /// The only models it may use: exact ids, and `author/*`. `None` is all.
    pub allowed_models: Option<Vec<String>>,
    /// How many requests it may make in any 60 seconds; `None` is unlimited.
    pub requests_per_minute: Option<u64>,
    /// How many tokens the requests of any 60 seconds may use, prompts and answers together.
    pub tokens_per_minute: Option<u64>,
    /// How many requests it may have in flight at once.
    pub concurrent_requests: Option<u64>,
}

/// How often what counts against a limit starts again at zero, in UTC calendar windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LimitReset {
    /// At midnight.
    Daily,
    /// On Monday at midnight.
    Weekly,
    /// On the 1st at midnight.
    Monthly,
}

/// The answer to `GET /keys`: at most 100 keys, the newest first.
pub type KeyList = Data<Vec<ApiKey>>;
/// The answer to `GET` and `PATCH /keys/{hash}`.
pub type KeyUpdated = Data<ApiKey>;
/// The answer to `DELETE /keys/{hash}`.
pub type KeyDeleted = Deleted;

/// The answer to `POST /keys`, the only one that ever holds the key's text.
///
/// The text is sent beside `data`, where the official SDKs read it, and inside it, where others
/// do (SEMANTICS 3.2).
#[derive(Clone, Debug, serde::Deserialize)]
pub struct KeyCreated {
    /// The key as it will be listed.
    pub data: ApiKey,
    /// Its text.
    pub key: PlainKey,
}

impl Serialize for KeyCreated {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(serde::Serialize)]
        struct Inner<'a> {
            #[serde(flatten)]
            data: &'a ApiKey,
            key: &'a PlainKey,
        }
        #[derive(serde::Serialize)]
        struct Outer<'a> {
            data: Inner<'a>,
            key: &'a PlainKey,
        }
        let inner = Inner { data: &self.data, key: &self.key };
        Outer { data: inner, key: &self.key }.serialize(serializer)
    }
}
