//! What `server.admin_listen` answers, without a key: how the gateway is, and nothing else.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use super::error::{ApiError, ApiResult};
use super::{health, metrics};
use crate::core::Core;

/// The service of that address. Any other path is 404, whatever the key.
pub fn admin(core: Arc<Core>) -> Router {
    Router::new()
        .route("/metrics", get(figures))
        .route("/health", get(health::health))
        .route("/ready", get(ready))
        .method_not_allowed_fallback(super::wrong_method)
        .fallback(unknown_path)
        .with_state(core)
}

async fn figures(State(core): State<Arc<Core>>) -> ApiResult<Response> {
    metrics::shown(&core).await
}

async fn ready(State(core): State<Arc<Core>>) -> Response {
    health::readiness(&core)
}

async fn unknown_path() -> ApiError {
    ApiError::not_found()
}
