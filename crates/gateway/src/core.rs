//! What all workers share: the book, the keys, the catalogue and the counts that are bounded.
//! Opening it settles what an earlier process left behind.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use jiff::{Timestamp, ToSpan};
use ledger::Day;
use parking_lot::{Mutex, RwLock};
pub use store::DEFAULT_WORKSPACE;
use store::{AuditRow, Change, Edit, EndpointMark, LoadedWorkspace, Outcome, Store, StoreError};
use tokio::sync::{Notify, Semaphore};
use upstream::transport::Tls;

use crate::catalogue::{self, Catalogue, LearnedBook};
use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::credentials::{Credentials, SecretsError};
use crate::directory::Directory;
use crate::entropy::Entropy;
use crate::http::error::RefusalStyle;
use crate::journal::{Journal, LeftBehind};
use crate::master_key::MasterKey;
use crate::meter::Waiting;
use crate::metrics::Metrics;
use crate::observe::{ExportError, Exporter, Observer};
use crate::users::Users;
use crate::workspaces;
use crate::writer::Writer;

/// Days of spend loaded one by one; what is older is one sum. As many as the ledger keeps.
const DAYS_LOADED: i32 = 64;

/// The real things a gateway is made of; only the command line names them (HOUSE "Layout").
pub struct Parts {
    /// The configuration.
    pub config: Config,
    /// The folder that relative file names in it are taken from.
    pub folder: PathBuf,
    /// The book's storage.
    pub store: Arc<dyn Store>,
    /// The file that records holds.
    pub journal: PathBuf,
    /// What credentials in the book are encrypted under.
    pub master_key: Option<MasterKey>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// Called when the store can't be trusted any more; must end the process.
    pub on_broken: OnBroken,
}

/// What is done when the store can't be trusted any more.
pub type OnBroken = Arc<dyn Fn(&StoreError) + Send + Sync>;

