//! `GET /key`: the facts of the calling key, for whoever holds it (SEMANTICS 3.5).

use std::num::NonZeroU64;
use std::sync::Arc;

use api::key::{BudgetScope, CurrentKey, FreeModelDailyRequests, KeyBudget, RateLimit};
use api::{Data, Open, Usd, Utc};
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use ledger::{Cell, Figures, Layer, Period};
use store::{BudgetRecord, ManagementKey, Reset};
use uuid::Uuid;

use super::error::ApiResult;
use super::keys::{reset, shown_reset};
use super::{App, Worker, auth, json};
use crate::directory::{Caller, Key, Standing};

pub(super) fn routes() -> Router<Arc<Worker>> {
    // The second is the legacy name that some clients still call.
    Router::new().route("/key", get(current)).route("/auth/key", get(current))
}

async fn current(State(worker): App, headers: HeaderMap) -> ApiResult<Response> {
    let core = &worker.core;
    let free = core.config.api.free_model_daily_requests;
    let facts = match auth::caller(core, &headers)? {
        Caller::Inference(key) => inference(&key, core.clock.now(), free),
        Caller::Management(key) => management(&key, free),
    };
    Ok(json(StatusCode::OK, &Data { data: facts }))
}

fn inference(key: &Key, now: Timestamp, free_requests: u64) -> CurrentKey {
    let Standing { record, workspace } = key.standing();
    let (figures, own) = key.account().look(now);
    let shared = workspace.account().look(now).1;
    let ids = workspace.budgets();
    // In the order they are enforced.
    let cells: Vec<Cell> = shared.iter().chain(&own).copied().collect();
    let shown = |cell: &Cell| KeyBudget { budget_id: budget_id(cell, &ids), ..budget(cell) };
    let budgets: Vec<KeyBudget> = cells.iter().map(shown).collect();
    CurrentKey {
        limit: record.limit.map(Usd),
        limit_remaining: own.first().map(|cell| Usd(cell.left())),
        limit_reset: shown_reset(record.limit_reset),
        include_byok_in_limit: record.include_byok_in_limit,
        creator_user_id: record.creator.clone(),
        workspace_id: Some(record.workspace),
        expires_at: record.expires_at.map(Utc),
        effective_budget: effective(&cells).map(shown),
        budgets,
        allowed_models: record.allowed_models.clone(),
        requests_per_minute: record.pace.requests_per_minute.map(NonZeroU64::get),
        tokens_per_minute: record.pace.tokens_per_minute.map(NonZeroU64::get),
        concurrent_requests: record.pace.concurrent_requests.map(NonZeroU64::get),
        ..facts(record.label.clone(), &figures, free_requests)
    }
}

fn management(key: &ManagementKey, free_requests: u64) -> CurrentKey {
    CurrentKey {
        is_management_key: true,
        is_provisioning_key: true,
        ..facts(key.label.clone(), &Figures::default(), free_requests)
    }
}

fn facts(label: String, figures: &Figures, free_requests: u64) -> CurrentKey {
    CurrentKey {
        label,
        limit: None,
        limit_remaining: None,
        limit_reset: None,
        include_byok_in_limit: false,
        usage: Usd(figures.total.credits),
        usage_daily: Usd(figures.day.credits),
        usage_weekly: Usd(figures.week.credits),
        usage_monthly: Usd(figures.month.credits),
        byok_usage: Usd(figures.total.byok),
        byok_usage_daily: Usd(figures.day.byok),
        byok_usage_weekly: Usd(figures.week.byok),
        byok_usage_monthly: Usd(figures.month.byok),
        creator_user_id: None,
        organization_id: None,
        workspace_id: None,
        expires_at: None,
        is_free_tier: false,
        is_management_key: false,
        is_provisioning_key: false,
        rate_limit: RateLimit::default(),
        allowed_data_regions: vec!["global".to_owned()],
        free_model_daily_requests: FreeModelDailyRequests {
            limit: free_requests,
            used: 0,
            remaining: free_requests,
        },
        budgets: Vec::new(),
        effective_budget: None,
        allowed_models: None,
        requests_per_minute: None,
        tokens_per_minute: None,
        concurrent_requests: None,
    }
}

/// The layer that refuses, the first in order where several do; else the one with the least left.
fn effective(cells: &[Cell]) -> Option<&Cell> {
    let spent = cells.iter().find(|cell| cell.is_spent());
    spent.or_else(|| cells.iter().min_by_key(|cell| cell.left()))
}

/// Which of a workspace's budgets, of which there is one a period, the limit is.
fn budget_id(cell: &Cell, budgets: &[BudgetRecord]) -> Option<Uuid> {
    let is_it = |budget: &&BudgetRecord| budget.reset == interval(cell);
    match cell.limit.layer {
        Layer::Workspace => budgets.iter().find(is_it).map(|budget| budget.id),
        Layer::Key => None,
    }
}

fn interval(cell: &Cell) -> Option<Reset> {
    match cell.limit.period {
        Period::Day => Some(Reset::Daily),
        Period::Week => Some(Reset::Weekly),
        Period::Month => Some(Reset::Monthly),
        Period::Lifetime => None,
    }
}

fn budget(cell: &Cell) -> KeyBudget {
    let scope = match cell.limit.layer {
        Layer::Workspace => BudgetScope::Workspace,
        Layer::Key => BudgetScope::KeyLimit,
    };
    KeyBudget {
        scope: Open::Known(scope),
        guardrail_id: None,
        budget_id: None,
        limit_usd: Usd(cell.limit.amount),
        spend_usd: Usd(cell.settled),
        remaining_usd: Usd(cell.left()),
        reset_interval: interval(cell).map(|interval| Open::Known(reset(interval))),
        resets_at: cell.window.resets_at().map(Utc),
        include_byok: cell.limit.include_byok,
    }
}
