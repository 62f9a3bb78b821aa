//! The workspaces there are, by id and by slug, each with its budgets and the account they bind.
//! As with keys, what is kept here is identity and settings; balances are the ledger's.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use api::routing::SortBy;
use ledger::{Account, Layer, Limit, Period, Tally, Terms};
use parking_lot::RwLock;
use sha2::{Digest, Sha256};
use store::{
    BudgetRecord, DEFAULT_WORKSPACE, LoadedWorkspace, MemberRecord, Reset, WorkspaceRecord,
};
use tokio::sync::Notify;
use uuid::Uuid;

/// Locks that the keys of a workspace without budgets spread over (decision 14).
const ACCOUNT_PARTS: usize = 16;

/// A workspace in use.
pub struct Workspace {
    settings: RwLock<Settings>,
    account: Arc<Account>,
    freed: Arc<Notify>,
    /// Requests waiting for holds on its budgets to end.
    pub waiting: AtomicUsize,
    /// The place of its default order in [`SORTS`]: every request asks, and none takes a lock to.
    sort: AtomicU8,
}

/// What people set of a workspace, all from one moment.
#[derive(Clone)]
pub struct Settings {
    /// The workspace's own.
    pub record: Arc<WorkspaceRecord>,
    /// Its budgets, the longest window first.
    pub budgets: Arc<[BudgetRecord]>,
    /// Its members, by when they became ones; of the default workspace everyone is, and none here.
    pub members: Arc<[MemberRecord]>,
}

impl Workspace {
    fn new(loaded: LoadedWorkspace) -> Workspace {
        let LoadedWorkspace { record, budgets, members, tally } = loaded;
        let freed = Arc::new(Notify::new());
        let notify = Arc::clone(&freed);
        let terms = terms(&record, &budgets);
        let sort = AtomicU8::new(sort_place(&record));
        let account = Account::spread(terms, tally, ACCOUNT_PARTS, move || notify.notify_waiters());
        Workspace {
            settings: RwLock::new(Settings {
                record: record.into(),
                budgets: budgets.into(),
                members: members.into(),
            }),
            account: Arc::new(account),
            freed,
            waiting: AtomicUsize::new(0),
            sort,
        }
    }

    /// Its settings as they stand.
    pub fn record(&self) -> Arc<WorkspaceRecord> {
        Arc::clone(&self.settings.read().record)
    }

    /// Its budgets as they stand, the longest window first.
    pub fn budgets(&self) -> Arc<[BudgetRecord]> {
        Arc::clone(&self.settings.read().budgets)
    }

    /// Its settings, budgets and members, of one moment.
    pub fn settings(&self) -> Settings {
        self.settings.read().clone()
    }

    /// Its account in the ledger: what was spent in it, and the limits that its budgets set.
    pub fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// Told whenever something may have become affordable.
    pub fn freed(&self) -> &Notify {
        &self.freed
    }

    /// What providers are sorted by where a request asks for no order.
    pub fn provider_sort(&self) -> Option<SortBy> {
        SORTS.get(usize::from(self.sort.load(Ordering::Relaxed))).copied()
    }

    fn replace(&self, settings: Settings) {
        let terms = terms(&settings.record, &settings.budgets);
        self.sort.store(sort_place(&settings.record), Ordering::Relaxed);
        *self.settings.write() = settings;
        self.account.set_terms(terms);
    }

    fn forget_member(&self, user: &str) {
        let mut settings = self.settings.write();
        if settings.members.iter().any(|member| member.user == user) {
            settings.members =
                settings.members.iter().filter(|member| member.user != user).cloned().collect();
        }
    }
}

/// The terms that a workspace's requests spend under: its budgets, the longest window first.
pub fn terms(record: &WorkspaceRecord, budgets: &[BudgetRecord]) -> Terms {
    let mut budgets: Vec<&BudgetRecord> = budgets.iter().collect();
    budgets.sort_by_key(|budget| budget.place());
    let limit = |budget: &BudgetRecord| Limit {
        layer: Layer::Workspace,
        amount: budget.limit,
        period: match budget.reset {
            None => Period::Lifetime,
            Some(Reset::Monthly) => Period::Month,
            Some(Reset::Weekly) => Period::Week,
            Some(Reset::Daily) => Period::Day,
        },
        include_byok: record.include_byok_in_budgets,
    };
    Terms { limits: budgets.into_iter().map(limit).collect(), ..Terms::default() }
}

const SORTS: [SortBy; 4] = [SortBy::Price, SortBy::Throughput, SortBy::Latency, SortBy::Exacto];

/// The place of a workspace's default order among [`SORTS`]; beyond them where it has none.
fn sort_place(record: &WorkspaceRecord) -> u8 {
    let by = record.default_provider_sort.as_deref().and_then(SortBy::named);
    let place = SORTS.iter().position(|sort| Some(*sort) == by);
    place.and_then(|place| u8::try_from(place).ok()).unwrap_or(u8::MAX)
}

/// The id of the guardrail that applies to all that is admitted in a workspace: made from the
/// workspace's own, so that it is known before the guardrail is stored (SEMANTICS 9.6).
pub fn default_guardrail_id(workspace: Uuid) -> Uuid {
    let mut hash = Sha256::new();
    hash.update("default guardrail of ");
    hash.update(workspace.as_bytes());
    let hash: [u8; 32] = hash.finalize().into();
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    uuid::Builder::from_custom_bytes(id).into_uuid()
}

