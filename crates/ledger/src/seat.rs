//! A request's place among those that its accounts may have in flight at once.
//! It lasts as long as the call, over all its attempts, while each attempt has a hold of its own.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::Account;

/// A place among the requests in flight, given back when dropped.
#[derive(Debug)]
#[must_use = "a seat that is dropped is free for another request"]
pub struct Seat {
    accounts: SmallVec<[Arc<Account>; 1]>,
}

impl Seat {
    /// The place of a request that was just counted on `accounts`.
    pub(crate) fn new(accounts: SmallVec<[Arc<Account>; 1]>) -> Seat {
        Seat { accounts }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.accounts.iter().for_each(|account| account.leave());
    }
}
