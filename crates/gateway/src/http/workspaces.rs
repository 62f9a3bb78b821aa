//! `/workspaces`: keys that share budgets, defaults and credentials (SEMANTICS 7.1 to 7.3).
//! What is shown is what is in force; a change is in force once it is durable.

mod settings;

use std::sync::Arc;

use api::workspaces::{
    CreateWorkspace, DeleteWorkspace, ListWorkspaces, Share, UpdateWorkspace, Workspace,
    WorkspaceRef,
};
use api::{Counted, Data, Deleted, Utc};
use axum::Router;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use http::{HeaderMap, StatusCode};
use store::{AuditRow, DEFAULT_WORKSPACE, Edit, ManagementKey, Outcome, Refused, WorkspaceRecord};

use super::error::{ApiError, ApiResult};
use super::query::Pairs;
use super::{App, HeldBody, Worker, auth, json};
use crate::core::Core;
use crate::workspaces::{self, Settings, default_guardrail_id};

/// How often an edit is made again because another one came between.
pub(super) const EDIT_TRIES_MAX: usize = 8;

pub(super) fn routes() -> Router<Arc<Worker>> {
    Router::new()
        .route("/workspaces", get(list).post(create))
        .route("/workspaces/{id}", get(one).patch(update).delete(delete))
}

