//! `GET /activity`: what was used by day, model and endpoint (SEMANTICS 5.2).

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::keys::parse_hash;
use crate::{Invalid, Query, Usd};

const NAMES: [&str; 5] = ["date", "api_key_hash", "user_id", "workspace_id", "group_by"];

/// One day at one endpoint, and in one workspace where that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityItem {
    /// The UTC day, such as `2026-11-21`.
    pub date: String,
    /// The model.
    pub model: String,
    /// The model's id that never changes.
    pub model_permaslug: String,
    /// The endpoint, by an id that is the same for as long as its model, its provider and the
    /// provider's name for the model are.
    pub endpoint_id: String,
    /// The provider, by its display name.
    pub provider_name: String,
    /// Credits charged.
    pub usage: Usd,
    /// Spend on the owner's own provider keys; not contained in `usage`.
    pub byok_usage_inference: Usd,
    /// Calls to the provider that were settled.
    pub requests: u64,
    /// Tokens of prompts, cached ones included.
    pub prompt_tokens: u64,
    /// Tokens of answers, reasoning included.
    pub completion_tokens: u64,
    /// Of those, reasoning.
    pub reasoning_tokens: u64,
    /// Of the prompts', read from the provider's cache.
    pub cached_tokens: u64,
    /// The workspace, where activity was grouped by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace_id: Option<Uuid>,
}

/// Which activity to show.
///
/// ```
/// # use api::activity::ListActivity;
/// let query = ListActivity::parse([("date", "2026-11-21"), ("group_by", "workspace")])?;
/// assert_eq!(query.date.unwrap().to_string(), "2026-11-21");
/// assert!(query.by_workspace && query.user_id.is_none());
/// # Ok::<(), api::Invalid>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListActivity {
    /// Only this UTC day.
    pub date: Option<Date>,
    /// Only what this key paid.
    pub api_key_hash: Option<[u8; 32]>,
    /// Only what keys of this member paid.
    pub user_id: Option<String>,
    /// Only this workspace.
    pub workspace_id: Option<Uuid>,
    /// Whether each workspace has rows of its own.
    pub by_workspace: bool,
}

impl ListActivity {
    /// Reads the query's names and values, percent-decoded. Whether `date` is a day that is shown
    /// depends on what day it is, and is for the caller to say.
    pub fn parse<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<ListActivity, Invalid> {
        let query = Query::read(NAMES, pairs)?;
        let hash = |text| {
            let allowed = "a key's hash: 64 lower-case hex digits";
            parse_hash(text).ok_or_else(|| Invalid::new("api_key_hash", "is not a hash", allowed))
        };
        Ok(ListActivity {
            date: query.get("date").map(date).transpose()?,
            api_key_hash: query.get("api_key_hash").map(hash).transpose()?,
            user_id: query.text("user_id")?.map(str::to_owned),
            workspace_id: query.uuid("workspace_id")?,
            by_workspace: query.word("group_by", &[("workspace", true)])?.unwrap_or(false),
        })
    }
}

/// A day in the one form it may have; the library's own parser takes others as well.
fn date(text: &str) -> Result<Date, Invalid> {
    let is_shaped = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    let date = if is_shaped { text.parse().ok() } else { None };
    date.ok_or_else(|| Invalid::new("date", "is not a date", "a UTC day, such as 2026-11-21"))
}
