//! What the gateway keeps in memory, read once at a start.
//! Spend comes from the kept sums, not the rows, so a start takes no longer as the book grows.

use std::collections::HashMap;

use ledger::{Amounts, Day, Tally};
use rusqlite::{Connection, Result};
use store::{KeyHash, LoadedKey, Snapshot};

use crate::fields::Fields;
use crate::{endpoint_marks, keys, management_keys};

/// Live keys with their spend, by day from `since` on; management keys; endpoint marks.
pub(crate) fn snapshot(connection: &Connection, since: Day) -> Result<Snapshot> {
    let mut loading = live_keys(connection)?;
    add_days(connection, since, &mut loading)?;
    Ok(Snapshot {
        keys: loading.into_values().map(Loading::finish).collect(),
        management_keys: management_keys::all(connection)?,
        marks: endpoint_marks::all(connection)?,
    })
}

/// The first of the newest `days` days that have rows. Steps from day to day along the key, so that
/// it reads as many places as there are days, however many rows they have.
pub(crate) fn newest_days(connection: &Connection, days: u32) -> Result<Option<Day>> {
    let first: Option<i32> = connection
        .prepare_cached(
            "WITH RECURSIVE newest (day) AS (
                 SELECT max(day) FROM daily
                 UNION ALL
                 SELECT (SELECT max(day) FROM daily WHERE day < newest.day)
                 FROM newest WHERE newest.day IS NOT NULL
                 LIMIT ?
             )
             SELECT min(day) FROM newest",
        )?
        .query_row([days], |row| row.get(0))?;
    Ok(first.map(Day::from_number))
}

/// A key while its spend is read.
struct Loading {
    key: LoadedKey,
    /// What it has spent in all, less the days that were read.
    before_days: Amounts,
}

impl Loading {
    fn finish(mut self) -> LoadedKey {
        self.key.tally.post_before_days(self.before_days);
        self.key
    }
}

fn live_keys(connection: &Connection) -> Result<HashMap<KeyHash, Loading>> {
    let mut statement = connection.prepare_cached(keys::LIVE_WITH_TOTALS)?;
    let rows = statement.query_map([], |row| {
        let mut fields = Fields::of(row);
        let record = keys::read(&mut fields)?;
        let before_days = fields.amounts()?;
        let last_used_at = fields.optional_time()?;
        let key = LoadedKey { record, tally: Tally::default(), last_used_at };
        Ok((key.record.hash, Loading { key, before_days }))
    })?;
    rows.collect()
}

fn add_days(
    connection: &Connection,
    since: Day,
    loading: &mut HashMap<KeyHash, Loading>,
) -> Result<()> {
    // Added up here and not by SQLite, whose sum() fails on a total that is out of range.
    let mut statement =
        connection.prepare_cached("SELECT day, key, credits, byok FROM daily WHERE day >= ?")?;
    let mut rows = statement.query([since.number()])?;
    while let Some(row) = rows.next()? {
        let mut fields = Fields::of(row);
        let day = Day::from_number(fields.next()?);
        if let Some(loading) = loading.get_mut(&fields.hash()?) {
            let spent = fields.amounts()?;
            loading.key.tally.post(day, spent);
            loading.before_days =
                loading.before_days.checked_sub(spent).unwrap_or(loading.before_days);
        }
    }
    Ok(())
}
