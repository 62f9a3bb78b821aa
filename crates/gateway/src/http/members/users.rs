//! Users added and removed, by the API and by the command line alike.

use std::sync::Arc;

use api::Invalid;
use api::members::{CreateUser, OrgRole};
use store::{AuditRow, Edit, Outcome, Refused, UserRecord};

use crate::core::Core;
use crate::http::error::{ApiError, ApiResult};
use crate::users::{Origin, to_json};

/// Adds a user.
pub(in crate::http) async fn add(
    core: &Arc<Core>,
    actor: &str,
    wanted: &CreateUser,
) -> ApiResult<UserRecord> {
    // So that no two at once have one address.
    let _one_at_a_time = core.users.edit().await;
    if core.users.of_id(&wanted.id).is_some() {
        return Err(taken("id"));
    }
    if core.users.has_email(&wanted.email) {
        return Err(taken("email"));
    }
    let user = UserRecord {
        id: wanted.id.clone(),
        email: wanted.email.clone(),
        first_name: wanted.first_name.clone(),
        last_name: wanted.last_name.clone(),
        role: match wanted.role {
            OrgRole::Admin => store::OrgRole::Admin,
            OrgRole::Member => store::OrgRole::Member,
        },
        created_at: core.clock.now(),
    };
    let audit = audit(core, actor, "user.create", &user, None, Some(to_json(&user)));
    let (shared, added) = (Arc::clone(core), user.clone());
    let pending = core.writer.edit(Edit::CreateUser(user.clone()), audit, move |outcome| {
        if *outcome == Outcome::Done {
            shared.users.add(added);
        }
    });
    match pending.outcome().await? {
        Outcome::Done => Ok(user),
        Outcome::Conflict => Err(taken("id")),
        other => Err(ApiError::internal(format!("a new user came to {other:?}"))),
    }
}

/// Removes a user who was added, from every workspace too.
pub(in crate::http) async fn remove(core: &Arc<Core>, actor: &str, id: &str) -> ApiResult<()> {
    let _one_at_a_time = core.users.edit().await;
    let user = match core.users.of_id(id) {
        Some((user, Origin::Added)) => user,
        Some((_, Origin::Operator)) => {
            return Err(ApiError::forbidden("The operator is always a member"));
        }
        Some((_, Origin::Configured)) => {
            let message = "The user is in the configuration, and is removed there";
            return Err(ApiError::forbidden(message));
        }
        None => return Err(ApiError::not_found()),
    };
    let audit = audit(core, actor, "user.delete", &user, Some(to_json(&user)), None);
    let (shared, id) = (Arc::clone(core), user.id.clone());
    let edit = Edit::DeleteUser { id: user.id };
    let pending = core.writer.edit(edit, audit, move |outcome| {
        if *outcome == Outcome::Done {
            shared.users.remove(&id);
            shared.directory.workspaces().forget_member(&id);
        }
    });
    match pending.outcome().await? {
        Outcome::Done => Ok(()),
        Outcome::Refused(Refused::OwnsKeys) => {
            Err(ApiError::invalid("A user who owns keys can't be removed; delete the keys first"))
        }
        _ => Err(ApiError::not_found()),
    }
}

/// The refusal of what another user has.
fn taken(field: &str) -> ApiError {
    let invalid = Invalid::new(field, "is that of another user", "what no other user has");
    ApiError::conflict(invalid.to_string())
}

fn audit(
    core: &Core,
    actor: &str,
    action: &str,
    user: &UserRecord,
    before: Option<String>,
    after: Option<String>,
) -> AuditRow {
    AuditRow {
        at: core.clock.now(),
        actor: actor.to_owned(),
        action: action.to_owned(),
        subject: user.id.clone(),
        before,
        after,
    }
}