/// Why a gateway could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A setting is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The credentials in the book can't be had.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// The store failed.
    #[error("the store can't be read")]
    Store(#[from] StoreError),
    /// The record of holds failed.
    #[error("the record of holds {} can't be used", path.display())]
    Journal {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: std::io::Error,
    },
    /// Traces can't be sent as configured.
    #[error(transparent)]
    Telemetry(#[from] ExportError),
    /// A thread could not be started.
    #[error("a thread could not be started")]
    Thread(#[source] std::io::Error),
}

/// What all workers share.
pub struct Core {
    /// The configuration it was opened with; a reload changes the catalogue alone.
    pub config: Config,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// The book's storage, for reads; writes go through `writer`.
    pub store: Arc<dyn Store>,
    /// The one way to write.
    pub writer: Writer,
    /// The record of holds.
    pub journal: Arc<Journal>,
    /// Who a key is.
    pub directory: Directory,
    /// Credentials of providers that were brought.
    pub credentials: Credentials,
    /// Who keys are made for.
    pub users: Users,
    /// Requests waiting for holds.
    pub waiting: Waiting,
    /// Paid requests in flight.
    pub in_flight: Arc<InFlight>,
    /// Connections of clients.
    pub connections: Arc<InFlight>,
    /// Bytes of request bodies in memory.
    pub body_bytes: AtomicU64,
    /// What an operator sees of it all.
    pub metrics: Metrics,
    /// Who tells of requests that are over; none where nobody listens.
    pub observer: Option<Arc<Observer>>,
    /// No new connection is taken; what is in flight ends.
    pub is_stopping: AtomicBool,
    /// When it was opened.
    pub started_at: Timestamp,
    /// No management key was ever made here.
    pub is_new: bool,
    /// Turns at counting tokens, one a core.
    pub counting: Semaphore,
    folder: PathBuf,
    /// What is known of every endpoint there ever was.
    pub(crate) learned: LearnedBook,
    reloading: Mutex<()>,
    catalogue: RwLock<Arc<Catalogue>>,
    base_url: String,
}

impl Core {
    /// Opens the book: settles what an earlier process left on hold, then loads who may spend what.
    pub fn open(parts: Parts) -> Result<Arc<Core>, OpenError> {
        let Parts { config, folder, store, journal: path, master_key, clock, entropy, on_broken } =
            parts;
        let journal_failed = |source| OpenError::Journal { path: path.clone(), source };
        let learned = LearnedBook::default();
        let catalogue = catalogue::build(&config, &folder, &learned)?;
        // A request may hold a slot for each endpoint that it was left unclear at.
        let slots = config.bounds.in_flight_max.saturating_mul(2);
        let journal = Journal::open(&path, slots, config.store.hold_sync, Arc::clone(&on_broken))
            .map_err(journal_failed)?;
        recover(&*store, &journal, &learned, &path)?;
        make_default_workspace(&*store, clock.now())?;
        // Counted in days that have rows, not from the clock: one that is far ahead would make all
        // that was really spent look old.
        let recent = Day::of(clock.now()).plus(-DAYS_LOADED);
        let since = store.newest_days(DAYS_LOADED.unsigned_abs())?;
        let snapshot = store.snapshot(since.map_or(recent, |since| since.min(recent)))?;
        learned.learn(&snapshot.marks);
        let credentials = Credentials::open(snapshot.credentials, master_key)?;
        let is_default = |loaded: &&LoadedWorkspace| loaded.record.id == DEFAULT_WORKSPACE;
        let began_at = snapshot.workspaces.iter().find(is_default);
        let began_at = began_at.map_or_else(|| clock.now(), |loaded| loaded.record.created_at);
        let users = Users::new(&config.users, snapshot.users, began_at);
        let journal = Arc::new(journal);
        let writer = Writer::start(Arc::clone(&store), Arc::clone(&journal), on_broken)
            .map_err(OpenError::Thread)?;
        let metrics = Metrics::default();
        let exporter =
            Exporter::new(&config.telemetry, || Tls::new(config.egress.ca_file.as_deref()))?;
        let observer =
            Observer::start(&config, exporter, &metrics.observer).map_err(OpenError::Thread)?;
        Ok(Arc::new(Core {
            is_new: snapshot.management_keys.is_empty(),
            base_url: config.server.base_url(),
            config,
            entropy,
            store,
            writer,
            journal,
            directory: Directory::new(snapshot.keys, snapshot.workspaces, snapshot.management_keys),
            credentials,
            users,
            waiting: Waiting::default(),
            in_flight: Arc::default(),
            connections: Arc::default(),
            body_bytes: AtomicU64::new(0),
            metrics,
            observer,
            is_stopping: AtomicBool::new(false),
            started_at: clock.now(),
            folder,
            counting: Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from)),
            learned,
            clock,
            catalogue: RwLock::new(Arc::new(catalogue)),
            reloading: Mutex::default(),
        }))
    }

    /// The models and providers as they stand; a call keeps the ones it started with.
    pub fn catalogue(&self) -> Arc<Catalogue> {
        Arc::clone(&self.catalogue.read())
    }

    /// Puts the users, providers and models of `config` in force from the next request on. Its other
    /// settings wait for the next start.
    pub fn reload(&self, config: &Config) -> Result<(), ConfigError> {
        // Built apart from the catalogue in force, which every request reads meanwhile.
        let _one_at_a_time = self.reloading.lock();
        let catalogue = catalogue::build(config, &self.folder, &self.learned)?;
        *self.catalogue.write() = Arc::new(catalogue);
        self.users.configure(&config.users);
        Ok(())
    }

    /// Forgets what was learned about an endpoint, in memory.
    pub fn clear_mark(&self, mark: &EndpointMark) {
        self.learned.of(&mark.model, &mark.provider, &mark.upstream_model).clear();
    }

    /// How refusals tell people where to go.
    pub fn refusal_style(&self) -> RefusalStyle<'_> {
        RefusalStyle {
            base_url: &self.base_url,
            limit_spent_status: self.config.api.limit_spent_status,
        }
    }

    /// Writes what is queued and ends the writer. Nothing may be in flight.
    pub fn close(&self) {
        self.writer.close();
        if let Some(observer) = &self.observer {
            observer.close();
        }
    }
}

