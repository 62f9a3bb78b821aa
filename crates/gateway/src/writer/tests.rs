use std::path::Path;

use jiff::Timestamp;
use ledger::{Account, Amounts, Tally, Terms};
use money::Money;
use store::{
    AuditRow, ExportLine, Fault, KeyHash, Kind, ManagementKey, MemoryStore, Source, Tokens,
};
use tempfile::TempDir;
use uuid::Uuid;

use super::*;
use crate::journal::{HoldRecord, LeftBehind, OpenHolds};

const NOW: Timestamp = Timestamp::constant(1_795_003_200, 0);

struct Trial {
    store: Arc<MemoryStore>,
    journal: Arc<Journal>,
    account: Arc<Account>,
    writer: Writer,
    broken: Arc<AtomicBool>,
    folder: TempDir,
}

impl Trial {
    fn new() -> Trial {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(MemoryStore::new());
        let broken = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&broken);
        let on_broken: OnBroken = Arc::new(move |_| told.store(true, Ordering::Release));
        let path = folder.path().join("holds");
        let journal = Journal::open(&path, 2_000, false, Arc::clone(&on_broken)).unwrap();
        let journal = Arc::new(journal);
        let (kept, recorded) = (Arc::<MemoryStore>::clone(&store), Arc::clone(&journal));
        let writer = Writer::start(kept, recorded, on_broken).unwrap();
        let account = Arc::new(Account::new(Terms::default(), Tally::default(), || ()));
        Trial { store, journal, account, writer, broken, folder }
    }

    /// Settles `generation` at `nanos`, of 100 that are on hold for it.
    async fn settle(&self, generation: &str, nanos: i64) -> Pending {
        let worst = |_| Some(Amounts::credits(Money::nanos(100)));
        let bid = ledger::Bid {
            least: 1,
            most: 1,
            worst: &worst,
            used: &|_| 0,
            again: false,
            take_what_is_free: false,
        };
        let hold = ledger::admit(&[Arc::clone(&self.account)], &bid, NOW).unwrap();
        let slot = self.journal.reserve(hold.worst()).unwrap();
        let proof = self.journal.dispatch(&slot, hold, &record(generation)).await.unwrap();
        let cost = Amounts::credits(Money::nanos(nanos));
        let entry = Entry { cost, source: Source::Reported, ..record(generation).interrupted() };
        self.writer.settle(entry, proof, slot, &Mailbox::open())
    }

    /// Adds management key `number`; the numbers of those that were applied go to `applied`.
    fn edit(&self, number: u8, applied: &Arc<Mutex<Vec<u8>>>) -> Pending {
        let key = ManagementKey {
            hash: KeyHash([number; 32]),
            label: String::new(),
            name: number.to_string(),
            created_at: NOW,
            revoked_at: None,
        };
        let audit = AuditRow {
            at: NOW,
            actor: String::new(),
            action: String::new(),
            subject: String::new(),
            before: None,
            after: None,
        };
        let applied = Arc::clone(applied);
        self.writer.edit(Edit::CreateManagementKey(key), audit, move |outcome| {
            assert_eq!(*outcome, Outcome::Done);
            applied.lock().push(number);
        })
    }

    /// Waits until the writer has taken what was queued and is committing it.
    async fn until_committing(&self) {
        let shared = &self.writer.shared;
        let taken = async {
            while shared.committing_since_ms.load(Ordering::Relaxed) == 0 {
                tokio::task::yield_now().await;
            }
        };
        assert!(tokio::time::timeout(Duration::from_secs(30), taken).await.is_ok());
    }

    /// What is settled and what is held, in nano-dollars.
    fn figures(&self) -> (i64, i64) {
        let figures = self.account.figures(NOW);
        (figures.total.credits.as_nanos(), figures.held.credits.as_nanos())
    }

    fn rows(&self) -> Vec<(String, i64)> {
        let mut rows = Vec::new();
        let mut take = |line| {
            if let ExportLine::Entry(entry) = line {
                assert_eq!((entry.kind, entry.tokens), (Kind::Attempt, Tokens::default()));
                rows.push((entry.generation, entry.cost.credits.as_nanos()));
            }
            Ok(())
        };
        self.store.export(&mut take).unwrap();
        rows
    }

    /// What a next process would find on hold.
    fn left_behind(path: &Path) -> Vec<String> {
        let journal = Journal::open(&path.join("holds"), 1, false, Arc::new(|_| ())).unwrap();
        let LeftBehind { records, unreadable } = journal.left_behind().unwrap();
        assert_eq!(unreadable, 0);
        records.into_iter().map(|record| record.generation).collect()
    }
}

