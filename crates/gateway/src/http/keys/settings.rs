//! The settings of a key: as made, as changed, and as the audit log shows them.
//! What the requests ask for is checked against what there is here; nothing is half-made.

use api::Invalid;
use api::keys::{CreateKey, UpdateKey};
use ledger::Pace;
use money::Money;
use store::{KeyHash, KeyRecord, Reset, means_model};

use super::{stored_reset, workspace};
use crate::catalogue::Catalogue;
use crate::core::Core;
use crate::http::auth;
use crate::http::error::{ApiError, ApiResult};

/// A new key as it was asked for.
pub(in crate::http) fn of_new(
    core: &Core,
    wanted: &CreateKey,
    hash: KeyHash,
    label: String,
) -> ApiResult<KeyRecord> {
    let workspace = workspace(core, wanted.workspace_id).ok_or_else(no_workspace)?;
    if let Some(user) = &wanted.creator_user_id
        && core.users.of_id(user).is_none()
    {
        let allowed = "the id of a member of the organization, as GET /organization/members lists \
                       them, or null";
        return Err(Invalid::new("creator_user_id", "is no user", allowed).into());
    }
    let external = wanted.external.as_ref();
    let second = external.and_then(|external| external.api_key.as_ref());
    Ok(KeyRecord {
        hash,
        second_hash: second.map(|text| auth::hash(text.expose())),
        label,
        name: wanted.name.clone(),
        disabled: false,
        limit: wanted.limit.map(|limit| limit.0),
        limit_reset: wanted.limit_reset.map(stored_reset),
        include_byok_in_limit: wanted.include_byok_in_limit,
        created_at: core.clock.now(),
        updated_at: None,
        expires_at: wanted.expires_at.map(|moment| moment.0),
        creator: wanted.creator_user_id.clone(),
        workspace,
        external_user: external.map(|external| external.user.clone()),
        allowed_models: wanted.allowed_models.clone(),
        pace: Pace {
            requests_per_minute: wanted.requests_per_minute,
            tokens_per_minute: wanted.tokens_per_minute,
            concurrent_requests: wanted.concurrent_requests,
        },
        version: 0,
    })
}

/// The refusal of a workspace that is not there, or not any more.
pub(in crate::http) fn no_workspace() -> ApiError {
    ApiError::invalid("`workspace_id` is not a workspace; allowed: the id of one")
}

/// A key's settings with the changes made.
pub(super) fn edited(core: &Core, before: &KeyRecord, wanted: &UpdateKey) -> ApiResult<KeyRecord> {
    let workspace = match wanted.workspace_id {
        Some(id) => workspace(core, Some(id)).ok_or_else(ApiError::not_found)?,
        None => before.workspace,
    };
    if let Some(Some(models)) = &wanted.allowed_models {
        let standing = before.allowed_models.as_deref().unwrap_or_default();
        models_are_there(&core.catalogue(), models, standing)?;
    }
    let limit: Option<Option<Money>> = wanted.limit.map(|limit| limit.map(|limit| limit.0));
    let limit_reset = wanted.limit_reset.map(|reset| reset.map(stored_reset));
    let expires_at = wanted.expires_at.map(|moment| moment.map(|moment| moment.0));
    let pace = before.pace;
    Ok(KeyRecord {
        name: wanted.name.clone().unwrap_or_else(|| before.name.clone()),
        disabled: wanted.disabled.unwrap_or(before.disabled),
        limit: limit.unwrap_or(before.limit),
        limit_reset: limit_reset.unwrap_or(before.limit_reset),
        include_byok_in_limit: wanted.include_byok_in_limit.unwrap_or(before.include_byok_in_limit),
        workspace,
        updated_at: Some(core.clock.now()),
        expires_at: expires_at.unwrap_or(before.expires_at),
        allowed_models: wanted
            .allowed_models
            .clone()
            .unwrap_or_else(|| before.allowed_models.clone()),
        pace: Pace {
            requests_per_minute: wanted.requests_per_minute.unwrap_or(pace.requests_per_minute),
            tokens_per_minute: wanted.tokens_per_minute.unwrap_or(pace.tokens_per_minute),
            concurrent_requests: wanted.concurrent_requests.unwrap_or(pace.concurrent_requests),
        },
        ..before.clone()
    })
}

/// Refuses an entry that means no model there is, since a slip of the pen would shut a key out
/// without a word. What stood in the list before may stay: its model may be back tomorrow.
pub(in crate::http) fn models_are_there(
    catalogue: &Catalogue,
    entries: &[String],
    standing: &[String],
) -> ApiResult<()> {
    let is_there = |entry: &&String| {
        standing.contains(entry)
            || catalogue.models.iter().any(|model| means_model(entry, &model.config.id))
    };
    let Some(place) = entries.iter().position(|entry| !is_there(&entry)) else { return Ok(()) };
    let is_authors = entries[place].ends_with("/*");
    let names = catalogue.models.iter().map(|model| {
        let author = model.config.id.split_once('/').filter(|_| is_authors);
        author.map_or_else(|| model.config.id.clone(), |(author, _)| format!("{author}/*"))
    });
    let nearest = names.min_by_key(|name| strsim::damerau_levenshtein(&entries[place], name));
    let hint = nearest.map(|name| format!("; the nearest is `{name}`")).unwrap_or_default();
    let shown: String = entries[place].chars().flat_map(char::escape_debug).collect();
    let field = format!("allowed_models[{place}]");
    let allowed = format!("the id of a configured model, or `author/*` of one{hint}");
    Err(Invalid::new(&field, format!("means no model there is: {shown}"), allowed).into())
}

/// A key's settings for the audit log: what a person may change, and whose it is.
pub(in crate::http) fn to_json(record: &KeyRecord) -> String {
    serde_json::json!({
        "name": record.name,
        "disabled": record.disabled,
        "limit": record.limit.map(|limit| limit.to_string()),
        "limit_reset": record.limit_reset.map(Reset::as_str),
        "include_byok_in_limit": record.include_byok_in_limit,
        "expires_at": record.expires_at.map(|moment| moment.to_string()),
        "creator_user_id": record.creator,
        "workspace_id": record.workspace,
        "external_user": record.external_user,
        "allowed_models": record.allowed_models,
        "requests_per_minute": record.pace.requests_per_minute,
        "tokens_per_minute": record.pace.tokens_per_minute,
        "concurrent_requests": record.pace.concurrent_requests,
    })
    .to_string()
}
