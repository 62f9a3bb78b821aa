//! Browsers call inference paths directly, and nothing else (DESIGN "What crosses").

use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use tower_http::cors::{Any, CorsLayer};

/// Answers preflights, and lets pages read what is answered.
pub(super) fn layer() -> CorsLayer {
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
        .expose_headers(EXPOSED.map(HeaderName::from_static))
}

/// What a page may read of an answer's headers: whose generation it is, when to come back, and how
/// fast its key may go (SEMANTICS 1.11, 6.7).
const EXPOSED: [&str; 5] = [
    "x-generation-id",
    "retry-after",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
];
/// The same as the layer writes it.
const EXPOSED_LINE: &str =
    "x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset";

/// What the layer adds to an answer, for those that don't pass through it.
pub(super) fn allow(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let exposed = HeaderValue::from_static(EXPOSED_LINE);
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::body::Body;
    use axum::response::Response;
    use http::Request;
    use tower::{Layer as _, ServiceExt as _};

    use super::*;

    #[tokio::test]
    async fn an_answer_beside_the_layer_has_what_the_layer_adds() {
        let inner = tower::service_fn(async |_: Request<Body>| {
            Ok::<_, Infallible>(Response::<Body>::default())
        });
        let request = Request::post("/").header("origin", "https://app.example");
        let request = request.body(Body::empty()).unwrap();
        let layered = layer().layer(inner).oneshot(request).await.unwrap();
        let mut beside = HeaderMap::new();
        allow(&mut beside);
        assert_eq!(&beside, layered.headers());
    }
}
