//! The figures of one subject with the terms it spends under, behind one lock.
//! A key is an account; workspaces and members are accounts of the same kind.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use smallvec::SmallVec;

use crate::pace::Recent;
use crate::sync::{Mutex, MutexGuard, lock};
use crate::{Amounts, Cell, Day, Limit, Pace, PaceFigures, Period, Tally};

/// Under what terms an account may spend: the part of its settings that admission looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Disabled or deleted: nothing is admitted.
    pub closed: bool,
    /// From this moment on nothing is admitted.
    pub expires_at: Option<Timestamp>,
    /// The limits, in the order they are enforced.
    pub limits: SmallVec<[Limit; 1]>,
    /// How fast it may go.
    pub pace: Pace,
}

impl Terms {
    /// Whether a request may be admitted at `now`, money aside.
    pub fn is_open(&self, now: Timestamp) -> bool {
        !self.closed && self.expires_at.is_none_or(|end| now < end)
    }
}

/// What an account has spent, in total and in the current windows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// All time.
    pub total: Amounts,
    /// The current UTC day.
    pub day: Amounts,
    /// The current week, from Monday.
    pub week: Amounts,
    /// The current calendar month.
    pub month: Amounts,
    /// On hold for requests in flight, whenever they were admitted.
    pub held: Amounts,
}

pub(crate) struct State {
    pub(crate) terms: Terms,
    pub(crate) tally: Tally,
    /// Counted from the first admission under a pace on; nothing for accounts that never had one.
    pub(crate) recent: Option<Box<Recent>>,
}

/// One subject of spending: its terms and its figures.
pub struct Account {
    /// Locks are taken in the order of these numbers, so that two requests can't wait for each other.
    pub(crate) order: u64,
    state: Mutex<State>,
    freed: Box<dyn Fn() + Send + Sync>,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("order", &self.order).finish_non_exhaustive()
    }
}

impl Account {
    /// An account with these terms and figures. `freed` is called, with no lock held, whenever
    /// something may have become affordable: a hold ended, or the terms changed.
    pub fn new(terms: Terms, tally: Tally, freed: impl Fn() + Send + Sync + 'static) -> Account {
        static ORDER: AtomicU64 = AtomicU64::new(0);
        Account {
            order: ORDER.fetch_add(1, Ordering::Relaxed),
            state: Mutex::new(State { terms, tally, recent: None }),
            freed: Box::new(freed),
        }
    }

    /// Puts new terms in force from the next admission on. What was spent or is held stays.
    pub fn set_terms(&self, terms: Terms) {
        self.lock().terms = terms;
        (self.freed)();
    }

    /// Whether a request may be admitted at `now`, money aside.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.lock().terms.is_open(now)
    }

    /// What was spent as of `now`, all figures from one moment.
    pub fn figures(&self, now: Timestamp) -> Figures {
        self.look(now).0
    }

    /// The figures and every limit as they stand at `now`, all from one moment.
    pub fn look(&self, now: Timestamp) -> (Figures, SmallVec<[Cell; 1]>) {
        let state = self.lock();
        let day = Day::of(now);
        let settled = |period: Period| state.tally.settled(period.window(day));
        let figures = Figures {
            total: settled(Period::Lifetime),
            day: settled(Period::Day),
            week: settled(Period::Week),
            month: settled(Period::Month),
            held: state.tally.held_in_all(),
        };
        let cells = state.terms.limits.iter().map(|limit| Cell::at(*limit, &state.tally, now));
        (figures, cells.collect())
    }

    /// What it does of late, as of `now`; nothing where it never had a pace.
    pub fn pace(&self, now: Timestamp) -> PaceFigures {
        let mut state = self.lock();
        let recent = state.recent.as_mut();
        recent.map_or_else(PaceFigures::default, |recent| {
            recent.roll(now);
            recent.figures()
        })
    }

    /// Books `cost` on `day` without a hold: a correction, or a charge found after a crash.
    pub fn post(&self, day: Day, cost: Amounts) {
        self.lock().tally.post(day, cost);
        (self.freed)();
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Puts `used` in the place of the tokens that an admission in that step of its pace held.
    pub(crate) fn recount(&self, step: u64, held: u64, used: u64) {
        if let Some(recent) = &mut self.lock().recent {
            recent.recount(step, held, used);
        }
    }

    /// Ends one of its requests in flight.
    pub(crate) fn leave(&self) {
        if let Some(recent) = &mut self.lock().recent {
            recent.leave();
        }
    }

    pub(crate) fn release(&self, day: Day, worst: Amounts) {
        self.lock().tally.release(day, worst);
        (self.freed)();
    }

    pub(crate) fn settle(&self, day: Day, worst: Amounts, cost: Amounts) {
        {
            let tally = &mut self.lock().tally;
            tally.release(day, worst);
            tally.post(day, cost);
        }
        (self.freed)();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_shown_by_its_place_and_without_its_figures() {
        let account = Account::new(Terms::default(), Tally::default(), || ());
        let shown = format!("Account {{ order: {}, .. }}", account.order);
        assert_eq!(format!("{account:?}"), shown);
    }
}
