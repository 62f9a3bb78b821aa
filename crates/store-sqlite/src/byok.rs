//! Credentials: made, changed, deleted, and encrypted anew all at once.
//! Where a secret goes, its bytes are overwritten: see [`wipes`].

use jiff::Timestamp;
use rusqlite::{Connection, Error, OptionalExtension, Result, params};
use store::{
    Change, CredentialRecord, Edit, Encrypted, KeyHash, Outcome, Reencrypted, Refused, Region,
};
use uuid::Uuid;

use crate::fields::{Fields, micros, stored};
use crate::workspaces;

macro_rules! columns {
    () => {
        "id, provider, workspace, name, label, disabled, is_fallback, is_required, is_byok_only, \
         sort_order, allowed_models, allowed_api_key_hashes, allowed_user_ids, declared_region, \
         declared_zdr, created_at, updated_at, version"
    };
}

const LIVE: &str = concat!(
    "SELECT ",
    columns!(),
    ", encrypted FROM credentials WHERE deleted_at IS NULL ORDER BY created_at, id"
);

/// Every credential with when it was deleted and without its secret, in the order of an export.
pub(crate) const ALL: &str =
    concat!("SELECT ", columns!(), ", deleted_at FROM credentials ORDER BY created_at, id");

/// Puts a credential in the place of one with its id.
const PUT: &str = concat!(
    "INSERT OR REPLACE INTO credentials (",
    columns!(),
    ", encrypted) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
);

/// Whether a change takes a secret out of the file, so that nothing of it may be left there.
pub(crate) fn wipes(change: &Change) -> bool {
    let Change::Edit(edit, _) = change else { return false };
    matches!(
        **edit,
        Edit::UpdateCredential(_)
            | Edit::DeleteCredential { .. }
            | Edit::ReencryptCredentials(_)
            | Edit::DeleteWorkspace { .. }
    )
}

/// Adds a credential whose id was never known.
pub(crate) fn create(connection: &Connection, record: &CredentialRecord) -> Result<Outcome> {
    let known: Option<i64> = connection
        .prepare_cached("SELECT version FROM credentials WHERE id = ?")?
        .query_row([record.id.as_bytes()], |row| row.get(0))
        .optional()?;
    if known.is_some() {
        return Ok(Outcome::Conflict);
    }
    if let Some(id) = record.workspace
        && workspaces::is_deleted(connection, id)?
    {
        return Ok(Outcome::Refused(Refused::NoWorkspace));
    }
    put(connection, record, record.version)?;
    Ok(Outcome::Done)
}

/// Replaces a live credential, if it still has the version it was made from.
pub(crate) fn update(connection: &Connection, record: &CredentialRecord) -> Result<Outcome> {
    match version(connection, record.id)? {
        None => Ok(Outcome::Missing),
        Some(version) if version != record.version => Ok(Outcome::Conflict),
        Some(_) => {
            put(connection, record, record.version.saturating_add(1))?;
            Ok(Outcome::Done)
        }
    }
}

/// Takes a live credential out of use for ever, and its secret out of the file.
pub(crate) fn delete(connection: &Connection, id: Uuid, at: Timestamp) -> Result<Outcome> {
    let deleted = connection
        .prepare_cached(
            "UPDATE credentials SET deleted_at = ?, encrypted = NULL
             WHERE id = ? AND deleted_at IS NULL",
        )?
        .execute(params![micros(at), id.as_bytes()])?;
    Ok(if deleted > 0 { Outcome::Done } else { Outcome::Missing })
}

/// Does so with all that are of a workspace.
pub(crate) fn delete_all(connection: &Connection, workspace: Uuid, at: Timestamp) -> Result<()> {
    connection
        .prepare_cached(
            "UPDATE credentials SET deleted_at = ?, encrypted = NULL
             WHERE workspace = ? AND deleted_at IS NULL",
        )?
        .execute(params![micros(at), workspace.as_bytes()])?;
    Ok(())
}

