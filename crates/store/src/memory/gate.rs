//! What stands between a caller and a commit: faults to fail with, and stalls to wait for.
//! It lets a test see what the gateway does while its store is away.

use std::sync::Arc;

use parking_lot::{Condvar, Mutex};

use crate::StoreError;

/// How a commit is made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// With [`StoreError::Unavailable`].
    Unavailable,
    /// With [`StoreError::Broken`].
    Broken,
}

/// Keeps every commit of a store waiting until it is dropped.
#[derive(Debug)]
pub struct Stall(Arc<Inner>);

impl Drop for Stall {
    fn drop(&mut self) {
        self.0.state.lock().stalls -= 1;
        self.0.opened.notify_all();
    }
}

#[derive(Debug, Default)]
pub(super) struct Gate(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    state: Mutex<State>,
    opened: Condvar,
}

#[derive(Debug, Default)]
struct State {
    stalls: usize,
    fault: Option<(u32, Fault)>,
}

impl Gate {
    pub(super) fn fail_next(&self, commits: u32, fault: Fault) {
        self.0.state.lock().fault = Some((commits, fault));
    }

    pub(super) fn stall(&self) -> Stall {
        self.0.state.lock().stalls += 1;
        Stall(Arc::clone(&self.0))
    }

    /// Waits for every stall to end, then fails if a fault is due.
    pub(super) fn pass(&self) -> Result<(), StoreError> {
        let mut state = self.0.state.lock();
        self.0.opened.wait_while(&mut state, |state| state.stalls > 0);
        match &mut state.fault {
            Some((commits @ 1.., fault)) => {
                *commits -= 1;
                Err(match fault {
                    Fault::Unavailable => StoreError::unavailable("made to fail by a test"),
                    Fault::Broken => StoreError::broken("made to fail by a test"),
                })
            }
            _ => Ok(()),
        }
    }
}
