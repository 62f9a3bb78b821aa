//! The figures of one subject with the terms it spends under, behind one lock.
//! A key is an account; workspaces and members are accounts of the same kind.
//!
//! What many keys share would be a lock that they all take. So such an account may be spread: while
//! its terms refuse nothing, its figures are kept in parts, each behind a lock of its own. Terms that
//! may refuse gather them under the one lock, where every limit is exact.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

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

    /// Whether no request can ever be refused for them.
    fn refuse_nothing(&self) -> bool {
        let Terms { closed, expires_at, limits, pace } = self;
        !closed && expires_at.is_none() && limits.is_empty() && !pace.is_limited()
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
    /// Parts of the figures beside the state's, whose locks come after it; none where the account is
    /// never spread.
    parts: Box<[Mutex<Tally>]>,
    /// Whether holds are taken in the parts. It changes with the state and every part locked, so it
    /// stands still for whoever has one of them.
    is_spread: AtomicBool,
    freed: Box<dyn Fn() + Send + Sync>,
}

/// Where a hold on an account is: in its state, or in one of its parts.
pub(crate) enum Locked<'a> {
    State(MutexGuard<'a, State>),
    Part(MutexGuard<'a, Tally>),
}

impl Locked<'_> {
    pub(crate) fn state(&self) -> Option<&State> {
        match self {
            Locked::State(state) => Some(state),
            Locked::Part(_) => None,
        }
    }

    pub(crate) fn state_mut(&mut self) -> Option<&mut State> {
        match self {
            Locked::State(state) => Some(state),
            Locked::Part(_) => None,
        }
    }

    pub(crate) fn tally(&mut self) -> &mut Tally {
        match self {
            Locked::State(state) => &mut state.tally,
            Locked::Part(tally) => tally,
        }
    }
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
        Account::spread(terms, tally, 0, freed)
    }

    /// An account that many keys share: while its terms refuse nothing, requests of different keys
    /// meet in one of `parts` locks, and the end of a hold frees nothing that `freed` would tell of.
    pub fn spread(
        terms: Terms,
        tally: Tally,
        parts: usize,
        freed: impl Fn() + Send + Sync + 'static,
    ) -> Account {
        static ORDER: AtomicU64 = AtomicU64::new(0);
        let is_spread = parts != 0 && terms.refuse_nothing();
        Account {
            order: ORDER.fetch_add(1, Ordering::Relaxed),
            state: Mutex::new(State { terms, tally, recent: None }),
            parts: (0..parts).map(|_| Mutex::new(Tally::default())).collect(),
            is_spread: AtomicBool::new(is_spread),
            freed: Box::new(freed),
        }
    }

    /// Puts new terms in force from the next admission on. What was spent or is held stays.
    pub fn set_terms(&self, terms: Terms) {
        {
            let mut state = self.lock();
            let mut parts: Vec<_> = self.parts.iter().map(lock).collect();
            let is_spread = !self.parts.is_empty() && terms.refuse_nothing();
            self.is_spread.store(is_spread, Ordering::Relaxed);
            parts.iter_mut().for_each(|part| state.tally.absorb(std::mem::take(part)));
            state.terms = terms;
        }
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
        let gathered = self.gathered(&state);
        let tally = gathered.as_ref().unwrap_or(&state.tally);
        let day = Day::of(now);
        let settled = |period: Period| tally.settled(period.window(day));
        let figures = Figures {
            total: settled(Period::Lifetime),
            day: settled(Period::Day),
            week: settled(Period::Week),
            month: settled(Period::Month),
            held: tally.held_in_all(),
        };
        let cells = state.terms.limits.iter().map(|limit| Cell::at(*limit, tally, now));
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

    /// The figures with those of the parts, where there are any in them.
    fn gathered(&self, state: &State) -> Option<Tally> {
        let parts: Vec<_> = self.parts.iter().map(lock).collect();
        if !self.is_spread.load(Ordering::Relaxed) {
            return None;
        }
        let mut all = state.tally.clone();
        parts.iter().for_each(|part| all.absorb((**part).clone()));
        Some(all)
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Locks what a request's hold is taken in: one of the parts where the account is spread, by
    /// `share`, the same number for the same keys.
    pub(crate) fn lock_for(&self, share: u64) -> Locked<'_> {
        if let Some(part) = self.part(share) {
            let part = lock(part);
            if self.is_spread.load(Ordering::Relaxed) {
                return Locked::Part(part);
            }
        }
        // What is held here while the account is spread again is counted all the same.
        Locked::State(self.lock())
    }

    fn part(&self, share: u64) -> Option<&Mutex<Tally>> {
        let parts = u64::try_from(self.parts.len()).ok()?;
        let place = share.checked_rem(parts)?;
        usize::try_from(place).ok().and_then(|place| self.parts.get(place))
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

    pub(crate) fn release(&self, share: u64, day: Day, worst: Amounts) {
        self.end(share, |tally| tally.release(day, worst));
    }

    pub(crate) fn settle(&self, share: u64, day: Day, worst: Amounts, cost: Amounts) {
        self.end(share, |tally| {
            tally.release(day, worst);
            tally.post(day, cost);
        });
    }

    /// Ends a hold. It need not be where it was taken: what counts is the sum of all parts.
    fn end(&self, share: u64, edit: impl FnOnce(&mut Tally)) {
        let mut locked = self.lock_for(share);
        edit(locked.tally());
        let may_refuse = locked.state().is_some();
        drop(locked);
        // Nobody waits for what refuses nothing.
        if may_refuse {
            (self.freed)();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;
    use std::sync::Arc;

    use jiff::SignedDuration;
    use money::Money;

    use super::*;
    use crate::{Bid, Layer, admit};

    #[test]
    fn an_account_is_shown_by_its_place_and_without_its_figures() {
        let account = Account::new(Terms::default(), Tally::default(), || ());
        let shown = format!("Account {{ order: {}, .. }}", account.order);
        assert_eq!(format!("{account:?}"), shown);
    }

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    /// An account spread over two parts, and a count of the times it told that something was freed.
    fn shared(terms: Terms) -> (Arc<Account>, Arc<AtomicU64>) {
        let told = Arc::new(AtomicU64::new(0));
        let bell = Arc::clone(&told);
        let freed = move || {
            bell.fetch_add(1, Ordering::Relaxed);
        };
        (Arc::new(Account::spread(terms, Tally::default(), 2, freed)), told)
    }

    /// How often the account tells of it that a hold of a nano-dollar has ended.
    fn told_of_an_end((account, told): &(Arc<Account>, Arc<AtomicU64>)) -> u64 {
        let before = told.load(Ordering::Relaxed);
        let bid = Bid {
            least: 1,
            most: 1,
            worst: &|_| Some(Amounts::credits(Money::nanos(1))),
            used: &|_| 1,
            again: false,
            take_what_is_free: false,
        };
        drop(admit(std::slice::from_ref(account), &bid, NOW).unwrap());
        told.load(Ordering::Relaxed) - before
    }

    /// Terms that admit, and could refuse: each by one thing.
    fn strict() -> [Terms; 3] {
        let limit = Limit {
            layer: Layer::Workspace,
            amount: Money::nanos(9),
            period: Period::Day,
            include_byok: false,
        };
        let pace = Pace { concurrent_requests: NonZeroU64::new(9), ..Pace::default() };
        let end = NOW + SignedDuration::from_secs(1);
        [
            Terms { limits: [limit].into_iter().collect(), ..Terms::default() },
            Terms { pace, ..Terms::default() },
            Terms { expires_at: Some(end), ..Terms::default() },
        ]
    }

    #[test]
    fn the_end_of_a_hold_is_told_only_where_it_could_be_waited_for() {
        let free = shared(Terms::default());
        assert_eq!(told_of_an_end(&free), 0, "spread, it refuses nothing");
        for terms in strict() {
            assert!(told_of_an_end(&shared(terms.clone())) > 0, "{terms:?}");
            free.0.set_terms(terms.clone());
            assert!(told_of_an_end(&free) > 0, "{terms:?}");
            free.0.set_terms(Terms::default());
            assert_eq!(told_of_an_end(&free), 0, "spread again");
        }
    }
}
