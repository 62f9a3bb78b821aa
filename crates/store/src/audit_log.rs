//! What is read of the audit log: the rows that are asked for, a page at a time.
//! Rows are only ever added, so with `until` fixed a page is the same whenever it is read.

use jiff::Timestamp;

use crate::AuditRow;

/// Which rows of the audit log to read, and which part of them.
///
/// ```
/// # use store::AuditPage;
/// let page = AuditPage { action: Some("key.".to_owned()), ..AuditPage::newest(20) };
/// # let store = store::MemoryStore::new();
/// # use store::Store;
/// assert_eq!(store.audit_log(&page).unwrap().total, 0);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditPage {
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
    /// How many to skip.
    pub offset: u64,
    /// How many at most.
    pub most: u64,
}

impl AuditPage {
    /// The newest `most` rows of all.
    pub fn newest(most: u64) -> AuditPage {
        AuditPage { most, ..AuditPage::default() }
    }

    /// Whether a row is one of those that are asked for, on whatever page.
    pub fn is_of(&self, row: &AuditRow) -> bool {
        let is = |wanted: &Option<String>, text: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == text)
        };
        let is_of_action = self.action.as_ref().is_none_or(|action| match action.ends_with('.') {
            true => row.action.starts_with(action),
            false => row.action == *action,
        });
        is_of_action
            && is(&self.actor, &row.actor)
            && is(&self.subject, &row.subject)
            && self.since.is_none_or(|since| row.at >= since)
            && self.until.is_none_or(|until| row.at < until)
    }
}

/// A page of the audit log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditLog {
    /// The rows on it, newest first.
    pub rows: Vec<AuditRow>,
    /// How many rows there are on all pages.
    pub total: u64,
}
