//! `POST /chat/completions`: reads a request, finds where it may go, and hands it to the meter.

use std::sync::Arc;

use api::error::ErrorType;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use bytes::Bytes;
use http::{HeaderMap, header};
use store::KeyRecord;
use tokio::time::Instant;
use upstream::{BadRequest, Request, SESSION_ID_CHARS_MAX, Surface, scan};

use super::body::Incoming;
use super::error::{ApiError, ApiResult};
use super::{App, HeldBody, Worker, auth};
use crate::catalogue::Endpoint;
use crate::core::Core;
use crate::meter::{Call, Candidate, ClientFacts, Wish, candidates};
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
    let candidates = route(core, &key.record(), &request)?;
    let body_bytes = body.len();
    let wish = Wish { core, key: &key, request: &request, body_bytes, again: false };
    let admitted = wish.admit(candidates).await?;
    Call::start(Arc::clone(&worker), key, request, body, facts, admitted, flight).await
}

/// Where the request may go: the first of its models that the key may use.
fn route(core: &Core, key: &KeyRecord, request: &Request) -> ApiResult<Vec<Candidate>> {
    let ids = || request.model.iter().chain(&request.models).map(String::as_str);
    let Some(id) = ids().find(|id| key.allows(id)).or(ids().next()) else {
        let message = "model is missing; allowed is the id of a model, as GET /models lists them";
        return Err(ApiError::invalid(message));
    };
    if id.is_empty() {
        let message = "model is empty; allowed is the id of a model, as GET /models lists them";
        return Err(ApiError::invalid(message));
    }
    let catalogue = core.catalogue();
    let Some(model) = catalogue.model(id) else {
        let shown: String = id.chars().take(128).flat_map(char::escape_debug).collect();
        return Err(ApiError::invalid(format!("{shown} is not a valid model ID")));
    };
    if !key.allows(id) {
        return Err(ApiError::model_not_allowed(&core.refusal_style()));
    }
    if model.surface() != request.surface {
        let path = match model.surface() {
            Surface::Chat => "/chat/completions",
            Surface::Embeddings => "/embeddings",
        };
        return Err(ApiError::wrong_endpoint(id, path));
    }
    if let Some(field) = request.priced.first() {
        return Err(ApiError::invalid(format!(
            "{field} changes the price, and no endpoint of {id} says how; leave it out"
        )));
    }
    let now = core.clock.now();
    let available: Vec<Arc<Endpoint>> = model
        .endpoints
        .iter()
        .filter(|endpoint| endpoint.provider.is_available(now))
        .cloned()
        .collect();
    let candidates = candidates(&available, request);
    if candidates.is_empty() {
        let message = format!("No endpoints found that can serve {id} at present");
        return Err(ApiError::new(ErrorType::NotFound, message));
    }
    Ok(candidates)
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
