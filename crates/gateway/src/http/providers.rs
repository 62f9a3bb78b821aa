//! `GET /providers`: who runs the models, for anyone (SEMANTICS 10.6).

use std::sync::Arc;

use api::Data;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;

use super::{App, Worker, json};

pub(super) fn routes() -> Router<Arc<Worker>> {
    Router::new().route("/providers", get(list))
}

async fn list(State(worker): App) -> Response {
    let catalogue = worker.core.catalogue();
    let data: Vec<_> = catalogue.providers.iter().map(|provider| &provider.facts).collect();
    json(StatusCode::OK, &Data { data })
}
