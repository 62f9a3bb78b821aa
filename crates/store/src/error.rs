//! What can go wrong with a store, named for what the caller can do about it.
//! Not finding something is not an error; it is an answer.

use std::error::Error;

type Cause = Box<dyn Error + Send + Sync>;

/// A store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It can't be reached or written now: disk full, locked, connection lost. Nothing was kept;
    /// trying again later may work, and until it does nothing may be admitted.
    #[error("the store is unavailable")]
    Unavailable(#[source] Cause),
    /// What it holds can't be trusted any more: a sync failed, the file is damaged. The process
    /// must end and recover from what is on disk.
    #[error("the store is broken")]
    Broken(#[source] Cause),
}

impl StoreError {
    /// An [`StoreError::Unavailable`] from any cause.
    pub fn unavailable(cause: impl Into<Cause>) -> StoreError {
        StoreError::Unavailable(cause.into())
    }

    /// A [`StoreError::Broken`] from any cause.
    pub fn broken(cause: impl Into<Cause>) -> StoreError {
        StoreError::Broken(cause.into())
    }
}