/// Replaces the secrets of all live credentials, if `secrets` are of exactly those.
pub(crate) fn reencrypt(connection: &Connection, secrets: &[Reencrypted]) -> Result<Outcome> {
    let live: i64 = connection.query_row(
        "SELECT count(*) FROM credentials WHERE deleted_at IS NULL",
        [],
        |row| row.get(0),
    )?;
    let mut ids: Vec<Uuid> = secrets.iter().map(|secret| secret.id).collect();
    ids.sort();
    ids.dedup();
    let count = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
    if live != count(secrets.len()) || live != count(ids.len()) {
        return Ok(Outcome::Conflict);
    }
    for secret in secrets {
        if version(connection, secret.id)? != Some(secret.version) {
            return Ok(Outcome::Conflict);
        }
    }
    for secret in secrets {
        connection
            .prepare_cached("UPDATE credentials SET encrypted = ?, version = ? WHERE id = ?")?
            .execute(params![
                secret.encrypted.0,
                stored(secret.version.saturating_add(1)),
                secret.id.as_bytes(),
            ])?;
    }
    Ok(Outcome::Done)
}

/// Every live credential, by creation then id.
pub(crate) fn live(connection: &Connection) -> Result<Vec<CredentialRecord>> {
    connection
        .prepare_cached(LIVE)?
        .query_map([], |row| {
            let mut fields = Fields::of(row);
            let record = read(&mut fields)?;
            Ok(CredentialRecord { encrypted: Encrypted(fields.next()?), ..record })
        })?
        .collect()
}

/// One credential without its secret, its columns as listed above.
pub(crate) fn read(fields: &mut Fields<'_>) -> Result<CredentialRecord> {
    Ok(CredentialRecord {
        id: fields.uuid()?,
        provider: fields.next()?,
        workspace: fields.next::<Option<[u8; 16]>>()?.map(Uuid::from_bytes),
        name: fields.next()?,
        label: fields.next()?,
        encrypted: Encrypted::default(),
        disabled: fields.next()?,
        is_fallback: fields.next()?,
        is_required: fields.next()?,
        is_byok_only: fields.next()?,
        sort_order: fields.count()?,
        allowed_models: fields.optional_json()?,
        allowed_api_key_hashes: hashes(fields)?,
        allowed_user_ids: fields.optional_json()?,
        declared_region: fields.optional_word(Region::parse)?,
        declared_zdr: fields.next()?,
        created_at: fields.time()?,
        updated_at: fields.optional_time()?,
        version: fields.count()?,
    })
}

fn hashes(fields: &mut Fields<'_>) -> Result<Option<Vec<KeyHash>>> {
    let Some(texts) = fields.optional_json::<Vec<String>>()? else { return Ok(None) };
    let hashes: Option<Vec<KeyHash>> = texts.iter().map(|text| KeyHash::parse(text)).collect();
    hashes.map(Some).ok_or_else(|| fields.unread("a hash is not 64 hex digits"))
}

fn version(connection: &Connection, id: Uuid) -> Result<Option<u64>> {
    connection
        .prepare_cached("SELECT version FROM credentials WHERE id = ? AND deleted_at IS NULL")?
        .query_row([id.as_bytes()], |row| Fields::of(row).count())
        .optional()
}

fn put(connection: &Connection, record: &CredentialRecord, version: u64) -> Result<()> {
    let hashes = record.allowed_api_key_hashes.as_ref();
    let hashes = hashes.map(|hashes| hashes.iter().map(KeyHash::to_string).collect());
    connection.prepare_cached(PUT)?.execute(params![
        record.id.as_bytes(),
        record.provider,
        record.workspace.as_ref().map(Uuid::as_bytes),
        record.name,
        record.label,
        record.disabled,
        record.is_fallback,
        record.is_required,
        record.is_byok_only,
        record.sort_order,
        list(record.allowed_models.as_ref())?,
        list(hashes.as_ref())?,
        list(record.allowed_user_ids.as_ref())?,
        record.declared_region.map(Region::as_str),
        record.declared_zdr,
        micros(record.created_at),
        record.updated_at.map(micros),
        stored(version),
        record.encrypted.0,
    ])?;
    Ok(())
}

fn list(texts: Option<&Vec<String>>) -> Result<Option<String>> {
    let written = texts.map(serde_json::to_string).transpose();
    written.map_err(|error| Error::ToSqlConversionFailure(error.into()))
}
