//! Admission: the worst case of a request, held on every limit it touches or on none.
//! This is the one function that lets a request spend (DESIGN "Hold, then settle", step 3).

use std::sync::Arc;

use jiff::Timestamp;
use smallvec::SmallVec;

use crate::account::{Locked, State};
use crate::hold::Paced;
use crate::{Account, Amounts, Cell, Day, Hold, Measure, Refusal, Seat, TooFast};

/// What a request asks for: some number of completion tokens, and what they cost at worst.
pub struct Bid<'a> {
    /// The fewest completion tokens worth having; equal to `most` where the client named a maximum.
    pub least: u64,
    /// The most completion tokens the request could use.
    pub most: u64,
    /// The worst case with that many completion tokens, the prompt included; never falls as the
    /// tokens rise. `None` past the largest amount. Called with the accounts locked: it must not
    /// look at them.
    pub worst: &'a dyn Fn(u64) -> Option<Amounts>,
    /// The tokens used at worst with that many of completion, the prompt included; never falls as
    /// they rise. Called, with the accounts locked, for those that have a pace.
    pub used: &'a dyn Fn(u64) -> u64,
    /// A further attempt at a request that was admitted before: it counts as no request and takes
    /// no seat.
    pub again: bool,
    /// Take what is free now, down to `least`, instead of waiting for others' holds to end.
    pub take_what_is_free: bool,
}

/// Holds the worst case of a request on every account, or says why not.
///
/// `accounts` are in the order their limits are enforced, which decides the limit that a refusal
/// names: one already spent first, then one that is too small, then a pace, then one others hold, so
/// that what time alone does not cure comes before what it does. Where `bid` leaves room, as many
/// completion tokens are held for as every limit affords. What is refused counts nowhere.
///
/// ```
/// # use std::sync::Arc; use ledger::*; use money::Money; use jiff::Timestamp;
/// let limit = Limit { layer: Layer::Key, amount: Money::nanos(100), period: Period::Day, include_byok: false };
/// let terms = Terms { limits: [limit].into_iter().collect(), ..Terms::default() };
/// let key = Arc::new(Account::new(terms, Tally::default(), || ()));
/// let bid = Bid { least: 60, most: 60, worst: &|tokens| Some(Amounts::credits(Money::nanos(tokens as i64))), used: &|tokens| tokens, again: false, take_what_is_free: false };
/// let first = admit(std::slice::from_ref(&key), &bid, Timestamp::UNIX_EPOCH);
/// assert_eq!(first.as_ref().map(|hold| hold.tokens()), Ok(60));
/// assert!(matches!(admit(&[key], &bid, Timestamp::UNIX_EPOCH), Err(Refusal::Busy(_))));
/// ```
pub fn admit(accounts: &[Arc<Account>], bid: &Bid<'_>, now: Timestamp) -> Result<Hold, Refusal> {
    let accounts = each_once(accounts);
    let share = share(&accounts);
    let mut locked = lock_all(&accounts, share);
    if locked.iter().filter_map(Locked::state).any(|state| !state.terms.is_open(now)) {
        return Err(Refusal::Closed);
    }
    let cells: SmallVec<[Cell; 4]> = locked
        .iter()
        .filter_map(Locked::state)
        .flat_map(|state| {
            state.terms.limits.iter().map(|limit| Cell::at(*limit, &state.tally, now))
        })
        .collect();
    let tokens = afford(&cells, &mut locked, bid, now)?;
    let worst = (bid.worst)(tokens).ok_or(Refusal::TooLarge)?;
    let day = Day::of(now);
    for held in 0..locked.len() {
        if locked[held].tally().hold(day, worst).is_none() {
            locked[..held].iter_mut().for_each(|locked| locked.tally().release(day, worst));
            return Err(Refusal::TooLarge);
        }
    }
    let paced = count(&accounts, &mut locked, bid, tokens, now);
    drop(locked);
    Ok(Hold::new(&accounts, share, now, worst, tokens, paced))
}