/// Makes the workspace that is always there, at the first start.
fn make_default_workspace(store: &dyn Store, now: Timestamp) -> Result<(), StoreError> {
    if store.workspace(DEFAULT_WORKSPACE)?.is_some() {
        return Ok(());
    }
    let record = workspaces::first(now);
    let row = AuditRow {
        at: now,
        actor: "system".to_owned(),
        action: "workspace.create".to_owned(),
        subject: record.id.to_string(),
        before: None,
        after: Some(workspaces::to_json(&record)),
    };
    store.commit(&[Change::Edit(Box::new(Edit::CreateWorkspace(record)), row)])?;
    Ok(())
}

/// Settles what an earlier process had dispatched and not settled, in full, as `interrupted`
/// (DESIGN step 7). What it had settled is in the book already, and stays as it is there.
fn recover(
    store: &dyn Store,
    journal: &Journal,
    learned: &LearnedBook,
    path: &Path,
) -> Result<(), OpenError> {
    let failed = |source| OpenError::Journal { path: path.to_owned(), source };
    let LeftBehind { records, unreadable } = journal.left_behind().map_err(failed)?;
    if unreadable > 0 {
        let mut aside = path.as_os_str().to_owned();
        aside.push(".unreadable");
        std::fs::copy(path, &aside).map_err(failed)?;
        tracing::warn!(
            unreadable,
            aside = %Path::new(&aside).display(),
            "records of holds can't be read: torn by a power cut, or of another version. The file \
             was copied; requests they stood for may have been billed"
        );
    }
    if records.is_empty() {
        return journal.clear().map_err(failed);
    }
    let changes: Vec<Change> =
        records.iter().map(|record| Change::Settle(Box::new(record.interrupted()))).collect();
    let outcomes = store.commit(&changes)?;
    let is_new = |outcome: &Outcome| matches!(outcome, Outcome::Settled { is_new: true, .. });
    let interrupted = outcomes.iter().filter(|outcome| is_new(outcome)).count();
    for (record, _) in records.iter().zip(&outcomes).filter(|(_, outcome)| is_new(outcome)) {
        let figures = &learned.of(&record.model, &record.provider, &record.upstream_model).figures;
        figures.interrupted(record.held());
    }
    if let Some(interrupted) = NonZero::new(interrupted) {
        tracing::warn!(
            interrupted,
            "requests were in flight when the last process ended; they are charged in full until \
             `tollgate holds` corrects them"
        );
    }
    journal.clear().map_err(failed)
}

/// Counts what is under way: paid requests, drained ones included; connections.
#[derive(Debug, Default)]
pub struct InFlight {
    count: AtomicUsize,
    changed: Notify,
}

impl InFlight {
    /// A place among at most `most`, or `None`.
    pub fn enter(self: &Arc<Self>, most: usize) -> Option<Flight> {
        if self.count.fetch_add(1, Ordering::AcqRel) >= most {
            self.leave();
            return None;
        }
        Some(Flight(Arc::clone(self)))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// Returns once there are none.
    pub async fn none(&self) {
        loop {
            let changed = self.changed.notified();
            if self.count() == 0 {
                return;
            }
            changed.await;
        }
    }

    fn leave(&self) {
        self.count.fetch_sub(1, Ordering::AcqRel);
        self.changed.notify_waiters();
    }
}

/// A place among what is under way, given back when dropped.
#[derive(Debug)]
pub struct Flight(Arc<InFlight>);

impl Drop for Flight {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// When an answer kept for an idempotency key is forgotten (SEMANTICS 1.10).
pub fn idempotency_expiry(now: Timestamp) -> Timestamp {
    now.checked_add(24.hours()).unwrap_or(Timestamp::MAX)
}
