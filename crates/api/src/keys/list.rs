//! The query of `GET /keys` (SEMANTICS 3.3).

use uuid::Uuid;

use crate::{Invalid, Query};

const NAMES: [&str; 4] = ["offset", "include_disabled", "include_expired", "workspace_id"];

/// Which keys to list, and from which place on.
///
/// ```
/// # use api::keys::ListKeys;
/// let query = ListKeys::parse([("offset", "100"), ("include_disabled", "1")])?;
/// assert_eq!(
///     query,
///     ListKeys { offset: 100, include_disabled: true, ..ListKeys::default() },
/// );
/// # Ok::<(), api::Invalid>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListKeys {
    /// How many keys to skip.
    pub offset: u64,
    /// Whether disabled keys are listed, too.
    pub include_disabled: bool,
    /// Whether expired keys are listed, too.
    pub include_expired: bool,
    /// The workspace whose keys are listed; `None` is the default one, never all.
    pub workspace_id: Option<Uuid>,
}

impl ListKeys {
    /// Reads the query's names and values, percent-decoded.
    pub fn parse<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<ListKeys, Invalid> {
        let query = Query::read(NAMES, pairs)?;
        Ok(ListKeys {
            offset: query.count("offset", 0..=u64::MAX)?.unwrap_or(0),
            include_disabled: query.flag("include_disabled")?,
            include_expired: query.flag("include_expired")?,
            workspace_id: query.uuid("workspace_id")?,
        })
    }
}
