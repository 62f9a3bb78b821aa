//! Names each request, in the log and in the answer, so that the two can be brought together.

use std::borrow::Cow;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderName, HeaderValue};
use tracing::Instrument as _;

use super::{App, head};
use crate::entropy::bytes;
use crate::metrics::Route;
use crate::observe::Watched;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A path as it may be logged: a key's text where its hash belongs is an easy mistake to make.
fn shown(path: &str) -> Cow<'_, str> {
    if !path.contains("sk-") {
        return Cow::Borrowed(path);
    }
    let masked = path.split('/').map(|part| if part.contains("sk-") { "sk-..." } else { part });
    Cow::Owned(masked.collect::<Vec<_>>().join("/"))
}

/// Answers under an id that every log line of the request carries. The path is logged without its
/// query, the headers not at all: secrets travel there.
pub(super) async fn name(State(worker): App, request: Request, next: Next) -> Response {
    let id = format!("req-{:016x}", u64::from_le_bytes(bytes(&*worker.core.entropy)));
    let route = Route::of(request.uri().path());
    let method = request.method().clone();
    let path = shown(request.uri().path()).into_owned();
    let span = tracing::info_span!("request", id, method = %request.method(), path);
    let watched = Watched::begin(&worker.core, &id, &request, route, &path);
    let header_bytes_max = worker.core.config.bounds.header_bytes_max;
    let serving = async move {
        match head::check(&request, header_bytes_max) {
            Ok(()) => next.run(request).await,
            Err(error) => error.into_response(),
        }
    };
    let serving = serving.instrument(span);
    let mut response = match watched {
        None => serving.await,
        Some(watched) => watched.run(serving).await,
    };
    worker.core.metrics.requests.answered(&method, route, response.status());
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}
