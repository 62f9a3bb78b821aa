//! Users of the installation, and who of them is a member of which workspace.
//! A key that was made for a user stays theirs, whatever becomes of the user.

use jiff::Timestamp;
use uuid::Uuid;

/// What a user may do in the installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrgRole {
    /// Administers it.
    Admin,
    /// Uses it.
    Member,
}

impl OrgRole {
    /// The API's word for it, which is also what is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            OrgRole::Admin => "org:admin",
            OrgRole::Member => "org:member",
        }
    }

    /// The role of that name.
    pub fn parse(text: &str) -> Option<OrgRole> {
        [OrgRole::Admin, OrgRole::Member].into_iter().find(|role| role.as_str() == text)
    }

    /// What a user of this role is in a workspace.
    pub const fn in_workspace(self) -> MemberRole {
        match self {
            OrgRole::Admin => MemberRole::Admin,
            OrgRole::Member => MemberRole::Member,
        }
    }
}

/// What a member may do in a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MemberRole {
    /// Administers it.
    Admin,
    /// Uses it.
    Member,
}

impl MemberRole {
    /// The API's word for it, which is also what is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            MemberRole::Admin => "admin",
            MemberRole::Member => "member",
        }
    }

    /// The role of that name.
    pub fn parse(text: &str) -> Option<MemberRole> {
        [MemberRole::Admin, MemberRole::Member].into_iter().find(|role| role.as_str() == text)
    }
}

/// A user who was added; those in the configuration are not in the book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRecord {
    /// Their identity: what `creator` of a key says.
    pub id: String,
    /// Where they are written to.
    pub email: String,
    /// Their first name.
    pub first_name: Option<String>,
    /// Their last name.
    pub last_name: Option<String>,
    /// What they may do.
    pub role: OrgRole,
    /// When they were added.
    pub created_at: Timestamp,
}

/// A user who is a member of a workspace, added or from the configuration. Of the default workspace
/// everyone is, without a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRecord {
    /// The membership's identity.
    pub id: Uuid,
    /// The workspace.
    pub workspace: Uuid,
    /// The user.
    pub user: String,
    /// What they may do there.
    pub role: MemberRole,
    /// When they became a member.
    pub created_at: Timestamp,
}
