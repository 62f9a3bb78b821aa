//! Workspaces: keys that share budgets, defaults and credentials (SEMANTICS 7.1 to 7.3).

mod settings;
mod share;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::field::parse_uuid;
use crate::{Invalid, Query, Slice, Utc};

pub use settings::{
    CreateWorkspace, DESCRIPTION_CHARS_MAX, NAME_CHARS_MAX, SLUG_CHARS_MAX, UpdateWorkspace,
    WorkspaceSettings,
};
pub use share::Share;

/// A workspace as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workspace {
    /// Its identity.
    pub id: Uuid,
    /// Its name in paths.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// The model of a chat that names none.
    pub default_text_model: Option<String>,
    /// The model of a request for an image that names none.
    pub default_image_model: Option<String>,
    /// What providers are sorted by where a request asks for no order.
    pub default_provider_sort: Option<String>,
    /// Whether prompts and answers may be logged.
    pub is_observability_io_logging_enabled: bool,
    /// Whether traces may be sent on.
    pub is_observability_broadcast_enabled: bool,
    /// Whether providers may use its data for a discount.
    pub is_data_discount_logging_enabled: bool,
    /// How much of its traffic is logged.
    pub io_logging_sampling_rate: Share,
    /// The only keys whose traffic is logged; `None` is all.
    pub io_logging_api_key_ids: Option<Vec<i64>>,
    /// Tools run by providers that its requests may not use; `None` is no such list.
    #[serde(default)]
    pub disabled_server_tools: Option<Vec<String>>,
    /// Whether spend on the owner's own provider keys counts towards its budgets.
    #[serde(default)]
    pub include_byok_in_budgets: bool,
    /// The id of the guardrail that applies to all that is admitted in it.
    pub default_guardrail_id: Uuid,
    /// When it was made.
    pub created_at: Utc,
    /// When its settings last changed.
    pub updated_at: Option<Utc>,
    /// Who made it: a management key's name.
    pub created_by: Option<String>,
}

/// How a path names a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkspaceRef {
    /// By its identity.
    Id(Uuid),
    /// By its slug.
    Slug(String),
}

impl WorkspaceRef {
    /// What a part of a path means. No slug has the form of a UUID.
    ///
    /// ```
    /// # use api::workspaces::WorkspaceRef;
    /// assert_eq!(WorkspaceRef::of("default"), WorkspaceRef::Slug("default".to_owned()));
    /// let id = "5b0a4d0e-6c1e-5d8e-9f0a-7b6f1c2d3e4f";
    /// assert_eq!(WorkspaceRef::of(id), WorkspaceRef::Id(id.parse().unwrap()));
    /// ```
    pub fn of(text: &str) -> WorkspaceRef {
        match parse_uuid(text) {
            Some(id) => WorkspaceRef::Id(id),
            None => WorkspaceRef::Slug(text.to_owned()),
        }
    }
}

/// Which workspaces to list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListWorkspaces {
    /// The part of the list that is asked for.
    pub slice: Slice,
}

impl ListWorkspaces {
    /// Reads the query's names and values, percent-decoded.
    pub fn parse<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<ListWorkspaces, Invalid> {
        let query = Query::read(["offset", "limit"], pairs)?;
        Ok(ListWorkspaces { slice: query.slice()? })
    }
}

/// How a workspace is to be deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeleteWorkspace {
    /// Whether its client knows that it may be the default one.
    pub confirm_default_workspace_deletion: bool,
}

impl DeleteWorkspace {
    /// Reads the query's names and values, percent-decoded.
    pub fn parse<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<DeleteWorkspace, Invalid> {
        let name = "confirm_default_workspace_deletion";
        let query = Query::read([name], pairs)?;
        Ok(DeleteWorkspace { confirm_default_workspace_deletion: query.flag(name)? })
    }
}
