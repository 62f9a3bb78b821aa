//! Threads that race for the last cent, their interleavings chosen by shuttle.
//! Run with `--features shuttle --test interleavings`; a deadlock or a lost wake-up is a failure.
#![cfg(feature = "shuttle")]
#![expect(
    clippy::disallowed_methods,
    reason = "there is no journal here: a hold is sent by saying so"
)]

use std::num::NonZeroU64;
use std::sync::Weak;

use jiff::Timestamp;
use ledger::{
    Account, Amounts, Bid, Day, Hold, Layer, Limit, Pace, Period, Refusal, Tally, Terms, admit,
};
use money::Money;
use shuttle::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use shuttle::sync::{Arc, Condvar, Mutex};
use shuttle::thread::{self, JoinHandle};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// The highest limit any scenario sets: more than this must never be promised.
const LIMIT: i64 = 100;

/// More than half of the limit, so that one request at a time fits.
const WORST: i64 = 60;

fn explore(scenario: fn()) {
    shuttle::check_random(scenario, 5_000);
    shuttle::check_pct(scenario, 5_000, 4);
}

fn credits(nanos: i64) -> Amounts {
    Amounts::credits(Money::nanos(nanos))
}

fn terms(limit: i64) -> Terms {
    let amount = Money::nanos(limit);
    let limit = Limit { layer: Layer::Key, amount, period: Period::Day, include_byok: false };
    Terms { limits: [limit].into_iter().collect(), ..Terms::default() }
}

/// Counts how often accounts said that something was freed, and wakes who waits for it.
#[derive(Default)]
struct Bell {
    rings: Mutex<usize>,
    rung: Condvar,
}

impl Bell {
    fn ring(&self) {
        *self.rings.lock().unwrap() += 1;
        self.rung.notify_all();
    }

    fn rings(&self) -> usize {
        *self.rings.lock().unwrap()
    }

    fn wait_past(&self, seen: usize) {
        let mut rings = self.rings.lock().unwrap();
        while *rings == seen {
            rings = self.rung.wait(rings).unwrap();
        }
    }
}

/// An account that rings `bell`, and looks at itself as it does: with its lock held, for ever.
fn account(bell: &Arc<Bell>) -> Arc<Account> {
    let bell = Arc::clone(bell);
    Arc::new_cyclic(|account: &Weak<Account>| {
        let account = account.clone();
        Account::new(terms(LIMIT), Tally::default(), move || {
            if let Some(account) = account.upgrade() {
                assert!(promised(&account) <= LIMIT);
            }
            bell.ring();
        })
    })
}

fn promised(account: &Account) -> i64 {
    let figures = account.figures(NOW);
    figures.total.credits.as_nanos() + figures.held.credits.as_nanos()
}

fn bid_for(accounts: &[Arc<Account>], worst: i64) -> Result<Hold, Refusal> {
    let worst = |_| Some(credits(worst));
    let used = |_| 0;
    let bid = Bid {
        least: 1,
        most: 1,
        worst: &worst,
        used: &used,
        again: false,
        take_what_is_free: false,
    };
    admit(accounts, &bid, NOW)
}

/// Bids until admitted, waiting for the bell where others' holds are in the way.
fn wait_for(accounts: &[Arc<Account>], bell: &Bell) -> Hold {
    loop {
        let seen = bell.rings();
        match bid_for(accounts, WORST) {
            Ok(hold) => return hold,
            Err(Refusal::Busy(_)) => bell.wait_past(seen),
            Err(refusal) => panic!("{refusal:?}"),
        }
    }
}

