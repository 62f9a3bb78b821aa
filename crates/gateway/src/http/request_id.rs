//! Names each request, in the log and in the answer, so that the two can be brought together.

use std::borrow::Cow;
use std::sync::Arc;

use axum::response::Response;
use http::{HeaderName, HeaderValue, Method, Request};
use tracing::{Instrument as _, Span};

use crate::core::Core;
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

/// A request with its name.
pub(super) struct Named {
    core: Arc<Core>,
    id: String,
    method: Method,
    route: Route,
    span: Span,
    watched: Option<Arc<Watched>>,
}

impl Named {
    /// Names `request`. Its path is logged without the query, its headers not at all: secrets
    /// travel there.
    pub(super) fn new<B>(core: &Arc<Core>, request: &Request<B>) -> Named {
        let id = format!("req-{:016x}", u64::from_le_bytes(bytes(&*core.entropy)));
        let method = request.method().clone();
        let path = shown(request.uri().path());
        let span = tracing::info_span!("request", id, %method, path = &*path);
        let route = Route::of(request.uri().path());
        let watched = Watched::begin(core, &id, request, route, &path);
        Named { core: Arc::clone(core), id, method, route, span, watched }
    }

    /// Runs what answers it, so that every log line of it carries its name; counts the answer, and
    /// puts the name on that, too.
    pub(super) async fn answer(self, serving: impl Future<Output = Response>) -> Response {
        let serving = serving.instrument(self.span);
        let mut response = match self.watched {
            None => serving.await,
            Some(watched) => watched.run(serving).await,
        };
        self.core.metrics.requests.answered(&self.method, self.route, response.status());
        if let Ok(id) = HeaderValue::try_from(self.id) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        response
    }
}
