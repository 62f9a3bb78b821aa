//! `/embeddings`: metered as chat completions are, and the models that give them (SEMANTICS 14.1).

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use http::HeaderMap;
use upstream::scan_embeddings;

use super::error::ApiResult;
use super::{App, Worker, chat, models};

pub(super) fn routes() -> Router<Arc<Worker>> {
    Router::new()
        .route("/embeddings", post(create))
        .route("/embeddings/models", get(models::list_for_embeddings))
}

async fn create(State(worker): App, headers: HeaderMap, body: Body) -> ApiResult<Response> {
    chat::pay(worker, &headers, body, scan_embeddings).await
}
