//! `/organization/members` and `/workspaces/{id}/members`: who keys are made for, and who of them is
//! in which workspace (SEMANTICS 7.4, 7.5).

pub(super) mod users;

use std::sync::Arc;

use api::members::{
    CreateUser, ListMembers, MemberRole, MembersAdded, MembersRemoved, NamedUsers, OrgRole,
    OrganizationMember, WorkspaceMember,
};
use api::{Counted, Data, Deleted, Invalid, Open, Utc};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use axum::routing::{get, post};
use http::{HeaderMap, StatusCode};
use serde_json::json;
use store::{
    AuditRow, DEFAULT_WORKSPACE, Edit, ManagementKey, MemberRecord, Outcome, Refused, UserRecord,
    WorkspaceRecord,
};

use super::error::{ApiError, ApiResult};
use super::query::Pairs;
use super::workspaces::{EDIT_TRIES_MAX, Named, find};
use super::{App, HeldBody, Worker, auth, json};
use crate::core::Core;
use crate::entropy;
use crate::users::implied_membership_id;
use crate::workspaces::{Settings, Workspace};

pub(super) fn routes() -> Router<Arc<Worker>> {
    Router::new()
        .route("/organization/members", get(list_users).post(create_user))
        .route("/organization/members/{id}", axum::routing::delete(delete_user))
        .route("/workspaces/{id}/members", get(list))
        .route("/workspaces/{id}/members/add", post(add))
        .route("/workspaces/{id}/members/remove", post(remove))
}

