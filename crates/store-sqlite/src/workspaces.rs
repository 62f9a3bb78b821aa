//! Workspaces: their settings, made, changed and deleted.
//! What was spent in them is in `sums.rs`, their budgets are in `budgets.rs`.

use jiff::Timestamp;
use rusqlite::{Connection, Error, OptionalExtension, Result, params};
use store::{DEFAULT_WORKSPACE, Outcome, Refused, WorkspaceRecord};
use uuid::Uuid;

use crate::fields::{Fields, micros, stored};
use crate::{budgets, byok, members};

macro_rules! columns {
    () => {
        "id, slug, name, description, default_text_model, default_image_model, \
         default_provider_sort, io_logging, broadcast, data_discount_logging, \
         io_logging_sampling_millionths, io_logging_api_key_ids, disabled_server_tools, \
         include_byok_in_budgets, created_at, updated_at, created_by, version"
    };
}

/// Live workspaces, each with what was spent in it in all.
pub(crate) const LIVE_WITH_TOTALS: &str = concat!(
    "SELECT ",
    columns!(),
    ", coalesce(credits, 0), coalesce(byok, 0)
     FROM workspaces LEFT JOIN workspace_totals AS totals ON totals.workspace = workspaces.id
     WHERE deleted_at IS NULL"
);

/// Every workspace with when it was deleted, in the order of an export.
pub(crate) const ALL: &str =
    concat!("SELECT ", columns!(), ", deleted_at FROM workspaces ORDER BY created_at, id");

/// One workspace, live or deleted.
const FIND: &str = concat!("SELECT ", columns!(), " FROM workspaces WHERE id = ?");

/// Puts a workspace in the place of one with its id.
const PUT: &str = concat!(
    "INSERT OR REPLACE INTO workspaces (",
    columns!(),
    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
);

/// Adds a workspace whose id was never known.
pub(crate) fn create(connection: &Connection, record: &WorkspaceRecord) -> Result<Outcome> {
    if find(connection, record.id)?.is_some() {
        return Ok(Outcome::Conflict);
    }
    if is_slug_taken(connection, record)? {
        return Ok(Outcome::Refused(Refused::SlugTaken));
    }
    put(connection, record, record.version)?;
    Ok(Outcome::Done)
}

/// Replaces a live workspace's settings, if it still has the version they were made from.
pub(crate) fn update(connection: &Connection, record: &WorkspaceRecord) -> Result<Outcome> {
    if let Some(outcome) = other_than(connection, record.id, record.version)? {
        return Ok(outcome);
    }
    if is_slug_taken(connection, record)? {
        return Ok(Outcome::Refused(Refused::SlugTaken));
    }
    put(connection, record, record.version.saturating_add(1))?;
    Ok(Outcome::Done)
}

/// Takes a live workspace that has no live keys out of use for ever, with its budgets and credentials.
pub(crate) fn delete(connection: &Connection, id: Uuid, at: Timestamp) -> Result<Outcome> {
    if live_version(connection, id)?.is_none() {
        return Ok(Outcome::Missing);
    }
    if id == DEFAULT_WORKSPACE {
        return Ok(Outcome::Refused(Refused::IsDefault));
    }
    let has_keys = connection
        .prepare_cached("SELECT 1 FROM keys WHERE workspace = ? AND deleted_at IS NULL")?
        .exists([id.as_bytes()])?;
    if has_keys {
        return Ok(Outcome::Refused(Refused::HasKeys));
    }
    connection
        .prepare_cached("UPDATE workspaces SET deleted_at = ? WHERE id = ?")?
        .execute(params![micros(at), id.as_bytes()])?;
    budgets::delete_all(connection, id)?;
    byok::delete_all(connection, id, at)?;
    members::remove_all(connection, id)?;
    Ok(Outcome::Done)
}

