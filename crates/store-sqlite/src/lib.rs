//! The book on an embedded SQLite file.
//!
//! One connection writes, in transactions that are synced before they return; others read beside
//! it. One process writes: the lock on `<file>.lock` is held as long as the store is open.

mod activity;
mod audit;
mod audit_log;
mod backup;
mod budgets;
mod byok;
mod commit;
mod connection;
mod endpoint_marks;
mod entries;
mod error;
mod export;
mod fields;
mod file;
mod hashes;
mod idempotency;
mod keys;
mod management_keys;
mod members;
mod restore;
mod schema;
mod sealed;
mod snapshot;
mod sums;
mod wipe;
mod workspaces;

pub use error::OpenError;
pub use restore::{RestoreError, Restored, restore};

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use ledger::{Amounts, Day};
use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags};
use store::{
    Activity, ActivityFilter, AuditLog, AuditPage, Change, Entry, ExportLine, Idempotent, KeyHash,
    KeyPage, KeyRecord, Outcome, Report, Sealing, Snapshot, Store, StoreError, WorkspaceRecord,
};
use uuid::Uuid;

use crate::connection::Readers;
use crate::error::store_error;
use crate::file::Lock;
use crate::wipe::Wiping;

/// Refuses the store at `path` where another process has it open to write, and says which. What is
/// not there is free.
pub fn ensure_unlocked(path: impl AsRef<Path>) -> Result<(), OpenError> {
    match file::resolve(path.as_ref()) {
        Ok(path) => file::ensure_unlocked(&path),
        Err(_) => Ok(()),
    }
}

/// The schema that this version reads and writes, and the version of SQLite in it.
pub fn versions() -> (u32, &'static str) {
    (schema::KNOWN, rusqlite::version())
}

/// The book in one file.
///
/// ```
/// # use {store::Store, store_sqlite::{OpenError, SqliteStore}};
/// # let folder = tempfile::tempdir()?;
/// let path = folder.path().join("tollgate.db");
/// let store = SqliteStore::open(&path)?;
/// assert!(matches!(SqliteStore::open(&path), Err(OpenError::InUse { .. })));
/// assert!(SqliteStore::open_to_read(&path)?.audit()?.differences.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SqliteStore {
    // Closed in this order: the last connection to close moves the log into the file, which a
    // reader can't, and nobody else may open the store before.
    readers: Readers,
    writer: Option<Writer>,
    foreign_log: Option<PathBuf>,
}

struct Writer {
    path: PathBuf,
    /// Gone after an error that left its transaction open; opened anew by the next commit.
    connection: Mutex<Option<Connection>>,
    wiping: Wiping,
    _lock: Lock,
}

