//! The one writer: it drains what has queued, commits it in one transaction, then lets go.
//!
//! No timer gathers a batch: while one commits, the next queues up, and where the cores are busy
//! those about to settle go first. What is kept in memory changes on this thread, after the commit,
//! so memory never runs ahead of the book. A settlement that
//! can't be written stays queued with its hold, and nothing is admitted meanwhile (DESIGN "The book
//! and the store").

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ledger::Dispatched;
use parking_lot::{Condvar, Mutex, MutexGuard};
use store::{Change, Edit, Entry, Outcome, Seal, Store, StoreError};
use tokio::sync::oneshot;

use crate::core::OnBroken;
use crate::journal::{Journal, Slot};
use crate::metrics::{COMMIT_CHANGES, COMMIT_SECONDS, Counter, Histogram};

mod mailbox;
pub use mailbox::Mailbox;
use mailbox::Post;

/// Changes committed in one transaction at most.
const BATCH_CHANGES_MAX: usize = 1_000;
/// A commit that takes longer than this counts as a store that can't be written.
const COMMIT_MS_MAX: u64 = 5_000;
/// How long the writer waits after a store failed before it tries again.
const RETRY_AFTER: Duration = Duration::from_millis(200);
/// How long the writer has had nothing to do when it clears records of holds that are settled.
const SWEEP_AFTER: Duration = Duration::from_millis(100);

type Apply = Box<dyn FnOnce(&Outcome) + Send>;

/// What follows a commit, besides the answer to whoever waits for it.
enum After {
    Settle(Dispatched, Slot),
    Apply(Apply),
}

/// What is to be done with a change's outcome.
struct Due {
    after: After,
    done: Done,
    /// Where the outcome is handed over; straight to whoever waits where there is none.
    mailbox: Option<Mailbox>,
    /// Whether it is kept until it can be written, rather than given up on the first failure.
    is_kept: bool,
}

type Done = oneshot::Sender<Result<Outcome, Unwritten>>;

#[derive(Default)]
struct Jobs {
    /// What to commit; apart from `due`, so that the store takes it as it is.
    changes: Vec<Change>,
    due: Vec<Due>,
}

impl Jobs {
    fn split_off(&mut self, most: usize) -> Jobs {
        let most = self.changes.len().min(most);
        Jobs { changes: self.changes.split_off(most), due: self.due.split_off(most) }
    }

    fn push(&mut self, change: Change, due: Due) {
        self.changes.push(change);
        self.due.push(due);
    }

    fn append(&mut self, mut later: Jobs) {
        self.changes.append(&mut later.changes);
        self.due.append(&mut later.due);
    }

    fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// A change that could not be written: the store is away.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the store can't be written now")]
pub struct Unwritten;

#[derive(Default)]
struct Queue {
    jobs: Jobs,
    is_asleep: bool,
    is_closed: bool,
}

/// Figures of the writer, for metrics.
#[derive(Debug)]
pub struct WriterFigures {
    /// Transactions committed.
    pub commits: Counter,
    /// Transactions that failed.
    pub failures: Counter,
    /// Changes in each that was committed.
    pub changes: Histogram,
    /// How long each took.
    pub seconds: Histogram,
}

impl Default for WriterFigures {
    fn default() -> WriterFigures {
        WriterFigures {
            commits: Counter::default(),
            failures: Counter::default(),
            changes: Histogram::new(&COMMIT_CHANGES),
            seconds: Histogram::new(&COMMIT_SECONDS),
        }
    }
}

impl WriterFigures {
    fn committed(&self, changes: usize, taken: Duration) {
        self.commits.one();
        self.changes.record(changes as u64);
        self.seconds.record_duration(taken);
    }
}

struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
    is_away: AtomicBool,
    /// When the commit under way began, in milliseconds since `started`; 0 where none is.
    committing_since_ms: AtomicU64,
    started: Instant,
    figures: WriterFigures,
}

