//! `/workspaces/{id}/budgets`: the most that may be spent in a workspace (SEMANTICS 7.6).
//! A change is in force once it is durable, for every request from then on; none in flight is cut.

use std::sync::Arc;

use api::budgets::{Budgeted, Interval, PutBudget, WorkspaceBudget};
use api::{Deleted, Open, Usd, Utc};
use axum::Router;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use http::{HeaderMap, StatusCode};
use serde_json::json;
use store::{AuditRow, BudgetRecord, Edit, ManagementKey, Outcome, Reset, WorkspaceRecord};

use super::error::{ApiError, ApiResult};
use super::workspaces::{EDIT_TRIES_MAX, Named, find, named};
use super::{App, HeldBody, Worker, auth, json, keys};
use crate::core::Core;
use crate::entropy;
use crate::workspaces::{Settings, Workspace};

pub(super) fn routes() -> Router<Arc<Worker>> {
    Router::new()
        .route("/workspaces/{id}/budgets", get(list))
        .route("/workspaces/{id}/budgets/{interval}", get(one).put(put).delete(delete))
}

async fn list(State(worker): App, headers: HeaderMap, named: Named) -> ApiResult<Response> {
    let core = &worker.core;
    auth::management(core, &headers)?;
    let Settings { record, budgets, .. } = find(core, named)?.settings();
    let data: Vec<WorkspaceBudget> = budgets.iter().map(shown).collect();
    Ok(json(StatusCode::OK, &budgeted(data, &record)))
}

async fn one(State(worker): App, headers: HeaderMap, path: Which) -> ApiResult<Response> {
    let core = &worker.core;
    auth::management(core, &headers)?;
    let (workspace, interval) = which(core, path)?;
    let Settings { record, budgets, .. } = workspace.settings();
    let budget = of(&budgets, interval).ok_or_else(ApiError::not_found)?;
    Ok(json(StatusCode::OK, &budgeted(shown(budget), &record)))
}

async fn put(
    State(worker): App,
    headers: HeaderMap,
    path: Which,
    body: Body,
) -> ApiResult<Response> {
    let core = &worker.core;
    let manager = auth::management(core, &headers)?;
    let (workspace, interval) = which(core, path)?;
    let body = HeldBody::of_management(core, &headers, body).await?;
    let wanted = PutBudget::parse(&body.bytes)?;
    for _ in 0..EDIT_TRIES_MAX {
        let record = workspace.record();
        let row = |before, after| audit(core, &manager, "budget.put", &record, before, after);
        if let Some(answer) = replace(core, &workspace, interval, &wanted, row).await? {
            return Ok(json(StatusCode::OK, &answer));
        }
        // Another edit came first: this one is made again on top of it.
    }
    Err(ApiError::conflict("Resource conflict. Please try again later."))
}

/// Puts a budget in its place, on top of the settings as they are; `None` where another edit came
/// first. `row` makes the row of the audit log of what was and what is.
pub(super) async fn replace(
    core: &Arc<Core>,
    workspace: &Arc<Workspace>,
    interval: Interval,
    wanted: &PutBudget,
    row: impl FnOnce(Option<String>, Option<String>) -> AuditRow,
) -> ApiResult<Option<Budgeted<WorkspaceBudget>>> {
    let Settings { record, budgets, .. } = workspace.settings();
    let budget = edited(core, &record, &budgets, interval, wanted.limit_usd);
    let after: Vec<BudgetRecord> = with(&budgets, &budget);
    decrease(&after)?;
    let include_byok = wanted.include_byok_in_budgets.unwrap_or(record.include_byok_in_budgets);
    let version = record.version;
    let stored = WorkspaceRecord {
        include_byok_in_budgets: include_byok,
        version: version + 1,
        ..WorkspaceRecord::clone(&record)
    };
    let before = of(&budgets, interval).map(|budget| to_json(budget, &record));
    let audit = row(before, Some(to_json(&budget, &stored)));
    let answer = budgeted(shown(&budget), &stored);
    let (shared, changed) = (Arc::clone(core), Arc::clone(workspace));
    let edit = Edit::PutBudget { budget, include_byok, version };
    let pending = core.writer.edit(edit, audit, move |outcome| {
        if *outcome == Outcome::Done {
            let (record, budgets) = (stored.into(), after.into());
            // Its members may be others by now: a user who is removed leaves every workspace.
            let settings = Settings { record, budgets, ..changed.settings() };
            shared.directory.workspaces().update(settings);
        }
    });
    match pending.outcome().await? {
        Outcome::Done => Ok(Some(answer)),
        Outcome::Missing => Err(ApiError::not_found()),
        _ => Ok(None),
    }
}