/// The workspace of that id, a deleted one as it last was.
pub(crate) fn find(connection: &Connection, id: Uuid) -> Result<Option<WorkspaceRecord>> {
    connection
        .prepare_cached(FIND)?
        .query_row([id.as_bytes()], |row| read(&mut Fields::of(row)))
        .optional()
}

/// Whether there was a workspace of that id that is no more.
pub(crate) fn is_deleted(connection: &Connection, id: Uuid) -> Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM workspaces WHERE id = ? AND deleted_at IS NOT NULL")?
        .exists([id.as_bytes()])
}

/// What becomes of an edit made from `version`, where the workspace is gone or has another one.
pub(crate) fn other_than(
    connection: &Connection,
    id: Uuid,
    version: u64,
) -> Result<Option<Outcome>> {
    Ok(match live_version(connection, id)? {
        None => Some(Outcome::Missing),
        Some(found) if found != stored(version) => Some(Outcome::Conflict),
        Some(_) => None,
    })
}

/// Makes a workspace's version one higher than `version`.
pub(crate) fn raise_version(connection: &Connection, id: Uuid, version: u64) -> Result<()> {
    connection
        .prepare_cached("UPDATE workspaces SET version = ? WHERE id = ?")?
        .execute(params![stored(version.saturating_add(1)), id.as_bytes()])?;
    Ok(())
}

/// One workspace, its columns as listed above.
pub(crate) fn read(fields: &mut Fields<'_>) -> Result<WorkspaceRecord> {
    Ok(WorkspaceRecord {
        id: fields.uuid()?,
        slug: fields.next()?,
        name: fields.next()?,
        description: fields.next()?,
        default_text_model: fields.next()?,
        default_image_model: fields.next()?,
        default_provider_sort: fields.next()?,
        is_observability_io_logging_enabled: fields.next()?,
        is_observability_broadcast_enabled: fields.next()?,
        is_data_discount_logging_enabled: fields.next()?,
        io_logging_sampling_millionths: fields.count()?,
        io_logging_api_key_ids: fields.optional_json()?,
        disabled_server_tools: fields.optional_json()?,
        include_byok_in_budgets: fields.next()?,
        created_at: fields.time()?,
        updated_at: fields.optional_time()?,
        created_by: fields.next()?,
        version: fields.count()?,
    })
}

fn put(connection: &Connection, record: &WorkspaceRecord, version: u64) -> Result<()> {
    let unwritten = |error: serde_json::Error| Error::ToSqlConversionFailure(error.into());
    let ids = record.io_logging_api_key_ids.as_ref().map(serde_json::to_string).transpose();
    let tools = record.disabled_server_tools.as_ref().map(serde_json::to_string).transpose();
    connection.prepare_cached(PUT)?.execute(params![
        record.id.as_bytes(),
        record.slug,
        record.name,
        record.description,
        record.default_text_model,
        record.default_image_model,
        record.default_provider_sort,
        record.is_observability_io_logging_enabled,
        record.is_observability_broadcast_enabled,
        record.is_data_discount_logging_enabled,
        record.io_logging_sampling_millionths,
        ids.map_err(unwritten)?,
        tools.map_err(unwritten)?,
        record.include_byok_in_budgets,
        micros(record.created_at),
        record.updated_at.map(micros),
        record.created_by,
        stored(version),
    ])?;
    Ok(())
}

fn live_version(connection: &Connection, id: Uuid) -> Result<Option<i64>> {
    connection
        .prepare_cached("SELECT version FROM workspaces WHERE id = ? AND deleted_at IS NULL")?
        .query_row([id.as_bytes()], |row| row.get(0))
        .optional()
}

fn is_slug_taken(connection: &Connection, record: &WorkspaceRecord) -> Result<bool> {
    connection
        .prepare_cached(
            "SELECT 1 FROM workspaces WHERE slug = ? AND id <> ? AND deleted_at IS NULL",
        )?
        .exists(params![record.slug, record.id.as_bytes()])
}