/// What is logged, without the time.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn subscriber(&self) -> impl tracing::Subscriber + Send + Sync + 'static {
        let log = self.clone();
        let shown = tracing_subscriber::fmt().with_writer(move || log.clone());
        shown.without_time().with_target(false).with_ansi(false).finish()
    }

    fn lines(&self) -> Vec<String> {
        String::from_utf8(self.0.lock().clone()).unwrap().lines().map(str::to_owned).collect()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn record(generation: &str) -> HoldRecord {
    HoldRecord {
        generation: generation.into(),
        attempt: 0,
        key: [1; 32],
        workspace: *Uuid::nil().as_bytes(),
        creator: None,
        model: "m".into(),
        provider: "p".into(),
        upstream_model: "m".into(),
        admitted_us: NOW.as_microsecond(),
        credits: 100,
        byok: 0,
        streamed: false,
        api_type: store::ApiType::Completions,
        credential: None,
    }
}

#[tokio::test]
async fn a_settlement_takes_the_place_of_its_hold_and_frees_its_slot() {
    let trial = Trial::new();
    let pending = trial.settle("gen-1", 40).await;
    let cost = Amounts::credits(Money::nanos(40));
    assert_eq!(pending.outcome().await.unwrap(), Outcome::Settled { cost, is_new: true });
    assert_eq!((trial.figures(), trial.rows()), ((40, 0), vec![("gen-1".into(), 40)]));
    trial.writer.close();
    assert_eq!(trial.journal.open_holds(), OpenHolds::default());
    assert_eq!(trial.journal.reserve(Amounts::ZERO).unwrap().number(), 0);
}

#[tokio::test]
async fn what_nobody_waits_for_is_booked_all_the_same() {
    let trial = Trial::new();
    drop(trial.settle("gen-1", 40).await);
    trial.writer.close();
    assert_eq!((trial.figures(), trial.rows()), ((40, 0), vec![("gen-1".into(), 40)]));
}

#[tokio::test]
async fn edits_are_in_force_in_the_order_they_were_made_and_before_their_answer() {
    let trial = Trial::new();
    let applied = Arc::default();
    let stall = trial.store.stall();
    let pending: Vec<Pending> = (1..100).map(|number| trial.edit(number, &applied)).collect();
    assert_eq!(*applied.lock(), [0; 0], "memory does not run ahead of the book");
    drop(stall);
    for (number, pending) in (1..100).zip(pending) {
        assert_eq!(pending.outcome().await.unwrap(), Outcome::Done);
        assert_eq!(applied.lock()[usize::from(number) - 1], number);
    }
    let commits = trial.writer.figures().commits.get();
    assert!(commits <= 2, "{commits} commits for what came during one");
}

#[tokio::test]
async fn a_batch_has_a_bound() {
    let trial = Trial::new();
    let stall = trial.store.stall();
    let mut pending = vec![trial.settle("gen-first", 1).await];
    trial.until_committing().await;
    for number in 0..=BATCH_CHANGES_MAX {
        pending.push(trial.settle(&format!("gen-{number}"), 1).await);
    }
    assert_eq!(trial.writer.queued(), BATCH_CHANGES_MAX + 1);
    drop(stall);
    for pending in pending {
        assert!(pending.outcome().await.is_ok());
    }
    let commits = trial.writer.figures().commits.get();
    assert_eq!(commits, 3, "the first alone, a full batch, and the one that is left");
    assert_eq!((trial.figures(), trial.writer.queued()), ((1_002, 0), 0));
}

#[tokio::test]
async fn what_queues_up_behind_a_commit_that_fails_is_written_with_it() {
    let trial = Trial::new();
    let stall = trial.store.stall();
    let first = trial.settle("gen-1", 40).await;
    trial.until_committing().await;
    trial.store.fail_next(1, Fault::Unavailable);
    let second = trial.settle("gen-2", 30).await;
    drop(stall);
    assert!(first.outcome().await.is_ok());
    assert!(second.outcome().await.is_ok());
    assert_eq!(trial.rows(), [("gen-1".to_owned(), 40), ("gen-2".to_owned(), 30)]);
    assert_eq!(trial.figures(), (70, 0));
}

#[tokio::test]
async fn a_commit_that_takes_too_long_counts_as_a_store_that_is_away() {
    let trial = Trial::new();
    let shared = &trial.writer.shared;
    assert!(!shared.is_away(|| u64::MAX), "nothing is being committed");
    let stall = trial.store.stall();
    let pending = trial.settle("gen-1", 40).await;
    trial.until_committing().await;
    let since_ms = shared.committing_since_ms.load(Ordering::Relaxed);
    assert!(!shared.is_away(|| since_ms + COMMIT_MS_MAX));
    assert!(shared.is_away(|| since_ms + COMMIT_MS_MAX + 1));
    drop(stall);
    assert!(pending.outcome().await.is_ok());
    assert!(!shared.is_away(|| u64::MAX), "it is back when the commit has ended");
}

#[test]
fn how_long_a_commit_takes_is_told_by_the_time_that_has_passed() {
    let ago = Duration::from_millis(COMMIT_MS_MAX + 2);
    let shared = Arc::new(Shared::new(Instant::now().checked_sub(ago).unwrap()));
    let writer = Writer { shared: Arc::clone(&shared), thread: Mutex::default() };
    assert!(!writer.is_away());
    shared.committing_since_ms.store(1, Ordering::Relaxed);
    assert!(writer.is_away());
}

#[test]
fn a_store_that_goes_away_and_that_it_is_back_are_logged_once_each() {
    let log = Log::default();
    let Trial { store, journal, .. } = Trial::new();
    let on_broken: OnBroken = Arc::new(|_| ());
    let shared = Shared::new(Instant::now());
    store.fail_next(3, Fault::Unavailable);
    // Beside one subscriber alone, what another thread is the first to log would be left out.
    let _second = tracing::Dispatch::new(Log::default().subscriber());
    tracing::subscriber::with_default(log.subscriber(), || {
        for _ in 0..5 {
            shared.write(&*store, &journal, Jobs::default(), &on_broken);
        }
    });
    assert_eq!(
        log.lines(),
        [
            "ERROR the store can't be written; nothing is admitted until it can \
             error=the store is unavailable error.sources=[made to fail by a test]",
            " INFO the store can be written again"
        ]
    );
}

#[tokio::test]
async fn a_settlement_is_kept_until_it_can_be_written_and_an_edit_fails_at_once() {
    let trial = Trial::new();
    let applied = Arc::default();
    let stall = trial.store.stall();
    trial.store.fail_next(2, Fault::Unavailable);
    let settled = trial.settle("gen-1", 40).await;
    let edited = trial.edit(1, &applied);
    drop(stall);
    assert!(edited.outcome().await.is_err());
    assert!(trial.writer.is_away());
    assert_eq!((trial.figures(), trial.rows()), ((0, 100), vec![]), "its hold stays");
    assert!(settled.outcome().await.is_ok());
    assert!(!trial.writer.is_away());
    assert_eq!((trial.figures(), trial.rows()), ((40, 0), vec![("gen-1".into(), 40)]));
    assert_eq!(*applied.lock(), [0; 0], "what was answered with an error is not done later");
    assert!(!trial.broken.load(Ordering::Acquire));
}

#[tokio::test]
async fn a_store_that_comes_back_is_noticed_though_nothing_is_to_be_written() {
    let trial = Trial::new();
    trial.store.fail_next(1, Fault::Unavailable);
    assert!(trial.edit(1, &Arc::default()).outcome().await.is_err());
    let back = async {
        while trial.writer.is_away() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(30), back).await.is_ok());
}

