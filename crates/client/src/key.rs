//! The key in use: what it may spend and has spent, for whoever has only that key.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::open::open_enum;
use crate::page::Data;
use crate::request::Call;
use crate::{Client, Error, LimitReset, Usd};

/// What the key in use is, may spend and has spent.
///
/// ```
/// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
/// let key = client.key().current().await?;
/// if let Some(budget) = key.effective_budget {
///     println!("${} left until {:?}", budget.remaining_usd, budget.resets_at);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CurrentKey {
    /// The key's text with its middle left out.
    pub label: String,
    /// What it may spend in a window, in US dollars; `None` is unlimited.
    pub limit: Option<Usd>,
    /// What is left of `limit` in the current window; may be below zero.
    pub limit_remaining: Option<Usd>,
    /// How often what counts against `limit` starts again at zero; `None` is never.
    pub limit_reset: Option<LimitReset>,
    /// Whether spend on the owner's own provider keys counts towards the limit.
    pub include_byok_in_limit: bool,
    /// What was charged for it, in US dollars, all time.
    pub usage: Usd,
    /// The same, this UTC day.
    pub usage_daily: Usd,
    /// The same, this UTC week, from Monday.
    pub usage_weekly: Usd,
    /// The same, this UTC calendar month.
    pub usage_monthly: Usd,
    /// What it spent on the owner's own provider keys, all time; not contained in `usage`.
    pub byok_usage: Usd,
    /// The same, this UTC day.
    pub byok_usage_daily: Usd,
    /// The same, this UTC week.
    pub byok_usage_weekly: Usd,
    /// The same, this UTC calendar month.
    pub byok_usage_monthly: Usd,
    /// Who made it; `None` for a key that its workspace owns.
    #[serde(default)]
    pub creator_user_id: Option<String>,
    /// The organisation it belongs to.
    #[serde(default)]
    pub organization_id: Option<String>,
    /// The workspace it belongs to; `None` for a management key, and from older generations.
    #[serde(default)]
    pub workspace_id: Option<String>,
    /// From when on it is refused.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// Whether the account has never paid.
    pub is_free_tier: bool,
    /// Whether it administers keys, and so cannot call models.
    #[serde(default)]
    pub is_management_key: bool,
    /// The older name of `is_management_key`.
    pub is_provisioning_key: bool,
    /// A limit that is no longer, and says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// Where its requests may be processed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_data_regions: Option<Vec<String>>,
    /// How many requests to free models are left today.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_model_daily_requests: Option<FreeModelDailyRequests>,
    /// Every budget that applies, in the order in which they are enforced.
    #[serde(default)]
    pub budgets: Vec<KeyBudget>,
    /// The budget that refuses, else the one with the least left.
    #[serde(default)]
    pub effective_budget: Option<KeyBudget>,
    /// The only models it may use: exact ids, and `author/*`; `None` is all. Tollgate only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_models: Option<Vec<String>>,
    /// How many requests it may make in any 60 seconds. Tollgate only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u64>,
    /// How many tokens the requests of any 60 seconds may use. Tollgate only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<u64>,
    /// How many requests it may have in flight at once. Tollgate only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrent_requests: Option<u64>,
}

/// What was once the limit of a key's pace; `requests` is -1, and nothing follows from it.
///
/// ```
/// # fn show(limit: tollgate::RateLimit) {
/// println!("{}", limit.note);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RateLimit {
    /// How many requests there might be.
    pub requests: i64,
    /// In how long.
    pub interval: String,
    /// That it is to be ignored.
    #[serde(default)]
    pub note: String,
}

/// The account's requests to free models, counted anew from each 00:00 UTC.
///
/// ```
/// # fn show(requests: tollgate::FreeModelDailyRequests) {
/// println!("{} of {} are left", requests.remaining, requests.limit);
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FreeModelDailyRequests {
    /// How many a day there may be.
    pub limit: u64,
    /// How many there were today.
    pub used: u64,
    /// How many are left today.
    pub remaining: u64,
}

/// One layer of what limits a key.
///
/// ```
/// # fn show(budget: tollgate::KeyBudget) {
/// println!("{}: ${} of ${}", budget.scope, budget.spend_usd, budget.limit_usd);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KeyBudget {
    /// Which layer it is.
    pub scope: BudgetScope,
    /// The guardrail that sets it, where one does.
    #[serde(default)]
    pub guardrail_id: Option<String>,
    /// The workspace budget that it is, where it is one.
    #[serde(default)]
    pub budget_id: Option<String>,
    /// What may be spent in a window, in US dollars.
    pub limit_usd: Usd,
    /// What was spent in the current window.
    pub spend_usd: Usd,
    /// What is left; zero or less refuses the next request.
    pub remaining_usd: Usd,
    /// How often it starts again at zero; `None` is never.
    #[serde(default)]
    pub reset_interval: Option<LimitReset>,
    /// When the current window ends.
    #[serde(default)]
    pub resets_at: Option<Timestamp>,
    /// Whether spend on the owner's own provider keys counts.
    #[serde(default)]
    pub include_byok: bool,
}

open_enum! {
    /// The layers of what limits a key, in the order in which they are enforced.
    ///
    /// ```
    /// assert_eq!(tollgate::BudgetScope::Workspace.as_str(), "workspace");
    /// ```
    pub enum BudgetScope {
        /// The workspace's default guardrail, for the member who made the key.
        WorkspaceDefaultMember = "workspace_default_member",
        /// The workspace's default guardrail, for the key.
        WorkspaceDefaultKey = "workspace_default_key",
        /// The guardrail of the member who made the key.
        Member = "member",
        /// The guardrail of the key.
        ApiKey = "api_key",
        /// A budget of the workspace.
        Workspace = "workspace",
        /// The key's own limit.
        KeyLimit = "key_limit",
    }
}

/// The call about the key in use.
///
/// ```no_run
/// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
/// println!("{}", client.key().current().await?.usage_daily);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Key(Client);

impl Client {
    /// The call about the key in use.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// println!("{:?} are left", client.key().current().await?.limit_remaining);
    /// # Ok(())
    /// # }
    /// ```
    pub fn key(&self) -> Key {
        Key(self.clone())
    }
}

impl Key {
    /// What the key in use is, may spend and has spent.
    ///
    /// # Errors
    ///
    /// 401 where it is not good.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// let key = client.key().current().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn current(&self) -> Result<CurrentKey, Error> {
        Call::get(["key"]).send::<Data<_>>(&self.0).await.map(|answer| answer.data)
    }
}
