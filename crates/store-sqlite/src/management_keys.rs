//! Management keys: made and revoked, never forgotten.
//! A revoked one stays, so that making it again is refused.

use jiff::Timestamp;
use rusqlite::{Connection, Result, params};
use store::{KeyHash, ManagementKey, Outcome};

use crate::fields::{Fields, micros};
use crate::hashes;

/// Adds a key whose hash was never known.
pub(crate) fn create(connection: &Connection, key: &ManagementKey) -> Result<Outcome> {
    if hashes::owner(connection, key.hash)?.is_some() {
        return Ok(Outcome::Conflict);
    }
    hashes::claim(connection, key.hash, key.hash)?;
    connection
        .prepare_cached(
            "INSERT INTO management_keys (hash, label, name, created_at, revoked_at)
             VALUES (?, ?, ?, ?, ?)",
        )?
        .execute(params![
            key.hash.0,
            key.label,
            key.name,
            micros(key.created_at),
            key.revoked_at.map(micros),
        ])?;
    Ok(Outcome::Done)
}

/// Revokes a key that is not revoked yet.
pub(crate) fn revoke(connection: &Connection, hash: KeyHash, at: Timestamp) -> Result<Outcome> {
    let revoked = connection
        .prepare_cached(
            "UPDATE management_keys SET revoked_at = ? WHERE hash = ? AND revoked_at IS NULL",
        )?
        .execute(params![micros(at), hash.0])?;
    Ok(if revoked > 0 { Outcome::Done } else { Outcome::Missing })
}

/// Every management key, by creation then hash.
pub(crate) fn all(connection: &Connection) -> Result<Vec<ManagementKey>> {
    connection
        .prepare_cached(
            "SELECT hash, label, name, created_at, revoked_at FROM management_keys
             ORDER BY created_at, hash",
        )?
        .query_map([], |row| {
            let mut fields = Fields::of(row);
            Ok(ManagementKey {
                hash: fields.hash()?,
                label: fields.next()?,
                name: fields.next()?,
                created_at: fields.time()?,
                revoked_at: fields.optional_time()?,
            })
        })?
        .collect()
}
