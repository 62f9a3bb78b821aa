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
use crate::core::Core;
use crate::http::error::{ApiError, ApiResult};
use crate::http::json;
use crate::master_key::MasterKey;

/// How often it is made again because an edit came between.
const TRIES_MAX: usize = 8;

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
    // In a task of its own: who asks may go, and the edits that wait must not go on before it ends.
    let core = Arc::clone(&control.core);
    let rotated = tokio::spawn(async move { rotated(&core, &wanted).await });
    let rotated = rotated.await.map_err(ApiError::internal)??;
    Ok(json(StatusCode::OK, &rotated))
}

async fn rotated(core: &Arc<Core>, wanted: &Rotation) -> ApiResult<Rotated> {
    // No edit may encrypt under the old one from here on.
    let _editing = core.credentials.edit().await;
    for _ in 0..TRIES_MAX {
        let key = MasterKey::parse(wanted.key.expose())
            .map_err(|problem| ApiError::invalid(format!("`key` {problem}")))?;
        let current = core.credentials.master_key().ok_or_else(|| {
            ApiError::conflict(
                "there is no master key in force to replace; a server reads it when it starts",
            )
        })?;
        let secrets = core.credentials.reencrypted(&key, &*core.entropy);
        let rotated = Rotated { id: key.id().to_string(), credentials: secrets.len() };
        if current.id() == key.id() {
            return Ok(rotated);
        }
        let (before, after) = (current.id().to_string(), key.id().to_string());
        if before != wanted.from {
            return Err(ApiError::conflict(format!(
                "the master key in force is {before}, and not {}: the server was started with \
                 another one",
                wanted.from
            )));
        }
        let audit = audit(core, "secrets.rotate", "master key", Some(&before), Some(&after));
        let shared = Arc::clone(core);
        let in_force = secrets.clone();
        let edit = Edit::ReencryptCredentials(secrets);
        let pending = core.writer.edit(edit, audit, move |outcome| {
            if *outcome == Outcome::Done {
                shared.credentials.rotate(key, in_force);
            }
        });
        if pending.outcome().await? == Outcome::Done {
            return Ok(rotated);
        }
        // An edit whose client had left was still being made: once more, on top of it.
    }
    Err(ApiError::conflict("Resource conflict. Please try again later."))
}
