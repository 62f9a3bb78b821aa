//! Answers kept for requests that may come twice, until they expire.
//! Whether one has expired is asked with the time handed in; deleting it only tidies up.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Result, params};
use store::Idempotent;

use crate::fields::{Fields, micros};

/// The answer kept under `id`, unless it has expired at `now`.
pub(crate) fn find(
    connection: &Connection,
    id: &[u8; 32],
    now: Timestamp,
) -> Result<Option<Idempotent>> {
    connection
        .prepare_cached(
            "SELECT id, body, answer, expires_at FROM idempotency WHERE id = ? AND expires_at > ?",
        )?
        .query_row(params![id, micros(now)], |row| {
            let mut fields = Fields::of(row);
            Ok(Idempotent {
                id: fields.next()?,
                body: fields.next()?,
                answer: fields.next()?,
                expires_at: fields.time()?,
            })
        })
        .optional()
}

/// Keeps an answer, and forgets those that have expired at `now`.
pub(crate) fn keep(connection: &Connection, answer: &Idempotent, now: Timestamp) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM idempotency WHERE expires_at <= ?")?
        .execute([micros(now)])?;
    connection
        .prepare_cached(
            "INSERT INTO idempotency (id, body, answer, expires_at) VALUES (?, ?, ?, ?)",
        )?
        .execute(params![answer.id, answer.body, answer.answer, micros(answer.expires_at)])?;
    Ok(())
}
