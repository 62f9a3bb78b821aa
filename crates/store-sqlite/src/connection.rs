//! Connections to the file: the one that writes, and those that read beside it.
//! In WAL mode a reader sees the last commit and neither waits for the writer nor makes it wait.

use std::ffi::c_int;
use std::path::{Path, PathBuf};
use std::time::Duration;

use parking_lot::Mutex;
use rusqlite::hooks::Wal;
use rusqlite::{Connection, Error, OpenFlags, Result, ffi};
use store::StoreError;

use crate::error::{is_broken, store_error};

/// How long to wait for a lock on the file, which only a recovery or another program takes.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Pages in the write-ahead log from which on a commit moves them into the file.
const CHECKPOINT_PAGES: c_int = 1_000;
/// Prepared statements kept by a connection; there are fewer.
const STATEMENTS_KEPT_MAX: usize = 64;
/// Idle readers kept open; a burst of reports opens more and closes them.
const READERS_KEPT_MAX: usize = 4;

/// A connection to a file that is there.
pub(crate) fn open(path: &Path, access: OpenFlags) -> Result<Connection> {
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT_MAX);
    Ok(connection)
}

/// A connection that writes.
pub(crate) fn open_writer(path: &Path) -> Result<Connection> {
    let mut connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    set_up_writer(&mut connection)?;
    Ok(connection)
}

/// Makes each commit of a connection durable before it returns, power loss included.
pub(crate) fn set_up_writer(connection: &mut Connection) -> Result<()> {
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        let cause = format!("the file system can't keep a write-ahead log (journal mode {mode})");
        return Err(Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CANTOPEN), Some(cause)));
    }
    // fullfsync: on macOS a plain sync leaves the data in the disk's own cache.
    connection.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA fullfsync = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -16384;
         PRAGMA journal_size_limit = 67108864;",
    )?;
    connection.wal_hook(Some(checkpoint))
}

/// Moves the log into the file once it is long.
///
/// SQLite's own checkpoint forgets its errors. One that can't be made now is made after the next
/// commit; but one whose sync failed must end the process, since the next sync would call the lost
/// pages safe and the log would be overwritten.
fn checkpoint(wal: &mut Wal, pages: c_int) -> Result<()> {
    if pages < CHECKPOINT_PAGES {
        return Ok(());
    }
    match wal.checkpoint() {
        Err(error) if is_broken(&error) => Err(error),
        _ => Ok(()),
    }
}

/// Connections that only read.
pub(crate) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(crate) fn new(path: PathBuf) -> Readers {
        Readers { path, idle: Mutex::default() }
    }

    /// Runs `report` in one transaction, so that all it reads is of one moment.
    pub(crate) fn read<T>(
        &self,
        report: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut reader = self.take().map_err(store_error)?;
        let transaction = reader.transaction().map_err(store_error)?;
        let answer = report(&transaction)?;
        transaction.finish().map_err(store_error)?;
        let mut idle = self.idle.lock();
        if idle.len() < READERS_KEPT_MAX {
            idle.push(reader);
        }
        Ok(answer)
    }

    /// A reader that is in no transaction.
    pub(crate) fn take(&self) -> Result<Connection> {
        let idle = self.idle.lock().pop();
        idle.map_or_else(|| open(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY), Ok)
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::types::Value;

    use super::*;

    /// A power cut can't be tried here, so what must survive one rests on these settings.
    #[test]
    fn the_writer_syncs_every_commit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tollgate.db");
        std::fs::write(&path, "").unwrap();
        let writer = open_writer(&path).unwrap();
        let set = |name: &str| -> Value {
            writer.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)).unwrap()
        };
        let full = Value::Integer(2);
        assert_eq!(set("journal_mode"), Value::Text("wal".to_owned()));
        assert_eq!(set("synchronous"), full);
        assert_eq!(set("fullfsync"), Value::Integer(1));
    }
}
