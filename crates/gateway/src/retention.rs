//! Retention: old rows give way to sealed ones, a small batch at a time, through the one writer.
//!
//! No figure changes by it. A batch is bounded by the rows it looks at, and the writer gets to its
//! queue between two of them, so that nobody waits for more than one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ledger::Day;
use store::{AuditRow, Outcome, Seal, Sealing, spared_from};

use crate::core::Core;
use crate::writer::Unwritten;

/// Rows that one batch looks at: about a millisecond of the writer's time.
const BATCH_ROWS: usize = 100;
/// The shortest pause between two batches.
const PAUSE_MIN: Duration = Duration::from_millis(10);
/// A pause is at least this many times as long as the batch before it took.
const PAUSE_BATCHES: u32 = 9;
/// How often it is looked whether another day has become old.
const LOOK_EVERY: Duration = Duration::from_secs(3_600);

/// Keeps the configured retention until it is dropped; for ever idle where none is configured.
pub async fn keep(core: Arc<Core>) {
    let Some(days) = core.config.store.retention_days else { return };
    let mut done = None;
    loop {
        let before = spared_from(core.clock.now(), days);
        if done < Some(before) {
            match run(&core, before, "system").await {
                Ok(sealed) => {
                    done = Some(before);
                    tell(before, &sealed);
                }
                Err(error) => tracing::warn!(%error, "old rows are not sealed yet"),
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Seals every row admitted before `before` that may be, and says how many went. Dropped, it stops
/// between two batches; what was sealed until then stays so.
pub async fn run(core: &Core, before: Day, actor: &str) -> Result<Sealing, Unwritten> {
    let mut all = Sealing::default();
    loop {
        // The first batch that seals anything records the run.
        let audit = (all.rows == 0).then(|| AuditRow {
            at: core.clock.now(),
            actor: actor.to_owned(),
            action: "retention.run".to_owned(),
            subject: format!("before {}", before.date()),
            before: None,
            after: None,
        });
        let began = Instant::now();
        let seal = Seal { before, from: all.next.take(), rows_max: BATCH_ROWS, audit };
        match core.writer.seal(seal).outcome().await? {
            Outcome::Sealed(batch) => all.add(batch),
            other => tracing::error!(?other, "a batch of old rows was not sealed"),
        }
        if all.next.is_none() {
            return Ok(all);
        }
        tokio::time::sleep(PAUSE_MIN.max(began.elapsed() * PAUSE_BATCHES)).await;
    }
}

fn tell(before: Day, sealed: &Sealing) {
    let Sealing { generations, rows, spared, .. } = sealed;
    let before = before.date();
    if *rows > 0 {
        tracing::info!(%before, generations, rows, spared, "old rows were sealed");
    } else {
        tracing::debug!(%before, spared, "no old rows are left to seal");
    }
}
