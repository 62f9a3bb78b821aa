//! `GET /activity`: what was used on the last completed UTC days (SEMANTICS 5.2).
//! It reads the daily sums on a connection of its own, so that nobody waits for it (DESIGN I8).

use std::sync::Arc;

use api::activity::{ActivityItem, ListActivity};
use api::error::ErrorType;
use api::{Data, Invalid, Usd};
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use http::{HeaderMap, StatusCode};
use ledger::Day;
use store::{ActivityFigures, ActivityFilter, ActivityGroup, KeyHash};

use super::error::{ApiError, ApiResult};
use super::query::Pairs;
use super::{App, Worker, auth, json, reading};
use crate::catalogue::{Catalogue, endpoint_id};

/// Completed days that are shown.
const DAYS: i32 = 30;

pub(super) fn routes() -> Router<Arc<Worker>> {
    Router::new().route("/activity", get(list))
}

async fn list(
    State(worker): App,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> ApiResult<Response> {
    let core = &worker.core;
    auth::management(core, &headers)?;
    let wanted = ListActivity::parse(Pairs::of(query.as_deref()).iter())?;
    let filter = filter(wanted, Day::of(core.clock.now()))?;
    let activity = reading(core, move |store| {
        // A deleted one is still one: what was spent stays.
        if let Some(key) = filter.key
            && store.key(key)?.is_none()
        {
            return Ok(Err(unknown("api_key_hash", "key")));
        }
        if let Some(workspace) = filter.workspace
            && store.workspace(workspace)?.is_none()
        {
            return Ok(Err(unknown("workspace_id", "workspace")));
        }
        store.activity(&filter).map(Ok)
    });
    let activity = activity.await??;
    let mut rows: Vec<_> = activity.into_iter().collect();
    // Stable: what is equal stays in the order of its model and provider.
    rows.sort_by_key(|(group, figures)| std::cmp::Reverse((group.day, figures.cost.credits)));
    let catalogue = core.catalogue();
    let data: Vec<ActivityItem> =
        rows.into_iter().map(|(group, figures)| shown(group, &figures, &catalogue)).collect();
    Ok(json(StatusCode::OK, &Data { data }))
}

/// What the store is asked for, on the day `today`.
fn filter(wanted: ListActivity, today: Day) -> ApiResult<ActivityFilter> {
    let (mut first, mut last) = (today.plus(-DAYS), today.plus(-1));
    if let Some(date) = wanted.date {
        let mut days = (1..=DAYS).map(|ago| today.plus(-ago));
        let day = days.find(|day| day.date() == date).ok_or_else(|| {
            let allowed = format!("a day from {} to {}", first.date(), last.date());
            let problem = format!("is not one of the last {DAYS} completed UTC days");
            Invalid::new("date", problem, allowed)
        })?;
        (first, last) = (day, day);
    }
    Ok(ActivityFilter {
        first,
        last,
        key: wanted.api_key_hash.map(KeyHash),
        workspace: wanted.workspace_id,
        creator: wanted.user_id,
        by_workspace: wanted.by_workspace,
    })
}

fn unknown(field: &str, noun: &str) -> ApiError {
    ApiError::new(ErrorType::NotFound, format!("`{field}` names no {noun} of this account"))
}

fn shown(group: ActivityGroup, figures: &ActivityFigures, catalogue: &Catalogue) -> ActivityItem {
    let ActivityGroup { day, workspace, model, provider, upstream_model } = group;
    ActivityItem {
        date: day.date().to_string(),
        endpoint_id: endpoint_id(&model, &provider, &upstream_model).to_string(),
        provider_name: catalogue.provider_name(&provider).to_owned(),
        usage: Usd(figures.cost.credits),
        byok_usage_inference: Usd(figures.cost.byok),
        requests: figures.requests,
        prompt_tokens: figures.prompt_tokens,
        completion_tokens: figures.completion_tokens,
        reasoning_tokens: figures.reasoning_tokens,
        cached_tokens: figures.cached_tokens,
        workspace_id: workspace,
        model_permaslug: model.clone(),
        model,
    }
}
