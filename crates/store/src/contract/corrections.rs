//! Corrections: a further row each, which moves an attempt to another cost and nothing else.
//! It counts on the day of the original, since that is the window the money was spent in.

use ledger::{Amounts, Day};
use money::Money;

use super::sample::{
    at, commit_all, correct, create, credits, edit, entry, hash, key, loaded, recorded, settle,
    settlement, spent_on, total,
};
use crate::{AuditPage, Edit, Entry, KeyRecord, Kind, Outcome, Store, Tokens};

/// The row of a correction, or a panic.
fn corrected(outcome: Outcome) -> Entry {
    match outcome {
        Outcome::Corrected { entry } => *entry,
        other => panic!("not corrected: {other:?}"),
    }
}

pub(super) fn a_correction_books_the_difference_and_dates_it_as_the_original(store: &dyn Store) {
    create(store, key(1));
    let original = Entry {
        admitted_at: at("2026-11-21T23:59:59.999999Z"),
        cost: credits(1_000),
        ..entry("gen-1", hash(1))
    };
    settle(store, &original);
    let amounts =
        |credits, byok| Amounts { credits: Money::nanos(credits), byok: Money::nanos(byok) };
    let steps = [
        (amounts(400, 30), amounts(-600, 30)),
        (amounts(2_500, 30), amounts(2_100, 0)),
        (Amounts::ZERO, amounts(-2_500, -30)),
    ];
    let mut rows = vec![original.clone()];
    for (number, (cost, difference)) in (1..).zip(steps) {
        let row = corrected(correct(store, "gen-1", 0, cost));
        let expected = Entry {
            kind: Kind::Correction(number),
            cost: difference,
            held: Amounts::ZERO,
            tokens: Tokens::default(),
            cache_discount: None,
            ..original.clone()
        };
        assert_eq!(row, expected);
        rows.push(row);
        assert_eq!(total(store, hash(1)), cost);
        assert_eq!(spent_on(store, hash(1), "2026-11-21T00:00:00Z"), cost);
        assert_eq!(spent_on(store, hash(1), "2026-11-22T00:00:00Z"), Amounts::ZERO);
    }
    assert_eq!(store.generation("gen-1").unwrap(), rows);
    assert_eq!(store.audit().unwrap().differences, []);
}

pub(super) fn a_correction_counts_no_request_and_is_no_use(store: &dyn Store) {
    create(store, key(1));
    let original = entry("gen-1", hash(1));
    // One that comes as a row of its own, as from another book, with a later date and tokens.
    let correction = Entry {
        kind: Kind::Correction(1),
        admitted_at: at("2026-11-23T00:00:00Z"),
        cost: credits(-1),
        ..original.clone()
    };
    settle(store, &original);
    assert_eq!(settle(store, &correction), (credits(-1), true));
    let key = loaded(store, hash(1), Day::of(original.admitted_at)).unwrap();
    assert_eq!(key.last_used_at, Some(original.admitted_at));
    assert_eq!(store.audit().unwrap().differences, []);
    let next = corrected(correct(store, "gen-1", 0, original.cost));
    assert_eq!((next.kind, next.cost), (Kind::Correction(2), credits(1)));
}

