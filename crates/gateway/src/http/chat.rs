//! `POST /chat/completions`: reads a request, finds where it may go, and hands it to the meter.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use bytes::Bytes;
use http::{HeaderMap, header};
use tokio::time::Instant;
use upstream::{BadRequest, Request, SESSION_ID_CHARS_MAX, scan};

use super::body::Incoming;
use super::error::{ApiError, ApiResult};
use super::route::route;
use super::{App, HeldBody, Worker, auth};
use crate::meter::{Call, ClientFacts, Wish};
use crate::metrics::Bound;
use crate::observe;

/// Headers that are kept with a generation are cut to this many characters.
const FACT_CHARS_MAX: usize = 512;

/// Where chat completions are asked for, as a whole.
pub(super) const PATHS: [&str; 2] = ["/api/v1/chat/completions", "/v1/chat/completions"];

pub(super) fn routes() -> Router<Arc<Worker>> {
    Router::new().route("/chat/completions", post(create))
}

async fn create(State(worker): App, headers: HeaderMap, body: Body) -> ApiResult<Response> {
    answer(worker, &headers, body).await
}

/// Answers a chat completion.
pub(super) async fn answer(
    worker: Arc<Worker>,
    headers: &HeaderMap,
    body: impl Incoming,
) -> ApiResult<Response> {
    pay(worker, headers, body, scan).await
}

/// Answers the request that `read` makes of the body, for money.
pub(super) async fn pay(
    worker: Arc<Worker>,
    headers: &HeaderMap,
    body: impl Incoming,
    read: fn(&Bytes) -> Result<Request, BadRequest>,
) -> ApiResult<Response> {
    let arrived_at = Instant::now();
    let core = &worker.core;
    let key = auth::inference(core, headers)?;
    let bounds = &core.config.bounds;
    if core.writer.is_away() {
        core.metrics.overloaded(Bound::StoreAway);
        return Err(ApiError::store_away());
    }
    let flight = core.in_flight.enter(bounds.in_flight_max).ok_or_else(|| {
        core.metrics.overloaded(Bound::InFlight);
        ApiError::unavailable("Too many requests are in flight.")
    })?;
    let body = HeldBody::of_inference(core, headers, body).await?;
    let request = read(&body.bytes)?;
    observe::note(|passage| passage.asked(&request));
    let facts = facts(headers, &request, arrived_at)?;
    let candidates = route(core, &key.standing(), &request)?;
    let body_bytes = body.len();
    let wish = Wish { core, key: &key, request: &request, body_bytes, again: false };
    let admitted = wish.admit(candidates).await?;
    Call::start(Arc::clone(&worker), key, request, body, facts, admitted, flight).await
}

/// What the client said of itself, for the generation's row.
fn facts(headers: &HeaderMap, request: &Request, arrived_at: Instant) -> ApiResult<ClientFacts> {
    let text = |name: &str| {
        let value = headers.get(name)?.to_str().ok()?;
        Some(value.chars().take(FACT_CHARS_MAX).collect::<String>())
    };
    let session = request.session_id.clone().or_else(|| text("x-session-id"));
    if session.as_ref().is_some_and(|session| session.chars().count() > SESSION_ID_CHARS_MAX) {
        return Err(ApiError::invalid(format!(
            "x-session-id is too long; allowed are {SESSION_ID_CHARS_MAX} characters"
        )));
    }
    Ok(ClientFacts {
        arrived_at,
        referer: text("http-referer").or_else(|| text(header::REFERER.as_str())),
        user_agent: text(header::USER_AGENT.as_str()),
        session,
    })
}
