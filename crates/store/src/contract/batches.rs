//! Batches: all of one or nothing, each change by itself, whoever else is writing or reading.
//! Threads race here for real, so a failure may need more than one run to show.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use ledger::Amounts;

use super::sample::{
    commit_all, correct, create, credits, entry, hash, key, management_key, recorded, settlement,
    total,
};
use crate::{AuditPage, Change, Edit, Entry, KeyRecord, Outcome, Store};

/// Threads that race, and how often each commits.
const THREADS: u32 = 4;
const ROUNDS: u32 = 25;

pub(super) fn outcomes_come_in_the_order_of_the_changes(store: &dyn Store) {
    let row = entry("gen-1", hash(1));
    let make = |number| {
        recorded(Edit::CreateKey { key: key(number), idempotent: None, openings: Vec::new() })
    };
    let changes = [make(1), settlement(&row), make(1), settlement(&row), make(2)];
    let settled = |is_new| Outcome::Settled { cost: row.cost, is_new };
    assert_eq!(
        commit_all(store, &changes),
        [Outcome::Done, settled(true), Outcome::Conflict, settled(false), Outcome::Done]
    );
}

pub(super) fn a_change_that_fails_leaves_nothing_and_disturbs_no_other(store: &dyn Store) {
    create(store, key(1));
    let thief = KeyRecord { second_hash: key(1).second_hash, ..key(2) };
    let stale = KeyRecord { version: 9, name: "stale".to_owned(), ..key(1) };
    let renamed = KeyRecord { name: "renamed".to_owned(), ..key(1) };
    let correction =
        Edit::Correct { generation: "gen-9".to_owned(), attempt: 0, cost: Amounts::ZERO };
    let changes: Vec<Change> = vec![
        recorded(Edit::CreateKey { key: thief, idempotent: None, openings: Vec::new() }),
        settlement(&entry("gen-1", hash(1))),
        recorded(Edit::UpdateKey(stale)),
        recorded(correction),
        recorded(Edit::UpdateKey(renamed)),
        // The hash that the thief did not get is still free.
        recorded(Edit::CreateKey { key: key(2), idempotent: None, openings: Vec::new() }),
        recorded(Edit::CreateManagementKey(management_key(2))),
        recorded(Edit::CreateManagementKey(management_key(3))),
    ];
    let outcomes = commit_all(store, &changes);
    let settled = Outcome::Settled { cost: entry("gen-1", hash(1)).cost, is_new: true };
    assert_eq!(
        outcomes,
        [
            Outcome::Conflict,
            settled,
            Outcome::Conflict,
            Outcome::Missing,
            Outcome::Done,
            Outcome::Done,
            Outcome::Conflict,
            Outcome::Done,
        ]
    );
    assert_eq!(total(store, hash(1)), entry("gen-1", hash(1)).cost);
    assert_eq!(store.audit_log(&AuditPage::newest(99)).unwrap().rows.len(), 4);
}

pub(super) fn an_empty_batch_is_no_error(store: &dyn Store) {
    assert_eq!(commit_all(store, &[]), []);
}

pub(super) fn of_racing_settlements_exactly_one_is_first(store: &dyn Store) {
    create(store, key(1));
    // Each thread would settle each generation at a cost of its own.
    let race = |thread: u32| {
        (0..ROUNDS).map(move |round| {
            let row = Entry {
                cost: credits(i64::from(thread) + 1),
                ..entry(&format!("gen-{round}"), hash(1))
            };
            match commit_all(store, &[settlement(&row)]).remove(0) {
                Outcome::Settled { cost, is_new } => (round, cost, is_new),
                other => panic!("not settled: {other:?}"),
            }
        })
    };
    let settled: Vec<(u32, Amounts, bool)> = thread::scope(|scope| {
        let racing: Vec<_> = (0..THREADS)
            .map(|thread| scope.spawn(move || race(thread).collect::<Vec<_>>()))
            .collect();
        racing.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let mut sum = Amounts::ZERO;
    for round in 0..ROUNDS {
        let of_round = || settled.iter().filter(|(other, _, _)| *other == round);
        let first: Vec<Amounts> =
            of_round().filter(|(_, _, is_new)| *is_new).map(|(_, cost, _)| *cost).collect();
        assert_eq!(first.len(), 1, "round {round}");
        assert!(of_round().all(|(_, cost, _)| *cost == first[0]), "round {round}");
        sum = sum.checked_add(first[0]).unwrap();
    }
    assert_eq!(total(store, hash(1)), sum);
    assert_eq!(store.audit().unwrap().differences, []);
}

pub(super) fn a_report_is_of_one_moment(store: &dyn Store) {
    create(store, key(1));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                let report = store.audit().unwrap();
                assert_eq!((report.rows % 2, report.differences), (0, vec![]));
                let spent = total(store, hash(1)).credits.as_nanos();
                assert_eq!(spent % 10, 0, "half a batch was seen");
            }
        });
        for round in 0..ROUNDS {
            let row = |attempt, cost| Entry {
                attempt,
                cost: credits(cost),
                ..entry(&format!("gen-{round}"), hash(1))
            };
            commit_all(store, &[settlement(&row(0, 3)), settlement(&row(1, 7))]);
        }
        done.store(true, Ordering::Release);
        reader.join().unwrap();
    });
    correct(store, "gen-0", 0, credits(13));
    assert_eq!(total(store, hash(1)), credits(i64::from(ROUNDS) * 10 + 10));
}