/// One that is not there is as good as deleted.
async fn delete(State(worker): App, headers: HeaderMap, path: Which) -> ApiResult<Response> {
    let core = &worker.core;
    let manager = auth::management(core, &headers)?;
    let (workspace, interval) = which(core, path)?;
    for _ in 0..EDIT_TRIES_MAX {
        let Settings { record, budgets, .. } = workspace.settings();
        let Some(budget) = of(&budgets, interval) else {
            return Ok(json(StatusCode::OK, &Deleted::default()));
        };
        let reset = budget.reset;
        let before = Some(to_json(budget, &record));
        let audit = audit(core, &manager, "budget.delete", &record, before, None);
        let (id, version) = (record.id, record.version);
        let stored = WorkspaceRecord { version: version + 1, ..WorkspaceRecord::clone(&record) };
        let after: Vec<BudgetRecord> =
            budgets.iter().filter(|other| other.reset != reset).cloned().collect();
        let (shared, changed) = (Arc::clone(core), Arc::clone(&workspace));
        let edit = Edit::DeleteBudget { workspace: id, reset, version };
        let pending = core.writer.edit(edit, audit, move |outcome| {
            if *outcome == Outcome::Done {
                let (record, budgets) = (stored.into(), after.into());
                // Its members may be others by now: a user who is removed leaves every workspace.
                let settings = Settings { record, budgets, ..changed.settings() };
                shared.directory.workspaces().update(settings);
            }
        });
        match pending.outcome().await? {
            Outcome::Done => return Ok(json(StatusCode::OK, &Deleted::default())),
            // The workspace itself was deleted, and its budgets with it.
            Outcome::Missing => return Err(ApiError::not_found()),
            _ => {}
        }
    }
    Err(ApiError::conflict("Resource conflict. Please try again later."))
}

/// The parts of the path that name a workspace and an interval; an error where one is no text.
type Which = Result<Path<(String, String)>, PathRejection>;

fn which(core: &Core, path: Which) -> ApiResult<(Arc<Workspace>, Interval)> {
    let Path((workspace, interval)) = path.map_err(|_| ApiError::not_found())?;
    let workspace = named(core, &workspace).ok_or_else(ApiError::not_found)?;
    Ok((workspace, Interval::parse(&interval)?))
}

fn of(budgets: &[BudgetRecord], interval: Interval) -> Option<&BudgetRecord> {
    budgets.iter().find(|budget| budget.reset == reset(interval))
}

/// The budget as it is put: one that is there keeps its identity.
fn edited(
    core: &Core,
    record: &WorkspaceRecord,
    budgets: &[BudgetRecord],
    interval: Interval,
    limit: Usd,
) -> BudgetRecord {
    let now = core.clock.now();
    match of(budgets, interval) {
        Some(known) => BudgetRecord { limit: limit.0, updated_at: now, ..known.clone() },
        None => BudgetRecord {
            id: uuid::Builder::from_random_bytes(entropy::bytes(&*core.entropy)).into_uuid(),
            workspace: record.id,
            reset: reset(interval),
            limit: limit.0,
            created_at: now,
            updated_at: now,
        },
    }
}

/// The budgets with `budget` among them in its place, the longest window first.
fn with(budgets: &[BudgetRecord], budget: &BudgetRecord) -> Vec<BudgetRecord> {
    let others = budgets.iter().filter(|other| other.reset != budget.reset);
    let mut all: Vec<BudgetRecord> = others.chain([budget]).cloned().collect();
    all.sort_by_key(BudgetRecord::place);
    all
}

/// Refuses budgets of which one could never bind, the longest window first (SEMANTICS 7.6).
fn decrease(budgets: &[BudgetRecord]) -> ApiResult<()> {
    for pair in budgets.windows(2) {
        if let [wide, narrow] = pair
            && wide.limit <= narrow.limit
        {
            return Err(ApiError::invalid(format!(
                "Budget limits must be strictly decreasing from lifetime to daily: the {} limit \
                 (${}) must be greater than the {} limit (${})",
                interval(wide.reset),
                wide.limit,
                interval(narrow.reset),
                narrow.limit
            )));
        }
    }
    Ok(())
}

fn reset(interval: Interval) -> Option<Reset> {
    match interval {
        Interval::Daily => Some(Reset::Daily),
        Interval::Weekly => Some(Reset::Weekly),
        Interval::Monthly => Some(Reset::Monthly),
        Interval::Lifetime => None,
    }
}

pub(super) fn interval(reset: Option<Reset>) -> Interval {
    match reset {
        Some(Reset::Daily) => Interval::Daily,
        Some(Reset::Weekly) => Interval::Weekly,
        Some(Reset::Monthly) => Interval::Monthly,
        None => Interval::Lifetime,
    }
}

fn budgeted<T>(data: T, record: &WorkspaceRecord) -> Budgeted<T> {
    Budgeted { data, include_byok_in_budgets: record.include_byok_in_budgets }
}

fn shown(budget: &BudgetRecord) -> WorkspaceBudget {
    WorkspaceBudget {
        id: budget.id,
        workspace_id: budget.workspace,
        limit_usd: Usd(budget.limit),
        reset_interval: budget.reset.map(|reset| Open::Known(keys::reset(reset))),
        created_at: Utc(budget.created_at),
        updated_at: Utc(budget.updated_at),
    }
}

/// A budget for the audit log, with what its workspace says of all of them.
pub(super) fn to_json(budget: &BudgetRecord, record: &WorkspaceRecord) -> String {
    json!({
        "interval": interval(budget.reset).as_str(),
        "limit": budget.limit.to_string(),
        "include_byok_in_budgets": record.include_byok_in_budgets,
    })
    .to_string()
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
