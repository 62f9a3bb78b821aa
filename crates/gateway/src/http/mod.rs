//! The HTTP surface: which path is answered by whom. One resource is one file.
//!
//! Everything is served under `/api/v1` and, for OpenAI clients, under `/v1`; a trailing slash
//! means nothing (SEMANTICS 1.2).

mod activity;
mod admin;
mod audit_log;
mod auth;
mod body;
mod budgets;
mod byok;
mod chat;
pub mod control;
mod cors;
mod credits;
mod embeddings;
mod endpoints;
pub mod error;
mod front;
mod generation;
mod head;
mod health;
mod key;
mod keys;
mod members;
mod metrics;
mod models;
mod providers;
mod query;
mod request_id;
mod route;
mod workspaces;

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use http::{Method, header};

pub use admin::admin;
pub use auth::hash;
pub(crate) use body::HeldBody;
pub use front::Front;

use crate::core::Core;
use error::ApiError;

/// What one worker thread serves with: what all share, and its own connections to providers.
pub struct Worker {
    /// What all workers share.
    pub core: Arc<Core>,
    /// Connections to providers.
    pub transport: upstream::transport::Transport,
    /// Where the outcomes of its settlements come.
    pub mailbox: crate::writer::Mailbox,
}

/// The state that handlers take.
pub(crate) type App = axum::extract::State<Arc<Worker>>;

/// Every path that is answered, and by whom.
fn router(worker: Arc<Worker>) -> Router {
    let inference = Router::new()
        .merge(chat::routes())
        .merge(embeddings::routes())
        .merge(models::routes())
        .merge(endpoints::routes())
        .merge(providers::routes())
        // Set before the layer, which answers preflights only in the place of what lies within it.
        .method_not_allowed_fallback(wrong_method)
        .layer(cors::layer());
    let api = Router::new()
        .merge(keys::routes())
        .merge(key::routes())
        .merge(byok::routes())
        .merge(generation::routes())
        .merge(credits::routes())
        .merge(activity::routes())
        .merge(audit_log::routes())
        .merge(workspaces::routes())
        .merge(budgets::routes())
        .merge(members::routes())
        .merge(inference)
        .method_not_allowed_fallback(wrong_method);
    Router::new()
        .nest("/api/v1", api.clone())
        .nest("/v1", api)
        .merge(health::routes())
        .merge(metrics::routes())
        .method_not_allowed_fallback(wrong_method)
        .fallback(unknown_path)
        .with_state(worker)
}

async fn wrong_method(method: Method) -> ApiError {
    let message = format!("Method {method} is not allowed on this path");
    ApiError::invalid(message).with_status(http::StatusCode::METHOD_NOT_ALLOWED)
}

async fn unknown_path() -> ApiError {
    ApiError::not_found()
}

/// A JSON answer of that status.
pub(crate) fn json<T: serde::Serialize>(status: http::StatusCode, value: &T) -> Response {
    use axum::response::IntoResponse;
    match serde_json::to_vec(value) {
        Ok(bytes) => (status, [(header::CONTENT_TYPE, "application/json")], bytes).into_response(),
        Err(error) => ApiError::internal(error).into_response(),
    }
}

/// Runs what waits for the store away from the threads that serve requests.
pub(crate) async fn reading<T: Send + 'static>(
    core: &Arc<Core>,
    read: impl FnOnce(&dyn store::Store) -> Result<T, store::StoreError> + Send + 'static,
) -> Result<T, ApiError> {
    let core = Arc::clone(core);
    let task = tokio::task::spawn_blocking(move || read(&*core.store));
    Ok(task.await.map_err(ApiError::internal)??)
}
