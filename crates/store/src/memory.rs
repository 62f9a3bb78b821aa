//! The reference store: everything in vectors, every sum worked out by walking the rows.
//! Naive on purpose, so that it is plain to see what the other backends must agree with.

mod book;
mod byok;
mod gate;
mod members;
mod sealing;
mod workspaces;

use jiff::Timestamp;
use ledger::{Amounts, Day};
use parking_lot::Mutex;
use uuid::Uuid;

use self::book::Book;
use self::gate::Gate;
pub use self::gate::{Fault, Stall};
use crate::{
    Activity, ActivityFilter, AuditLog, AuditPage, Change, Entry, ExportLine, Idempotent, KeyHash,
    KeyPage, KeyRecord, Outcome, Report, Sealing, Snapshot, Store, StoreError, WorkspaceRecord,
};

/// A store that forgets everything when it is dropped, and fails or stalls when told to.
///
/// For tests: it is the reference that the contract suite and the property tests hold the other
/// backends against, and the store whose faults the gateway is tested with.
///
/// ```
/// # use store::{Fault, MemoryStore, Store, StoreError};
/// let store = MemoryStore::new();
/// store.fail_next(1, Fault::Unavailable);
/// assert!(matches!(store.commit(&[]), Err(StoreError::Unavailable(_))));
/// assert!(store.commit(&[]).is_ok());
/// ```
#[derive(Debug, Default)]
pub struct MemoryStore {
    book: Mutex<Book>,
    gate: Gate,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }

    /// Makes the next `commits` commits fail with `fault`, keeping nothing; it replaces what an
    /// earlier call left over, and zero ends it. Reads go on as before.
    pub fn fail_next(&self, commits: u32, fault: Fault) {
        self.gate.fail_next(commits, fault);
    }

    /// Makes every commit wait until what is returned is dropped. Reads go on as before.
    #[must_use = "commits go on once this is dropped"]
    pub fn stall(&self) -> Stall {
        self.gate.stall()
    }
}

impl Store for MemoryStore {
    fn commit(&self, changes: &[Change]) -> Result<Vec<Outcome>, StoreError> {
        self.gate.pass()?;
        let mut book = self.book.lock();
        Ok(changes.iter().map(|change| book.apply(change)).collect())
    }

    fn snapshot(&self, since: Day) -> Result<Snapshot, StoreError> {
        Ok(self.book.lock().snapshot(since))
    }

    fn newest_days(&self, days: u32) -> Result<Option<Day>, StoreError> {
        Ok(self.book.lock().newest_days(days))
    }

    fn keys(&self, page: &KeyPage) -> Result<Vec<KeyRecord>, StoreError> {
        Ok(self.book.lock().keys(page))
    }

    fn key(&self, hash: KeyHash) -> Result<Option<KeyRecord>, StoreError> {
        Ok(self.book.lock().key(hash))
    }

    fn workspace(&self, id: Uuid) -> Result<Option<WorkspaceRecord>, StoreError> {
        Ok(self.book.lock().workspace(id))
    }

    fn idempotent(&self, id: &[u8; 32], now: Timestamp) -> Result<Option<Idempotent>, StoreError> {
        Ok(self.book.lock().idempotent(id, now).cloned())
    }

    fn generation(&self, generation: &str) -> Result<Vec<Entry>, StoreError> {
        Ok(self.book.lock().generation(generation))
    }

    fn unresolved(&self, most: usize) -> Result<Vec<Entry>, StoreError> {
        Ok(self.book.lock().unresolved(most))
    }

    fn sealable(&self, before: Day) -> Result<Sealing, StoreError> {
        Ok(self.book.lock().sealable(before))
    }

    fn activity(&self, filter: &ActivityFilter) -> Result<Activity, StoreError> {
        Ok(self.book.lock().activity(filter))
    }

    fn charged(&self) -> Result<Amounts, StoreError> {
        Ok(self.book.lock().charged())
    }

    /// Agrees always: this store keeps no sum that could differ from its rows.
    fn audit(&self) -> Result<Report, StoreError> {
        Ok(self.book.lock().audit())
    }

    fn export(
        &self,
        sink: &mut dyn FnMut(ExportLine) -> std::io::Result<()>,
    ) -> Result<(), StoreError> {
        // Copied out first, so that the sink may take its time, or use the store.
        let lines = self.book.lock().export();
        lines.into_iter().try_for_each(sink).map_err(StoreError::unavailable)
    }

    fn audit_log(&self, page: &AuditPage) -> Result<AuditLog, StoreError> {
        Ok(self.book.lock().audit_log(page))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use super::*;
    use crate::contract::sample::{create, key};

    #[test]
    fn the_reference_keeps_the_contract() {
        crate::contract::run(|| Box::new(MemoryStore::new()));
    }

    #[test]
    fn as_many_commits_fail_as_asked_for_and_keep_nothing() {
        let store = MemoryStore::new();
        create(&store, key(1));
        store.fail_next(9, Fault::Unavailable);
        store.fail_next(2, Fault::Broken);
        for _ in 0..2 {
            let delete = crate::contract::sample::recorded(crate::Edit::DeleteKey {
                hash: key(1).hash,
                at: key(1).created_at,
            });
            assert!(matches!(store.commit(&[delete]), Err(StoreError::Broken(_))));
            assert_eq!(store.audit_log(&AuditPage::newest(9)).unwrap().rows.len(), 1);
        }
        create(&store, key(2));
        assert_eq!(store.audit_log(&AuditPage::newest(9)).unwrap().rows.len(), 2);
    }

    #[test]
    fn a_stalled_commit_waits_until_every_stall_has_ended() {
        let store = MemoryStore::new();
        let (first, second) = (store.stall(), store.stall());
        let free = AtomicBool::new(false);
        thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                create(&store, key(1));
                free.load(Ordering::Acquire)
            });
            drop(first);
            assert_eq!(store.audit_log(&AuditPage::newest(9)).unwrap().rows, []);
            free.store(true, Ordering::Release);
            drop(second);
            assert!(waiting.join().unwrap(), "the commit went on before");
        });
    }
}
