//! The book's storage as one narrow trait, its records, an in-memory reference and the contract suite.
//!
//! All writes go through [`Store::commit`]: a batch of changes in one durable transaction. Settings
//! and spend live apart, so editing a key never touches what it has spent.

mod activity;
mod audit_log;
mod byok;
mod change;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod correction;
mod entry;
mod error;
mod key;
mod member;
mod memory;
mod reports;
mod retention;
mod workspace;

pub use activity::{Activity, ActivityFigures, ActivityFilter, ActivityGroup};
pub use audit_log::{AuditLog, AuditPage};
pub use byok::{CredentialRecord, Encrypted, Reencrypted, Region};
pub use change::{AuditRow, Change, Edit, EndpointMark, Idempotent, Outcome, Refused};
pub use correction::correction;
pub use entry::{ApiType, Attempt, Entry, Kind, Source, Tokens};
pub use error::StoreError;
pub use key::{KeyHash, KeyPage, KeyRecord, LoadedKey, ManagementKey, Reset, means_model};
pub use member::{MemberRecord, MemberRole, OrgRole, UserRecord};
pub use memory::{Fault, MemoryStore, Stall};
pub use reports::{Difference, ExportLine, Report, Snapshot, Subject};
pub use retention::{Place, RETENTION_DAYS_MIN, Seal, SealedRow, Sealing, may_seal, spared_from};
pub use workspace::{BudgetRecord, DEFAULT_WORKSPACE, LoadedWorkspace, WorkspaceRecord};

use ledger::{Amounts, Day};
use uuid::Uuid;

/// Where the book is kept.
///
/// Calls block; the gateway makes them from its writer thread or from a blocking task, never from
/// the request path. Reads see the last committed state and never wait for the writer (DESIGN I8).
/// Times are kept to the microsecond, and counts up to 2^63 - 1.
pub trait Store: Send + Sync {
    /// Makes all `changes` durable in one transaction, power loss included, and says what became
    /// of each, in order. A change that can't apply (its outcome says why) leaves nothing of itself
    /// and does not disturb the others. An empty batch proves that the store can be written. On an error nothing of the batch was kept, except that
    /// after [`StoreError::Broken`] nothing is known.
    fn commit(&self, changes: &[Change]) -> Result<Vec<Outcome>, StoreError>;

    /// Everything the gateway keeps in memory: live keys and live workspaces, each with its spend
    /// (by day from `since` on, one sum before it), management keys, endpoint marks and live
    /// credentials.
    fn snapshot(&self, since: Day) -> Result<Snapshot, StoreError>;

    /// The first of the newest `days` days that have rows; `None` where there are no rows.
    fn newest_days(&self, days: u32) -> Result<Option<Day>, StoreError>;

    /// Live keys, newest first by creation, ties by hash.
    fn keys(&self, page: &KeyPage) -> Result<Vec<KeyRecord>, StoreError>;

    /// A key's settings; those of a deleted one as they last were.
    fn key(&self, hash: KeyHash) -> Result<Option<KeyRecord>, StoreError>;

    /// A workspace's settings; those of a deleted one as they last were.
    fn workspace(&self, id: Uuid) -> Result<Option<WorkspaceRecord>, StoreError>;

    /// The answer kept under an idempotency key's SHA-256, unless it has expired at `now`.
    fn idempotent(
        &self,
        id: &[u8; 32],
        now: jiff::Timestamp,
    ) -> Result<Option<Idempotent>, StoreError>;

    /// Every row of one generation: attempts in order, each followed by its corrections. Of one that
    /// was sealed there is none.
    fn generation(&self, generation: &str) -> Result<Vec<Entry>, StoreError>;

    /// Rows settled as `interrupted` or `held` that no correction has replaced, oldest first, at
    /// most `most`.
    fn unresolved(&self, most: usize) -> Result<Vec<Entry>, StoreError>;

    /// What [sealing](Change::Seal) every row admitted before `before` would come to.
    fn sealable(&self, before: Day) -> Result<Sealing, StoreError>;

    /// What was used by day and endpoint.
    fn activity(&self, filter: &ActivityFilter) -> Result<Activity, StoreError>;

    /// What all keys were ever charged, deleted ones included; each amount stays at the largest
    /// there is.
    fn charged(&self) -> Result<Amounts, StoreError>;

    /// Recomputes every kept sum from the rows and lists where they differ.
    fn audit(&self) -> Result<Report, StoreError>;

    /// Hands the whole book to `sink` in a fixed order that depends only on what is in it.
    fn export(
        &self,
        sink: &mut dyn FnMut(ExportLine) -> std::io::Result<()>,
    ) -> Result<(), StoreError>;

    /// The rows of the audit log that are asked for, newest first.
    fn audit_log(&self, page: &AuditPage) -> Result<AuditLog, StoreError>;
}
