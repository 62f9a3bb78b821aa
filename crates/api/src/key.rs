//! The calling key: what `GET /key` says of itself (SEMANTICS 3.5).
//! Members of every generation of the contract are always sent, since SDKs of each require theirs.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::keys::LimitReset;
use crate::{Open, Usd, Utc};

/// What the calling key is, may spend and has spent: the `data` of `GET /key`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentKey {
    /// The key's text with its middle left out.
    pub label: String,
    /// What it may spend in a window; `None` is unlimited.
    pub limit: Option<Usd>,
    /// What is left of `limit` in the current window; may be below zero.
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
    /// Who made it; `None` for a key the workspace owns.
    pub creator_user_id: Option<String>,
    /// The organisation it belongs to.
    pub organization_id: Option<String>,
    /// The workspace it belongs to; `None` for a management key.
    pub workspace_id: Option<Uuid>,
    /// From when on it is refused.
    pub expires_at: Option<Utc>,
    /// Whether the account has never paid.
    pub is_free_tier: bool,
    /// Whether it administers keys, and so cannot call models.
    pub is_management_key: bool,
    /// The older name of `is_management_key`, always the same.
    pub is_provisioning_key: bool,
    /// A limit that is no longer: always [`RateLimit::default`].
    pub rate_limit: RateLimit,
    /// Where its requests may be processed.
    pub allowed_data_regions: Vec<String>,
    /// How many requests of free models are left today.
    pub free_model_daily_requests: FreeModelDailyRequests,
    /// Every budget that applies, in the order in which they are enforced.
    pub budgets: Vec<KeyBudget>,
    /// The budget that refuses, else the one with the least left.
    pub effective_budget: Option<KeyBudget>,
    /// The only models it may use, an extension: exact ids, and `author/*`. `None` is all.
    pub allowed_models: Option<Vec<String>>,
    /// How many requests it may make in any 60 seconds, an extension; `None` is unlimited.
    pub requests_per_minute: Option<u64>,
    /// How many tokens the requests of any 60 seconds may use, an extension.
    pub tokens_per_minute: Option<u64>,
    /// How many requests it may have in flight at once, an extension.
    pub concurrent_requests: Option<u64>,
}

/// The deprecated member `rate_limit`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateLimit {
    /// Always -1.
    pub requests: i64,
    /// Always `10s`.
    pub interval: String,
    /// Always the word to ignore this.
    pub note: String,
}

impl Default for RateLimit {
    /// The form that live servers send.
    fn default() -> RateLimit {
        RateLimit {
            requests: -1,
            interval: "10s".to_owned(),
            note: "This field is deprecated and safe to ignore.".to_owned(),
        }
    }
}

/// The account-wide count of requests to free models, which starts again at 00:00 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreeModelDailyRequests {
    /// How many a day there may be.
    pub limit: u64,
    /// How many there were today.
    pub used: u64,
    /// How many are left today.
    pub remaining: u64,
}

/// One layer of what limits a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyBudget {
    /// Which layer it is.
    pub scope: Open<BudgetScope>,
    /// The guardrail that sets it, where one does.
    pub guardrail_id: Option<Uuid>,
    /// The workspace budget that it is, where it is one.
    pub budget_id: Option<Uuid>,
    /// What may be spent in a window.
    pub limit_usd: Usd,
    /// What was spent in the current window.
    pub spend_usd: Usd,
    /// What is left; zero or less refuses the next request.
    pub remaining_usd: Usd,
    /// The window; `None` is for ever.
    pub reset_interval: Option<Open<LimitReset>>,
    /// When the current window ends.
    pub resets_at: Option<Utc>,
    /// Whether spend on the owner's own provider keys counts.
    pub include_byok: bool,
}

/// The layers of budgets, in the order in which they are enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BudgetScope {
    /// The workspace's default guardrail, for the member who made the key.
    WorkspaceDefaultMember,
    /// The workspace's default guardrail, for the key.
    WorkspaceDefaultKey,
    /// The guardrail of the member who made the key.
    Member,
    /// The guardrail of the key.
    ApiKey,
    /// A budget of the workspace.
    Workspace,
    /// The key's own limit.
    KeyLimit,
}
