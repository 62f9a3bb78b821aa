//! Who belongs to the installation.

use futures_core::Stream;
use serde::{Deserialize, Serialize};

use crate::keys::Deleted;
use crate::open::open_enum;
use crate::page::{self, Data, Page};
use crate::patch::setters;
use crate::request::Call;
use crate::workspaces::Slice;
use crate::{Client, Error};

/// A member of the installation.
///
/// ```
/// # fn show(member: tollgate::OrganizationMember) {
/// println!("{} <{}>", member.id, member.email);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OrganizationMember {
    /// Their identity: what a key's `creator_user_id` says.
    pub id: String,
    /// Where they are written to.
    pub email: String,
    /// Their first name.
    #[serde(default)]
    pub first_name: Option<String>,
    /// Their last name.
    #[serde(default)]
    pub last_name: Option<String>,
    /// What they are.
    pub role: OrganizationRole,
}

open_enum! {
    /// What somebody is in the installation.
    ///
    /// ```
    /// assert_eq!(tollgate::OrganizationRole::Admin.as_str(), "org:admin");
    /// ```
    pub enum OrganizationRole {
        /// They administer it.
        Admin = "org:admin",
        /// They use it.
        Member = "org:member",
    }
}

/// A member to be added. Tollgate only.
///
/// ```
/// let ada = tollgate::CreateMember::new("ada", "ada@example.com").first_name("Ada");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CreateMember {
    /// Their identity, which nobody else has.
    pub id: String,
    /// Where they are written to, which nobody else has.
    pub email: String,
    /// Their first name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Their last name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// What they are; a member where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<OrganizationRole>,
}

impl CreateMember {
    /// A member of that identity and address.
    ///
    /// ```
    /// let ada = tollgate::CreateMember::new("ada", "ada@example.com");
    /// ```
    pub fn new(id: impl Into<String>, email: impl Into<String>) -> CreateMember {
        CreateMember { id: id.into(), email: email.into(), ..CreateMember::default() }
    }
}

setters!(CreateMember, CreateMember::new("ada", "ada@example.com");
    text first_name = "Ada",
    text last_name = "Lovelace",
    some role: OrganizationRole = OrganizationRole::Admin,
);

/// The calls about who belongs to the installation; they want a management key.
///
/// ```no_run
/// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
/// let page = client.organization().members(tollgate::Slice::new()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Organization(Client);

impl Client {
    /// The calls about who belongs to the installation.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// for member in client.organization().members(Default::default()).await?.data {
    ///     println!("{} is {}", member.id, member.role);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn organization(&self) -> Organization {
        Organization(self.clone())
    }
}

impl Organization {
    /// One page of its members.
    ///
    /// # Errors
    ///
    /// 401 and 403 where the key in use administers nothing.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// let page = client.organization().members(tollgate::Slice::new()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn members(&self, slice: Slice) -> Result<Page<OrganizationMember>, Error> {
        slice.on(Call::get(["organization", "members"])).send(&self.0).await
    }

    /// All of them from where `slice` begins, page after page.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// use futures_util::TryStreamExt as _;
    ///
    /// let all: Vec<_> =
    ///     client.organization().members_all(Default::default()).try_collect().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn members_all(
        &self,
        slice: Slice,
    ) -> impl Stream<Item = Result<OrganizationMember, Error>> + Send + use<> {
        let organization = self.clone();
        page::all(
            slice.offset.unwrap_or(0),
            |member: &OrganizationMember| member.id.clone(),
            move |offset| {
                let organization = organization.clone();
                async move { organization.members(slice.offset(offset)).await }
            },
        )
    }

    /// Adds a member. Tollgate only.
    ///
    /// # Errors
    ///
    /// 409 where somebody has that identity or address.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// let ada = tollgate::CreateMember::new("ada", "ada@example.com");
    /// client.organization().create_member(&ada).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create_member(&self, member: &CreateMember) -> Result<OrganizationMember, Error> {
        let call = Call::post(["organization", "members"]).json(member)?;
        call.send::<Data<_>>(&self.0).await.map(|answer| answer.data)
    }

    /// Removes a member. Tollgate only.
    ///
    /// # Errors
    ///
    /// 404 where there is none.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// client.organization().delete_member("ada").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete_member(&self, id: &str) -> Result<(), Error> {
        Call::delete(["organization", "members", id]).send::<Deleted>(&self.0).await.map(|_| ())
    }
}
