//! Answers held until a test lets them go, so that what is in flight is known and not guessed.
//! A gate stands at one point of one model's answers.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{Semaphore, watch};

use super::EXPECTED_WITHIN;

/// Holds a model's answers until [released](Gate::release); dropping it releases them too.
pub struct Gate {
    model: String,
    barrier: Arc<Barrier>,
    closed: Closed,
}

/// Where in an answer a gate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Point {
    Head,
    Event(usize),
}

/// The gates that stand now; a model has one at most.
pub(super) struct Gates {
    closed: Closed,
}

type Closed = Arc<Mutex<HashMap<String, Arc<Barrier>>>>;

struct Barrier {
    point: Point,
    /// Open once closed: those who wait for a permit of a closed semaphore are told so at once.
    turnstile: Semaphore,
    waiting: watch::Sender<usize>,
}

impl Gate {
    /// Lets all held answers go, and all later ones pass.
    pub fn release(self) {
        drop(self);
    }

    /// Lets one held answer go, or the next that comes.
    pub fn release_one(&self) {
        self.barrier.turnstile.add_permits(1);
    }

    /// How many answers are held now.
    pub fn waiting(&self) -> usize {
        *self.barrier.waiting.borrow()
    }

    /// Waits until so many answers are held.
    ///
    /// # Panics
    /// Where they are not within 30 seconds.
    pub async fn until_waiting(&self, count: usize) {
        let mut waiting = self.barrier.waiting.subscribe();
        let waited =
            tokio::time::timeout(EXPECTED_WITHIN, waiting.wait_for(|now| *now == count)).await;
        assert!(waited.is_ok(), "{} answers are held, expected {count}", self.waiting());
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let mut closed = self.closed.lock();
        if closed.get(&self.model).is_some_and(|now| Arc::ptr_eq(now, &self.barrier)) {
            closed.remove(&self.model);
        }
        self.barrier.turnstile.close();
    }
}

impl Gates {
    pub(super) fn new() -> Gates {
        Gates { closed: Closed::default() }
    }

    /// Puts up a gate; one that stood for the model holds what it has, and nothing new.
    pub(super) fn close(&self, model: &str, point: Point) -> Gate {
        let barrier = Arc::new(Barrier {
            point,
            turnstile: Semaphore::new(0),
            waiting: watch::Sender::new(0),
        });
        self.closed.lock().insert(model.to_owned(), Arc::clone(&barrier));
        Gate { model: model.to_owned(), barrier, closed: Arc::clone(&self.closed) }
    }

    /// Waits where a gate stands at that point, else returns at once.
    pub(super) async fn pass(&self, model: &str, point: Point) {
        let barrier = self.closed.lock().get(model).cloned();
        if let Some(barrier) = barrier.filter(|barrier| barrier.point == point) {
            let _waiting = Waiting::new(&barrier.waiting);
            if let Ok(permit) = barrier.turnstile.acquire().await {
                permit.forget();
            }
        }
    }
}

/// Counts one answer as held for as long as it lives: its client may go while it waits.
struct Waiting<'a>(&'a watch::Sender<usize>);

impl<'a> Waiting<'a> {
    fn new(count: &'a watch::Sender<usize>) -> Waiting<'a> {
        count.send_modify(|waiting| *waiting += 1);
        Waiting(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|waiting| *waiting -= 1);
    }
}
