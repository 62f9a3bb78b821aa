//! What was learned about endpoints, one row an endpoint.
//! A new mark takes the place of the old: the gateway knows the whole of what it learned.

use rusqlite::{Connection, Result, params};
use store::{EndpointMark, Outcome};

use crate::fields::{Fields, stored};

/// Keeps `mark` in the place of an earlier one.
pub(crate) fn put(connection: &Connection, mark: &EndpointMark) -> Result<Outcome> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO endpoint_marks VALUES (?, ?, ?, ?, ?, ?)")?
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

/// Everything that was learned.
pub(crate) fn all(connection: &Connection) -> Result<Vec<EndpointMark>> {
    connection
        .prepare_cached(
            "SELECT model, provider, upstream_model, prompt_overhead_tokens, held_at_maximum, barred
             FROM endpoint_marks",
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