pub(super) fn a_key_comes_with_what_it_had_spent_or_not_at_all(store: &dyn Store) {
    let opening = Entry {
        kind: Kind::Opening,
        admitted_at: at("2026-11-21T23:59:59Z"),
        cost: credits(1_500),
        tokens: Tokens::default(),
        ..entry("opening-1", hash(1))
    };
    let later = Entry {
        attempt: 1,
        admitted_at: at("2026-11-22T00:00:00Z"),
        cost: Amounts { credits: Money::nanos(20), byok: Money::nanos(7) },
        ..opening.clone()
    };
    let made = |openings: &[Entry]| Edit::CreateKey {
        key: KeyRecord { second_hash: None, ..key(1) },
        idempotent: None,
        openings: openings.to_vec(),
    };
    let both = [opening.clone(), later.clone()];
    assert_eq!(edit(store, made(&both)), Outcome::Done);
    let all = Amounts { credits: Money::nanos(1_520), byok: Money::nanos(7) };
    assert_eq!(total(store, hash(1)), all);
    assert_eq!(spent_on(store, hash(1), "2026-11-21T00:00:00Z"), credits(1_500));
    assert_eq!(spent_on(store, hash(1), "2026-11-22T00:00:00Z"), later.cost);
    let key = loaded(store, hash(1), Day::of(opening.admitted_at)).unwrap();
    assert_eq!(key.last_used_at, None, "it was used elsewhere");
    assert_eq!(store.generation("opening-1").unwrap(), both);
    assert_eq!(store.unresolved(9).unwrap(), []);
    assert_eq!(correct(store, "opening-1", 0, credits(1)), Outcome::Missing);
    // A hash that is known is refused, and its opening with it.
    let again = Entry { generation: "opening-2".to_owned(), ..opening.clone() };
    assert_eq!(edit(store, made(&[again])), Outcome::Conflict);
    assert_eq!(total(store, hash(1)), all);
    assert_eq!(store.generation("opening-2").unwrap(), []);
    assert_eq!(store.audit().unwrap().differences, []);
}

pub(super) fn correcting_to_the_same_cost_books_a_row_of_nothing(store: &dyn Store) {
    create(store, key(1));
    let original = entry("gen-1", hash(1));
    settle(store, &original);
    let row = corrected(correct(store, "gen-1", 0, original.cost));
    assert_eq!(row.cost, Amounts::ZERO);
    assert_eq!(store.generation("gen-1").unwrap(), [original.clone(), row]);
    assert_eq!(total(store, hash(1)), original.cost);
}

pub(super) fn correcting_what_is_not_there_is_missing(store: &dyn Store) {
    let original = entry("gen-1", hash(1));
    settle(store, &original);
    assert_eq!(correct(store, "gen-2", 0, Amounts::ZERO), Outcome::Missing);
    assert_eq!(correct(store, "gen-1", 1, Amounts::ZERO), Outcome::Missing);
    assert_eq!(store.generation("gen-1").unwrap(), [original]);
    assert_eq!(store.audit_log(&AuditPage::newest(9)).unwrap().rows, []);
}

pub(super) fn a_correction_sees_the_settlement_before_it_in_its_batch(store: &dyn Store) {
    create(store, key(1));
    let to = |cost| recorded(Edit::Correct { generation: "gen-1".to_owned(), attempt: 0, cost });
    let original = Entry { cost: credits(10), ..entry("gen-1", hash(1)) };
    let changes = [to(credits(1)), settlement(&original), to(credits(4)), to(credits(5))];
    let [missing, _, first, second] = commit_all(store, &changes).try_into().unwrap();
    assert_eq!(missing, Outcome::Missing);
    assert_eq!(corrected(first).cost, credits(-6));
    assert_eq!(corrected(second).cost, credits(1));
    assert_eq!(total(store, hash(1)), credits(5));
}

pub(super) fn a_difference_past_the_largest_amount_is_refused(store: &dyn Store) {
    let owed = Entry { cost: credits(-2), ..entry("gen-1", hash(1)) };
    settle(store, &owed);
    assert_eq!(correct(store, "gen-1", 0, Amounts::credits(Money::MAX)), Outcome::Conflict);
    assert_eq!(store.generation("gen-1").unwrap(), [owed]);
    assert_eq!(store.audit_log(&AuditPage::newest(9)).unwrap().rows, []);
}

pub(super) fn a_settlement_that_comes_again_after_its_correction_changes_nothing(
    store: &dyn Store,
) {
    create(store, key(1));
    let original = entry("gen-1", hash(1));
    settle(store, &original);
    correct(store, "gen-1", 0, credits(3));
    assert_eq!(settle(store, &original), (original.cost, false));
    assert_eq!(total(store, hash(1)), credits(3));
}
