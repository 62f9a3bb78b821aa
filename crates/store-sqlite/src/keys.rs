//! Keys: their settings, made, changed, deleted and listed.
//! What they have spent is in `sums.rs`; the two never touch the same table.

use std::num::NonZeroU64;

use jiff::Timestamp;
use ledger::Pace;
use money::Money;
use rusqlite::{Connection, Error, OptionalExtension, Result, named_params, params};
use store::{Idempotent, KeyHash, KeyPage, KeyRecord, Outcome, Refused, Reset};

use crate::fields::{Fields, micros, stored};
use crate::{hashes, idempotency, workspaces};

macro_rules! columns {
    () => {
        "hash, second_hash, label, name, disabled, limit_nanos, limit_reset, \
         include_byok_in_limit, created_at, updated_at, expires_at, creator, workspace, \
         external_user, version, allowed_models, requests_per_minute, tokens_per_minute, \
         concurrent_requests"
    };
}

/// Live keys, each with what it has spent in all and when it was last used.
pub(crate) const LIVE_WITH_TOTALS: &str = concat!(
    "SELECT ",
    columns!(),
    ", coalesce(credits, 0), coalesce(byok, 0), last_used_at
     FROM keys LEFT JOIN totals ON totals.key = keys.hash WHERE deleted_at IS NULL"
);

/// Every key with when it was deleted, in the order of an export.
pub(crate) const ALL: &str =
    concat!("SELECT ", columns!(), ", deleted_at FROM keys ORDER BY created_at, hash");

/// One key, live or deleted.
const FIND: &str = concat!("SELECT ", columns!(), " FROM keys WHERE hash = ?");

/// Puts a key in the place of one with its hash.
const PUT: &str = concat!(
    "INSERT OR REPLACE INTO keys (",
    columns!(),
    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
);

const PAGE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM keys
      WHERE deleted_at IS NULL AND workspace = :workspace
        AND (:include_disabled OR NOT disabled)
        AND (:unexpired_at IS NULL OR expires_at IS NULL OR expires_at > :unexpired_at)
      ORDER BY created_at DESC, hash LIMIT :most OFFSET :offset"
);

/// Adds a key that was never known, with the answer to keep for a repeat.
pub(crate) fn create(
    connection: &Connection,
    key: &KeyRecord,
    idempotent: Option<&Idempotent>,
    now: Timestamp,
) -> Result<Outcome> {
    if let Some(answer) = idempotent
        && let Some(kept) = idempotency::find(connection, &answer.id, now)?
    {
        return Ok(Outcome::Replayed(kept));
    }
    if hashes::owner(connection, key.hash)?.is_some() || is_second_taken(connection, key)? {
        return Ok(Outcome::Conflict);
    }
    if workspaces::is_deleted(connection, key.workspace)? {
        return Ok(Outcome::Refused(Refused::NoWorkspace));
    }
    put(connection, key, key.version)?;
    if let Some(answer) = idempotent {
        idempotency::keep(connection, answer, now)?;
    }
    Ok(Outcome::Done)
}

/// Replaces a live key's settings, if it still has the version they were made from.
pub(crate) fn update(connection: &Connection, key: &KeyRecord) -> Result<Outcome> {
    let version: Option<i64> = connection
        .prepare_cached("SELECT version FROM keys WHERE hash = ? AND deleted_at IS NULL")?
        .query_row([key.hash.0], |row| row.get(0))
        .optional()?;
    match version {
        None => Ok(Outcome::Missing),
        Some(version) if version != stored(key.version) => Ok(Outcome::Conflict),
        Some(_) if is_second_taken(connection, key)? => Ok(Outcome::Conflict),
        Some(_) if workspaces::is_deleted(connection, key.workspace)? => {
            Ok(Outcome::Refused(Refused::NoWorkspace))
        }
        Some(_) => {
            put(connection, key, key.version.saturating_add(1))?;
            Ok(Outcome::Done)
        }
    }
}

