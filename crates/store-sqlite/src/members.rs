//! Users and who is a member of which workspace.
//! Every change of a workspace's members raises its version, as one of its budgets does.

use rusqlite::{Connection, OptionalExtension as _, Result, Row, params};
use store::{MemberRecord, MemberRole, OrgRole, Outcome, Refused, UserRecord};
use uuid::Uuid;

use crate::fields::{Fields, micros};
use crate::workspaces;

/// Every member, in the order of an export.
pub(crate) const ALL: &str =
    "SELECT id, workspace, user, role, created_at FROM members ORDER BY workspace, user";

/// The same, in the order in which those of one workspace are listed.
pub(crate) const LISTED: &str =
    "SELECT id, workspace, user, role, created_at FROM members ORDER BY created_at, user";

/// Every user, in the order in which they are listed and exported.
pub(crate) const USERS: &str = "
    SELECT id, email, first_name, last_name, role, created_at FROM users ORDER BY created_at, id";

/// Adds a user whose id nobody has.
pub(crate) fn create_user(connection: &Connection, user: &UserRecord) -> Result<Outcome> {
    let added = connection
        .prepare_cached(
            "INSERT INTO users (id, email, first_name, last_name, role, created_at)
             VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        )?
        .execute(params![
            user.id,
            user.email,
            user.first_name,
            user.last_name,
            user.role.as_str(),
            micros(user.created_at),
        ])?;
    Ok(if added > 0 { Outcome::Done } else { Outcome::Conflict })
}

/// Removes a user for whom there are no live keys, from every workspace too.
pub(crate) fn delete_user(connection: &Connection, id: &str) -> Result<Outcome> {
    let is_there = connection.prepare_cached("SELECT 1 FROM users WHERE id = ?")?.exists([id])?;
    if !is_there {
        return Ok(Outcome::Missing);
    }
    if owns_keys(connection, id, None)? {
        return Ok(Outcome::Refused(Refused::OwnsKeys));
    }
    connection.prepare_cached("DELETE FROM users WHERE id = ?")?.execute([id])?;
    connection.prepare_cached("DELETE FROM members WHERE user = ?")?.execute([id])?;
    Ok(Outcome::Done)
}

/// Adds members; who is one already stays as they are.
pub(crate) fn add(
    connection: &Connection,
    workspace: Uuid,
    members: &[MemberRecord],
    version: u64,
) -> Result<Outcome> {
    if let Some(outcome) = workspaces::other_than(connection, workspace, version)? {
        return Ok(outcome);
    }
    for member in members {
        connection
            .prepare_cached(
                "INSERT INTO members (workspace, user, id, role, created_at)
                 VALUES (?, ?, ?, ?, ?) ON CONFLICT (workspace, user) DO NOTHING",
            )?
            .execute(params![
                member.workspace.as_bytes(),
                member.user,
                member.id.as_bytes(),
                member.role.as_str(),
                micros(member.created_at),
            ])?;
    }
    workspaces::raise_version(connection, workspace, version)?;
    Ok(Outcome::Done)
}

/// Removes members, none of them where one has live keys there.
pub(crate) fn remove(
    connection: &Connection,
    workspace: Uuid,
    users: &[String],
    version: u64,
) -> Result<Outcome> {
    if let Some(outcome) = workspaces::other_than(connection, workspace, version)? {
        return Ok(outcome);
    }
    for user in users {
        if owns_keys(connection, user, Some(workspace))? {
            return Ok(Outcome::Refused(Refused::OwnsKeys));
        }
    }
    for user in users {
        connection
            .prepare_cached("DELETE FROM members WHERE workspace = ? AND user = ?")?
            .execute(params![workspace.as_bytes(), user])?;
    }
    workspaces::raise_version(connection, workspace, version)?;
    Ok(Outcome::Done)
}

/// Removes all members of a workspace.
pub(crate) fn remove_all(connection: &Connection, workspace: Uuid) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM members WHERE workspace = ?")?
        .execute([workspace.as_bytes()])?;
    Ok(())
}

/// Every user.
pub(crate) fn users(connection: &Connection) -> Result<Vec<UserRecord>> {
    connection.prepare_cached(USERS)?.query_map([], read_user)?.collect()
}

/// One user, their columns as selected above.
pub(crate) fn read_user(row: &Row<'_>) -> Result<UserRecord> {
    let mut fields = Fields::of(row);
    Ok(UserRecord {
        id: fields.next()?,
        email: fields.next()?,
        first_name: fields.next()?,
        last_name: fields.next()?,
        role: fields.word(OrgRole::parse)?,
        created_at: fields.time()?,
    })
}

/// One member, their columns as selected above.
pub(crate) fn read(row: &Row<'_>) -> Result<MemberRecord> {
    let mut fields = Fields::of(row);
    Ok(MemberRecord {
        id: fields.uuid()?,
        workspace: fields.uuid()?,
        user: fields.next()?,
        role: fields.word(MemberRole::parse)?,
        created_at: fields.time()?,
    })
}

/// Whether there are live keys that were made for the user, in that workspace or anywhere.
fn owns_keys(connection: &Connection, user: &str, workspace: Option<Uuid>) -> Result<bool> {
    let found: Option<i64> = connection
        .prepare_cached(
            "SELECT 1 FROM keys WHERE deleted_at IS NULL AND creator = ?1
                AND (?2 IS NULL OR workspace = ?2) LIMIT 1",
        )?
        .query_row(params![user, workspace.map(Uuid::into_bytes)], |row| row.get(0))
        .optional()?;
    Ok(found.is_some())
}
