//! The HTTP surface: which path is answered by whom. One resource is one file.
//!
//! Everything is served under `/api/v1` and, for OpenAI clients, under `/v1`; a trailing slash
//! means nothing (SEMANTICS 1.2).

mod activity;
mod admin;
mod auth;
mod body;
mod chat;
pub mod control;
mod credits;
mod endpoints;
pub mod error;
mod generation;
mod head;
mod health;
mod key;
mod keys;
mod metrics;
mod models;
mod providers;
mod query;
mod request_id;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use http::{HeaderName, Method, Uri, header};
use tower::ServiceExt as _;
use tower_http::cors::{Any, CorsLayer};

pub use admin::admin;
pub use auth::hash;
pub(crate) use body::HeldBody;

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

/// The service of one worker.
pub fn service(
    worker: Arc<Worker>,
) -> impl tower::Service<Request, Response = Response, Error = std::convert::Infallible, Future: Send>
+ Clone
+ Send
+ 'static {
    let inference = Router::new()
        .merge(chat::routes())
        .merge(models::routes())
        .merge(endpoints::routes())
        .merge(providers::routes())
        // Set before the layer, which answers preflights only in the place of what lies within it.
        .method_not_allowed_fallback(wrong_method)
        .layer(cors());
    let api = Router::new()
        .merge(keys::routes())
        .merge(key::routes())
        .merge(generation::routes())
        .merge(credits::routes())
        .merge(activity::routes())
        .merge(inference)
        .method_not_allowed_fallback(wrong_method);
    let router = Router::new()
        .nest("/api/v1", api.clone())
        .nest("/v1", api)
        .merge(health::routes())
        .merge(metrics::routes())
        .method_not_allowed_fallback(wrong_method)
        .fallback(unknown_path)
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&worker), request_id::name))
        .with_state(worker);
    router.map_request(without_trailing_slash)
}

async fn wrong_method(method: Method) -> ApiError {
    let message = format!("Method {method} is not allowed on this path");
    ApiError::invalid(message).with_status(http::StatusCode::METHOD_NOT_ALLOWED)
}

async fn unknown_path() -> ApiError {
    ApiError::not_found()
}

/// `/keys/` is `/keys`: never answered by a redirect, which would lose the body or the credential.
fn without_trailing_slash(mut request: Request) -> Request {
    let path = request.uri().path();
    if path.len() > 1 && path.ends_with('/') {
        let trimmed = path.trim_end_matches('/');
        let trimmed = if trimmed.is_empty() { "/" } else { trimmed };
        let target = match request.uri().query() {
            Some(query) => format!("{trimmed}?{query}"),
            None => trimmed.to_owned(),
        };
        if let Ok(uri) = target.parse::<Uri>() {
            *request.uri_mut() = uri;
        }
    }
    request
}

/// Browsers call inference paths directly, and nothing else (DESIGN "What crosses").
fn cors() -> CorsLayer {
    let names = [
        "x-title",
        "x-openrouter-title",
        "x-openrouter-categories",
        "x-session-id",
        "x-openrouter-metadata",
        "x-openrouter-cache",
        "http-referer",
        "idempotency-key",
    ];
    let allowed = names.map(HeaderName::from_static);
    let allowed =
        [header::AUTHORIZATION, header::CONTENT_TYPE, header::ACCEPT].into_iter().chain(allowed);
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(allowed.collect::<Vec<_>>())
        .expose_headers([HeaderName::from_static("x-generation-id"), header::RETRY_AFTER])
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