impl SqliteStore {
    /// Opens the store at `path` to read and write, alone. A file that is not there is made, for
    /// its owner alone; one from an older version is brought up to date.
    pub fn open(path: impl AsRef<Path>) -> Result<SqliteStore, OpenError> {
        let path = file::resolve(path.as_ref())?;
        let lock = Lock::take(&path)?;
        let foreign_log = file::set_foreign_log_aside(&path)?;
        file::create(&path)?;
        let failed = |source| OpenError::Sqlite { path: path.clone(), source };
        let mut connection =
            connection::open(&path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(failed)?;
        let schema = schema::check(&connection, &path)?;
        connection::set_up_writer(&mut connection).map_err(failed)?;
        schema::migrate(&mut connection, schema).map_err(failed)?;
        // A process that was killed may have left secrets in it that it had deleted.
        wipe::empty_log(&connection).map_err(failed)?;
        Ok(SqliteStore {
            readers: Readers::new(path.clone()),
            writer: Some(Writer {
                path,
                connection: Mutex::new(Some(connection)),
                wiping: Wiping::default(),
                _lock: lock,
            }),
            foreign_log,
        })
    }

    /// Where the log is now that lay beside the file and was not its own: a backup had been put in
    /// the place of a book that was still to take its log back.
    pub fn foreign_log(&self) -> Option<&Path> {
        self.foreign_log.as_deref()
    }

    /// Opens the store at `path` to read, beside the server that writes to it or alone. Takes no
    /// lock and makes no store; every commit is refused. Where no server runs, SQLite may leave an
    /// empty `-wal` and `-shm` beside the file, which the next server takes away.
    pub fn open_to_read(path: impl AsRef<Path>) -> Result<SqliteStore, OpenError> {
        let path = path.as_ref();
        let path = path.canonicalize().map_err(|_| OpenError::Missing(path.to_owned()))?;
        let foreign = file::has_foreign_log(&path);
        if foreign.map_err(|source| OpenError::File { path: path.clone(), source })? {
            return Err(OpenError::ForeignLog(path));
        }
        let readers = Readers::new(path.clone());
        let reader =
            readers.take().map_err(|source| OpenError::Sqlite { path: path.clone(), source })?;
        schema::check_newest(&reader, &path)?;
        Ok(SqliteStore { readers, writer: None, foreign_log: None })
    }

    /// Copies the whole book, as of one moment, to a new file at `to`, which must not be there yet.
    /// Commits go on meanwhile.
    ///
    /// `in_flight` is what the requests in flight at that moment are charged if nothing more is
    /// heard of them: each that is not in the book is settled in the copy. Returns how many.
    pub fn backup(&self, to: impl AsRef<Path>, in_flight: &[Entry]) -> Result<u64, StoreError> {
        self.backup_told(to, in_flight, &mut |_, _| {})
    }

    /// The same, which tells now and then how many pages were copied, and of how many.
    pub fn backup_told(
        &self,
        to: impl AsRef<Path>,
        in_flight: &[Entry],
        told: &mut dyn FnMut(u64, u64),
    ) -> Result<u64, StoreError> {
        let mut reader = self.readers.take().map_err(store_error)?;
        backup::backup(&mut reader, to.as_ref(), in_flight, told)
    }

    /// When the request was admitted that the newest row is of.
    pub fn newest_admission(&self) -> Result<Option<Timestamp>, StoreError> {
        self.read(entries::newest_admission)
    }

    /// What is wrong with the pages of the file, each in a few words; at most ten. Reads all of it.
    pub fn quick_check(&self) -> Result<Vec<String>, StoreError> {
        self.read(restore::quick_check)
    }

    fn read<T>(
        &self,
        report: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.readers.read(|connection| report(connection).map_err(store_error))
    }
}

impl Writer {
    fn commit(&self, changes: &[Change]) -> rusqlite::Result<Vec<Outcome>> {
        let mut held = self.connection.lock();
        let connection = match held.take() {
            Some(connection) => connection,
            None => connection::open_writer(&self.path)?,
        };
        let committed = self.wiping.commit(&connection, changes);
        // SQLite has ended the transaction itself after some errors, and not after others.
        if connection.is_autocommit() || connection.execute_batch("ROLLBACK").is_ok() {
            *held = Some(connection);
        }
        committed
    }
}

impl Store for SqliteStore {
    fn commit(&self, changes: &[Change]) -> Result<Vec<Outcome>, StoreError> {
        match &self.writer {
            Some(writer) => writer.commit(changes).map_err(store_error),
            None => Err(StoreError::unavailable("the store was opened to read only")),
        }
    }

    fn snapshot(&self, since: Day) -> Result<Snapshot, StoreError> {
        self.read(|connection| snapshot::snapshot(connection, since))
    }

    fn newest_days(&self, days: u32) -> Result<Option<Day>, StoreError> {
        self.read(|connection| snapshot::newest_days(connection, days))
    }

    fn keys(&self, page: &KeyPage) -> Result<Vec<KeyRecord>, StoreError> {
        self.read(|connection| keys::page(connection, page))
    }

    fn key(&self, hash: KeyHash) -> Result<Option<KeyRecord>, StoreError> {
        self.read(|connection| keys::find(connection, hash))
    }

    fn workspace(&self, id: Uuid) -> Result<Option<WorkspaceRecord>, StoreError> {
        self.read(|connection| workspaces::find(connection, id))
    }

    fn idempotent(&self, id: &[u8; 32], now: Timestamp) -> Result<Option<Idempotent>, StoreError> {
        self.read(|connection| idempotency::find(connection, id, now))
    }

    fn generation(&self, generation: &str) -> Result<Vec<Entry>, StoreError> {
        self.read(|connection| entries::generation(connection, generation))
    }

