//! `/byok`: credentials of providers that people bring, and who may use them (SEMANTICS 8).
//! What is shown is what is in force; a change is in force once it is durable, and the secret itself
//! goes in and never out.

mod settings;

use std::sync::Arc;

use api::byok::{ByokKey, ByokList, CreateByok, ListByok, Secret, UpdateByok};
use api::{Data, Deleted, Open, Utc};
use axum::Router;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use http::{HeaderMap, StatusCode};
use store::{AuditRow, CredentialRecord, Edit, ManagementKey, Outcome, Refused};
use uuid::Uuid;

use super::error::{ApiError, ApiResult};
use super::query::Pairs;
use super::{App, HeldBody, Worker, auth, json};
use crate::core::Core;
use crate::credentials::Credential;

/// How often an edit is made again because another one came between.
const EDIT_TRIES_MAX: usize = 8;

pub(super) fn routes() -> Router<Arc<Worker>> {
    Router::new()
        .route("/byok", get(list).post(create))
        .route("/byok/{id}", get(one).patch(update).delete(delete))
}

async fn list(
    State(worker): App,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> ApiResult<Response> {
    let core = &worker.core;
    auth::management(core, &headers)?;
    let wanted = ListByok::parse(Pairs::of(query.as_deref()).iter())?;
    let workspace = settings::workspace(core, wanted.workspace_id)?;
    let current = core.credentials.current();
    let records = current.all().iter().map(|credential| &credential.record);
    let found: Vec<&CredentialRecord> = records
        // One of every workspace is used in this one as well.
        .filter(|record| record.workspace.is_none_or(|own| own == workspace))
        .filter(|record| wanted.provider.as_ref().is_none_or(|slug| *slug == record.provider))
        .collect();
    let total_count = found.len() as u64;
    let data = wanted.slice.of(found).into_iter().map(shown).collect();
    Ok(json(StatusCode::OK, &ByokList { data, total_count }))
}

async fn create(State(worker): App, headers: HeaderMap, body: Body) -> ApiResult<Response> {
    let core = &worker.core;
    let manager = auth::management(core, &headers)?;
    let body = HeldBody::of_management(core, &headers, body).await?;
    let wanted = CreateByok::parse(&body.bytes)?;
    let _one_at_a_time = core.credentials.edit().await;
    let record = settings::of_new(core, &wanted)?;
    let made = settings::opened(record.clone(), wanted.key.expose())?;
    let data = shown(&record);
    let audit = audit(core, &manager, "byok.create", record.id, None, Some(&record));
    let edit = Edit::CreateCredential(Box::new(record));
    let shared = Arc::clone(core);
    let pending = core.writer.edit(edit, audit, move |outcome| {
        if *outcome == Outcome::Done {
            shared.credentials.put(made);
        }
    });
    match pending.outcome().await? {
        Outcome::Done => Ok(json(StatusCode::CREATED, &Data { data })),
        Outcome::Refused(Refused::NoWorkspace) => Err(settings::no_workspace()),
        other => Err(ApiError::internal(format!("a new credential came to {other:?}"))),
    }
}

async fn one(State(worker): App, headers: HeaderMap, named: Named) -> ApiResult<Response> {
    let core = &worker.core;
    auth::management(core, &headers)?;
    let data = shown(&find(core, named)?.record);
    Ok(json(StatusCode::OK, &Data { data }))
}

async fn update(
    State(worker): App,
    headers: HeaderMap,
    named: Named,
    body: Body,
) -> ApiResult<Response> {
    let core = &worker.core;
    let manager = auth::management(core, &headers)?;
    let id = find(core, named)?.record.id;
    let body = HeldBody::of_management(core, &headers, body).await?;
    let wanted = UpdateByok::parse(&body.bytes)?;
    let _one_at_a_time = core.credentials.edit().await;
    for _ in 0..EDIT_TRIES_MAX {
        let current = core.credentials.current();
        let before = current.find(id).ok_or_else(ApiError::not_found)?;
        let after = settings::edited(core, &before.record, &wanted)?;
        let secret = wanted.key.as_ref().map_or_else(|| before.text(), Secret::expose);
        let version = after.version + 1;
        let changed = settings::opened(CredentialRecord { version, ..after.clone() }, secret)?;
        let data = shown(&after);
        let mut audit = audit(core, &manager, "byok.update", id, Some(&before.record), None);
        audit.after = Some(settings::to_json(&after, wanted.key.is_some()));
        let shared = Arc::clone(core);
        let edit = Edit::UpdateCredential(Box::new(after));
        let pending = core.writer.edit(edit, audit, move |outcome| {
            if *outcome == Outcome::Done {
                shared.credentials.put(changed);
            }
        });
        match pending.outcome().await? {
            Outcome::Done => return Ok(json(StatusCode::OK, &Data { data })),
            Outcome::Missing => return Err(ApiError::not_found()),
            // One whose client left was still being made: this one is made again on top of it.
            _ => {}
        }
    }
    Err(ApiError::conflict("Resource conflict. Please try again later."))
}

async fn delete(State(worker): App, headers: HeaderMap, named: Named) -> ApiResult<Response> {
    let core = &worker.core;
    let manager = auth::management(core, &headers)?;
    let _one_at_a_time = core.credentials.edit().await;
    let credential = find(core, named)?;
    let id = credential.record.id;
    let audit = audit(core, &manager, "byok.delete", id, Some(&credential.record), None);
    let shared = Arc::clone(core);
    let edit = Edit::DeleteCredential { id, at: audit.at };
    let pending = core.writer.edit(edit, audit, move |outcome| {
        if *outcome == Outcome::Done {
            shared.credentials.remove(id);
        }
    });
    match pending.outcome().await? {
        Outcome::Done => Ok(json(StatusCode::OK, &Deleted::default())),
        _ => Err(ApiError::not_found()),
    }
}

/// The part of the path that names a credential; an error where it is no text.
type Named = Result<Path<String>, PathRejection>;

/// The credential of that id; what is no id, or nobody's, is not found.
fn find(core: &Core, named: Named) -> ApiResult<Arc<Credential>> {
    let id = named.ok().filter(|Path(id)| id.len() == 36);
    let id = id.and_then(|Path(id)| Uuid::try_parse(&id).ok());
    let current = core.credentials.current();
    id.and_then(|id| current.find(id).cloned()).ok_or_else(ApiError::not_found)
}

/// A credential as it is shown.
fn shown(record: &CredentialRecord) -> ByokKey {
    let hashes = record.allowed_api_key_hashes.as_ref();
    ByokKey {
        id: record.id,
        provider: record.provider.clone(),
        workspace_id: record.workspace,
        name: record.name.clone(),
        label: record.label.clone(),
        disabled: record.disabled,
        is_fallback: record.is_fallback,
        is_required: record.is_required,
        is_byok_only: record.is_byok_only,
        sort_order: record.sort_order,
        allowed_models: record.allowed_models.clone(),
        allowed_api_key_hashes: hashes.map(|all| all.iter().map(ToString::to_string).collect()),
        allowed_user_ids: record.allowed_user_ids.clone(),
        declared_region: record.declared_region.map(|region| Open::Known(settings::region(region))),
        declared_zdr: record.declared_zdr,
        created_at: Utc(record.created_at),
    }
}

fn audit(
    core: &Core,
    manager: &ManagementKey,
    action: &str,
    id: Uuid,
    before: Option<&CredentialRecord>,
    after: Option<&CredentialRecord>,
) -> AuditRow {
    AuditRow {
        at: core.clock.now(),
        actor: manager.name.clone(),
        action: action.to_owned(),
        subject: id.to_string(),
        before: before.map(|record| settings::to_json(record, false)),
        after: after.map(|record| settings::to_json(record, false)),
    }
}
