//! Workspaces as the store keeps them: their settings, their budgets, and what was spent in them.
//! Spend is that of the requests admitted in it, whatever became of their keys since.

use jiff::Timestamp;
use ledger::Tally;
use money::Money;
use uuid::Uuid;

use crate::{MemberRecord, Reset};

/// The workspace of whatever names none. It is always there and can't be deleted.
pub const DEFAULT_WORKSPACE: Uuid = Uuid::from_u128(0x5b0a_4d0e_6c1e_5d8e_9f0a_7b6f_1c2d_3e4f);

/// A workspace's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkspaceRecord {
    /// Its identity, never given twice.
    pub id: Uuid,
    /// Its name in paths; no two live workspaces share one.
    pub slug: String,
    /// Its name for people; not unique.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The model of a request that names none.
    pub default_text_model: Option<String>,
    /// The image model of a request that names none.
    pub default_image_model: Option<String>,
    /// The order in which providers are tried where a request asks for none.
    pub default_provider_sort: Option<String>,
    /// Whether prompts and answers may be logged.
    pub is_observability_io_logging_enabled: bool,
    /// Whether traces may be sent on.
    pub is_observability_broadcast_enabled: bool,
    /// Whether providers may use its data for a discount.
    pub is_data_discount_logging_enabled: bool,
    /// How much of the traffic is logged, in millionths of it.
    pub io_logging_sampling_millionths: u32,
    /// The only keys whose traffic is logged; `None` is all.
    pub io_logging_api_key_ids: Option<Vec<i64>>,
    /// Tools run by providers that its requests may not use; `None` is no such list.
    pub disabled_server_tools: Option<Vec<String>>,
    /// Whether BYOK use counts towards its budgets.
    pub include_byok_in_budgets: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its settings last changed; `None` until the first change.
    pub updated_at: Option<Timestamp>,
    /// Who made it.
    pub created_by: Option<String>,
    /// Counts changes of it, its budgets and its members, so that two edits at once can't overwrite each
    /// other.
    pub version: u64,
}

/// The most that may be spent in a workspace in each window of one length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetRecord {
    /// Its identity; a replaced budget keeps it.
    pub id: Uuid,
    /// Whose it is.
    pub workspace: Uuid,
    /// When it starts afresh, which tells it from the workspace's others; `None` is never.
    pub reset: Option<Reset>,
    /// The most that may be spent.
    pub limit: Money,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last put.
    pub updated_at: Timestamp,
}

impl BudgetRecord {
    /// Where it stands among a workspace's budgets: the longest window first, which is the order in
    /// which they are enforced and listed.
    pub const fn place(&self) -> u8 {
        match self.reset {
            None => 0,
            Some(Reset::Monthly) => 1,
            Some(Reset::Weekly) => 2,
            Some(Reset::Daily) => 3,
        }
    }
}

/// A live workspace with what was spent in it, as loaded at a start.
#[derive(Clone, Debug)]
pub struct LoadedWorkspace {
    /// Its settings.
    pub record: WorkspaceRecord,
    /// Its budgets, the longest window first.
    pub budgets: Vec<BudgetRecord>,
    /// Its members, by when they became ones.
    pub members: Vec<MemberRecord>,
    /// What the requests admitted in it have cost, those of deleted and moved keys included.
    pub tally: Tally,
}
