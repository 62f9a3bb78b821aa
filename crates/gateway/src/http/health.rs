//! Whether the process lives, and whether it can take requests.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;

use super::error::ApiError;
use super::{App, Worker};
use crate::core::Core;

pub(super) fn routes() -> Router<Arc<Worker>> {
    Router::new().route("/health", get(health)).route("/ready", get(ready))
}

/// The process answers.
pub(super) async fn health() -> Response {
    super::json(StatusCode::OK, &serde_json::json!({ "status": "ok" }))
}

/// Requests can be admitted.
async fn ready(State(worker): App) -> Response {
    readiness(&worker.core)
}

/// Whether requests can be admitted.
pub(super) fn readiness(core: &Core) -> Response {
    if core.is_stopping.load(Ordering::Relaxed) {
        return ApiError::unavailable("The gateway is stopping.").into_response();
    }
    if core.writer.is_away() {
        return ApiError::store_away().into_response();
    }
    super::json(StatusCode::OK, &serde_json::json!({ "status": "ready" }))
}
