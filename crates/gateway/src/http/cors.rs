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
        .expose_headers([HeaderName::from_static("x-generation-id"), header::RETRY_AFTER])
}

/// What the layer adds to an answer, for those that don't pass through it.
pub(super) fn allow(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let exposed = HeaderValue::from_static("x-generation-id,retry-after");
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
