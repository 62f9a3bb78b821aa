//! The first to see a request: names it, checks its head and finds who answers it.
//!
//! Nearly all requests are chat completions, and finding a route costs as much as reading one:
//! they go straight to their handler, everything else through the router.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{Method, Request, Uri};
use hyper::body::Incoming;
use tower::ServiceExt as _;

use super::request_id::Named;
use super::{Worker, chat, cors, head};

/// The service of one worker; cheap to clone.
#[derive(Clone)]
pub struct Front {
    worker: Arc<Worker>,
    router: Router,
}

impl Front {
    /// What `worker` answers with.
    pub fn new(worker: Arc<Worker>) -> Front {
        Front { router: super::router(Arc::clone(&worker)), worker }
    }
}

impl hyper::service::Service<Request<Incoming>> for Front {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        without_trailing_slash(request.uri_mut());
        let named = Named::new(&self.worker.core, &request);
        if let Err(error) = head::check(&request, self.worker.core.config.bounds.header_bytes_max) {
            let refused = named.answer(async { error.into_response() });
            return Box::pin(async { Ok(refused.await) });
        }
        if *request.method() == Method::POST && chat::PATHS.contains(&request.uri().path()) {
            let answer = named.answer(chat(Arc::clone(&self.worker), request));
            return Box::pin(async { Ok(answer.await) });
        }
        let routed = self.router.clone().oneshot(request.map(Body::new));
        let answer = named.answer(async { routed.await.unwrap_or_else(|never| match never {}) });
        Box::pin(async { Ok(answer.await) })
    }
}

async fn chat(worker: Arc<Worker>, request: Request<Incoming>) -> Response {
    let (head, body) = request.into_parts();
    let mut response = chat::answer(worker, &head.headers, body).await.into_response();
    cors::allow(response.headers_mut());
    response
}

/// `/keys/` is `/keys`: never answered by a redirect, which would lose the body or the credential.
fn without_trailing_slash(uri: &mut Uri) {
    let path = uri.path();
    if path.len() < 2 || !path.ends_with('/') {
        return;
    }
    let trimmed = path.trim_end_matches('/');
    let trimmed = if trimmed.is_empty() { "/" } else { trimmed };
    let target = match uri.query() {
        Some(query) => format!("{trimmed}?{query}"),
        None => trimmed.to_owned(),
    };
    if let Ok(target) = target.parse() {
        *uri = target;
    }
}