/// Takes a live key out of use for ever.
pub(crate) fn delete(connection: &Connection, hash: KeyHash, at: Timestamp) -> Result<Outcome> {
    let deleted = connection
        .prepare_cached("UPDATE keys SET deleted_at = ? WHERE hash = ? AND deleted_at IS NULL")?
        .execute(params![micros(at), hash.0])?;
    Ok(if deleted > 0 { Outcome::Done } else { Outcome::Missing })
}

/// The key of that hash, a deleted one as it last was.
pub(crate) fn find(connection: &Connection, hash: KeyHash) -> Result<Option<KeyRecord>> {
    connection
        .prepare_cached(FIND)?
        .query_row([hash.0], |row| read(&mut Fields::of(row)))
        .optional()
}

/// One page of live keys, newest first.
pub(crate) fn page(connection: &Connection, page: &KeyPage) -> Result<Vec<KeyRecord>> {
    connection
        .prepare_cached(PAGE)?
        .query_map(
            named_params! {
                ":workspace": page.workspace.as_bytes(),
                ":include_disabled": page.include_disabled,
                ":unexpired_at": page.unexpired_at.map(micros),
                ":most": stored(page.most),
                ":offset": stored(page.offset),
            },
            |row| read(&mut Fields::of(row)),
        )?
        .collect()
}

/// One key, its columns as listed above.
pub(crate) fn read(fields: &mut Fields<'_>) -> Result<KeyRecord> {
    Ok(KeyRecord {
        hash: fields.hash()?,
        second_hash: fields.next::<Option<[u8; 32]>>()?.map(KeyHash),
        label: fields.next()?,
        name: fields.next()?,
        disabled: fields.next()?,
        limit: fields.next::<Option<i64>>()?.map(Money::nanos),
        limit_reset: fields.optional_word(Reset::parse)?,
        include_byok_in_limit: fields.next()?,
        created_at: fields.time()?,
        updated_at: fields.optional_time()?,
        expires_at: fields.optional_time()?,
        creator: fields.next()?,
        workspace: fields.uuid()?,
        external_user: fields.next()?,
        version: fields.count()?,
        allowed_models: fields.optional_json()?,
        pace: Pace {
            requests_per_minute: fields.optional_positive()?,
            tokens_per_minute: fields.optional_positive()?,
            concurrent_requests: fields.optional_positive()?,
        },
    })
}

fn put(connection: &Connection, key: &KeyRecord, version: u64) -> Result<()> {
    for hash in std::iter::once(key.hash).chain(key.second_hash) {
        hashes::claim(connection, hash, key.hash)?;
    }
    let models = key.allowed_models.as_ref().map(serde_json::to_string).transpose();
    let models = models.map_err(|error| Error::ToSqlConversionFailure(error.into()))?;
    let limit = |limit: Option<NonZeroU64>| limit.map(|limit| stored(limit.get()));
    connection.prepare_cached(PUT)?.execute(params![
        key.hash.0,
        key.second_hash.map(|hash| hash.0),
        key.label,
        key.name,
        key.disabled,
        key.limit.map(Money::as_nanos),
        key.limit_reset.map(Reset::as_str),
        key.include_byok_in_limit,
        micros(key.created_at),
        key.updated_at.map(micros),
        key.expires_at.map(micros),
        key.creator,
        key.workspace.as_bytes(),
        key.external_user,
        stored(version),
        models,
        limit(key.pace.requests_per_minute),
        limit(key.pace.tokens_per_minute),
        limit(key.pace.concurrent_requests),
    ])?;
    Ok(())
}

fn is_second_taken(connection: &Connection, key: &KeyRecord) -> Result<bool> {
    let Some(second) = key.second_hash else { return Ok(false) };
    Ok(hashes::owner(connection, second)?.is_some_and(|owner| owner != key.hash))
}
