//! A store in a folder of its own, which goes away with it.
//! On the disk, not in memory: what is tried is the file.

use std::ops::Deref;
use std::path::PathBuf;

use store_sqlite::SqliteStore;
use tempfile::TempDir;

pub(crate) struct TempStore {
    store: SqliteStore,
    folder: TempDir,
}

impl TempStore {
    pub(crate) fn new() -> TempStore {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("tollgate.db")).unwrap();
        TempStore { store, folder }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("tollgate.db")
    }
}

impl Deref for TempStore {
    type Target = SqliteStore;

    fn deref(&self) -> &SqliteStore {
        &self.store
    }
}