/// A new workspace's settings where nothing was asked for.
pub fn bare(id: Uuid, slug: &str, name: &str, created_at: jiff::Timestamp) -> WorkspaceRecord {
    WorkspaceRecord {
        id,
        slug: slug.to_owned(),
        name: name.to_owned(),
        description: None,
        default_text_model: None,
        default_image_model: None,
        default_provider_sort: None,
        is_observability_io_logging_enabled: false,
        is_observability_broadcast_enabled: false,
        is_data_discount_logging_enabled: false,
        io_logging_sampling_millionths: 1_000_000,
        io_logging_api_key_ids: None,
        disabled_server_tools: None,
        include_byok_in_budgets: false,
        created_at,
        updated_at: None,
        created_by: None,
        version: 0,
    }
}

/// The default workspace as it is first made.
pub fn first(created_at: jiff::Timestamp) -> WorkspaceRecord {
    bare(DEFAULT_WORKSPACE, "default", "Default", created_at)
}

/// A workspace's settings for the audit log.
pub fn to_json(record: &WorkspaceRecord) -> String {
    serde_json::json!({
        "slug": record.slug,
        "name": record.name,
        "description": record.description,
        "default_text_model": record.default_text_model,
        "default_image_model": record.default_image_model,
        "default_provider_sort": record.default_provider_sort,
        "is_observability_io_logging_enabled": record.is_observability_io_logging_enabled,
        "is_observability_broadcast_enabled": record.is_observability_broadcast_enabled,
        "is_data_discount_logging_enabled": record.is_data_discount_logging_enabled,
        "io_logging_sampling_millionths": record.io_logging_sampling_millionths,
        "io_logging_api_key_ids": record.io_logging_api_key_ids,
        "disabled_server_tools": record.disabled_server_tools,
        "include_byok_in_budgets": record.include_byok_in_budgets,
    })
    .to_string()
}

/// Every live workspace.
#[derive(Default)]
pub struct Workspaces {
    named: RwLock<Named>,
}

#[derive(Default)]
struct Named {
    by_id: HashMap<Uuid, Arc<Workspace>>,
    by_slug: HashMap<String, Uuid>,
}

impl Workspaces {
    /// These workspaces.
    pub fn new(loaded: Vec<LoadedWorkspace>) -> Workspaces {
        let workspaces = Workspaces::default();
        for workspace in loaded {
            workspaces.add_loaded(workspace);
        }
        workspaces
    }

    /// The workspace of that id.
    pub fn of_id(&self, id: &Uuid) -> Option<Arc<Workspace>> {
        self.named.read().by_id.get(id).cloned()
    }

    /// The workspace of that slug.
    pub fn of_slug(&self, slug: &str) -> Option<Arc<Workspace>> {
        let named = self.named.read();
        named.by_slug.get(slug).and_then(|id| named.by_id.get(id)).cloned()
    }

    /// Every workspace, in no order.
    pub fn all(&self) -> Vec<Arc<Workspace>> {
        self.named.read().by_id.values().cloned().collect()
    }

    /// Adds a workspace that was just made.
    pub fn add(&self, record: WorkspaceRecord) {
        self.add_loaded(unspent(record));
    }

    /// Puts changed settings, budgets and members in force. Requests in flight go on on the same
    /// account.
    pub fn update(&self, settings: Settings) {
        let record = &settings.record;
        let mut named = self.named.write();
        let Some(workspace) = named.by_id.get(&record.id).cloned() else { return };
        named.by_slug.remove(&workspace.record().slug);
        named.by_slug.insert(record.slug.clone(), record.id);
        drop(named);
        workspace.replace(settings);
    }

    /// Forgets a user who is no more, in every workspace.
    pub fn forget_member(&self, user: &str) {
        self.all().iter().for_each(|workspace| workspace.forget_member(user));
    }

    /// Forgets a workspace; requests in flight settle on its account all the same.
    pub fn remove(&self, id: &Uuid) {
        let mut named = self.named.write();
        if let Some(workspace) = named.by_id.remove(id) {
            named.by_slug.remove(&workspace.record().slug);
        }
    }

    fn add_loaded(&self, loaded: LoadedWorkspace) -> Arc<Workspace> {
        let (id, slug) = (loaded.record.id, loaded.record.slug.clone());
        let workspace = Arc::new(Workspace::new(loaded));
        let mut named = self.named.write();
        named.by_slug.insert(slug, id);
        named.by_id.insert(id, Arc::clone(&workspace));
        workspace
    }

    /// The workspace of that id, which a key is in; made up where there is none, as in a book of
    /// which a part was lost: its keys go on without its settings.
    pub(crate) fn of_key(&self, id: Uuid) -> Arc<Workspace> {
        self.of_id(&id).unwrap_or_else(|| {
            let slug = id.to_string();
            tracing::warn!(%id, "a key is in a workspace that is not in the book");
            let record = bare(id, &slug, &slug, jiff::Timestamp::UNIX_EPOCH);
            self.add_loaded(unspent(record))
        })
    }
}

fn unspent(record: WorkspaceRecord) -> LoadedWorkspace {
    LoadedWorkspace { record, budgets: Vec::new(), members: Vec::new(), tally: Tally::default() }
}

#[cfg(test)]
mod tests;
