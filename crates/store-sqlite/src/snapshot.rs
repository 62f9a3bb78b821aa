//! What the gateway keeps in memory, read once at a start.
//! Spend comes from the kept sums, not the rows, so a start takes no longer as the book grows.

use std::collections::HashMap;

use ledger::{Amounts, Day, Tally};
use rusqlite::{Connection, Result};
use store::{KeyHash, LoadedKey, LoadedWorkspace, Snapshot};
use uuid::Uuid;

use crate::fields::Fields;
use crate::{budgets, byok, endpoint_marks, keys, management_keys, members, workspaces};

/// Live keys and workspaces with their spend, by day from `since` on; management keys; endpoint
/// marks.
pub(crate) fn snapshot(connection: &Connection, since: Day) -> Result<Snapshot> {
    let mut keys = live_keys(connection)?;
    let mut workspaces = live_workspaces(connection)?;
    add_days(connection, since, &mut keys, &mut workspaces)?;
    Ok(Snapshot {
        keys: keys.into_values().map(Loading::finish).collect(),
        workspaces: workspaces.into_values().map(Loading::finish).collect(),
        users: members::users(connection)?,
        management_keys: management_keys::all(connection)?,
        marks: endpoint_marks::all(connection)?,
        credentials: byok::live(connection)?,
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

/// A key or a workspace while its spend is read.
struct Loading<T> {
    loaded: T,
    tally: fn(&mut T) -> &mut Tally,
    /// What it has spent in all, less the days that were read.
    before_days: Amounts,
}

impl<T> Loading<T> {
    fn add(&mut self, day: Day, spent: Amounts) {
        (self.tally)(&mut self.loaded).post(day, spent);
        self.before_days = self.before_days.checked_sub(spent).unwrap_or(self.before_days);
    }

    fn finish(mut self) -> T {
        (self.tally)(&mut self.loaded).post_before_days(self.before_days);
        self.loaded
    }
}

fn live_workspaces(connection: &Connection) -> Result<HashMap<Uuid, Loading<LoadedWorkspace>>> {
    let mut statement = connection.prepare_cached(workspaces::LIVE_WITH_TOTALS)?;
    let rows = statement.query_map([], |row| {
        let mut fields = Fields::of(row);
        let record = workspaces::read(&mut fields)?;
        let before_days = fields.amounts()?;
        let (budgets, members) = (Vec::new(), Vec::new());
        let loaded = LoadedWorkspace { record, budgets, members, tally: Tally::default() };
        let tally: fn(&mut LoadedWorkspace) -> &mut Tally = |loaded| &mut loaded.tally;
        Ok((loaded.record.id, Loading { loaded, tally, before_days }))
    })?;
    let mut loading: HashMap<Uuid, Loading<LoadedWorkspace>> = rows.collect::<Result<_>>()?;
    let mut statement = connection.prepare_cached(budgets::ALL)?;
    for budget in statement.query_map([], budgets::read)? {
        let budget = budget?;
        if let Some(workspace) = loading.get_mut(&budget.workspace) {
            workspace.loaded.budgets.push(budget);
        }
    }
    let mut statement = connection.prepare_cached(members::LISTED)?;
    for member in statement.query_map([], members::read)? {
        let member = member?;
        if let Some(workspace) = loading.get_mut(&member.workspace) {
            workspace.loaded.members.push(member);
        }
    }
    Ok(loading)
}

fn live_keys(connection: &Connection) -> Result<HashMap<KeyHash, Loading<LoadedKey>>> {
    let mut statement = connection.prepare_cached(keys::LIVE_WITH_TOTALS)?;
    let rows = statement.query_map([], |row| {
        let mut fields = Fields::of(row);
        let record = keys::read(&mut fields)?;
        let before_days = fields.amounts()?;
        let last_used_at = fields.optional_time()?;
        let loaded = LoadedKey { record, tally: Tally::default(), last_used_at };
        let tally: fn(&mut LoadedKey) -> &mut Tally = |loaded| &mut loaded.tally;
        Ok((loaded.record.hash, Loading { loaded, tally, before_days }))
    })?;
    rows.collect()
}

fn add_days(
    connection: &Connection,
    since: Day,
    keys: &mut HashMap<KeyHash, Loading<LoadedKey>>,
    workspaces: &mut HashMap<Uuid, Loading<LoadedWorkspace>>,
) -> Result<()> {
    // Added up here and not by SQLite, whose sum() fails on a total that is out of range.
    let mut statement = connection
        .prepare_cached("SELECT day, key, workspace, credits, byok FROM daily WHERE day >= ?")?;
    let mut rows = statement.query([since.number()])?;
    while let Some(row) = rows.next()? {
        let mut fields = Fields::of(row);
        let day = Day::from_number(fields.next()?);
        let (key, workspace) = (fields.hash()?, fields.uuid()?);
        let spent = fields.amounts()?;
        if let Some(loading) = keys.get_mut(&key) {
            loading.add(day, spent);
        }
        if let Some(loading) = workspaces.get_mut(&workspace) {
            loading.add(day, spent);
        }
    }
    Ok(())
}