/// The queue to the writer thread.
pub struct Writer {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the writer. `on_broken` is called when the store can't be trusted any more: it must
    /// end the process.
    pub fn start(
        store: Arc<dyn Store>,
        journal: Arc<Journal>,
        on_broken: OnBroken,
    ) -> std::io::Result<Writer> {
        let shared = Arc::new(Shared::new(Instant::now()));
        let worker = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("writer".into()).spawn(move || {
            let run = || {
                while let Some(jobs) = worker.next(&journal) {
                    worker.write(&*store, &journal, jobs, &on_broken);
                }
            };
            if catch_unwind(AssertUnwindSafe(run)).is_err() {
                // Without a writer nothing can be settled, so nothing may be admitted.
                worker.is_away.store(true, Ordering::Release);
                on_broken(&StoreError::broken("the writer panicked"));
            }
            // Nothing more is written: whoever still waits is told so.
            worker.queue.lock().jobs = Jobs::default();
        })?;
        Ok(Writer { shared, thread: Mutex::new(Some(thread)) })
    }

    /// Books `entry` in the place of its hold. The answer comes once it is durable; the hold ends,
    /// and its slot is free, at that moment, whether anyone waits for the answer or not. `mailbox`
    /// is that of the thread that waits.
    pub fn settle(
        &self,
        entry: Entry,
        proof: Dispatched,
        slot: Slot,
        mailbox: &Mailbox,
    ) -> Pending {
        let (done, answer) = oneshot::channel();
        let (after, mailbox) = (After::Settle(proof, slot), Some(mailbox.clone()));
        let due = Due { after, done, mailbox, is_kept: true };
        self.push(Change::Settle(Box::new(entry)), due);
        Pending(answer)
    }

    /// Makes an edit with its audit row. `apply` changes what is in memory, after the commit and
    /// before anything that is committed later.
    pub fn edit(
        &self,
        edit: Edit,
        audit: store::AuditRow,
        apply: impl FnOnce(&Outcome) + Send + 'static,
    ) -> Pending {
        let (done, answer) = oneshot::channel();
        let due = Due { after: After::Apply(Box::new(apply)), done, mailbox: None, is_kept: false };
        self.push(Change::Edit(Box::new(edit), audit), due);
        Pending(answer)
    }

    /// Seals a batch of old rows.
    pub fn seal(&self, seal: Seal) -> Pending {
        let (done, answer) = oneshot::channel();
        let after = After::Apply(Box::new(|_| ()));
        let due = Due { after, done, mailbox: None, is_kept: false };
        self.push(Change::Seal(Box::new(seal)), due);
        Pending(answer)
    }

    /// Keeps what was learned about an endpoint.
    pub fn mark(&self, mark: store::EndpointMark) {
        // Nobody waits: the mark is in force in memory already, and a later one replaces it.
        let (done, _) = oneshot::channel();
        let due = Due { after: After::Apply(Box::new(|_| ())), done, mailbox: None, is_kept: true };
        self.push(Change::Mark(mark), due);
    }

    /// Whether the store failed at its last commit, or hangs in one; nothing may be admitted then.
    pub fn is_away(&self) -> bool {
        self.shared.is_away(|| self.shared.uptime_ms())
    }

    /// Changes that wait to be committed.
    pub fn queued(&self) -> usize {
        self.shared.queue.lock().jobs.changes.len()
    }

    /// Figures for metrics.
    pub fn figures(&self) -> &WriterFigures {
        &self.shared.figures
    }

    /// Writes what is queued and ends. What can't be written by then stays on hold in the journal.
    pub fn close(&self) {
        self.shared.queue.lock().is_closed = true;
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.lock().take() {
            // A writer that panicked has nothing left to write.
            let _ = thread.join();
        }
    }

    fn push(&self, change: Change, due: Due) {
        let mut queue = self.shared.queue.lock();
        queue.jobs.push(change, due);
        if std::mem::take(&mut queue.is_asleep) {
            // Woken without the lock, which it needs first of all.
            drop(queue);
            self.shared.wake.notify_one();
        }
    }
}

/// A change on its way to the disk.
pub struct Pending(oneshot::Receiver<Result<Outcome, Unwritten>>);

impl Pending {
    /// What became of the change, once it is durable.
    pub async fn outcome(self) -> Result<Outcome, Unwritten> {
        self.0.await.unwrap_or(Err(Unwritten))
    }
}

impl Shared {
    fn new(started: Instant) -> Shared {
        Shared {
            queue: Mutex::default(),
            wake: Condvar::new(),
            is_away: AtomicBool::new(false),
            committing_since_ms: AtomicU64::new(0),
            started,
            figures: WriterFigures::default(),
        }
    }