#[tokio::test]
async fn a_settlement_that_was_written_though_its_commit_seemed_to_fail_counts_once() {
    let trial = Trial::new();
    let cost = Amounts::credits(Money::nanos(40));
    let entry = Entry { cost, source: Source::Reported, ..record("gen-1").interrupted() };
    trial.store.commit(&[Change::Settle(Box::new(entry))]).unwrap();
    let again = trial.settle("gen-1", 70).await.outcome().await.unwrap();
    assert_eq!(again, Outcome::Settled { cost, is_new: false });
    assert_eq!(trial.rows(), [("gen-1".to_owned(), 40)]);
    assert_eq!(trial.figures(), (40, 0), "memory agrees with the book");
}

#[tokio::test]
async fn a_close_writes_what_is_queued() {
    let trial = Trial::new();
    let stall = trial.store.stall();
    let mut pending = Vec::new();
    for number in 0..10 {
        pending.push(trial.settle(&format!("gen-{number}"), 1).await);
    }
    drop(stall);
    trial.writer.close();
    assert_eq!(trial.figures(), (10, 0));
    trial.writer.close();
}

#[tokio::test]
async fn a_close_with_the_store_away_leaves_the_record_for_the_next_start() {
    let trial = Trial::new();
    trial.store.fail_next(u32::MAX, Fault::Unavailable);
    let pending = trial.settle("gen-1", 40).await;
    trial.writer.close();
    assert!(pending.outcome().await.is_err());
    assert_eq!((trial.figures(), trial.rows()), ((0, 100), vec![]));
    assert_eq!(Trial::left_behind(trial.folder.path()), ["gen-1"]);
}

#[tokio::test]
async fn a_store_that_can_not_be_trusted_is_told_to_whoever_ends_the_process() {
    let trial = Trial::new();
    trial.store.fail_next(1, Fault::Broken);
    assert!(trial.edit(1, &Arc::default()).outcome().await.is_err());
    assert!(trial.broken.load(Ordering::Acquire));
}
