//! The settings of a credential: as made, as changed, and as the audit log shows them.
//! What the requests ask for is checked against what there is here; nothing is half-made.

use std::sync::Arc;

use api::Invalid;
use api::byok::{CreateByok, Secret, UpdateByok};
use api::keys::parse_hash;
use store::{CredentialRecord, DEFAULT_WORKSPACE, Encrypted, KeyHash, Region};
use uuid::Uuid;

use crate::core::Core;
use crate::credentials::{CREDENTIALS_MAX, Credential, encrypted};
use crate::entropy::bytes;
use crate::http::error::{ApiError, ApiResult};
use crate::http::keys::models_are_there;
use crate::master_key::MasterKey;
use crate::secrets;

/// How long a key that stands in a header may be.
const HEADER_KEY_BYTES_MAX: usize = 4_096;

/// The workspace that a list is of; the default one where none is named.
pub(super) fn workspace(core: &Core, named: Option<Uuid>) -> ApiResult<Uuid> {
    let id = named.unwrap_or(DEFAULT_WORKSPACE);
    core.directory.workspaces().of_id(&id).map(|_| id).ok_or_else(no_workspace)
}

/// The refusal of a workspace that is not there.
pub(super) fn no_workspace() -> ApiError {
    Invalid::new("workspace_id", "is not a workspace", "the id of one").into()
}

/// A new credential as it was asked for, its secret encrypted.
pub(super) fn of_new(core: &Core, wanted: &CreateByok) -> ApiResult<CredentialRecord> {
    let workspace = match wanted.workspace_id {
        Some(None) => None,
        Some(Some(id)) => Some(workspace(core, Some(id))?),
        None => Some(DEFAULT_WORKSPACE),
    };
    provider_is_there(core, &wanted.provider)?;
    if core.credentials.current().all().len() >= CREDENTIALS_MAX {
        return Err(ApiError::invalid(format!(
            "There are {CREDENTIALS_MAX} credentials, which is the most there may be; delete one that \
             is not used"
        )));
    }
    let record = CredentialRecord {
        id: uuid::Builder::from_random_bytes(bytes(&*core.entropy)).into_uuid(),
        provider: wanted.provider.clone(),
        workspace,
        name: wanted.name.clone(),
        label: String::new(),
        encrypted: Encrypted::default(),
        disabled: wanted.disabled,
        is_fallback: wanted.is_fallback,
        is_required: wanted.is_required,
        is_byok_only: wanted.is_byok_only,
        sort_order: wanted.sort_order.unwrap_or_else(|| last_place(core, &wanted.provider)),
        allowed_models: wanted.allowed_models.clone(),
        allowed_api_key_hashes: wanted
            .allowed_api_key_hashes
            .as_deref()
            .map(|hashes| live_keys(core, hashes))
            .transpose()?,
        allowed_user_ids: wanted.allowed_user_ids.clone(),
        declared_region: wanted.declared_region.map(stored_region),
        declared_zdr: wanted.declared_zdr,
        created_at: core.clock.now(),
        updated_at: None,
        version: 0,
    };
    models_are_there(&core.catalogue(), record.allowed_models.as_deref().unwrap_or_default(), &[])?;
    is_sensible(&record)?;
    with_secret(core, record, &wanted.key)
}

/// A credential's settings with the changes made.
pub(super) fn edited(
    core: &Core,
    before: &CredentialRecord,
    wanted: &UpdateByok,
) -> ApiResult<CredentialRecord> {
    if let Some(Some(models)) = &wanted.allowed_models {
        let standing = before.allowed_models.as_deref().unwrap_or_default();
        models_are_there(&core.catalogue(), models, standing)?;
    }
    let hashes = match &wanted.allowed_api_key_hashes {
        Some(Some(hashes)) => Some(live_keys(core, hashes)?),
        Some(None) => None,
        None => before.allowed_api_key_hashes.clone(),
    };
    let region = wanted.declared_region.map(|region| region.map(stored_region));
    let kept = |wanted: &Option<Option<Vec<String>>>, before: &Option<Vec<String>>| {
        wanted.clone().unwrap_or_else(|| before.clone())
    };
    let record = CredentialRecord {
        name: wanted.name.clone().unwrap_or_else(|| before.name.clone()),
        disabled: wanted.disabled.unwrap_or(before.disabled),
        is_fallback: wanted.is_fallback.unwrap_or(before.is_fallback),
        is_required: wanted.is_required.unwrap_or(before.is_required),
        is_byok_only: wanted.is_byok_only.unwrap_or(before.is_byok_only),
        sort_order: wanted.sort_order.unwrap_or(before.sort_order),
        allowed_models: kept(&wanted.allowed_models, &before.allowed_models),
        allowed_api_key_hashes: hashes,
        allowed_user_ids: kept(&wanted.allowed_user_ids, &before.allowed_user_ids),
        declared_region: region.unwrap_or(before.declared_region),
        declared_zdr: wanted.declared_zdr.unwrap_or(before.declared_zdr),
        updated_at: Some(core.clock.now()),
        ..before.clone()
    };
    is_sensible(&record)?;
    match &wanted.key {
        Some(key) => with_secret(core, record, key),
        None => Ok(record),
    }
}

