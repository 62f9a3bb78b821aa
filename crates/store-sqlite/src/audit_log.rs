//! The audit log: one row a change by a person, in the order they were made.
//! A row is written in the transaction of its change, or not at all.

use jiff::Timestamp;
use rusqlite::{Connection, Result, Row, named_params, params};
use store::{AuditLog, AuditPage, AuditRow};

use crate::fields::{Fields, micros, stored};

/// Every row, oldest first.
pub(crate) const ALL: &str =
    "SELECT at, actor, action, subject, before, after FROM audit_log ORDER BY id";

macro_rules! wanted {
    ($select:literal, $rest:literal) => {
        concat!(
            $select,
            " FROM audit_log
             WHERE (:actor IS NULL OR actor = :actor)
               AND (:action IS NULL OR action = :action)
               AND (:noun IS NULL OR substr(action, 1, length(:noun)) = :noun)
               AND (:subject IS NULL OR subject = :subject)
               AND (:since IS NULL OR at >= :since)
               AND (:until IS NULL OR at < :until)",
            $rest
        )
    };
}

const COUNT: &str = wanted!("SELECT count(*)", "");
const PAGE: &str = wanted!(
    "SELECT at, actor, action, subject, before, after",
    " ORDER BY id DESC LIMIT :most OFFSET :offset"
);

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

/// The rows that are asked for, newest first, and how many there are on all pages.
pub(crate) fn page(connection: &Connection, page: &AuditPage) -> Result<AuditLog> {
    let is_noun = |action: &&String| action.ends_with('.');
    let actor = &page.actor;
    let action = page.action.as_ref().filter(|action| !is_noun(action));
    let noun = page.action.as_ref().filter(is_noun);
    let subject = &page.subject;
    let (since, until) = (page.since.map(micros_up), page.until.map(micros_up));
    let wanted = named_params! {
        ":actor": actor, ":action": action, ":noun": noun, ":subject": subject,
        ":since": since, ":until": until,
    };
    let total =
        connection.prepare_cached(COUNT)?.query_row(wanted, |row| Fields::of(row).count())?;
    let (most, offset) = (stored(page.most), stored(page.offset));
    let part = named_params! { ":most": most, ":offset": offset };
    let rows = connection
        .prepare_cached(PAGE)?
        .query_map(&*[wanted, part].concat(), read)?
        .collect::<Result<_>>()?;
    Ok(AuditLog { rows, total })
}

/// A moment as it is stored, the next one that can be where it falls between two: rows are kept to
/// the microsecond, and none lies between.
fn micros_up(at: Timestamp) -> i64 {
    let is_between = at.subsec_nanosecond() % 1_000 != 0;
    // Towards zero, so up for what lies before 1970.
    micros(at) + i64::from(is_between && at > Timestamp::UNIX_EPOCH)
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