/// How many completion tokens every cell and pace affords, or which refuses and why.
fn afford(
    cells: &[Cell],
    locked: &mut [Locked<'_>],
    bid: &Bid<'_>,
    now: Timestamp,
) -> Result<u64, Refusal> {
    let most = (bid.worst)(bid.most).ok_or(Refusal::TooLarge)?;
    // What a limit does not count can't be refused by it: a free model, or BYOK left out of it.
    let counts = |cell: &&Cell| cell.count(most).is_none_or(|amount| !amount.is_zero());
    let cells: SmallVec<[&Cell; 4]> = cells.iter().filter(counts).collect();
    if let Some(spent) = cells.iter().find(|cell| cell.is_spent()) {
        return Err(Refusal::Spent(**spent));
    }
    let fits = |tokens: u64, room: fn(&Cell) -> money::Money| {
        (bid.worst)(tokens).is_some_and(|worst| {
            cells.iter().all(|cell| cell.count(worst).is_some_and(|amount| amount <= room(cell)))
        })
    };
    let blamed = |tokens: u64, room: fn(&Cell) -> money::Money| {
        let worst = (bid.worst)(tokens);
        let refuses = |cell: &&&Cell| {
            worst.and_then(|worst| cell.count(worst)).is_none_or(|amount| amount > room(cell))
        };
        cells.iter().find(refuses).map(|cell| **cell)
    };
    let Some(wanted) = greatest(bid.least, bid.most, |tokens| fits(tokens, Cell::left)) else {
        let cell = blamed(bid.least, Cell::left).ok_or(Refusal::TooLarge)?;
        let affordable = greatest(0, bid.least, |tokens| fits(tokens, Cell::left));
        return Err(Refusal::TooDear { cell, affordable });
    };
    let wanted = in_pace(locked, bid, wanted, now)?;
    let free = if bid.take_what_is_free {
        greatest(bid.least, wanted, |tokens| fits(tokens, Cell::free))
    } else {
        Some(wanted).filter(|tokens| fits(*tokens, Cell::free))
    };
    let needed = if bid.take_what_is_free { bid.least } else { wanted };
    match free {
        Some(tokens) => Ok(tokens),
        None => Err(blamed(needed, Cell::free).map_or(Refusal::TooLarge, Refusal::Busy)),
    }
}

/// How many completion tokens, of those `wanted`, every pace has room for now, or which has none.
fn in_pace(
    locked: &mut [Locked<'_>],
    bid: &Bid<'_>,
    wanted: u64,
    now: Timestamp,
) -> Result<u64, Refusal> {
    let mut states: SmallVec<[&mut State; 4]> = paced(locked).collect();
    if states.is_empty() {
        return Ok(wanted);
    }
    let most_below = |least: u64, most: u64, tokens_max: u64| {
        greatest(least, most, |tokens| (bid.used)(tokens) <= tokens_max)
    };
    let used = (bid.used)(bid.least);
    let least_limit = states.iter().filter_map(|state| state.terms.pace.tokens_per_minute).min();
    if let Some(limit) = least_limit.filter(|limit| used > limit.get()) {
        let affordable = most_below(0, bid.least, limit.get());
        return Err(Refusal::TooManyTokens { limit, affordable });
    }
    let mut free_tokens = u64::MAX;
    let mut refusing: SmallVec<[TooFast; 1]> = SmallVec::new();
    for state in &mut states {
        let State { terms, recent, .. } = &mut **state;
        let recent = recent.get_or_insert_default();
        recent.roll(now);
        refusing.extend(recent.too_fast(&terms.pace, used, bid.again));
        free_tokens = free_tokens.min(recent.free_tokens(&terms.pace));
    }
    if let Some(pace) = refusing.into_iter().max_by_key(|pace| pace.free_at) {
        let affordable = match pace.measure {
            Measure::Tokens => most_below(0, bid.least, free_tokens),
            Measure::Requests | Measure::Concurrent => None,
        };
        return Err(Refusal::TooFast { pace, affordable });
    }
    // The least was found to fit just now.
    Ok(most_below(bid.least, wanted, free_tokens).unwrap_or(bid.least))
}

/// Those that have a pace.
fn paced<'a>(locked: &'a mut [Locked<'_>]) -> impl Iterator<Item = &'a mut State> {
    locked.iter_mut().filter_map(Locked::state_mut).filter(|state| state.terms.pace.is_limited())
}

/// Counts an admission on every account that has a pace.
fn count(
    accounts: &[&Arc<Account>],
    locked: &mut [Locked<'_>],
    bid: &Bid<'_>,
    tokens: u64,
    now: Timestamp,
) -> Option<Box<Paced>> {
    paced(locked).next()?;
    let tokens = (bid.used)(tokens);
    let states = accounts.iter().zip(locked).filter_map(|(account, locked)| {
        let state = locked.state_mut()?;
        state.terms.pace.is_limited().then_some((account, state))
    });
    let steps: SmallVec<[(Arc<Account>, u64); 1]> = states
        .map(|(account, state)| {
            let recent = state.recent.get_or_insert_default();
            (Arc::clone(account), recent.admit(tokens, bid.again, now))
        })
        .collect();
    let seat = (!bid.again)
        .then(|| Seat::new(steps.iter().map(|(account, _)| Arc::clone(account)).collect()));
    Some(Box::new(Paced { steps, tokens, seat }))
}

/// The greatest number in `least..=most` that `fits`, which must not fit again once it stopped to.
fn greatest(least: u64, most: u64, fits: impl Fn(u64) -> bool) -> Option<u64> {
    if fits(most) {
        return Some(most);
    }
    if least >= most || !fits(least) {
        return None;
    }
    let (mut fitting, mut too_many) = (least, most);
    loop {
        // Rounded down, it comes to `fitting` once there is nothing in between.
        let middle = fitting.midpoint(too_many);
        if middle == fitting {
            return Some(fitting);
        }
        if fits(middle) { fitting = middle } else { too_many = middle }
    }
}

/// The accounts without repeats: one named twice would be locked twice, and wait for itself.
fn each_once(accounts: &[Arc<Account>]) -> SmallVec<[&Arc<Account>; 4]> {
    let mut once: SmallVec<[&Arc<Account>; 4]> = SmallVec::new();
    for account in accounts {
        if !once.iter().any(|seen| Arc::ptr_eq(seen, account)) {
            once.push(account);
        }
    }
    once
}

/// Which part of what is spread these accounts meet in: another one, as a rule, for another key.
fn share(accounts: &[&Arc<Account>]) -> u64 {
    accounts.iter().fold(0, |share, account| share ^ account.order)
}

/// Locks every account, always in the same order, so that no two requests wait in a ring.
fn lock_all<'a>(accounts: &[&'a Arc<Account>], share: u64) -> SmallVec<[Locked<'a>; 4]> {
    let mut order: SmallVec<[usize; 4]> = (0..accounts.len()).collect();
    order.sort_unstable_by_key(|&index| accounts[index].order);
    let mut locked: SmallVec<[(usize, Locked<'a>); 4]> =
        order.into_iter().map(|index| (index, accounts[index].lock_for(share))).collect();
    locked.sort_unstable_by_key(|(index, _)| *index);
    locked.into_iter().map(|(_, locked)| locked).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{Tally, Terms};

    #[test]
    fn keys_of_one_workspace_meet_in_parts_of_their_own() {
        let account = |order| {
            let mut account = Account::new(Terms::default(), Tally::default(), || ());
            account.order = order;
            Arc::new(account)
        };
        let workspace = account(3);
        let of_key = |order| share(&[&workspace, &account(order)]);
        let shares: BTreeSet<u64> = (8..16).map(of_key).collect();
        assert_eq!(shares.len(), 8);
        assert_eq!(
            of_key(8),
            share(&[&account(8), &workspace]),
            "in whatever order they are named"
        );
    }
}
