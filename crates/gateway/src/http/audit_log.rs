//! `GET /audit-log`: who changed what. An extension of the API, for management keys.
//! It reads on a connection of its own, so that nobody waits for it (DESIGN I8).

use std::sync::Arc;

use api::audit_log::{AuditEvent, ListAuditLog};
use api::{Counted, Utc};
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use http::{HeaderMap, StatusCode};
use serde_json::value::{RawValue, to_raw_value};
use store::{AuditPage, AuditRow};

use super::error::{ApiError, ApiResult};
use super::query::Pairs;
use super::{App, Worker, auth, json, reading};

pub(super) fn routes() -> Router<Arc<Worker>> {
    Router::new().route("/audit-log", get(list))
}

async fn list(
    State(worker): App,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> ApiResult<Response> {
    let core = &worker.core;
    auth::management(core, &headers)?;
    let wanted = ListAuditLog::parse(Pairs::of(query.as_deref()).iter())?;
    let page = AuditPage {
        actor: wanted.actor,
        action: wanted.action,
        subject: wanted.subject,
        since: wanted.since.map(|moment| moment.0),
        until: wanted.until.map(|moment| moment.0),
        offset: wanted.slice.offset,
        most: wanted.slice.limit,
    };
    let log = reading(core, move |store| store.audit_log(&page)).await?;
    let data = log.rows.into_iter().map(shown).collect::<Result<Vec<AuditEvent>, _>>();
    let data = data.map_err(ApiError::internal)?;
    Ok(json(StatusCode::OK, &Counted { data, total_count: log.total }))
}

fn shown(row: AuditRow) -> serde_json::Result<AuditEvent> {
    let AuditRow { at, actor, action, subject, before, after } = row;
    let shown = |settings: Option<String>| settings.as_deref().map(self::settings).transpose();
    let (before, after) = (shown(before)?, shown(after)?);
    Ok(AuditEvent { at: Utc(at), actor, action, subject, before, after })
}

/// Settings as the JSON that they are; what is none, for whatever reason, as a string.
fn settings(text: &str) -> serde_json::Result<Box<RawValue>> {
    serde_json::from_str(text).or_else(|_| to_raw_value(text))
}
