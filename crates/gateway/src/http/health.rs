//! Whether the process lives, and whether it can take requests.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;

use super::error::ApiError;
use super::{App, Worker};

pub(super) fn routes() -> Router<Arc<Worker>> {
    Router::new().route("/health", get(health)).route("/ready", get(ready))
}

/// The process answers.
async fn health() -> Response {
    super::json(StatusCode::OK, &serde_json::json!({ "status": "ok" }))
}

/// Requests can be admitted.
async fn ready(State(worker): App) -> Response {
    if worker.core.writer.is_away() {
        return ApiError::store_away().into_response();
    }
    super::json(StatusCode::OK, &serde_json::json!({ "status": "ready" }))
}