fn join_all(threads: Vec<JoinHandle<()>>) {
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn the_last_cent_is_spent_once() {
    explore(|| {
        let bell = Arc::new(Bell::default());
        let key = account(&bell);
        let spend = |_| {
            let key = Arc::clone(&key);
            thread::spawn(move || {
                if let Ok(hold) = bid_for(&[Arc::clone(&key)], WORST) {
                    assert!(promised(&key) <= LIMIT);
                    hold.mark_dispatched().settle(credits(WORST));
                }
            })
        };
        join_all((0..4).map(spend).collect());
        let figures = key.figures(NOW);
        assert_eq!((figures.total, figures.held), (credits(WORST), Amounts::ZERO));
        assert_eq!(bell.rings(), 1);
    });
}

#[test]
fn accounts_taken_in_opposite_order_are_held_all_or_none() {
    explore(|| {
        let bell = Arc::new(Bell::default());
        let (key, team) = (account(&bell), account(&bell));
        let orders = [vec![&key, &team], vec![&team, &key], vec![&team], vec![&key]];
        let admitted = Arc::new(AtomicUsize::new(0));
        let spend = |order: Vec<&Arc<Account>>| {
            let order: Vec<_> = order.into_iter().cloned().collect();
            let admitted = Arc::clone(&admitted);
            thread::spawn(move || {
                if let Ok(hold) = bid_for(&order, WORST) {
                    order.iter().for_each(|account| assert!(promised(account) <= LIMIT));
                    admitted.fetch_add(order.len(), Ordering::SeqCst);
                    hold.mark_dispatched().settle(credits(WORST));
                }
            })
        };
        join_all(orders.into_iter().map(spend).collect());
        let spent = [&key, &team].map(|account| {
            let figures = account.figures(NOW);
            assert_eq!(figures.held, Amounts::ZERO);
            figures.total.credits.as_nanos()
        });
        assert!(spent.iter().all(|spent| *spent <= LIMIT), "{spent:?}");
        let admitted = i64::try_from(admitted.load(Ordering::SeqCst)).unwrap();
        assert_eq!(spent[0] + spent[1], admitted * WORST);
        assert!(admitted >= 1);
    });
}

#[test]
fn who_waits_to_be_rung_is_admitted_in_the_end() {
    explore(|| {
        let bell = Arc::new(Bell::default());
        let (key, team) = (account(&bell), account(&bell));
        let orders = [vec![&key, &team], vec![&team, &key], vec![&team], vec![&key]];
        let spend = |(number, order): (usize, Vec<&Arc<Account>>)| {
            let order: Vec<_> = order.into_iter().cloned().collect();
            let bell = Arc::clone(&bell);
            thread::spawn(move || {
                let hold = wait_for(&order, &bell);
                if number == 0 {
                    drop(hold.mark_dispatched().refused());
                } else {
                    hold.mark_dispatched().settle(credits(10));
                }
            })
        };
        join_all(orders.into_iter().enumerate().map(spend).collect());
        for account in [&key, &team] {
            let figures = account.figures(NOW);
            assert_eq!((figures.total, figures.held), (credits(20), Amounts::ZERO));
        }
    });
}

#[test]
fn an_edit_binds_every_admission_that_begins_after_it() {
    explore(|| {
        let bell = Arc::new(Bell::default());
        let key = account(&bell);
        let is_lowered = Arc::new(AtomicBool::new(false));
        let spend = |_| {
            let (key, is_lowered) = (Arc::clone(&key), Arc::clone(&is_lowered));
            thread::spawn(move || {
                let was_lowered = is_lowered.load(Ordering::SeqCst);
                if let Ok(hold) = bid_for(&[key], WORST) {
                    assert!(!was_lowered);
                    hold.mark_dispatched().settle(credits(WORST - 21));
                }
            })
        };
        let mut threads: Vec<_> = (0..3).map(spend).collect();
        let edited = Arc::clone(&key);
        threads.push(thread::spawn(move || {
            edited.set_terms(terms(WORST - 1));
            is_lowered.store(true, Ordering::SeqCst);
            edited.post(Day::of(NOW), credits(1));
        }));
        join_all(threads);
        let settled = key.figures(NOW).total.credits.as_nanos();
        assert_eq!(key.figures(NOW).held, Amounts::ZERO);
        // A second request was admitted only if it came between the first one's end and the edit.
        assert!([1, 40, 79].contains(&settled), "{settled}");
        key.set_terms(terms(settled + WORST));
        assert!(bid_for(&[key], WORST).is_ok());
    });
}

/// An account of many keys, spread over two parts.
fn team_of_many(bell: &Arc<Bell>) -> Arc<Account> {
    let bell = Arc::clone(bell);
    Arc::new(Account::spread(Terms::default(), Tally::default(), 2, move || bell.ring()))
}

#[test]
fn a_limit_set_on_what_is_spread_counts_what_is_in_flight_and_binds_from_then_on() {
    explore(|| {
        let bell = Arc::new(Bell::default());
        let team = team_of_many(&bell);
        let is_limited = Arc::new(AtomicBool::new(false));
        let spent = Arc::new(AtomicUsize::new(0));
        let spend = |_| {
            let both = [account(&bell), Arc::clone(&team)];
            let (is_limited, spent) = (Arc::clone(&is_limited), Arc::clone(&spent));
            thread::spawn(move || {
                let was_limited = is_limited.load(Ordering::SeqCst);
                let Ok(hold) = bid_for(&both, WORST) else { return };
                if was_limited {
                    assert!(promised(&both[1]) <= LIMIT);
                }
                hold.mark_dispatched().settle(credits(WORST));
                spent.fetch_add(1, Ordering::SeqCst);
            })
        };
        let mut threads: Vec<_> = (0..3).map(spend).collect();
        let edited = Arc::clone(&team);
        threads.push(thread::spawn(move || {
            edited.set_terms(terms(LIMIT));
            is_limited.store(true, Ordering::SeqCst);
        }));
        join_all(threads);
        let figures = team.figures(NOW);
        let spent = i64::try_from(spent.load(Ordering::SeqCst)).unwrap();
        assert_eq!((figures.total, figures.held), (credits(spent * WORST), Amounts::ZERO));
        let is_spent = matches!(bid_for(&[team], LIMIT), Err(Refusal::Spent(_)));
        assert_eq!(is_spent, spent > 1);
    });
}

#[test]
fn holds_outlive_a_limit_that_comes_and_goes() {
    explore(|| {
        let bell = Arc::new(Bell::default());
        let team = team_of_many(&bell);
        let spend = |_| {
            let both = [account(&bell), Arc::clone(&team)];
            thread::spawn(move || {
                if let Ok(hold) = bid_for(&both, 5) {
                    hold.mark_dispatched().settle(credits(3));
                }
            })
        };
        let mut threads: Vec<_> = (0..2).map(spend).collect();
        let edited = Arc::clone(&team);
        threads.push(thread::spawn(move || {
            edited.set_terms(terms(LIMIT));
            edited.set_terms(Terms::default());
            edited.post(Day::of(NOW), credits(1));
        }));
        join_all(threads);
        let figures = team.figures(NOW);
        assert_eq!((figures.total, figures.held), (credits(7), Amounts::ZERO));
    });
}

#[test]
fn a_raised_limit_wakes_who_waits() {
    explore(|| {
        let bell = Arc::new(Bell::default());
        let key = account(&bell);
        key.set_terms(terms(WORST));
        let first = bid_for(&[Arc::clone(&key)], 40).unwrap();
        let (waiting, rung) = (Arc::clone(&key), Arc::clone(&bell));
        let waiter = thread::spawn(move || drop(wait_for(&[waiting], &rung)));
        let edited = Arc::clone(&key);
        let editor = thread::spawn(move || edited.set_terms(terms(LIMIT)));
        join_all(vec![waiter, editor]);
        drop(first);
        assert_eq!(promised(&key), 0);
    });
}

#[test]
fn every_end_rings_once_an_account_and_a_lost_hold_stays() {
    explore(|| {
        let bell = Arc::new(Bell::default());
        let (key, team) = (account(&bell), account(&bell));
        let ends: [fn(Hold); 4] = [
            |hold| hold.mark_dispatched().settle(credits(5)),
            |hold| drop(hold.mark_dispatched().refused()),
            drop,
            |hold| drop(hold.mark_dispatched()),
        ];
        let spend = |end: fn(Hold)| {
            let both = [Arc::clone(&key), Arc::clone(&team)];
            thread::spawn(move || end(bid_for(&both, 25).unwrap()))
        };
        join_all(ends.into_iter().map(spend).collect());
        assert_eq!(bell.rings(), 6);
        for account in [&key, &team] {
            let figures = account.figures(NOW);
            assert_eq!((figures.total, figures.held), (credits(5), credits(25)));
        }
    });
}

#[test]
fn no_more_are_in_flight_and_no_more_tokens_out_than_the_pace_allows() {
    explore(|| {
        let bell = Arc::new(Bell::default());
        let (key, team) = (account(&bell), account(&bell));
        let pace = Pace {
            concurrent_requests: NonZeroU64::new(2),
            tokens_per_minute: NonZeroU64::new(100),
            ..Pace::default()
        };
        key.set_terms(Terms { pace, ..Terms::default() });
        let in_flight = Arc::new(AtomicUsize::new(0));
        let admitted = Arc::new(AtomicUsize::new(0));
        let orders = [vec![&key, &team], vec![&team, &key], vec![&key], vec![&key, &team]];
        let call = |(number, order): (usize, Vec<&Arc<Account>>)| {
            let order: Vec<_> = order.into_iter().cloned().collect();
            let (key, in_flight) = (Arc::clone(&key), Arc::clone(&in_flight));
            let admitted = Arc::clone(&admitted);
            thread::spawn(move || {
                let used = |_| 40;
                let worst = |_| Some(credits(1));
                let bid = Bid {
                    least: 1,
                    most: 1,
                    worst: &worst,
                    used: &used,
                    again: false,
                    take_what_is_free: false,
                };
                let Ok(mut hold) = admit(&order, &bid, NOW) else { return };
                let seat = hold.take_seat();
                assert!(in_flight.fetch_add(1, Ordering::SeqCst) < 2);
                assert!(key.pace(NOW).tokens <= 100);
                admitted.fetch_add(1, Ordering::SeqCst);
                if number == 0 {
                    drop(hold.mark_dispatched().refused());
                } else {
                    let mut sent = hold.mark_dispatched();
                    sent.count_tokens(10);
                    sent.settle(credits(1));
                }
                in_flight.fetch_sub(1, Ordering::SeqCst);
                drop(seat);
            })
        };
        join_all(orders.into_iter().enumerate().map(call).collect());
        let figures = key.pace(NOW);
        assert_eq!(figures.concurrent, 0);
        assert_eq!(figures.requests, u64::try_from(admitted.load(Ordering::SeqCst)).unwrap());
        assert!(figures.tokens <= 10 * figures.requests);
    });
}
