//! The query of `GET /byok` (SEMANTICS 8.2).

use uuid::Uuid;

use crate::{Invalid, Query, Slice};

const NAMES: [&str; 4] = ["offset", "limit", "workspace_id", "provider"];

/// Which credentials to list, and which part of the list.
///
/// ```
/// # use api::{Slice, byok::ListByok};
/// let query = ListByok::parse([("offset", "50"), ("provider", "openai")])?;
/// assert_eq!(query.slice, Slice { offset: 50, limit: 50 });
/// assert_eq!(query.provider.as_deref(), Some("openai"));
/// # Ok::<(), api::Invalid>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListByok {
    /// Which part of the list.
    pub slice: Slice,
    /// The workspace whose requests may use them; `None` is the default one.
    pub workspace_id: Option<Uuid>,
    /// The slug of the provider they are for; `None` is any.
    pub provider: Option<String>,
}

impl ListByok {
    /// Reads the query's names and values, percent-decoded.
    pub fn parse<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<ListByok, Invalid> {
        let query = Query::read(NAMES, pairs)?;
        Ok(ListByok {
            slice: query.slice()?,
            workspace_id: query.uuid("workspace_id")?,
            provider: query.text("provider")?.map(str::to_owned),
        })
    }
}
