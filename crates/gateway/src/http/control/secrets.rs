//! `/secrets/rotate`: encrypts every credential under another master key, while requests go on.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use axum::{Json, Router};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use store::{Edit, Outcome};

use super::{Control, Ours, audit};
use crate::http::error::{ApiError, ApiResult};
use crate::http::json;
use crate::master_key::MasterKey;

/// What to encrypt under.
#[derive(Debug, Serialize, Deserialize)]
pub struct Rotation {
    /// The id of the master key that is to be replaced.
    pub from: String,
    /// The other one, in hex; it never leaves the machine.
    pub key: api::keys::PlainKey,
}

/// What became of it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Rotated {
    /// The id of the master key in force.
    pub id: String,
    /// How many credentials are encrypted under it.
    pub credentials: usize,
}

pub(super) fn routes() -> Router<Arc<Control>> {
    Router::new().route("/secrets/rotate", post(rotate))
}

async fn rotate(State(control): Ours, Json(wanted): Json<Rotation>) -> ApiResult<Response> {
    let core = &control.core;
    let key = MasterKey::parse(wanted.key.expose())
        .map_err(|problem| ApiError::invalid(format!("`key` {problem}")))?;
    // No edit may encrypt under the old one from here on.
    let _editing = core.credentials.edit().await;
    let current = core.credentials.master_key().ok_or_else(|| {
        ApiError::conflict(
            "there is no master key in force to replace; a server reads it when it starts",
        )
    })?;
    let id = key.id();
    let secrets = core.credentials.reencrypted(&key, &*core.entropy);
    let rotated = Rotated { id: id.to_string(), credentials: secrets.len() };
    if current.id() == id {
        return Ok(json(StatusCode::OK, &rotated));
    }
    if current.id().to_string() != wanted.from {
        return Err(ApiError::conflict(format!(
            "the master key in force is {}, and not {}: the server was started with another one",
            current.id(),
            wanted.from
        )));
    }
    let (before, after) = (current.id().to_string(), id.to_string());
    let audit = audit(core, "secrets.rotate", "master key", Some(&before), Some(&after));
    let shared = Arc::clone(core);
    let in_force = secrets.clone();
    let pending = core.writer.edit(Edit::ReencryptCredentials(secrets), audit, move |outcome| {
        if *outcome == Outcome::Done {
            shared.credentials.rotate(key, in_force);
        }
    });
    match pending.outcome().await? {
        Outcome::Done => Ok(json(StatusCode::OK, &rotated)),
        other => Err(ApiError::internal(format!("a rotation of secrets came to {other:?}"))),
    }
}
