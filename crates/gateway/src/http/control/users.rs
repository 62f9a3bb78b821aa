//! `tollgate users`: who keys are made for.

use std::sync::Arc;

use api::members::CreateUser;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{delete, get};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use store::UserRecord;

use super::{ACTOR, Control, Ours};
use crate::http::error::ApiResult;
use crate::http::json;
use crate::http::members::users;
use crate::users::Origin;

/// A user as they are listed.
#[derive(Debug, Serialize, Deserialize)]
pub struct ListedUser {
    /// Their id.
    pub id: String,
    /// Where they are written to.
    pub email: String,
    /// Their first name.
    pub first_name: Option<String>,
    /// Their last name.
    pub last_name: Option<String>,
    /// `org:admin` or `org:member`.
    pub role: String,
    /// `operator`, `configured` or `added`.
    pub origin: String,
    /// Since when they are a member.
    pub created_at: String,
}

pub(super) fn routes() -> Router<Arc<Control>> {
    Router::new().route("/users", get(list).post(add)).route("/users/{id}", delete(remove))
}

async fn list(State(control): Ours) -> ApiResult<Response> {
    let users = control.core.users.all();
    let users: Vec<ListedUser> =
        users.into_iter().map(|(user, origin)| listed(user, origin)).collect();
    Ok(json(StatusCode::OK, &users))
}

async fn add(State(control): Ours, body: Bytes) -> ApiResult<Response> {
    let user = users::add(&control.core, ACTOR, &CreateUser::parse(&body)?).await?;
    Ok(json(StatusCode::CREATED, &listed(user, Origin::Added)))
}

async fn remove(State(control): Ours, Path(id): Path<String>) -> ApiResult<Response> {
    users::remove(&control.core, ACTOR, &id).await?;
    Ok(json(StatusCode::OK, &serde_json::json!({ "removed": id })))
}

fn listed(user: UserRecord, origin: Origin) -> ListedUser {
    ListedUser {
        id: user.id,
        email: user.email,
        first_name: user.first_name,
        last_name: user.last_name,
        role: user.role.as_str().to_owned(),
        origin: match origin {
            Origin::Operator => "operator",
            Origin::Configured => "configured",
            Origin::Added => "added",
        }
        .to_owned(),
        created_at: user.created_at.to_string(),
    }
}
