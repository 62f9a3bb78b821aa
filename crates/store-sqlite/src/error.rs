//! What SQLite's errors mean for who uses the store, and why a store does not open.

use std::io;
use std::path::PathBuf;

use rusqlite::{Error, ErrorCode, ffi};
use store::StoreError;

/// Why a store did not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder it should be in is not there.
    #[error("there is no folder {} to keep the store in; make it first", .0.display())]
    NoFolder(PathBuf),
    /// There is no such file, and it was only to be read.
    #[error("there is no store at {}", .0.display())]
    Missing(PathBuf),
    /// Another process writes to it; a store on SQLite has one writer.
    #[error(
        "the store {} is in use by {}; one process writes to it, and two nodes need PostgreSQL",
        .path.display(), holder(*.process)
    )]
    InUse {
        /// The file.
        path: PathBuf,
        /// The process, where it has said so.
        process: Option<u32>,
    },
    /// The file is something else.
    #[error("{} is not a store of Tollgate", .0.display())]
    Foreign(PathBuf),
    /// A log of another book lies beside it, and it was only to be read.
    #[error(
        "{} was put in the place of a book whose log is still beside it: start the server, which \
         sets that aside",
        .0.display()
    )]
    ForeignLog(PathBuf),
    /// A newer version of Tollgate has written it.
    #[error(
        "the store {} is at schema {found}, and this version of Tollgate knows {known}: use the \
         version that wrote it, or a newer one",
        .path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The file's schema.
        found: u32,
        /// The newest schema known here.
        known: u32,
    },
    /// An older version has written it, and it was only to be read.
    #[error(
        "the store {} is at schema {found}, not yet {known}: a server brings its own up to date when \
         it starts, `tollgate restore` a backup",
        .path.display()
    )]
    Older {
        /// The file.
        path: PathBuf,
        /// The file's schema.
        found: u32,
        /// The newest schema known here.
        known: u32,
    },
    /// A file could not be made, opened or locked.
    #[error("cannot open {}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// SQLite could not open it or bring it up to date.
    #[error("cannot open the store {}", .path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Error,
    },
}

fn holder(process: Option<u32>) -> String {
    process.map_or_else(|| "another process".to_owned(), |id| format!("process {id}"))
}

/// What `error` means for who asked.
pub(crate) fn store_error(error: Error) -> StoreError {
    if is_broken(&error) { StoreError::broken(error) } else { StoreError::unavailable(error) }
}

/// Whether what is on disk can't be trusted after this.
///
/// A failed sync is the worst: the system may have dropped the pages and will call the next sync a
/// success. What can't be read as the book's types is damage that SQLite has not seen.
pub(crate) fn is_broken(error: &Error) -> bool {
    match error {
        Error::SqliteFailure(failure, _) => {
            matches!(failure.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
                || matches!(
                    failure.extended_code,
                    ffi::SQLITE_IOERR_FSYNC
                        | ffi::SQLITE_IOERR_DIR_FSYNC
                        | ffi::SQLITE_IOERR_CORRUPTFS
                        | ffi::SQLITE_IOERR_DATA
                )
        }
        Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::InvalidColumnType(..)
        | Error::Utf8Error(..) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(extended_code: i32) -> StoreError {
        store_error(Error::SqliteFailure(ffi::Error::new(extended_code), None))
    }

    #[test]
    fn what_may_pass_leaves_the_store_unavailable() {
        for code in [
            ffi::SQLITE_FULL,
            ffi::SQLITE_BUSY,
            ffi::SQLITE_LOCKED,
            ffi::SQLITE_READONLY,
            ffi::SQLITE_CANTOPEN,
            ffi::SQLITE_NOMEM,
            ffi::SQLITE_IOERR_WRITE,
            ffi::SQLITE_IOERR_READ,
        ] {
            assert!(matches!(failure(code), StoreError::Unavailable(_)), "{code}");
        }
    }

    #[test]
    fn a_failed_sync_or_damage_breaks_the_store() {
        for code in [
            ffi::SQLITE_IOERR_FSYNC,
            ffi::SQLITE_IOERR_DIR_FSYNC,
            ffi::SQLITE_CORRUPT,
            ffi::SQLITE_CORRUPT_INDEX,
            ffi::SQLITE_NOTADB,
        ] {
            assert!(matches!(failure(code), StoreError::Broken(_)), "{code}");
        }
        let unread = Error::IntegralValueOutOfRange(0, -1);
        assert!(matches!(store_error(unread), StoreError::Broken(_)));
    }
}
