//! `GET /audit-log`: who changed what, from what to what, and when. An extension of the API.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::time::{self, ALLOWED};
use crate::{Invalid, Query, Slice, Utc};

const NAMES: [&str; 7] = ["offset", "limit", "actor", "action", "subject", "since", "until"];

/// One change, made in the same transaction as its record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AuditEvent {
    /// When.
    pub at: Utc,
    /// Who: a management key's name, `command line`, or `system`.
    pub actor: String,
    /// What was done, as `noun.verb`: `key.create`.
    pub action: String,
    /// To what: a key's hash, a workspace's id, a generation's.
    pub subject: String,
    /// The settings before; `None` where there were none.
    pub before: Option<Box<RawValue>>,
    /// The settings after; `None` where there are none any more.
    pub after: Option<Box<RawValue>>,
}

/// Which changes to list.
///
/// ```
/// # use api::audit_log::ListAuditLog;
/// let query = ListAuditLog::parse([("action", "key."), ("since", "2026-11-21T00:00:00Z")])?;
/// assert_eq!(query.action.as_deref(), Some("key."));
/// assert_eq!((query.slice.offset, query.slice.limit), (0, 50));
/// # Ok::<(), api::Invalid>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListAuditLog {
    /// The part of the list that is asked for.
    pub slice: Slice,
    /// Only what was done by whoever has this name.
    pub actor: Option<String>,
    /// Only this action; one that ends in `.`, such as `key.`, is all that was done to that noun.
    pub action: Option<String>,
    /// Only what was done to this.
    pub subject: Option<String>,
    /// From this moment on.
    pub since: Option<Utc>,
    /// Before this moment.
    pub until: Option<Utc>,
}

impl ListAuditLog {
    /// Reads the query's names and values, percent-decoded.
    pub fn parse<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<ListAuditLog, Invalid> {
        let query = Query::read(NAMES, pairs)?;
        let text = |name| query.text(name).map(|text| text.map(str::to_owned));
        let (since, until) = (moment(&query, "since")?, moment(&query, "until")?);
        if let (Some(since), Some(until)) = (since, until)
            && until < since
        {
            return Err(Invalid::new("until", "is before `since`", "`since` or a later moment"));
        }
        Ok(ListAuditLog {
            slice: query.slice()?,
            actor: text("actor")?,
            action: text("action")?,
            subject: text("subject")?,
            since,
            until,
        })
    }
}

fn moment(query: &Query<'_>, name: &str) -> Result<Option<Utc>, Invalid> {
    let read = |text| time::parse(text).map(Utc);
    let read = query.get(name).map(read).transpose();
    read.map_err(|problem| Invalid::new(name, problem, ALLOWED))
}
