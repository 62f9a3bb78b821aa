//! Connections kept for the next request, the latest used first.
//! So a worker under little load keeps few of them warm, and the others grow old and are closed.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Weak},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

use super::{Origin, connection::Connection};

/// The unused connections of one worker.
pub(super) struct Pool {
    idle_timeout: Duration,
    idle_connections_max: usize,
    shelves: Mutex<Shelves>,
}

#[derive(Default)]
struct Shelves {
    /// By [`Origin::key`]; the longest unused first.
    connections: HashMap<Arc<str>, VecDeque<Idle>>,
    /// Whether a task is about that closes what nobody comes for.
    swept: bool,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

impl Pool {
    pub(super) fn new(idle_timeout: Duration, idle_connections_max: usize) -> Pool {
        Pool { idle_timeout, idle_connections_max, shelves: Mutex::default() }
    }

    /// The connection last put back for this origin that can still be used.
    pub(super) fn take(&self, origin: &Origin) -> Option<Connection> {
        let mut shelves = self.shelves.lock();
        let shelf = shelves.connections.get_mut(&origin.key)?;
        while let Some(Idle { connection, since }) = shelf.pop_back() {
            if since.elapsed() >= self.idle_timeout {
                // All the others are older still.
                shelf.clear();
            } else if connection.is_silent() {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection whose answer was read to its end.
    pub(super) fn put(self: &Arc<Self>, origin: &Origin, connection: Connection) {
        if self.idle_connections_max == 0 {
            return;
        }
        let mut shelves = self.shelves.lock();
        let idle = Idle { connection, since: Instant::now() };
        match shelves.connections.get_mut(&origin.key) {
            Some(shelf) => {
                if shelf.len() >= self.idle_connections_max {
                    shelf.pop_front();
                }
                shelf.push_back(idle);
            }
            None => {
                shelves.connections.insert(Arc::clone(&origin.key), VecDeque::from([idle]));
            }
        }
        if !shelves.swept {
            shelves.swept = true;
            tokio::spawn(sweep(Arc::downgrade(self), self.idle_timeout));
        }
    }

    /// Closes what has been unused for too long; false, and no longer swept, where nothing is left.
    fn close_old(&self) -> bool {
        let mut shelves = self.shelves.lock();
        shelves.connections.retain(|_, shelf| {
            while shelf.front().is_some_and(|idle| idle.since.elapsed() >= self.idle_timeout) {
                shelf.pop_front();
            }
            !shelf.is_empty()
        });
        shelves.swept = !shelves.connections.is_empty();
        shelves.swept
    }
}

/// Tidies up, so that sockets of origins no longer called don't stay open; [`Pool::take`] does not depend on it.
async fn sweep(pool: Weak<Pool>, idle_timeout: Duration) {
    loop {
        sleep(idle_timeout).await;
        if !pool.upgrade().is_some_and(|pool| pool.close_old()) {
            return;
        }
    }
}
