//! A hold: money set aside for one request until what it costs is known.
//! Its type says where it stands, so a request can't be sent before its hold is recorded.

use std::sync::Arc;

use jiff::Timestamp;
use smallvec::SmallVec;

use crate::{Account, Amounts, Day, Seat};

#[derive(Debug)]
struct Claim {
    accounts: SmallVec<[Arc<Account>; 4]>,
    /// Which part of each account that is spread.
    share: u64,
    admitted_at: Timestamp,
    day: Day,
    worst: Amounts,
    tokens: u64,
    paced: Option<Box<Paced>>,
}

/// What a hold counts for on accounts that have a pace.
#[derive(Debug)]
pub(crate) struct Paced {
    /// The accounts, each with the step that the admission is counted in.
    pub(crate) steps: SmallVec<[(Arc<Account>, u64); 1]>,
    /// Tokens at worst, prompt included.
    pub(crate) tokens: u64,
    pub(crate) seat: Option<Seat>,
}

impl Paced {
    /// Puts `used` in the place of what is counted.
    fn recount(&mut self, used: u64) {
        let held = std::mem::replace(&mut self.tokens, used);
        self.steps.iter().for_each(|(account, step)| account.recount(*step, held, used));
    }
}

/// Money set aside for a request that nothing was sent for yet. Dropped, it is released.
#[derive(Debug)]
#[must_use = "a hold that is dropped is released"]
pub struct Hold {
    claim: Option<Claim>,
}

impl Hold {
    pub(crate) fn new(
        accounts: &[&Arc<Account>],
        share: u64,
        admitted_at: Timestamp,
        worst: Amounts,
        tokens: u64,
        paced: Option<Box<Paced>>,
    ) -> Hold {
        let accounts = accounts.iter().copied().cloned().collect();
        let day = Day::of(admitted_at);
        Hold { claim: Some(Claim { accounts, share, admitted_at, day, worst, tokens, paced }) }
    }

    /// The request's place among those in flight, for a call that outlives this hold: left in, it
    /// ends with it. `None` where no account has a pace, and where it was taken out before.
    pub fn take_seat(&mut self) -> Option<Seat> {
        self.claim.as_mut()?.paced.as_mut()?.seat.take()
    }

    /// What is set aside.
    pub fn worst(&self) -> Amounts {
        self.claim.as_ref().map_or(Amounts::ZERO, |claim| claim.worst)
    }

    /// The completion tokens it pays for: the cap to send to the provider.
    pub fn tokens(&self) -> u64 {
        self.claim.as_ref().map_or(0, |claim| claim.tokens)
    }

    /// When the request was admitted; its cost belongs to that moment's windows.
    pub fn admitted_at(&self) -> Timestamp {
        self.claim.as_ref().map_or(Timestamp::UNIX_EPOCH, |claim| claim.admitted_at)
    }

    /// The proof that the transport sends for. Only what has just recorded the hold where it
    /// survives the process may call this (DESIGN step 7).
    pub fn mark_dispatched(mut self) -> Dispatched {
        Dispatched { claim: self.claim.take() }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(claim) = self.claim.take() {
            let Claim { accounts, share, day, worst, .. } = &claim;
            accounts.iter().for_each(|account| account.release(*share, *day, *worst));
            if let Some(mut paced) = claim.paced {
                paced.recount(0);
            }
        }
    }
}

/// Proof that a hold is recorded and marked dispatched; without one nothing is sent to a provider.
///
/// Dropped without [`settle`](Dispatched::settle) or [`refused`](Dispatched::refused) it stays on
/// hold: what may have been billed is never freed by an accident (DESIGN "Failing closed").
#[derive(Debug)]
#[must_use = "a dispatched hold that is dropped stays on hold until the next start"]
pub struct Dispatched {
    claim: Option<Claim>,
}

impl Dispatched {
    /// What is set aside.
    pub fn worst(&self) -> Amounts {
        self.claim.as_ref().map_or(Amounts::ZERO, |claim| claim.worst)
    }

    /// When the request was admitted; its cost belongs to that moment's windows.
    pub fn admitted_at(&self) -> Timestamp {
        self.claim.as_ref().map_or(Timestamp::UNIX_EPOCH, |claim| claim.admitted_at)
    }

    /// Counts the tokens that were used in the place of those held, for accounts that have a pace.
    /// Without it the worst case counts, until it is a minute ago.
    pub fn count_tokens(&mut self, used: u64) {
        if let Some(paced) = self.claim.as_mut().and_then(|claim| claim.paced.as_mut()) {
            paced.recount(used);
        }
    }

    /// Puts `cost` in the hold's place. To be called once the settlement is durable, with the cost
    /// that the store has for it: the first settlement of a generation wins (DESIGN step 7).
    pub fn settle(mut self, cost: Amounts) {
        if let Some(claim) = self.claim.take() {
            let Claim { accounts, share, day, worst, .. } = &claim;
            accounts.iter().for_each(|account| account.settle(*share, *day, *worst, cost));
        }
    }

    /// The hold of a request that the provider refused with a complete error answer, or that never
    /// reached it: nothing was billed, so it may serve another attempt or be released.
    pub fn refused(mut self) -> Hold {
        Hold { claim: self.claim.take() }
    }

    /// A proof for tests of what needs one.
    #[cfg(any(test, feature = "testing"))]
    pub fn for_test() -> Dispatched {
        Dispatched { claim: None }
    }
}

#[cfg(test)]
mod tests {
    use money::Money;

    use super::*;
    use crate::{Tally, Terms};

    #[test]
    fn what_is_held_is_the_same_before_it_is_dispatched_and_after() {
        let account = Arc::new(Account::new(Terms::default(), Tally::default(), || ()));
        let now: Timestamp = "2026-11-18T12:00:00Z".parse().unwrap();
        let worst = Amounts { credits: Money::nanos(60), byok: Money::nanos(7) };
        let hold = Hold::new(&[&account], 0, now, worst, 60, None);
        assert_eq!((hold.worst(), hold.tokens(), hold.admitted_at()), (worst, 60, now));
        #[expect(clippy::disallowed_methods, reason = "nothing is sent here")]
        let proof = hold.mark_dispatched();
        assert_eq!((proof.worst(), proof.admitted_at()), (worst, now));
        let hold = proof.refused();
        assert_eq!((hold.worst(), hold.tokens(), hold.admitted_at()), (worst, 60, now));
    }
}
