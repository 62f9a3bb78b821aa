//! A copy of the whole book as of one moment, made beside a server that goes on writing.
//! The copy is a store like the other: it is restored by putting it in its place.

use std::fs::File;
use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use store::{Change, Entry, Outcome, StoreError};

use crate::error::store_error;
use crate::{commit, connection, file};

/// Pages copied in one go.
const STEP_PAGES: i32 = 1_024;
/// The copy is synced each time it has grown by this many steps, so that no commit of the server's
/// ever waits behind all of it.
const SYNC_STEPS: u32 = 8;

/// Is told how many pages were copied, and of how many.
type Told<'a> = &'a mut dyn FnMut(u64, u64);

/// Copies what `source` reads into a new file at `to`, synced; it must not be there yet. Each of
/// `in_flight` that is not in the book is settled in the copy. Returns how many that were.
pub(crate) fn backup(
    source: &mut Connection,
    to: &Path,
    in_flight: &[Entry],
    told: Told<'_>,
) -> Result<u64, StoreError> {
    file::private().create_new(true).open(to).map_err(StoreError::unavailable)?;
    let copied = copied(source, to, in_flight, told)
        .and_then(|settled| file::sync(to).map(|()| settled).map_err(StoreError::unavailable));
    if copied.is_err() {
        // Half a copy is none; that it could not be made is the error to report.
        let _ = std::fs::remove_file(to);
    }
    copied
}

fn copied(
    source: &mut Connection,
    to: &Path,
    in_flight: &[Entry],
    told: Told<'_>,
) -> Result<u64, StoreError> {
    let mut target =
        connection::open(to, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(store_error)?;
    // A copy that was cut short is thrown away, so it needs neither a journal nor a sync of its own.
    target
        .execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
        .map_err(store_error)?;
    copy(source, &mut target, to, told)?;
    // A file by itself: no log beside it, and one that can be read where nothing can be written.
    target
        .query_row("PRAGMA journal_mode = DELETE", [], |row| row.get::<_, String>(0))
        .map_err(store_error)?;
    let changes: Vec<Change> =
        in_flight.iter().map(|row| Change::Settle(Box::new(row.clone()))).collect();
    let outcomes = commit::commit(&target, &changes).map_err(store_error)?;
    let is_new = |outcome: &&Outcome| matches!(outcome, Outcome::Settled { is_new: true, .. });
    target.close().map_err(|(_, error)| store_error(error))?;
    Ok(outcomes.iter().filter(is_new).count() as u64)
}

/// Copies every page.
///
/// The source stays in one transaction, so that its pages are of one moment and no commit starts
/// the copy over.
fn copy(
    source: &mut Connection,
    target: &mut Connection,
    to: &Path,
    told: Told<'_>,
) -> Result<(), StoreError> {
    let written = File::open(to).map_err(StoreError::unavailable)?;
    let moment = source.transaction().map_err(store_error)?;
    moment
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))
        .map_err(store_error)?;
    let backup = Backup::new(&moment, target).map_err(store_error)?;
    for step in 1_u32.. {
        match backup.step(STEP_PAGES).map_err(store_error)? {
            StepResult::Done => break,
            StepResult::More => {}
            _ => return Err(StoreError::unavailable("the store is locked")),
        }
        let progress = backup.progress();
        let [all, left] =
            [progress.pagecount, progress.remaining].map(|pages| u64::try_from(pages).unwrap_or(0));
        told(all.saturating_sub(left), all);
        if step.is_multiple_of(SYNC_STEPS) {
            written.sync_data().map_err(StoreError::unavailable)?;
        }
    }
    drop(backup);
    moment.finish().map_err(store_error)
}
