//! The locks of this crate: the standard ones, or shuttle's, which tries their interleavings.
//! Nothing here can leave state half-changed by a panic, so a poisoned lock is entered all the same.

#[cfg(feature = "shuttle")]
use shuttle::sync as imp;
#[cfg(not(feature = "shuttle"))]
use std::sync as imp;

pub(crate) use imp::{Mutex, MutexGuard};

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