async fn list(
    State(worker): App,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> ApiResult<Response> {
    let core = &worker.core;
    auth::management(core, &headers)?;
    let wanted = ListWorkspaces::parse(Pairs::of(query.as_deref()).iter())?;
    let all = core.directory.workspaces().all();
    let mut records: Vec<Arc<WorkspaceRecord>> = all.iter().map(|one| one.record()).collect();
    // Oldest first, so that a new one shifts no page.
    records.sort_by_key(|record| (record.created_at, record.id));
    let total_count = records.len() as u64;
    let data = wanted.slice.of(records).iter().map(|record| shown(record)).collect();
    Ok(json(StatusCode::OK, &Counted::<Workspace> { data, total_count }))
}

async fn create(State(worker): App, headers: HeaderMap, body: Body) -> ApiResult<Response> {
    let core = &worker.core;
    let manager = auth::management(core, &headers)?;
    let body = HeldBody::of_management(core, &headers, body).await?;
    let wanted = CreateWorkspace::parse(&body.bytes)?;
    let record = settings::of_new(core, &wanted, &manager)?;
    let data = shown(&record);
    let audit = audit(core, &manager, "workspace.create", None, Some(&record), &record);
    let edit = Edit::CreateWorkspace(record.clone());
    let shared = Arc::clone(core);
    let pending = core.writer.edit(edit, audit, move |outcome| {
        if *outcome == Outcome::Done {
            shared.directory.workspaces().add(record);
        }
    });
    match pending.outcome().await? {
        Outcome::Done => Ok(json(StatusCode::CREATED, &Data { data })),
        Outcome::Refused(Refused::SlugTaken) => Err(settings::slug_taken(&data.slug)),
        other => Err(ApiError::internal(format!("a new workspace came to {other:?}"))),
    }
}

async fn one(State(worker): App, headers: HeaderMap, named: Named) -> ApiResult<Response> {
    let core = &worker.core;
    auth::management(core, &headers)?;
    let data = shown(&find(core, named)?.record());
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
    let workspace = find(core, named)?;
    let body = HeldBody::of_management(core, &headers, body).await?;
    let wanted = UpdateWorkspace::parse(&body.bytes)?;
    for _ in 0..EDIT_TRIES_MAX {
        let before = workspace.settings();
        let after = settings::edited(core, &before.record, &wanted)?;
        let (was, is) = (Some(&*before.record), Some(&after));
        let audit = audit(core, &manager, "workspace.update", was, is, &after);
        let stored = WorkspaceRecord { version: after.version + 1, ..after.clone() };
        let (data, slug) = (shown(&stored), after.slug.clone());
        let (shared, changed) = (Arc::clone(core), Arc::clone(&workspace));
        let pending = core.writer.edit(Edit::UpdateWorkspace(after), audit, move |outcome| {
            if *outcome == Outcome::Done {
                let record = stored.into();
                // Its members may be others by now: a user who is removed leaves every workspace.
                let settings = Settings { record, ..changed.settings() };
                shared.directory.workspaces().update(settings);
            }
        });
        match pending.outcome().await? {
            Outcome::Done => return Ok(json(StatusCode::OK, &Data { data })),
            Outcome::Missing => return Err(ApiError::not_found()),
            Outcome::Refused(Refused::SlugTaken) => return Err(settings::slug_taken(&slug)),
            // Another edit came first: this one is made again on top of it.
            _ => {}
        }
    }
    Err(ApiError::conflict("Resource conflict. Please try again later."))
}

async fn delete(
    State(worker): App,
    headers: HeaderMap,
    named: Named,
    RawQuery(query): RawQuery,
) -> ApiResult<Response> {
    let core = &worker.core;
    let manager = auth::management(core, &headers)?;
    let record = find(core, named)?.record();
    // Read, so that a word that means nothing is refused; the answer is the same either way.
    DeleteWorkspace::parse(Pairs::of(query.as_deref()).iter())?;
    let id = record.id;
    if id == DEFAULT_WORKSPACE {
        return Err(settings::is_default());
    }
    let audit = audit(core, &manager, "workspace.delete", Some(&record), None, &record);
    let edit = Edit::DeleteWorkspace { id, at: audit.at };
    let shared = Arc::clone(core);
    let pending = core.writer.edit(edit, audit, move |outcome| {
        if *outcome == Outcome::Done {
            shared.directory.workspaces().remove(&id);
            shared.credentials.remove_of(id);
        }
    });
    match pending.outcome().await? {
        Outcome::Done => Ok(json(StatusCode::OK, &Deleted::default())),
        Outcome::Refused(Refused::HasKeys) => Err(ApiError::invalid(
            "The workspace has keys; delete them or move them to another workspace first",
        )),
        Outcome::Refused(Refused::IsDefault) => Err(settings::is_default()),
        _ => Err(ApiError::not_found()),
    }
}

/// The part of the path that names a workspace; an error where it is no text.
pub(super) type Named = Result<Path<String>, PathRejection>;

/// The workspace of that id or slug (SEMANTICS 7.2).
pub(super) fn find(core: &Core, named: Named) -> ApiResult<Arc<workspaces::Workspace>> {
    let found = named.ok().and_then(|Path(text)| self::named(core, &text));
    found.ok_or_else(ApiError::not_found)
}

/// The same of a text.
pub(super) fn named(core: &Core, text: &str) -> Option<Arc<workspaces::Workspace>> {
    match WorkspaceRef::of(text) {
        WorkspaceRef::Id(id) => core.directory.workspaces().of_id(&id),
        WorkspaceRef::Slug(slug) => core.directory.workspaces().of_slug(&slug),
    }
}

/// A workspace as it is listed.
fn shown(record: &WorkspaceRecord) -> Workspace {
    Workspace {
        id: record.id,
        slug: record.slug.clone(),
        name: record.name.clone(),
        description: record.description.clone(),
        default_text_model: record.default_text_model.clone(),
        default_image_model: record.default_image_model.clone(),
        default_provider_sort: record.default_provider_sort.clone(),
        is_observability_io_logging_enabled: record.is_observability_io_logging_enabled,
        is_observability_broadcast_enabled: record.is_observability_broadcast_enabled,
        is_data_discount_logging_enabled: record.is_data_discount_logging_enabled,
        io_logging_sampling_rate: Share::of_millionths(record.io_logging_sampling_millionths)
            .unwrap_or(Share::ALL),
        io_logging_api_key_ids: record.io_logging_api_key_ids.clone(),
        disabled_server_tools: record.disabled_server_tools.clone(),
        include_byok_in_budgets: record.include_byok_in_budgets,
        default_guardrail_id: default_guardrail_id(record.id),
        created_at: Utc(record.created_at),
        updated_at: record.updated_at.map(Utc),
        created_by: record.created_by.clone(),
    }
}

fn audit(
    core: &Core,
    manager: &ManagementKey,
    action: &str,
    before: Option<&WorkspaceRecord>,
    after: Option<&WorkspaceRecord>,
    subject: &WorkspaceRecord,
) -> AuditRow {
    AuditRow {
        at: core.clock.now(),
        actor: manager.name.clone(),
        action: action.to_owned(),
        subject: subject.id.to_string(),
        before: before.map(workspaces::to_json),
        after: after.map(workspaces::to_json),
    }
}
