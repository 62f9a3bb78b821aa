//! Workspaces: keys that share budgets, defaults and members.

mod budgets;
mod members;

use futures_core::Stream;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Number;

use crate::keys::Deleted;
use crate::page::{self, Data, Page};
use crate::patch::setters;
use crate::request::Call;
use crate::{Client, Error, Patch};

pub use budgets::{Budgets, Interval, PutBudget, WorkspaceBudget, WorkspaceBudgets};
pub use members::{MemberRole, MembersAdded, WorkspaceMember, WorkspaceMembers};

/// A workspace.
///
/// ```
/// # fn show(workspace: tollgate::Workspace) {
/// println!("{} is {}", workspace.slug, workspace.name);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Workspace {
    /// Its identity.
    pub id: String,
    /// Its name in paths.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// The model of a chat that names none.
    #[serde(default)]
    pub default_text_model: Option<String>,
    /// The model of a request for an image that names none.
    #[serde(default)]
    pub default_image_model: Option<String>,
    /// What providers are sorted by where a request asks for no order.
    #[serde(default)]
    pub default_provider_sort: Option<String>,
    /// Whether prompts and answers may be logged.
    #[serde(default)]
    pub is_observability_io_logging_enabled: bool,
    /// Whether traces may be sent on.
    #[serde(default)]
    pub is_observability_broadcast_enabled: bool,
    /// Whether providers may use its data for a discount.
    #[serde(default)]
    pub is_data_discount_logging_enabled: bool,
    /// How much of its traffic is logged, from 0.0001 to 1.
    #[serde(default)]
    pub io_logging_sampling_rate: Option<Number>,
    /// The only keys whose traffic is logged; `None` is all.
    #[serde(default)]
    pub io_logging_api_key_ids: Option<Vec<i64>>,
    /// Tools run by providers that its requests may not use.
    #[serde(default)]
    pub disabled_server_tools: Option<Vec<String>>,
    /// Whether spend on the owner's own provider keys counts towards its budgets.
    #[serde(default)]
    pub include_byok_in_budgets: bool,
    /// The guardrail that applies to all that is admitted in it.
    #[serde(default)]
    pub default_guardrail_id: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its settings last changed.
    #[serde(default)]
    pub updated_at: Option<Timestamp>,
    /// Who made it.
    #[serde(default)]
    pub created_by: Option<String>,
}

/// A workspace to be made.
///
/// ```
/// let workspace = tollgate::CreateWorkspace::new("Research", "research");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CreateWorkspace {
    /// Its name for people; names need not differ.
    pub name: String,
    /// Its name in paths, which no other has: lower-case letters, digits, `-`.
    pub slug: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The model of a chat that names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_text_model: Option<String>,
    /// What providers are sorted by where a request asks for no order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_provider_sort: Option<String>,
}

impl CreateWorkspace {
    /// A workspace of that name and slug.
    ///
    /// ```
    /// let workspace = tollgate::CreateWorkspace::new("Research", "research");
    /// ```
    pub fn new(name: impl Into<String>, slug: impl Into<String>) -> CreateWorkspace {
        CreateWorkspace { name: name.into(), slug: slug.into(), ..CreateWorkspace::default() }
    }
}

setters!(CreateWorkspace, CreateWorkspace::new("Research", "research");
    text description = "Models for the lab.",
    text default_text_model = "openai/gpt-4o-mini",
    text default_provider_sort = "price",
);

/// The changes to a workspace: what is not set stays as it is.
///
/// ```
/// let renamed = tollgate::UpdateWorkspace::new().name("Applied research").description(None);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct UpdateWorkspace {
    /// A new name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A new slug.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Patch::is_unset")]
    pub description: Patch<String>,
    /// The model of a chat that names none.
    #[serde(skip_serializing_if = "Patch::is_unset")]
    pub default_text_model: Patch<String>,
    /// The model of a request for an image that names none.
    #[serde(skip_serializing_if = "Patch::is_unset")]
    pub default_image_model: Patch<String>,
    /// What providers are sorted by where a request asks for no order.
    #[serde(skip_serializing_if = "Patch::is_unset")]
    pub default_provider_sort: Patch<String>,
    /// Whether prompts and answers may be logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_observability_io_logging_enabled: Option<bool>,
    /// Whether traces may be sent on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_observability_broadcast_enabled: Option<bool>,
}

impl UpdateWorkspace {
    /// No change yet.
    ///
    /// ```
    /// let renamed = tollgate::UpdateWorkspace::new().name("Applied research");
    /// ```
    pub fn new() -> UpdateWorkspace {
        UpdateWorkspace::default()
    }
}

setters!(UpdateWorkspace, UpdateWorkspace::new();
    text name = "Applied research",
    text slug = "applied-research",
    patch description: String = "Models for the lab.",
    patch default_text_model: String = "openai/gpt-4o-mini",
    patch default_image_model: String = "openai/gpt-image-1",
    patch default_provider_sort: String = "price",
    some is_observability_io_logging_enabled: bool = false,
    some is_observability_broadcast_enabled: bool = false,
);

