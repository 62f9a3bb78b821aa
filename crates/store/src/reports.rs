//! What is read from the whole book: the snapshot for a start, the audit, the export.
//! Each is one consistent view, whatever is written meanwhile.

use ledger::Day;
use uuid::Uuid;

use crate::{
    AuditRow, BudgetRecord, CredentialRecord, EndpointMark, Entry, KeyHash, KeyRecord, LoadedKey,
    LoadedWorkspace, ManagementKey, MemberRecord, SealedRow, UserRecord, WorkspaceRecord,
};

/// What the gateway loads at a start.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Live keys with their spend.
    pub keys: Vec<LoadedKey>,
    /// Live workspaces with what was spent in them.
    pub workspaces: Vec<LoadedWorkspace>,
    /// Users who were added, by when that was.
    pub users: Vec<UserRecord>,
    /// Management keys, revoked ones included.
    pub management_keys: Vec<ManagementKey>,
    /// What was learned about endpoints.
    pub marks: Vec<EndpointMark>,
    /// Live credentials.
    pub credentials: Vec<CredentialRecord>,
}

/// The result of an audit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows, those that were sealed included.
    pub rows: u64,
    /// Keys with rows.
    pub keys: u64,
    /// Kept sums compared.
    pub sums: u64,
    /// Where a kept sum is not the sum of its rows.
    pub differences: Vec<Difference>,
}

/// A kept sum that disagrees with the rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What it is the sum of.
    pub subject: Subject,
    /// The day; `None` for the total.
    pub day: Option<Day>,
    /// Which figure, such as `credits` or `prompt_tokens` and, for daily sums, of what model.
    pub figure: String,
    /// What is kept.
    pub kept: i128,
    /// What the rows add up to.
    pub summed: i128,
}

/// What a kept sum is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// What a key paid.
    Key(KeyHash),
    /// What was spent in a workspace.
    Workspace(Uuid),
}

/// One record of an export, in the order they are handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExportLine {
    /// A key, deleted ones included (with when), by creation then hash.
    Key(Box<KeyRecord>, Option<jiff::Timestamp>),
    /// A management key, by creation then hash.
    ManagementKey(ManagementKey),
    /// A workspace, deleted ones included (with when), by creation then id.
    Workspace(Box<WorkspaceRecord>, Option<jiff::Timestamp>),
    /// A budget, by workspace, the longest window first.
    Budget(BudgetRecord),
    /// A credential without its secret, deleted ones included (with when), by creation then id.
    Credential(Box<CredentialRecord>, Option<jiff::Timestamp>),
    /// A user who was added, by when that was.
    User(UserRecord),
    /// A member of a workspace, by workspace and user.
    Member(MemberRecord),
    /// A row of the book, by admission, generation, attempt, kind.
    Entry(Box<Entry>),
    /// A sealed row, by day, key, workspace, creator, model, provider and its name for the model.
    Sealed(Box<SealedRow>),
    /// What was learned about an endpoint, by model, provider and its name for the model.
    Mark(EndpointMark),
    /// An audit row, in the order written.
    Audit(AuditRow),
}
