//! `GET /metrics`: what an operator sees, in Prometheus' text format.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, header};

use super::error::{ApiError, ApiResult};
use super::{App, Worker, auth};
use crate::core::Core;
use crate::metrics::scrape;

/// Prometheus' text format, which everyone who scrapes understands.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) fn routes() -> Router<Arc<Worker>> {
    Router::new().route("/metrics", get(with_key))
}

/// Everything, for whoever holds a management key.
async fn with_key(State(worker): App, headers: HeaderMap) -> ApiResult<Response> {
    auth::management(&worker.core, &headers)?;
    shown(&worker.core).await
}

/// Everything, for whoever may ask.
pub(super) async fn shown(core: &Arc<Core>) -> ApiResult<Response> {
    let core = Arc::clone(core);
    // There may be many figures, and some are read from files of the system.
    let text = tokio::task::spawn_blocking(move || scrape(&core)).await;
    let text = text.map_err(ApiError::internal)?;
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response())
}
