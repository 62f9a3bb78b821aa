//! A copy of the whole book as of one moment, made beside a server that goes on writing.
//! The copy is a store like the other: it is restored by putting it in its place.

use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use store::StoreError;

use crate::connection;
use crate::error::store_error;
use crate::file;

/// Copies what `source` reads into a new file at `to`, synced; it must not be there yet.
pub(crate) fn backup(source: &Connection, to: &Path) -> Result<(), StoreError> {
    file::private().create_new(true).open(to).map_err(StoreError::unavailable)?;
    let copied = copy(source, to).and_then(|()| file::sync(to).map_err(StoreError::unavailable));
    if copied.is_err() {
        // Half a copy is none; that it could not be made is the error to report.
        let _ = std::fs::remove_file(to);
    }
    copied
}

fn copy(source: &Connection, to: &Path) -> Result<(), StoreError> {
    let mut target =
        connection::open(to, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(store_error)?;
    let backup = Backup::new(source, &mut target).map_err(store_error)?;
    // All pages in one step, so that they are of one moment and no commit starts it over.
    match backup.step(-1).map_err(store_error)? {
        StepResult::Done => Ok(()),
        _ => Err(StoreError::unavailable("the store is locked")),
    }
}
