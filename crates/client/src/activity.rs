//! What was used by day, model and endpoint.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::page::Data;
use crate::patch::setters;
use crate::request::Call;
use crate::{Client, Error, Usd};

/// What one model used at one endpoint on one day.
///
/// ```
/// # fn show(item: tollgate::ActivityItem) {
/// println!("{} {} ${} in {} requests", item.date, item.model, item.usage, item.requests);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ActivityItem {
    /// The UTC day, such as `2026-11-21`; some servers add a time of day.
    pub date: String,
    /// The model.
    pub model: String,
    /// The model's id that never changes.
    #[serde(default)]
    pub model_permaslug: String,
    /// The endpoint.
    #[serde(default)]
    pub endpoint_id: String,
    /// The provider, by its display name.
    pub provider_name: String,
    /// What was charged, in US dollars.
    pub usage: Usd,
    /// Spend on the owner's own provider keys; not contained in `usage`.
    #[serde(default)]
    pub byok_usage_inference: Usd,
    /// How many requests there were.
    pub requests: u64,
    /// Tokens of prompts, cached ones included.
    pub prompt_tokens: u64,
    /// Tokens of answers, reasoning included.
    pub completion_tokens: u64,
    /// Of those, reasoning.
    #[serde(default)]
    pub reasoning_tokens: u64,
    /// Of the prompts', read from the provider's cache.
    #[serde(default)]
    pub cached_tokens: u64,
    /// The workspace, where activity was grouped by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_id: Option<String>,
}

/// Which activity to show: that of the last 30 complete days where nothing is said.
///
/// ```
/// let day = tollgate::GetActivity::new().date(jiff::civil::date(2026, 11, 21));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GetActivity {
    /// Only this UTC day.
    pub date: Option<Date>,
    /// Only what the key of this hash paid.
    pub api_key_hash: Option<String>,
    /// Only what keys of this member paid.
    pub user_id: Option<String>,
    /// Only what was used in this workspace.
    pub workspace_id: Option<String>,
    /// One item a workspace, each with its id.
    pub group_by_workspace: bool,
}

impl GetActivity {
    /// The activity of all.
    ///
    /// ```
    /// let all = tollgate::GetActivity::new();
    /// ```
    pub fn new() -> GetActivity {
        GetActivity::default()
    }
}

setters!(GetActivity, GetActivity::new();
    some date: Date = jiff::civil::date(2026, 11, 21),
    text api_key_hash = "0e6fb9f2…",
    text user_id = "ada",
    text workspace_id = "research",
    plain group_by_workspace: bool = true,
);

/// The call about what was used.
///
/// ```no_run
/// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
/// let items = client.activity().get(&tollgate::GetActivity::new()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Activity(Client);

impl Client {
    /// The call about what was used.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// for item in client.activity().get(&Default::default()).await? {
    ///     println!("{} {}: ${}", item.date, item.model, item.usage);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn activity(&self) -> Activity {
        Activity(self.clone())
    }
}

impl Activity {
    /// What was used, by day, model and endpoint; wants a management key.
    ///
    /// # Errors
    ///
    /// 400 where the day is not among the last 30 complete ones.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// let spent: tollgate::Usd =
    ///     client.activity().get(&Default::default()).await?.iter().map(|item| item.usage).sum();
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get(&self, wanted: &GetActivity) -> Result<Vec<ActivityItem>, Error> {
        let call = Call::get(["activity"])
            .query("date", wanted.date.as_ref())
            .query("api_key_hash", wanted.api_key_hash.as_ref())
            .query("user_id", wanted.user_id.as_ref())
            .query("workspace_id", wanted.workspace_id.as_ref())
            .query("group_by", wanted.group_by_workspace.then_some(&"workspace"));
        call.send::<Data<_>>(&self.0).await.map(|answer| answer.data)
    }
}
