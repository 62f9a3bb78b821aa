//! `/credits`: what the account was charged in all (SEMANTICS 5.1).
//! There is no pool of credits to run dry: what is bought elsewhere is a number to show.

use std::sync::Arc;

use api::credits::Credits;
use api::{Data, Usd};
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use http::{HeaderMap, StatusCode};

use super::error::{ApiError, ApiResult};
use super::{App, Worker, auth, json, reading};

pub(super) fn routes() -> Router<Arc<Worker>> {
    Router::new().route("/credits", get(one)).route("/credits/coinbase", post(coinbase))
}

async fn one(State(worker): App, headers: HeaderMap) -> ApiResult<Response> {
    let core = &worker.core;
    auth::management(core, &headers)?;
    let charged = reading(core, |store| store.charged()).await?;
    let data = Credits {
        total_credits: Usd(core.config.api.total_credits),
        total_usage: Usd(charged.credits),
    };
    Ok(json(StatusCode::OK, &Data { data }))
}

/// For ever gone, and for everyone: not even its key is looked at.
async fn coinbase() -> ApiError {
    ApiError::gone(
        "Credits are not sold here: this gateway spends on its operator's own provider accounts. \
         `GET /credits` shows what was charged.",
    )
}
