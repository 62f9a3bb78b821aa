//! A backup put in the place of a book, which is kept aside.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use store::{Report, StoreError};

use crate::error::{OpenError, store_error};
use crate::file::{self, Lock, beside};
use crate::{audit, backup, connection, schema};

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// Where the book that was there is now.
    pub replaced: Option<PathBuf>,
    /// The audit of the book that is there now.
    pub report: Report,
}

/// Why nothing was restored. Whatever was there is there still.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The backup can't be read, or a server has the book it should replace.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The backup can't be copied.
    #[error("the backup can't be copied")]
    Copy(#[source] StoreError),
    /// Its pages are damaged.
    #[error("the backup is damaged: {}", .0.join("; "))]
    Damaged(Vec<String>),
    /// Its sums are not those of its rows.
    #[error("the backup does not agree with itself: {} differences; audit it", .0.differences.len())]
    Disagrees(Report),
    /// A file can't be put in its place.
    #[error("{} can't be put in its place", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Puts a copy of the book at `from` in the place of the one at `to`, which no server may have
/// open. One of an older version is brought up to date. The copy is checked and audited first; the
/// book that was there is kept beside it, its name with an ending.
pub fn restore(from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<Restored, RestoreError> {
    let to = file::resolve(to.as_ref())?;
    let _lock = Lock::take(&to)?;
    let copy = beside(&to, ".restoring");
    let failed = |source| RestoreError::File { path: copy.clone(), source };
    match fs::remove_file(&copy) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    let checked = checked_copy(from.as_ref(), &copy).and_then(|report| {
        file::sync(&copy).map_err(failed)?;
        let replaced = swap(&copy, &to)?;
        Ok(Restored { replaced, report })
    });
    if checked.is_err() {
        // What it failed for is the error to report.
        let _ = fs::remove_file(&copy);
    }
    checked
}

fn checked_copy(from: &Path, copy: &Path) -> Result<Report, RestoreError> {
    let path = from.canonicalize().map_err(|_| OpenError::Missing(from.to_owned()))?;
    let sqlite = |source| OpenError::Sqlite { path: path.clone(), source };
    let mut source = connection::open(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(sqlite)?;
    let found = schema::check(&source, &path)?;
    if found == 0 {
        return Err(OpenError::Foreign(path).into());
    }
    backup::backup(&mut source, copy, &[], &mut |_, _| {}).map_err(RestoreError::Copy)?;
    let sqlite = |source| OpenError::Sqlite { path: copy.to_owned(), source };
    let mut target = connection::open(copy, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(sqlite)?;
    schema::migrate(&mut target, found).map_err(sqlite)?;
    let problems = quick_check(&target).map_err(sqlite)?;
    if !problems.is_empty() {
        return Err(RestoreError::Damaged(problems));
    }
    let report = audit::audit(&target).map_err(|error| RestoreError::Copy(store_error(error)))?;
    match report.differences.is_empty() {
        true => Ok(report),
        false => Err(RestoreError::Disagrees(report)),
    }
}

/// What is wrong with the pages of a file, each in a few words; at most ten.
pub(crate) fn quick_check(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut problems: Vec<String> = connection
        .prepare("PRAGMA quick_check(10)")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    problems.retain(|problem| problem != "ok");
    Ok(problems)
}

/// Puts `copy` in the place of the book at `to`, and says where that one is now.
fn swap(copy: &Path, to: &Path) -> Result<Option<PathBuf>, RestoreError> {
    let failed = |path: &Path, source| RestoreError::File { path: path.to_owned(), source };
    let mut replaced = None;
    if to.exists() {
        let aside = file::free_name(to, ".replaced");
        // SQLite would read a log that is beside a file into it, whosever it was. A book that is
        // whole takes its own back and has none then; the log of a damaged one goes along with it.
        let _ = take_back_log(to);
        fs::hard_link(to, &aside)
            .or_else(|_| fs::rename(to, &aside))
            .map_err(|error| failed(&aside, error))?;
        for ending in ["-wal", "-shm"] {
            match fs::rename(beside(to, ending), beside(&aside, ending)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(failed(&beside(&aside, ending), error));
                }
                _ => {}
            }
        }
        replaced = Some(aside);
    }
    fs::rename(copy, to).and_then(|()| file::sync(to)).map_err(|error| failed(to, error))?;
    Ok(replaced)
}

/// Moves what is in the log of the book at `path` into its file; the log goes with the connection.
fn take_back_log(path: &Path) -> rusqlite::Result<()> {
    let connection = connection::open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    connection.close().map_err(|(_, error)| error)
}
