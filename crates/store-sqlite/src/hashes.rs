//! Every hash that ever authenticated something, so that none comes to stand for another.
//! Rows are added and never taken out: what was revoked must not come back as something else.

use rusqlite::{Connection, OptionalExtension, Result};
use store::KeyHash;

/// What `hash` stands for, or ever stood for.
pub(crate) fn owner(connection: &Connection, hash: KeyHash) -> Result<Option<KeyHash>> {
    connection
        .prepare_cached("SELECT owner FROM hashes WHERE hash = ?")?
        .query_row([hash.0], |row| row.get(0).map(KeyHash))
        .optional()
}

/// Notes that `hash` stands for `owner`, for ever.
pub(crate) fn claim(connection: &Connection, hash: KeyHash, owner: KeyHash) -> Result<()> {
    connection
        .prepare_cached("INSERT OR IGNORE INTO hashes (hash, owner) VALUES (?, ?)")?
        .execute([hash.0, owner.0])?;
    Ok(())
}