    fn unresolved(&self, most: usize) -> Result<Vec<Entry>, StoreError> {
        self.read(|connection| entries::unresolved(connection, most))
    }

    fn sealable(&self, before: Day) -> Result<Sealing, StoreError> {
        self.read(|connection| sealed::sealable(connection, before))
    }

    fn activity(&self, filter: &ActivityFilter) -> Result<Activity, StoreError> {
        self.read(|connection| activity::activity(connection, filter))
    }

    fn charged(&self) -> Result<Amounts, StoreError> {
        self.read(activity::charged)
    }

    fn audit(&self) -> Result<Report, StoreError> {
        self.read(audit::audit)
    }

    fn export(
        &self,
        sink: &mut dyn FnMut(ExportLine) -> std::io::Result<()>,
    ) -> Result<(), StoreError> {
        self.readers.read(|connection| export::export(connection, sink))
    }

    fn audit_log(&self, page: &AuditPage) -> Result<AuditLog, StoreError> {
        self.read(|connection| audit_log::page(connection, page))
    }
}

#[cfg(test)]
mod tests {
    use store::contract::sample::{commit_all, create, entry, hash, key, settlement};

    use super::*;

    /// A store that must not grow further, as on a full disk.
    fn full(folder: &Path) -> SqliteStore {
        let store = SqliteStore::open(folder.join("tollgate.db")).unwrap();
        create(&store, key(1));
        limit_pages(&store, 1);
        store
    }

    /// SQLite takes the pages that are there for the smallest maximum.
    fn limit_pages(store: &SqliteStore, most: u32) {
        let writer = store.writer.as_ref().unwrap().connection.lock();
        let pages = writer.as_ref().unwrap().query_row(
            &format!("PRAGMA max_page_count = {most}"),
            [],
            |row| row.get::<_, u32>(0),
        );
        assert!(pages.unwrap() >= most);
    }

    #[test]
    fn a_full_disk_keeps_nothing_of_a_batch_and_the_next_one_may_succeed() {
        let folder = tempfile::tempdir().unwrap();
        let store = full(folder.path());
        let batch: Vec<Change> =
            (0..200).map(|number| settlement(&entry(&format!("gen-{number}"), hash(1)))).collect();
        for _ in 0..2 {
            assert!(matches!(store.commit(&batch), Err(StoreError::Unavailable(_))));
            assert_eq!(store.generation("gen-0").unwrap(), []);
        }
        limit_pages(&store, 100_000);
        assert_eq!(commit_all(&store, &batch).len(), 200);
        let report = store.audit().unwrap();
        assert_eq!((report.rows, report.differences), (200, vec![]));
    }

    #[test]
    fn an_error_in_the_middle_of_a_batch_keeps_nothing_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tollgate.db");
        let store = SqliteStore::open(&path).unwrap();
        let other = Connection::open(&path).unwrap();
        let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON entries WHEN new.generation = 'gen-2'
                      BEGIN SELECT RAISE(ABORT, 'refused'); END";
        other.execute_batch(refuse).unwrap();
        let batch = [1, 2].map(|number| settlement(&entry(&format!("gen-{number}"), hash(1))));
        assert!(matches!(store.commit(&batch), Err(StoreError::Unavailable(_))));
        other.execute_batch("DROP TRIGGER refuse").unwrap();
        assert_eq!(store.audit().unwrap(), Report::default());
        assert_eq!(commit_all(&store, &batch).len(), 2);
        assert_eq!(store.audit().unwrap().differences, []);
    }

    #[test]
    fn an_empty_batch_writes_so_that_its_success_means_something() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tollgate.db");
        let store = SqliteStore::open(&path).unwrap();
        let log_bytes = || std::fs::metadata(path.with_extension("db-wal")).unwrap().len();
        let before = log_bytes();
        assert_eq!(commit_all(&store, &[]), []);
        assert!(log_bytes() > before);
        assert_eq!(store.audit().unwrap().differences, []);
    }

    #[test]
    fn a_writer_that_was_lost_is_opened_anew() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("tollgate.db")).unwrap();
        *store.writer.as_ref().unwrap().connection.lock() = None;
        create(&store, key(1));
        assert_eq!(store.audit_log(&AuditPage::newest(9)).unwrap().rows.len(), 1);
    }
}
