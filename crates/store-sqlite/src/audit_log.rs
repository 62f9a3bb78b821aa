//! The audit log: one row a change by a person, in the order they were made.
//! A row is written in the transaction of its change, or not at all.

use rusqlite::{Connection, Result, Row, params};
use store::AuditRow;

use crate::fields::{Fields, micros};

/// Every row, oldest first.
pub(crate) const ALL: &str =
    "SELECT at, actor, action, subject, before, after FROM audit_log ORDER BY id";

/// Adds a row.
pub(crate) fn insert(connection: &Connection, row: &AuditRow) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO audit_log (at, actor, action, subject, before, after)
             VALUES (?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            micros(row.at),
            row.actor,
            row.action,
            row.subject,
            row.before,
            row.after
        ])?;
    Ok(())
}

/// The newest rows, newest first.
pub(crate) fn newest(connection: &Connection, most: usize) -> Result<Vec<AuditRow>> {
    connection
        .prepare_cached(
            "SELECT at, actor, action, subject, before, after FROM audit_log
             ORDER BY id DESC LIMIT ?",
        )?
        .query_map([i64::try_from(most).unwrap_or(i64::MAX)], read)?
        .collect()
}

/// One row, its columns as selected above.
pub(crate) fn read(row: &Row<'_>) -> Result<AuditRow> {
    let mut fields = Fields::of(row);
    Ok(AuditRow {
        at: fields.time()?,
        actor: fields.next()?,
        action: fields.next()?,
        subject: fields.next()?,
        before: fields.next()?,
        after: fields.next()?,
    })
}
