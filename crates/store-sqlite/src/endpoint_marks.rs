//! What was learned about endpoints, one row an endpoint.
//! A mark adds to what was known: two that cross on their way here must not undo each other.

use rusqlite::{Connection, Result, params};
use store::{EndpointMark, Outcome};

use crate::fields::{Fields, stored};

/// Adds `mark` to what was known.
pub(crate) fn put(connection: &Connection, mark: &EndpointMark) -> Result<Outcome> {
    connection
        .prepare_cached(
            "INSERT INTO endpoint_marks VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET
                 prompt_overhead_tokens =
                     max(prompt_overhead_tokens, excluded.prompt_overhead_tokens),
                 held_at_maximum = max(held_at_maximum, excluded.held_at_maximum),
                 barred = max(barred, excluded.barred)",
        )?
        .execute(params![
            mark.model,
            mark.provider,
            mark.upstream_model,
            stored(mark.prompt_overhead_tokens),
            mark.held_at_maximum,
            mark.barred,
        ])?;
    Ok(Outcome::Done)
}

/// Forgets what was learned about an endpoint.
pub(crate) fn clear(
    connection: &Connection,
    model: &str,
    provider: &str,
    upstream_model: &str,
) -> Result<Outcome> {
    let cleared = connection
        .prepare_cached(
            "DELETE FROM endpoint_marks WHERE model = ? AND provider = ? AND upstream_model = ?",
        )?
        .execute([model, provider, upstream_model])?;
    Ok(if cleared > 0 { Outcome::Done } else { Outcome::Missing })
}

/// Everything that was learned, by model, provider and its name for the model.
pub(crate) fn all(connection: &Connection) -> Result<Vec<EndpointMark>> {
    connection
        .prepare_cached(
            "SELECT model, provider, upstream_model, prompt_overhead_tokens, held_at_maximum, barred
             FROM endpoint_marks ORDER BY model, provider, upstream_model",
        )?
        .query_map([], |row| {
            let mut fields = Fields::of(row);
            Ok(EndpointMark {
                model: fields.next()?,
                provider: fields.next()?,
                upstream_model: fields.next()?,
                prompt_overhead_tokens: fields.count()?,
                held_at_maximum: fields.next()?,
                barred: fields.next()?,
            })
        })?
        .collect()
}
