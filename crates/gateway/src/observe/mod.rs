//! What is told of each request once it is over: a line in the log, and a trace where one is wanted.
//!
//! A request that is observed carries its [`Passage`] along its task, and whatever it comes through
//! adds a line of its own with [`note`]. When the last task that serves it ends, the passage goes to
//! a thread of its own by a bounded queue: the log and the collector may be as slow as they like.
//! Where nothing is observed, all of this is a look at a thread's own memory.

mod export;
mod line;
mod observer;
mod passage;
mod spans;
mod trace;

use std::future::Future;
use std::sync::Arc;

use axum::response::Response;
use http::Request;
use parking_lot::Mutex;

pub use export::{ExportError, Exporter};
pub use observer::{Observer, ObserverFigures};
pub(crate) use passage::Passage;

use crate::core::Core;
use crate::metrics::Route;

tokio::task_local! {
    static CURRENT: Arc<Watched>;
}

/// A request that is observed, shared by the tasks that serve it. Dropped by the last of them, its
/// passage is over.
pub(crate) struct Watched {
    observer: Arc<Observer>,
    passage: Mutex<Option<Box<Passage>>>,
}

impl Watched {
    /// The request `id`, if it is to be observed.
    pub(crate) fn begin<B>(
        core: &Core,
        id: &str,
        request: &Request<B>,
        route: Route,
        path: &str,
    ) -> Option<Arc<Watched>> {
        let observer = core.observer.as_ref()?;
        if route.is_probe() {
            return None;
        }
        let trace = observer.trace(request.headers(), &*core.entropy);
        if trace.is_none() && !observer.logs() {
            return None;
        }
        let passage = Passage::new(id, core.clock.now(), request.method(), route, path, trace);
        let passage = Mutex::new(Some(Box::new(passage)));
        Some(Arc::new(Watched { observer: Arc::clone(observer), passage }))
    }

    /// Runs what serves it, up to the head of its answer.
    pub(crate) async fn run<F>(self: Arc<Watched>, serving: F) -> Response
    where
        F: Future<Output = Response>,
    {
        let answer = CURRENT.scope(Arc::clone(&self), serving).await;
        if let Some(passage) = self.passage.lock().as_mut() {
            passage.answered(answer.status());
        }
        answer
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(mut passage) = self.passage.get_mut().take() {
            passage.over();
            self.observer.take(passage);
        }
    }
}

/// Adds to what is told of the request that this task serves, where it is observed.
pub(crate) fn note(add: impl FnOnce(&mut Passage)) {
    // Outside of such a task there is nobody to tell.
    let _ = CURRENT.try_with(|watched| {
        if let Some(passage) = watched.passage.lock().as_mut() {
            add(passage);
        }
    });
}

/// Spawns a task that goes on serving the request that this one serves.
pub(crate) fn spawn<F>(serving: F)
where
    F: Future<Output = ()> + Send + 'static,
{
    match CURRENT.try_with(Arc::clone) {
        Ok(watched) => tokio::spawn(CURRENT.scope(watched, serving)),
        Err(_) => tokio::spawn(serving),
    };
}
