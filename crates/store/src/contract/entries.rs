//! Rows of the book: each counts once, and is never lost or changed.
//! The first settlement of an attempt wins, however often another comes (DESIGN I4).

use ledger::Amounts;
use money::Money;

use super::sample::{
    NOW, after, bare_entry, commit_all, correct, create, credits, delete, entry, hash, key, settle,
    settlement, total,
};
use crate::{Entry, Kind, Outcome, Source, Store, Tokens};

pub(super) fn a_row_reads_back_as_it_was_written(store: &dyn Store) {
    let full = entry("gen-full", hash(1));
    let bare = bare_entry("gen-bare", hash(1));
    let worded = Entry {
        admitted_at: "2026-11-22T12:00:00.123456Z".parse().unwrap(),
        source: Source::Counted,
        finish_reason: Some(String::new()),
        session: Some("null \0, quote ', line\n".to_owned()),
        ..entry("gen-worded", hash(1))
    };
    for row in [full, bare, worded] {
        assert_eq!(settle(store, &row), (row.cost, true));
        assert_eq!(store.generation(&row.generation).unwrap(), [row]);
    }
    assert_eq!(store.generation("gen-unknown").unwrap(), []);
}

pub(super) fn the_first_settlement_wins(store: &dyn Store) {
    create(store, key(1));
    let first = Entry { source: Source::Interrupted, ..entry("gen-1", hash(1)) };
    let late = Entry { cost: credits(9), source: Source::Reported, ..first.clone() };
    assert_eq!(settle(store, &first), (first.cost, true));
    assert_eq!(settle(store, &late), (first.cost, false));
    assert_eq!(settle(store, &late), (first.cost, false));
    assert_eq!(total(store, hash(1)), first.cost);
    assert_eq!(store.generation("gen-1").unwrap(), [first]);
}

pub(super) fn a_repeat_in_one_batch_counts_once(store: &dyn Store) {
    create(store, key(1));
    let first = entry("gen-1", hash(1));
    let repeat = Entry { cost: credits(9), ..first.clone() };
    let second_attempt = Entry { attempt: 1, cost: credits(50), ..first.clone() };
    let changes = [&first, &repeat, &second_attempt, &first].map(settlement);
    let settled = |cost, is_new| Outcome::Settled { cost, is_new };
    assert_eq!(
        commit_all(store, &changes),
        [
            settled(first.cost, true),
            settled(first.cost, false),
            settled(credits(50), true),
            settled(first.cost, false),
        ]
    );
    assert_eq!(Some(total(store, hash(1))), first.cost.checked_add(credits(50)));
}

pub(super) fn a_generation_lists_attempts_in_order_each_with_its_corrections(store: &dyn Store) {
    let second = Entry { attempt: 1, admitted_at: after(-60), ..entry("gen-1", hash(1)) };
    settle(store, &second);
    settle(store, &entry("gen-1", hash(1)));
    settle(store, &entry("gen-10", hash(1)));
    correct(store, "gen-1", 1, credits(1));
    correct(store, "gen-1", 0, credits(2));
    correct(store, "gen-1", 1, credits(3));
    let rows = store.generation("gen-1").unwrap();
    let order: Vec<(u32, Kind)> = rows.iter().map(|row| (row.attempt, row.kind)).collect();
    assert_eq!(
        order,
        [
            (0, Kind::Attempt),
            (0, Kind::Correction(1)),
            (1, Kind::Attempt),
            (1, Kind::Correction(1)),
            (1, Kind::Correction(2)),
        ]
    );
}

pub(super) fn what_is_charged_to_a_key_that_is_gone_is_kept(store: &dyn Store) {
    create(store, key(1));
    delete(store, hash(1));
    for (generation, payer) in [("gen-deleted", hash(1)), ("gen-unknown", hash(2))] {
        let row = entry(generation, payer);
        assert_eq!(settle(store, &row), (row.cost, true));
        assert_eq!(store.generation(generation).unwrap(), [row]);
    }
    let report = store.audit().unwrap();
    assert_eq!((report.rows, report.keys, report.differences), (2, 2, vec![]));
}

pub(super) fn what_is_uncertain_is_listed_oldest_first_until_it_is_corrected(store: &dyn Store) {
    let uncertain = |generation: &str, source, seconds| {
        let row = Entry { source, admitted_at: after(seconds), ..entry(generation, hash(1)) };
        settle(store, &row);
        row
    };
    let newest = uncertain("gen-a", Source::Held, 30);
    let oldest = uncertain("gen-d", Source::Interrupted, 10);
    let tied = uncertain("gen-b", Source::Interrupted, 30);
    uncertain("gen-c", Source::Reported, 0);
    uncertain("gen-e", Source::Counted, 0);
    assert_eq!(store.unresolved(9).unwrap(), [oldest.clone(), newest.clone(), tied.clone()]);
    assert_eq!(store.unresolved(2).unwrap(), [oldest.clone(), newest.clone()]);
    assert_eq!(store.unresolved(0).unwrap(), []);

    // A correction that changes nothing says as much as any other: a person has looked.
    correct(store, "gen-a", 0, newest.cost);
    correct(store, "gen-d", 0, Amounts::ZERO);
    assert_eq!(store.unresolved(9).unwrap(), [tied]);
}

pub(super) fn a_sum_past_the_largest_amount_stops_nothing(store: &dyn Store) {
    create(store, key(1));
    let absurd = |generation: &str| Entry {
        cost: Amounts { credits: Money::MAX, byok: Money::MAX },
        tokens: Tokens { prompt: u64::MAX, completion: u64::MAX, ..Tokens::default() },
        ..entry(generation, hash(1))
    };
    assert!(settle(store, &absurd("gen-1")).1);
    assert!(settle(store, &absurd("gen-2")).1);
    let batch = [&absurd("gen-3"), &absurd("gen-4")].map(settlement);
    assert_eq!(commit_all(store, &batch).len(), 2);
    assert_eq!(total(store, hash(1)), Amounts { credits: Money::MAX, byok: Money::MAX });

    create(store, key(2));
    let next = Entry { admitted_at: NOW, ..entry("gen-5", hash(2)) };
    assert_eq!(settle(store, &next), (next.cost, true));
    assert_eq!(total(store, hash(2)), next.cost);
    store.audit().unwrap();
}
