//! Who belongs to a workspace.

use futures_core::Stream;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Slice;
use crate::open::open_enum;
use crate::page::{self, Page};
use crate::request::Call;
use crate::{Client, Error};

/// A member of a workspace.
///
/// ```
/// # fn show(member: tollgate::WorkspaceMember) {
/// println!("{} is {}", member.user_id, member.role);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorkspaceMember {
    /// The membership's identity.
    pub id: String,
    /// The workspace.
    pub workspace_id: String,
    /// The user.
    pub user_id: String,
    /// What they are there.
    pub role: MemberRole,
    /// When they became a member.
    pub created_at: Timestamp,
}

open_enum! {
    /// What a member is in a workspace.
    ///
    /// ```
    /// assert_eq!(tollgate::MemberRole::Admin.as_str(), "admin");
    /// ```
    pub enum MemberRole {
        /// They administer it.
        Admin = "admin",
        /// They use it.
        Member = "member",
    }
}

/// The memberships that were made.
///
/// ```
/// # fn show(added: tollgate::MembersAdded) {
/// println!("{} are new", added.added_count);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MembersAdded {
    /// They.
    pub data: Vec<WorkspaceMember>,
    /// How many those are; who was a member before is none of them.
    pub added_count: u64,
}

#[derive(Deserialize)]
struct MembersRemoved {
    removed_count: u64,
}

#[derive(Serialize)]
struct NamedUsers<'a> {
    user_ids: &'a [&'a str],
}

/// The calls about the members of one workspace.
///
/// ```no_run
/// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
/// client.workspaces().members("research").add(&["ada", "bob"]).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct WorkspaceMembers {
    pub(super) client: Client,
    pub(super) workspace: String,
}

impl WorkspaceMembers {
    /// One page of them.
    ///
    /// # Errors
    ///
    /// 404 where there is no such workspace.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// let page = client.workspaces().members("research").list(tollgate::Slice::new()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn list(&self, slice: Slice) -> Result<Page<WorkspaceMember>, Error> {
        slice.on(Call::get(["workspaces", &self.workspace, "members"])).send(&self.client).await
    }

    /// All of them from where `slice` begins, page after page.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// use futures_util::TryStreamExt as _;
    ///
    /// let members = client.workspaces().members("research");
    /// let all: Vec<_> = members.list_all(Default::default()).try_collect().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_all(
        &self,
        slice: Slice,
    ) -> impl Stream<Item = Result<WorkspaceMember, Error>> + Send + use<> {
        let members = self.clone();
        page::all(
            slice.offset.unwrap_or(0),
            |member: &WorkspaceMember| member.id.clone(),
            move |offset| {
                let members = members.clone();
                async move { members.list(slice.offset(offset)).await }
            },
        )
    }

    /// Makes users members, all of them or none.
    ///
    /// # Errors
    ///
    /// 404 where there is no such workspace or user.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// let added = client.workspaces().members("research").add(&["ada"]).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn add(&self, user_ids: &[&str]) -> Result<MembersAdded, Error> {
        let call = Call::post(["workspaces", &self.workspace, "members", "add"]);
        call.harmless_twice().json(&NamedUsers { user_ids })?.send(&self.client).await
    }

    /// Ends memberships, and says how many there were.
    ///
    /// # Errors
    ///
    /// 404 where there is no such workspace.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// let count = client.workspaces().members("research").remove(&["ada"]).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn remove(&self, user_ids: &[&str]) -> Result<u64, Error> {
        let call = Call::post(["workspaces", &self.workspace, "members", "remove"]);
        let call = call.harmless_twice().json(&NamedUsers { user_ids })?;
        call.send::<MembersRemoved>(&self.client).await.map(|answer| answer.removed_count)
    }
}
