//! Bring-your-own-key credentials: what one is, and the requests that make and change them.
//! Rules of the fields are SEMANTICS 8; `sort_order` in a request is an extension, and so is a
//! `workspace_id` of `null`.

mod create;
mod filters;
mod list;
mod secret;
mod update;

use uuid::Uuid;

use crate::{Counted, Data, Deleted, Open, Utc};

pub use create::CreateByok;
pub use filters::FILTER_ENTRIES_MAX;
pub use list::ListByok;
pub use secret::{SECRET_BYTES_MAX, Secret};
pub use update::UpdateByok;

/// How many characters a credential's name may have.
pub const NAME_CHARS_MAX: usize = 255;
/// How many characters a provider's slug may have.
pub const PROVIDER_CHARS_MAX: usize = 255;
/// The highest place among the credentials of a provider.
pub const SORT_ORDER_MAX: u64 = 1_000_000;

/// One credential, as its manager sees it, without its secret; every member is always sent, `null`
/// included.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ByokKey {
    /// Its id in every path.
    pub id: Uuid,
    /// The slug of the provider it is for.
    pub provider: String,
    /// The workspace whose requests may use it; `None` is every workspace.
    pub workspace_id: Option<Uuid>,
    /// The name it was given.
    #[serde(default)]
    pub name: Option<String>,
    /// The secret with its middle left out.
    pub label: String,
    /// Whether no request uses it.
    pub disabled: bool,
    /// Whether it is tried after the operator's own credential, instead of before.
    pub is_fallback: bool,
    /// Whether the operator's own is not used at this provider for the models it may be used for.
    pub is_required: bool,
    /// Whether the operator's own is not used at this provider for any model.
    pub is_byok_only: bool,
    /// Its place among the credentials of its provider; the lowest is tried first.
    pub sort_order: u32,
    /// The only models it may be used for: exact ids, and `author/*`. `None` is all.
    pub allowed_models: Option<Vec<String>>,
    /// The hashes of the only keys whose requests may use it; `None` is all.
    pub allowed_api_key_hashes: Option<Vec<String>>,
    /// The only creators of keys whose requests may use it; `None` is all, and keys without one.
    pub allowed_user_ids: Option<Vec<String>>,
    /// Where its owner says that its requests are processed.
    pub declared_region: Option<Open<Region>>,
    /// Whether its owner says that the provider keeps nothing of what is sent with it; `None`
    /// leaves that to the endpoint.
    pub declared_zdr: Option<bool>,
    /// When it was made.
    pub created_at: Utc,
}

/// Where requests are processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Region {
    /// Anywhere.
    Global,
    /// In Europe.
    Europe,
    /// In the United States.
    Us,
}

/// The answer to `GET /byok`.
pub type ByokList = Counted<ByokKey>;
/// The answer to `GET` and `PATCH /byok/{id}`, and to `POST /byok`.
pub type ByokShown = Data<ByokKey>;
/// The answer to `DELETE /byok/{id}`.
pub type ByokDeleted = Deleted;
