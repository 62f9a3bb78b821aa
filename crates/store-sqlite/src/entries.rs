//! The rows of the book: adding them, once each, and reading them back.
//! A row is never changed; what it adds to the sums is in `sums.rs`.

use jiff::Timestamp;
use ledger::Amounts;
use money::Money;
use rusqlite::{Connection, Result, Row, params};
use store::{ApiType, Attempt, Entry, Kind, Outcome, Source, Tokens};

use crate::fields::{Fields, micros, stored};

macro_rules! columns {
    () => {
        "generation, attempt, kind, key, workspace, creator, model, provider, upstream_model, \
         admitted_at, credits, byok, held_credits, held_byok, source, prompt_tokens, \
         completion_tokens, cached_tokens, cache_write_tokens, reasoning_tokens, cache_discount, \
         upstream_id, streamed, cancelled, finish_reason, latency_ms, generation_ms, attempts, \
         referer, user_agent, session, api_type, credential"
    };
}

const INSERT: &str = concat!(
    "INSERT INTO entries (",
    columns!(),
    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, \
               ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
     ON CONFLICT (generation, attempt, kind) DO NOTHING"
);

const GENERATION: &str =
    concat!("SELECT ", columns!(), " FROM entries WHERE generation = ? ORDER BY attempt, kind");

const UNRESOLVED: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM entries AS entry
      WHERE kind = 0 AND source IN ('interrupted', 'held') AND NOT EXISTS (
          SELECT 1 FROM entries AS other
          WHERE other.generation = entry.generation AND other.attempt = entry.attempt
            AND other.kind > 0)
      ORDER BY admitted_at, generation, attempt LIMIT ?"
);

/// Every row, in the order of an export.
pub(crate) const ALL: &str =
    concat!("SELECT ", columns!(), " FROM entries ORDER BY admitted_at, generation, attempt, kind");

/// Adds `entry` if no row has its place; says what stands there then.
pub(crate) fn settle(connection: &Connection, entry: &Entry) -> Result<Outcome> {
    if insert(connection, entry)? {
        return Ok(Outcome::Settled { cost: entry.cost, is_new: true });
    }
    let cost = connection
        .prepare_cached(
            "SELECT credits, byok FROM entries WHERE generation = ? AND attempt = ? AND kind = ?",
        )?
        .query_row(params![entry.generation, entry.attempt, number(entry.kind)], |row| {
            Fields::of(row).amounts()
        })?;
    Ok(Outcome::Settled { cost, is_new: false })
}

/// Books the row that brings an attempt to `cost`.
pub(crate) fn correct(
    connection: &Connection,
    generation: &str,
    attempt: u32,
    cost: Amounts,
) -> Result<Outcome> {
    let outcome = store::correction(&self::generation(connection, generation)?, attempt, cost);
    if let Outcome::Corrected { entry } = &outcome {
        insert(connection, entry)?;
    }
    Ok(outcome)
}

/// Every row of one generation.
pub(crate) fn generation(connection: &Connection, generation: &str) -> Result<Vec<Entry>> {
    connection.prepare_cached(GENERATION)?.query_map([generation], read)?.collect()
}

/// The attempts whose cost was assumed and never corrected, oldest first.
pub(crate) fn unresolved(connection: &Connection, most: usize) -> Result<Vec<Entry>> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    connection.prepare_cached(UNRESOLVED)?.query_map([most], read)?.collect()
}

/// The latest admission there is.
pub(crate) fn newest_admission(connection: &Connection) -> Result<Option<Timestamp>> {
    connection.query_row("SELECT max(admitted_at) FROM entries", [], |row| {
        Fields::of(row).optional_time()
    })
}

/// Whether the row is new.
fn insert(connection: &Connection, entry: &Entry) -> Result<bool> {
    let attempts = serde_json::to_string(&entry.attempts)
        .map_err(|cause| rusqlite::Error::ToSqlConversionFailure(cause.into()))?;
    let added = connection.prepare_cached(INSERT)?.execute(params![
        entry.generation,
        entry.attempt,
        number(entry.kind),
        entry.key.0,
        entry.workspace.as_bytes(),
        entry.creator,
        entry.model,
        entry.provider,
        entry.upstream_model,
        micros(entry.admitted_at),
        entry.cost.credits.as_nanos(),
        entry.cost.byok.as_nanos(),
        entry.held.credits.as_nanos(),
        entry.held.byok.as_nanos(),
        entry.source.as_str(),
        stored(entry.tokens.prompt),
        stored(entry.tokens.completion),
        stored(entry.tokens.cached),
        stored(entry.tokens.cache_write),
        stored(entry.tokens.reasoning),
        entry.cache_discount.map(Money::as_nanos),
        entry.upstream_id,
        entry.streamed,
        entry.cancelled,
        entry.finish_reason,
        stored(entry.latency_ms),
        stored(entry.generation_ms),
        attempts,
        entry.referer,
        entry.user_agent,
        entry.session,
        entry.api_type.as_str(),
        entry.credential.as_ref().map(uuid::Uuid::as_bytes),
    ])?;
    Ok(added > 0)
}

/// One row, its columns as listed above.
pub(crate) fn read(row: &Row<'_>) -> Result<Entry> {
    let mut fields = Fields::of(row);
    Ok(Entry {
        generation: fields.next()?,
        attempt: fields.count()?,
        kind: kind(fields.count()?),
        key: fields.hash()?,
        workspace: fields.uuid()?,
        creator: fields.next()?,
        model: fields.next()?,
        provider: fields.next()?,
        upstream_model: fields.next()?,
        admitted_at: fields.time()?,
        cost: fields.amounts()?,
        held: fields.amounts()?,
        source: fields.word(Source::parse)?,
        tokens: Tokens {
            prompt: fields.count()?,
            completion: fields.count()?,
            cached: fields.count()?,
            cache_write: fields.count()?,
            reasoning: fields.count()?,
        },
        cache_discount: fields.next::<Option<i64>>()?.map(Money::nanos),
        upstream_id: fields.next()?,
        streamed: fields.next()?,
        cancelled: fields.next()?,
        finish_reason: fields.next()?,
        latency_ms: fields.count()?,
        generation_ms: fields.count()?,
        attempts: attempts(&mut fields)?,
        referer: fields.next()?,
        user_agent: fields.next()?,
        session: fields.next()?,
        api_type: fields.word(ApiType::parse)?,
        credential: fields.optional_uuid()?,
    })
}

fn attempts(fields: &mut Fields<'_>) -> Result<Vec<Attempt>> {
    let text = fields.text()?;
    serde_json::from_str(text).map_err(|cause| fields.unread(cause))
}

/// How an opening row is stored; no attempt has as many corrections.
const OPENING: u32 = u32::MAX;

/// A kind as it is stored.
pub(crate) fn number(kind: Kind) -> u32 {
    match kind {
        Kind::Attempt => 0,
        Kind::Correction(number) => number,
        Kind::Opening => OPENING,
    }
}

/// The kind that is stored so.
pub(crate) fn kind(number: u32) -> Kind {
    match number {
        0 => Kind::Attempt,
        OPENING => Kind::Opening,
        number => Kind::Correction(number),
    }
}
