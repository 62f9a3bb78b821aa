//! Who the members of the installation are, and of its workspaces (SEMANTICS 7.4, 7.5).
//! Adding and removing users by the API is an extension.

mod user;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::keys::USER_CHARS_MAX;
use crate::{Field, Invalid, Object, Open, Query, Slice, Utc};

pub use user::{CreateUser, OrgRole, OrganizationMember};

/// Users that one request names at most.
pub const USERS_MAX: usize = 100;

/// A member of a workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkspaceMember {
    /// The membership's identity.
    pub id: Uuid,
    /// The workspace.
    pub workspace_id: Uuid,
    /// The user.
    pub user_id: String,
    /// What they are there.
    pub role: Open<MemberRole>,
    /// When they became a member.
    pub created_at: Utc,
}

/// What a member is in a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MemberRole {
    /// They administer it.
    Admin,
    /// They use it.
    Member,
}

/// The answer to `POST /workspaces/{id}/members/add`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembersAdded {
    /// The memberships that were made.
    pub data: Vec<WorkspaceMember>,
    /// How many those are; who was a member before is none of them.
    pub added_count: u64,
}

/// The answer to `POST /workspaces/{id}/members/remove`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembersRemoved {
    /// How many were members before.
    pub removed_count: u64,
}

/// The users that are to be added or removed.
///
/// ```
/// # use api::members::NamedUsers;
/// let named = NamedUsers::parse(br#"{"user_ids": ["ada", "bob", "ada"]}"#)?;
/// assert_eq!(named.user_ids, ["ada", "bob"]);
/// # Ok::<(), api::Invalid>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NamedUsers {
    /// Their ids, each once.
    pub user_ids: Vec<String>,
}

impl NamedUsers {
    /// Reads the body; [`Invalid`] names the first field that is not what it may be. Who is named
    /// twice counts once.
    pub fn parse(body: &[u8]) -> Result<NamedUsers, Invalid> {
        let object = Object::parse(body)?;
        let field = object.field("user_ids");
        let allowed = format!("an array of 1 to {USERS_MAX} ids of users");
        let elements = field.elements(&allowed)?;
        if elements.is_empty() {
            return Err(field.invalid("is empty", &allowed));
        }
        if elements.len() > USERS_MAX {
            return Err(field.invalid(&format!("has {} entries", elements.len()), &allowed));
        }
        let mut user_ids: Vec<String> = Vec::with_capacity(elements.len());
        for element in &elements {
            let id = user_id(element)?;
            if !user_ids.contains(&id) {
                user_ids.push(id);
            }
        }
        Ok(NamedUsers { user_ids })
    }
}

/// Which members to list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListMembers {
    /// The part of the list that is asked for.
    pub slice: Slice,
}

impl ListMembers {
    /// Reads the query's names and values, percent-decoded.
    pub fn parse<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<ListMembers, Invalid> {
        let query = Query::read(["offset", "limit"], pairs)?;
        Ok(ListMembers { slice: query.slice()? })
    }
}

/// What names a user: what `creator_user_id` of a key may say.
fn user_id(field: &Field<'_>) -> Result<String, Invalid> {
    field.line(USER_CHARS_MAX)
}