async fn list_users(
    State(worker): App,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> ApiResult<Response> {
    let core = &worker.core;
    auth::management(core, &headers)?;
    let wanted = ListMembers::parse(Pairs::of(query.as_deref()).iter())?;
    let users = core.users.all();
    let total_count = users.len() as u64;
    let data = wanted.slice.of(users).iter().map(|(user, _)| shown_user(user)).collect();
    Ok(json(StatusCode::OK, &Counted::<OrganizationMember> { data, total_count }))
}

async fn create_user(State(worker): App, headers: HeaderMap, body: Body) -> ApiResult<Response> {
    let core = &worker.core;
    let manager = auth::management(core, &headers)?;
    let body = HeldBody::of_management(core, &headers, body).await?;
    let wanted = CreateUser::parse(&body.bytes)?;
    let user = users::add(core, &manager.name, &wanted).await?;
    Ok(json(StatusCode::CREATED, &Data { data: shown_user(&user) }))
}

async fn delete_user(State(worker): App, headers: HeaderMap, named: Named) -> ApiResult<Response> {
    let core = &worker.core;
    let manager = auth::management(core, &headers)?;
    let Path(id) = named.map_err(|_| ApiError::not_found())?;
    users::remove(core, &manager.name, &id).await?;
    Ok(json(StatusCode::OK, &Deleted::default()))
}

async fn list(
    State(worker): App,
    headers: HeaderMap,
    named: Named,
    RawQuery(query): RawQuery,
) -> ApiResult<Response> {
    let core = &worker.core;
    auth::management(core, &headers)?;
    let workspace = find(core, named)?;
    let wanted = ListMembers::parse(Pairs::of(query.as_deref()).iter())?;
    let members = members(core, &workspace.settings());
    let total_count = members.len() as u64;
    let data = wanted.slice.of(members).iter().map(shown).collect();
    Ok(json(StatusCode::OK, &Counted::<WorkspaceMember> { data, total_count }))
}

async fn add(
    State(worker): App,
    headers: HeaderMap,
    named: Named,
    body: Body,
) -> ApiResult<Response> {
    let core = &worker.core;
    let manager = auth::management(core, &headers)?;
    let workspace = find(core, named)?;
    let body = HeldBody::of_management(core, &headers, body).await?;
    let wanted = NamedUsers::parse(&body.bytes)?.user_ids;
    for _ in 0..EDIT_TRIES_MAX {
        let before = workspace.settings();
        let added = to_add(core, &before, &wanted)?;
        let data: Vec<WorkspaceMember> = added.iter().map(shown).collect();
        let answer = MembersAdded { added_count: data.len() as u64, data };
        if added.is_empty() {
            return Ok(json(StatusCode::OK, &answer));
        }
        let ids = user_ids(&added);
        let audit = audit(core, &manager, "member.add", &before.record, None, Some(ids));
        let (id, version) = (before.record.id, before.record.version);
        let edit = Edit::AddMembers { workspace: id, members: added.clone(), version };
        let (shared, changed) = (Arc::clone(core), Arc::clone(&workspace));
        let pending = core.writer.edit(edit, audit, move |outcome| {
            if *outcome == Outcome::Done {
                change(&shared, &changed, version, |members| members.extend(added));
            }
        });
        match pending.outcome().await? {
            Outcome::Done => return Ok(json(StatusCode::OK, &answer)),
            Outcome::Missing => return Err(ApiError::not_found()),
            // Another edit came first: this one is made again on top of it.
            _ => {}
        }
    }
    Err(ApiError::conflict("Resource conflict. Please try again later."))
}

async fn remove(
    State(worker): App,
    headers: HeaderMap,
    named: Named,
    body: Body,
) -> ApiResult<Response> {
    let core = &worker.core;
    let manager = auth::management(core, &headers)?;
    let workspace = find(core, named)?;
    let body = HeldBody::of_management(core, &headers, body).await?;
    let wanted = NamedUsers::parse(&body.bytes)?.user_ids;
    for _ in 0..EDIT_TRIES_MAX {
        let before = workspace.settings();
        let removed = to_remove(core, &before, &wanted)?;
        let answer = MembersRemoved { removed_count: removed.len() as u64 };
        if removed.is_empty() {
            return Ok(json(StatusCode::OK, &answer));
        }
        let ids = user_ids(&removed);
        let audit = audit(core, &manager, "member.remove", &before.record, Some(ids), None);
        let users: Vec<String> = removed.into_iter().map(|member| member.user).collect();
        let (id, version) = (before.record.id, before.record.version);
        let edit = Edit::RemoveMembers { workspace: id, users: users.clone(), version };
        let (shared, changed) = (Arc::clone(core), Arc::clone(&workspace));
        let pending = core.writer.edit(edit, audit, move |outcome| {
            if *outcome == Outcome::Done {
                change(&shared, &changed, version, |members| {
                    members.retain(|member| !users.contains(&member.user));
                });
            }
        });
        match pending.outcome().await? {
            Outcome::Done => return Ok(json(StatusCode::OK, &answer)),
            Outcome::Missing => return Err(ApiError::not_found()),
            Outcome::Refused(Refused::OwnsKeys) => {
                let message = "A member who owns keys in the workspace can't be removed; delete the \
                               keys or move them to another workspace first";
                return Err(ApiError::invalid(message));
            }
            _ => {}
        }
    }
    Err(ApiError::conflict("Resource conflict. Please try again later."))
}

/// Puts what became of a workspace's members in force, on the members as they now stand: a user who
/// was removed meanwhile has left.
fn change(
    core: &Core,
    workspace: &Workspace,
    version: u64,
    make: impl FnOnce(&mut Vec<MemberRecord>),
) {
    let settings = workspace.settings();
    let record =
        WorkspaceRecord { version: version + 1, ..WorkspaceRecord::clone(&settings.record) };
    let mut members = settings.members.to_vec();
    make(&mut members);
    let (record, members) = (record.into(), members.into());
    core.directory.workspaces().update(Settings { record, members, ..settings });
}

/// The members of a workspace who are users: of the default one, every user.
fn members(core: &Core, settings: &Settings) -> Vec<MemberRecord> {
    if settings.record.id == DEFAULT_WORKSPACE {
        return core.users.all().iter().map(|(user, _)| implied(user)).collect();
    }
    let is_user = |member: &&MemberRecord| core.users.of_id(&member.user).is_some();
    settings.members.iter().filter(is_user).cloned().collect()
}

/// The membership of a user in the default workspace, which nobody made.
fn implied(user: &UserRecord) -> MemberRecord {
    MemberRecord {
        id: implied_membership_id(&user.id),
        workspace: DEFAULT_WORKSPACE,
        user: user.id.clone(),
        role: user.role.in_workspace(),
        created_at: user.created_at,
    }
}

/// The memberships to make so that all of `wanted` are members.
fn to_add(core: &Core, settings: &Settings, wanted: &[String]) -> ApiResult<Vec<MemberRecord>> {
    let mut added = Vec::new();
    for (place, id) in wanted.iter().enumerate() {
        let (user, _) = core.users.of_id(id).ok_or_else(|| unknown(place))?;
        let is_member = settings.record.id == DEFAULT_WORKSPACE
            || settings.members.iter().any(|member| member.user == *id);
        if !is_member {
            added.push(MemberRecord {
                id: uuid::Builder::from_random_bytes(entropy::bytes(&*core.entropy)).into_uuid(),
                workspace: settings.record.id,
                user: user.id,
                role: user.role.in_workspace(),
                created_at: core.clock.now(),
            });
        }
    }
    Ok(added)
}

/// The memberships to end so that none of `wanted` is a member.
fn to_remove(core: &Core, settings: &Settings, wanted: &[String]) -> ApiResult<Vec<MemberRecord>> {
    let mut removed = Vec::new();
    for (place, id) in wanted.iter().enumerate() {
        match settings.members.iter().find(|member| member.user == *id) {
            Some(member) => removed.push(member.clone()),
            None if core.users.of_id(id).is_none() => return Err(unknown(place)),
            None => {}
        }
    }
    if settings.record.id == DEFAULT_WORKSPACE {
        return Err(ApiError::invalid(
            "Every user is a member of the default workspace and can't be removed from it",
        ));
    }
    Ok(removed)
}

fn unknown(place: usize) -> ApiError {
    let field = format!("user_ids[{place}]");
    let allowed = "the id of a member of the organization, as GET /organization/members lists them";
    Invalid::new(&field, "is no user", allowed).into()
}

fn shown_user(user: &UserRecord) -> OrganizationMember {
    OrganizationMember {
        id: user.id.clone(),
        email: user.email.clone(),
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
        role: Open::Known(match user.role {
            store::OrgRole::Admin => OrgRole::Admin,
            store::OrgRole::Member => OrgRole::Member,
        }),
    }
}

fn shown(member: &MemberRecord) -> WorkspaceMember {
    WorkspaceMember {
        id: member.id,
        workspace_id: member.workspace,
        user_id: member.user.clone(),
        role: Open::Known(match member.role {
            store::MemberRole::Admin => MemberRole::Admin,
            store::MemberRole::Member => MemberRole::Member,
        }),
        created_at: Utc(member.created_at),
    }
}

/// Members for the audit log.
fn user_ids(members: &[MemberRecord]) -> String {
    let ids: Vec<&str> = members.iter().map(|member| member.user.as_str()).collect();
    json!({ "user_ids": ids }).to_string()
}

fn audit(
    core: &Core,
    manager: &ManagementKey,
    action: &str,
    workspace: &WorkspaceRecord,
    before: Option<String>,
    after: Option<String>,
) -> AuditRow {
    AuditRow {
        at: core.clock.now(),
        actor: manager.name.clone(),
        action: action.to_owned(),
        subject: workspace.id.to_string(),
        before,
        after,
    }
}