/// A credential that requests may go with.
pub(super) fn opened(record: CredentialRecord, secret: &str) -> ApiResult<Credential> {
    // What can't stand in a header was refused before.
    let opened = Credential::new(record, secret.as_bytes());
    opened.ok_or_else(|| ApiError::internal("a credential fits no header"))
}

/// The same credential with that secret.
fn with_secret(core: &Core, record: CredentialRecord, key: &Secret) -> ApiResult<CredentialRecord> {
    fits_a_header(&record.provider, key.expose())?;
    let master_key = master_key(core)?;
    let record = CredentialRecord { label: secrets::label(key.expose()), ..record };
    Ok(encrypted(&master_key, record, key.expose(), &*core.entropy))
}

fn master_key(core: &Core) -> ApiResult<Arc<MasterKey>> {
    core.credentials.master_key().ok_or_else(|| {
        ApiError::invalid(
            "This gateway keeps no credentials, since it has no master key to encrypt them under. \
             Its operator makes one with `tollgate secrets init`, names the file as \
             `secrets.key_file` and starts it again",
        )
    })
}

/// Refuses what a provider of the OpenAI wire format, the one there is, can't be shown.
fn fits_a_header(provider: &str, key: &str) -> ApiResult<()> {
    const ALLOWED: &str = "the API key as the provider gave it: at most 4096 visible ASCII \
                           characters, no blanks";
    let problem = if key.trim_start().starts_with(['{', '[']) {
        format!(
            "is a JSON document, as clouds with a wire format of their own take it (Azure, Amazon \
             Bedrock, Google Vertex); provider `{provider}` speaks the OpenAI format"
        )
    } else if key.len() > HEADER_KEY_BYTES_MAX {
        "is too long".to_owned()
    } else if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        "has a blank or another character that can't be part of a key".to_owned()
    } else {
        return Ok(());
    };
    Err(Invalid::new("key", problem, ALLOWED).into())
}

fn provider_is_there(core: &Core, slug: &str) -> ApiResult<()> {
    let catalogue = core.catalogue();
    if catalogue.providers.iter().any(|provider| provider.slug == slug) {
        return Ok(());
    }
    let slugs: Vec<String> =
        catalogue.providers.iter().map(|provider| format!("`{}`", provider.slug)).collect();
    let shown: String = slug.chars().flat_map(char::escape_debug).collect();
    let problem = format!("is no provider of this gateway: {shown}");
    Err(Invalid::new("provider", problem, slugs.join(", ")).into())
}

/// The keys of those hashes, each of which must be there.
fn live_keys(core: &Core, hashes: &[String]) -> ApiResult<Vec<KeyHash>> {
    let live = |(place, text): (usize, &String)| {
        let hash = parse_hash(text).map(KeyHash);
        hash.filter(|hash| core.directory.key(hash).is_some()).ok_or_else(|| {
            let field = format!("allowed_api_key_hashes[{place}]");
            Invalid::new(&field, "is no key of this gateway", "the hash of a key there is").into()
        })
    };
    hashes.iter().enumerate().map(live).collect()
}

/// Refuses settings that contradict each other.
fn is_sensible(record: &CredentialRecord) -> ApiResult<()> {
    if record.is_byok_only && record.is_fallback {
        let problem = "is true for a fallback, which is tried after the operator's own credential";
        let allowed = "true only where `is_fallback` is false";
        return Err(Invalid::new("is_byok_only", problem, allowed).into());
    }
    Ok(())
}

/// The place behind all credentials of a provider.
fn last_place(core: &Core, provider: &str) -> u32 {
    let current = core.credentials.current();
    let places = current.of(provider).iter().map(|known| known.record.sort_order);
    places.max().map_or(0, |last| last.saturating_add(1))
}

/// A region on the wire.
pub(super) fn region(stored: Region) -> api::byok::Region {
    match stored {
        Region::Global => api::byok::Region::Global,
        Region::Europe => api::byok::Region::Europe,
        Region::Us => api::byok::Region::Us,
    }
}

fn stored_region(region: api::byok::Region) -> Region {
    match region {
        api::byok::Region::Global => Region::Global,
        api::byok::Region::Europe => Region::Europe,
        api::byok::Region::Us => Region::Us,
    }
}

/// A credential's settings for the audit log: of its secret, whether it is another one now.
pub(super) fn to_json(record: &CredentialRecord, has_another_key: bool) -> String {
    let hashes = record.allowed_api_key_hashes.as_ref();
    let hashes = hashes.map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>());
    let mut settings = serde_json::json!({
        "provider": record.provider,
        "workspace_id": record.workspace,
        "name": record.name,
        "label": record.label,
        "disabled": record.disabled,
        "is_fallback": record.is_fallback,
        "is_required": record.is_required,
        "is_byok_only": record.is_byok_only,
        "sort_order": record.sort_order,
        "allowed_models": record.allowed_models,
        "allowed_api_key_hashes": hashes,
        "allowed_user_ids": record.allowed_user_ids,
        "declared_region": record.declared_region.map(Region::as_str),
        "declared_zdr": record.declared_zdr,
    });
    if has_another_key {
        settings["key"] = "replaced".into();
    }
    settings.to_string()
}
