//! Who changed what, from what to what, and when. Tollgate only.

use futures_core::Stream;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::page::{self, Page};
use crate::patch::setters;
use crate::request::Call;
use crate::{Client, Error};

/// One change.
///
/// ```
/// # fn show(event: tollgate::AuditEvent) {
/// println!("{} {} {} {}", event.at, event.actor, event.action, event.subject);
/// # }
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AuditEvent {
    /// When.
    pub at: Timestamp,
    /// Who: a management key's name, `command line`, or `system`.
    pub actor: String,
    /// What was done, as `noun.verb`: `key.create`.
    pub action: String,
    /// To what: a key's hash, a workspace's id.
    pub subject: String,
    /// The settings before, as JSON; `None` where there were none.
    #[serde(default)]
    pub before: Option<Box<RawValue>>,
    /// The settings after, as JSON; `None` where there are none any more.
    #[serde(default)]
    pub after: Option<Box<RawValue>>,
}

/// Which changes to list.
///
/// ```
/// let of_keys = tollgate::ListAuditLog::new().action("key.");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListAuditLog {
    /// How many of the newest to skip.
    pub offset: Option<u64>,
    /// How many to give at most, from 1 to 100.
    pub limit: Option<u64>,
    /// Only what was done by whoever has this name.
    pub actor: Option<String>,
    /// Only this action; one that ends in `.`, such as `key.`, is all that was done to that noun.
    pub action: Option<String>,
    /// Only what was done to this.
    pub subject: Option<String>,
    /// From this moment on.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
}

impl ListAuditLog {
    /// All changes.
    ///
    /// ```
    /// let all = tollgate::ListAuditLog::new();
    /// ```
    pub fn new() -> ListAuditLog {
        ListAuditLog::default()
    }
}

setters!(ListAuditLog, ListAuditLog::new();
    some offset: u64 = 100,
    some limit: u64 = 20,
    text actor = "root",
    text action = "key.update",
    text subject = "0e6fb9f2…",
    some since: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap(),
    some until: Timestamp = "2026-12-01T00:00:00Z".parse().unwrap(),
);

/// The calls about changes; they want a management key.
///
/// ```no_run
/// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
/// let newest = client.audit_log().list(&tollgate::ListAuditLog::new()).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct AuditLog(Client);

impl Client {
    /// The calls about changes.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// for event in client.audit_log().list(&Default::default()).await?.data {
    ///     println!("{} {} {}", event.at, event.actor, event.action);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn audit_log(&self) -> AuditLog {
        AuditLog(self.clone())
    }
}

impl AuditLog {
    /// One page of changes.
    ///
    /// # Errors
    ///
    /// 404 where the server keeps no such log.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// let page = client.audit_log().list(&tollgate::ListAuditLog::new().limit(10)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn list(&self, wanted: &ListAuditLog) -> Result<Page<AuditEvent>, Error> {
        Call::get(["audit-log"])
            .query("offset", wanted.offset.as_ref())
            .query("limit", wanted.limit.as_ref())
            .query("actor", wanted.actor.as_ref())
            .query("action", wanted.action.as_ref())
            .query("subject", wanted.subject.as_ref())
            .query("since", wanted.since.as_ref())
            .query("until", wanted.until.as_ref())
            .send(&self.0)
            .await
    }

    /// All changes asked for, page after page. One made meanwhile moves the others: set
    /// [`until`](ListAuditLog::until) to see each once.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// use futures_util::TryStreamExt as _;
    ///
    /// let all: Vec<_> = client.audit_log().list_all(Default::default()).try_collect().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_all(
        &self,
        wanted: ListAuditLog,
    ) -> impl Stream<Item = Result<AuditEvent, Error>> + Send + use<> {
        let log = self.clone();
        let id = |event: &AuditEvent| format!("{} {} {}", event.at, event.action, event.subject);
        page::all(wanted.offset.unwrap_or(0), id, move |offset| {
            let (log, wanted) = (log.clone(), wanted.clone().offset(offset));
            async move { log.list(&wanted).await }
        })
    }
}
