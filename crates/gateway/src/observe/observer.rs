//! The thread that tells of requests, and the bounded queue to it.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use http::HeaderMap;
use parking_lot::Mutex;

use super::export::Exporter;
use super::line;
use super::passage::Passage;
use super::trace::{Sampling, TraceContext};
use crate::config::Config;
use crate::entropy::Entropy;
use crate::metrics::Counter;

/// Requests that are over and not yet told of; one more is not told of.
const QUEUE_MAX: usize = 8_192;
/// How long requests gather once one was told of, so that those that serve wake nobody up.
const GATHER: Duration = Duration::from_millis(10);

/// What was told, for metrics.
#[derive(Debug, Default)]
pub struct ObserverFigures {
    /// Lines that are not in the log, which was too slow.
    pub lines_dropped: Counter,
    /// Traces that the collector took.
    pub traces_exported: Counter,
    /// Traces that were not sent, the collector being too slow.
    pub traces_dropped: Counter,
    /// Traces that the collector did not take.
    pub traces_failed: Counter,
}

enum Message {
    Over(Box<Passage>),
    Stop,
}

/// Tells of requests that are over.
pub struct Observer {
    queue: SyncSender<Message>,
    thread: Mutex<Option<JoinHandle<()>>>,
    logs: bool,
    sampling: Option<Sampling>,
    figures: Arc<ObserverFigures>,
}

impl Observer {
    /// What `config` asks for, with the exporter of traces where there is one. `None` where nothing
    /// is to be told.
    pub fn start(
        config: &Config,
        exporter: Option<Exporter>,
        figures: &Arc<ObserverFigures>,
    ) -> std::io::Result<Option<Arc<Observer>>> {
        let logs = config.log.requests && line::is_wanted();
        if !logs && exporter.is_none() {
            return Ok(None);
        }
        let sampling = exporter.as_ref().map(|_| {
            let telemetry = &config.telemetry;
            Sampling::new(telemetry.sample_ratio(), telemetry.follows_parent())
        });
        let exporting = exporter.map(|exporter| exporter.start(figures)).transpose()?;
        let (queue, over) = sync_channel(QUEUE_MAX);
        let thread = std::thread::Builder::new().name("observer".into());
        let thread = thread.spawn(move || tell(&over, logs, exporting))?;
        let thread = Mutex::new(Some(thread));
        let figures = Arc::clone(figures);
        Ok(Some(Arc::new(Observer { queue, thread, logs, sampling, figures })))
    }

    /// Whether requests are logged.
    pub(super) fn logs(&self) -> bool {
        self.logs
    }

    /// The trace of a request with these headers, if it is kept.
    pub(super) fn trace(&self, headers: &HeaderMap, entropy: &dyn Entropy) -> Option<TraceContext> {
        self.sampling?.begin(headers, entropy)
    }

    /// Tells of a request that is over, or drops it where too many wait.
    pub(super) fn take(&self, passage: Box<Passage>) {
        let is_traced = passage.trace.is_some();
        match self.queue.try_send(Message::Over(passage)) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                if self.logs {
                    self.figures.lines_dropped.one();
                }
                if is_traced {
                    self.figures.traces_dropped.one();
                }
            }
        }
    }

    /// Tells of what is queued, and ends.
    pub fn close(&self) {
        let Some(thread) = self.thread.lock().take() else { return };
        // Where the thread is gone there is nobody to stop.
        let _ = self.queue.send(Message::Stop);
        let _ = thread.join();
    }
}

fn tell(over: &Receiver<Message>, logs: bool, exporting: Option<super::export::Exporting>) {
    let tell_one = |passage: Box<Passage>| {
        if logs {
            let ended = passage.ended.unwrap_or_else(tokio::time::Instant::now);
            let took = ended.duration_since(passage.started);
            line::write(&passage, u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        }
        if let Some(exporting) = exporting.as_ref().filter(|_| passage.trace.is_some()) {
            exporting.take(passage);
        }
    };
    'telling: while let Ok(Message::Over(passage)) = over.recv() {
        tell_one(passage);
        loop {
            match over.try_recv() {
                Ok(Message::Over(passage)) => tell_one(passage),
                Ok(Message::Stop) | Err(TryRecvError::Disconnected) => break 'telling,
                Err(TryRecvError::Empty) => break,
            }
        }
        std::thread::sleep(GATHER);
    }
    if let Some(exporting) = exporting {
        exporting.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Route;

    fn passage() -> Box<Passage> {
        let (at, route) = (jiff::Timestamp::UNIX_EPOCH, Route::of("/v1/keys"));
        Box::new(Passage::new("req-1", at, &http::Method::GET, route, "/v1/keys", None))
    }

    #[test]
    fn what_the_log_has_no_room_for_is_dropped_at_once_and_counted() {
        let (queue, over) = sync_channel(2);
        let figures = Arc::new(ObserverFigures::default());
        let thread = Mutex::new(None);
        let observer =
            Observer { queue, thread, logs: true, sampling: None, figures: Arc::clone(&figures) };
        for _ in 0..5 {
            observer.take(passage());
        }
        assert_eq!((figures.lines_dropped.get(), figures.traces_dropped.get()), (3, 0));
        drop(over);
        observer.take(passage());
        assert_eq!(figures.lines_dropped.get(), 4, "nor is it an error where nobody listens");
    }
}