/// Which part of a list to give.
///
/// ```
/// let second = tollgate::Slice::new().offset(50).limit(50);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Slice {
    /// How many to skip.
    pub offset: Option<u64>,
    /// How many to give at most, from 1 to 100; 50 where nothing is said.
    pub limit: Option<u64>,
}

impl Slice {
    /// The first part.
    ///
    /// ```
    /// let first = tollgate::Slice::new();
    /// ```
    pub fn new() -> Slice {
        Slice::default()
    }

    pub(crate) fn on(&self, call: Call) -> Call {
        call.query("offset", self.offset.as_ref()).query("limit", self.limit.as_ref())
    }
}

setters!(Slice, Slice::new();
    some offset: u64 = 50,
    some limit: u64 = 100,
);

/// The calls about workspaces, all of which want a management key. A workspace is named by its id
/// or its slug.
///
/// ```no_run
/// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
/// use tollgate::{CreateWorkspace, Interval, PutBudget, Usd};
///
/// let workspaces = client.workspaces();
/// let made = workspaces.create(&CreateWorkspace::new("Research", "research")).await?;
/// let month = PutBudget::new(Usd::from(500));
/// workspaces.budgets(&made.id).put(Interval::Monthly, &month).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Workspaces(Client);

impl Client {
    /// The calls about workspaces.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// for workspace in client.workspaces().list(Default::default()).await?.data {
    ///     println!("{} is {}", workspace.slug, workspace.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn workspaces(&self) -> Workspaces {
        Workspaces(self.clone())
    }
}

impl Workspaces {
    /// One page of workspaces.
    ///
    /// # Errors
    ///
    /// 401 and 403 where the key in use administers nothing.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// let page = client.workspaces().list(tollgate::Slice::new()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn list(&self, slice: Slice) -> Result<Page<Workspace>, Error> {
        slice.on(Call::get(["workspaces"])).send(&self.0).await
    }

    /// All workspaces from where `slice` begins, page after page.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// use futures_util::TryStreamExt as _;
    ///
    /// let all: Vec<_> = client.workspaces().list_all(Default::default()).try_collect().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_all(
        &self,
        slice: Slice,
    ) -> impl Stream<Item = Result<Workspace, Error>> + Send + use<> {
        let workspaces = self.clone();
        page::all(
            slice.offset.unwrap_or(0),
            |workspace: &Workspace| workspace.id.clone(),
            move |offset| {
                let workspaces = workspaces.clone();
                async move { workspaces.list(slice.offset(offset)).await }
            },
        )
    }

    /// Makes a workspace.
    ///
    /// # Errors
    ///
    /// 400 where a field is not what it may be, 409 where another has its slug.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// let wanted = tollgate::CreateWorkspace::new("Research", "research");
    /// let made = client.workspaces().create(&wanted).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create(&self, workspace: &CreateWorkspace) -> Result<Workspace, Error> {
        let call = Call::post(["workspaces"]).json(workspace)?;
        call.send::<Data<_>>(&self.0).await.map(|answer| answer.data)
    }

    /// The workspace of that id or slug.
    ///
    /// # Errors
    ///
    /// 404 where there is none.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// let workspace = client.workspaces().get("default").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get(&self, id: &str) -> Result<Workspace, Error> {
        Call::get(["workspaces", id]).send::<Data<_>>(&self.0).await.map(|answer| answer.data)
    }

    /// Changes a workspace, and gives it as it is then.
    ///
    /// # Errors
    ///
    /// 404 where there is none; 400 where nothing is set, or a field is not what it may be.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// let changes = tollgate::UpdateWorkspace::new().name("Applied research");
    /// client.workspaces().update("research", &changes).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn update(&self, id: &str, changes: &UpdateWorkspace) -> Result<Workspace, Error> {
        let call = Call::patch(["workspaces", id]).json(changes)?;
        call.send::<Data<_>>(&self.0).await.map(|answer| answer.data)
    }

    /// Deletes a workspace that has no keys.
    ///
    /// # Errors
    ///
    /// 404 where there is none, 400 where it may not go: the message says why.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// client.workspaces().delete("research").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete(&self, id: &str) -> Result<(), Error> {
        Call::delete(["workspaces", id]).send::<Deleted>(&self.0).await.map(|_| ())
    }

    /// The calls about the budgets of the workspace of that id or slug.
    ///
    /// ```
    /// # fn example(client: tollgate::Client) {
    /// let budgets = client.workspaces().budgets("research");
    /// # }
    /// ```
    pub fn budgets(&self, id: impl Into<String>) -> Budgets {
        Budgets { client: self.0.clone(), workspace: id.into() }
    }

    /// The calls about the members of the workspace of that id or slug.
    ///
    /// ```
    /// # fn example(client: tollgate::Client) {
    /// let members = client.workspaces().members("research");
    /// # }
    /// ```
    pub fn members(&self, id: impl Into<String>) -> WorkspaceMembers {
        WorkspaceMembers { client: self.0.clone(), workspace: id.into() }
    }
}
