//! The budgets of workspaces, at most one of each window's length.
//! Every change raises the workspace's version, since what a budget may be depends on the others.

use rusqlite::{Connection, Result, Row, params};
use store::{BudgetRecord, Outcome, Reset};
use uuid::Uuid;

use crate::fields::{Fields, micros, stored};
use crate::workspaces;

/// Every budget, in the order of an export: by workspace, the longest window first.
pub(crate) const ALL: &str = "
    SELECT workspace, id, reset, limit_nanos, created_at, updated_at FROM budgets
    ORDER BY workspace, CASE reset WHEN '' THEN 0 WHEN 'monthly' THEN 1 WHEN 'weekly' THEN 2 ELSE 3 END";

/// Puts a budget in the place of the workspace's one of the same reset.
pub(crate) fn put(
    connection: &Connection,
    budget: &BudgetRecord,
    include_byok: bool,
    version: u64,
) -> Result<Outcome> {
    if let Some(outcome) = workspaces::other_than(connection, budget.workspace, version)? {
        return Ok(outcome);
    }
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO budgets
                 (workspace, reset, id, limit_nanos, created_at, updated_at)
             VALUES (?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            budget.workspace.as_bytes(),
            word(budget.reset),
            budget.id.as_bytes(),
            budget.limit.as_nanos(),
            micros(budget.created_at),
            micros(budget.updated_at),
        ])?;
    connection
        .prepare_cached(
            "UPDATE workspaces SET version = ?, include_byok_in_budgets = ? WHERE id = ?",
        )?
        .execute(params![
            stored(version.saturating_add(1)),
            include_byok,
            budget.workspace.as_bytes()
        ])?;
    Ok(Outcome::Done)
}

/// Takes a budget away.
pub(crate) fn delete(
    connection: &Connection,
    workspace: Uuid,
    reset: Option<Reset>,
    version: u64,
) -> Result<Outcome> {
    if let Some(outcome) = workspaces::other_than(connection, workspace, version)? {
        return Ok(outcome);
    }
    let deleted = connection
        .prepare_cached("DELETE FROM budgets WHERE workspace = ? AND reset = ?")?
        .execute(params![workspace.as_bytes(), word(reset)])?;
    if deleted == 0 {
        return Ok(Outcome::Missing);
    }
    workspaces::raise_version(connection, workspace, version)?;
    Ok(Outcome::Done)
}

/// Takes all budgets of a workspace away.
pub(crate) fn delete_all(connection: &Connection, workspace: Uuid) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM budgets WHERE workspace = ?")?
        .execute([workspace.as_bytes()])?;
    Ok(())
}

/// One budget, its columns as selected above.
pub(crate) fn read(row: &Row<'_>) -> Result<BudgetRecord> {
    let mut fields = Fields::of(row);
    Ok(BudgetRecord {
        workspace: fields.uuid()?,
        id: fields.uuid()?,
        reset: fields.word(|word| match word {
            "" => Some(None),
            word => Reset::parse(word).map(Some),
        })?,
        limit: money::Money::nanos(fields.next()?),
        created_at: fields.time()?,
        updated_at: fields.time()?,
    })
}

fn word(reset: Option<Reset>) -> &'static str {
    reset.map_or("", Reset::as_str)
}