    /// Whether the store failed at its last commit, or has been in one for too long at `now_ms`
    /// since the start, which is asked for only while there is one.
    fn is_away(&self, now_ms: impl FnOnce() -> u64) -> bool {
        if self.is_away.load(Ordering::Acquire) {
            return true;
        }
        let since = self.committing_since_ms.load(Ordering::Relaxed);
        since != 0 && now_ms().saturating_sub(since) > COMMIT_MS_MAX
    }

    /// The next batch; `None` once the queue is closed and empty, or closed with the store away.
    fn next(&self, journal: &Journal) -> Option<Jobs> {
        let mut queue = self.queue.lock();
        let mut has_slept = false;
        while queue.jobs.is_empty() {
            if queue.is_closed {
                return None;
            }
            has_slept = true;
            queue.is_asleep = true;
            let is_away = self.is_away.load(Ordering::Acquire);
            let limit = match (is_away, journal.has_stale()) {
                (true, _) => RETRY_AFTER,
                (false, true) => SWEEP_AFTER,
                (false, false) => {
                    self.wake.wait(&mut queue);
                    continue;
                }
            };
            if self.wake.wait_for(&mut queue, limit).timed_out() {
                if is_away {
                    // Nothing is admitted that could be written: an empty batch finds out instead.
                    break;
                }
                MutexGuard::unlocked(&mut queue, || journal.sweep());
            }
        }
        if has_slept {
            // Woken by the first of what may be many: on busy cores the others queue up meanwhile
            // and share the commit; on an idle one this returns at once.
            MutexGuard::unlocked(&mut queue, std::thread::yield_now);
        }
        if queue.is_closed && self.is_away.load(Ordering::Acquire) {
            return None;
        }
        let rest = queue.jobs.split_off(BATCH_CHANGES_MAX);
        Some(std::mem::replace(&mut queue.jobs, rest))
    }

    fn write(&self, store: &dyn Store, journal: &Journal, jobs: Jobs, on_broken: &OnBroken) {
        self.committing_since_ms.store(self.uptime_ms().max(1), Ordering::Relaxed);
        let began = Instant::now();
        let committed = store.commit(&jobs.changes);
        self.committing_since_ms.store(0, Ordering::Relaxed);
        match committed {
            Ok(outcomes) => {
                if self.is_away.swap(false, Ordering::AcqRel) {
                    tracing::info!("the store can be written again");
                }
                self.figures.committed(jobs.changes.len(), began.elapsed());
                let mut post = Post::default();
                for (Due { after, done, mailbox, .. }, outcome) in
                    jobs.due.into_iter().zip(outcomes)
                {
                    finish(after, journal, &outcome);
                    post.add(mailbox, done, outcome);
                }
                post.deliver();
            }
            Err(error) => {
                self.figures.failures.one();
                if matches!(error, StoreError::Broken(_)) {
                    on_broken(&error);
                }
                if !self.is_away.swap(true, Ordering::AcqRel) {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "the store can't be written; nothing is admitted until it can"
                    );
                }
                self.keep(jobs);
                std::thread::sleep(RETRY_AFTER);
            }
        }
    }

    fn uptime_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Puts what must not be lost back in front of the queue and lets go of the rest.
    fn keep(&self, jobs: Jobs) {
        let mut kept = Jobs::default();
        for (change, due) in jobs.changes.into_iter().zip(jobs.due) {
            if due.is_kept {
                kept.push(change, due);
            } else {
                let _ = due.done.send(Err(Unwritten));
            }
        }
        let mut queue = self.queue.lock();
        kept.append(std::mem::take(&mut queue.jobs));
        queue.jobs = kept;
    }
}

fn finish(after: After, journal: &Journal, outcome: &Outcome) {
    match (after, outcome) {
        (After::Settle(proof, slot), Outcome::Settled { cost, .. }) => {
            proof.settle(*cost);
            journal.free(slot);
        }
        // A store that answers a settlement with anything else has not booked it: it stays on hold.
        (After::Settle(..), other) => tracing::error!(?other, "a settlement was not booked"),
        (After::Apply(apply), outcome) => apply(outcome),
    }
}

#[cfg(test)]
mod tests;
