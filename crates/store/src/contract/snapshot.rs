//! What is loaded at a start: spend in the window it was admitted in, to the nano-dollar.
//! It is what every limit is checked against until the next start, so it must be all there.

use ledger::{Amounts, Day, Period, Tally};

use super::sample::{
    NOW, after, at, create, credits, entry, hash, key, loaded, settle, spent_on, total,
};
use crate::{Entry, Store};

pub(super) fn spend_is_split_at_the_day_asked_for(store: &dyn Store) {
    create(store, key(1));
    create(store, key(2));
    let days = ["2026-01-01T00:00:00Z", "2026-11-20T23:59:59.999999Z", "2026-11-21T00:00:00Z"];
    for (number, day) in (0..).zip(days) {
        let row = |generation: &str, cost| Entry {
            attempt: number,
            admitted_at: at(day),
            cost: credits(cost),
            ..entry(generation, hash(1))
        };
        settle(store, &row("gen-1", 10_i64.pow(number)));
        // Another model's sum is another row of the day, and counts as well.
        let other = Entry { model: "other".to_owned(), ..row("gen-2", 0) };
        settle(store, &other);
    }
    let mut expected = Tally::default();
    expected.post_before_days(credits(11));
    expected.post(Day::of(at("2026-11-21T00:00:00Z")), credits(100));
    let split = loaded(store, hash(1), Day::of(at("2026-11-21T18:00:00Z"))).unwrap();
    assert_eq!(split.record, key(1));
    assert_eq!(split.tally, expected);

    let mut all = Tally::default();
    all.post_before_days(credits(111));
    let past = loaded(store, hash(1), Day::of(at("2026-11-22T00:00:00Z"))).unwrap();
    assert_eq!(past.tally, all);

    let unused = loaded(store, hash(2), Day::from_number(0)).unwrap();
    assert_eq!((unused.tally, unused.last_used_at), (Tally::default(), None));
}

pub(super) fn spend_falls_in_the_day_of_its_admission_in_whatever_order_it_comes(
    store: &dyn Store,
) {
    create(store, key(1));
    let rows = [
        ("2026-11-23T00:00:00Z", 100),
        ("2026-11-22T23:59:59.999999Z", 10),
        ("2026-11-24T12:00:00Z", 1_000),
        ("2026-11-22T00:00:00Z", 1),
        ("2026-11-23T23:59:59.999999Z", 200),
    ];
    for (attempt, (moment, cost)) in (0..).zip(rows) {
        let row = Entry {
            attempt,
            admitted_at: at(moment),
            cost: credits(cost),
            ..entry("gen-1", hash(1))
        };
        settle(store, &row);
    }
    assert_eq!(spent_on(store, hash(1), "2026-11-21T12:00:00Z"), Amounts::ZERO);
    assert_eq!(spent_on(store, hash(1), "2026-11-22T12:00:00Z"), credits(11));
    assert_eq!(spent_on(store, hash(1), "2026-11-23T12:00:00Z"), credits(300));
    assert_eq!(spent_on(store, hash(1), "2026-11-24T12:00:00Z"), credits(1_000));
    assert_eq!(total(store, hash(1)), credits(1_311));

    // 2026-11-22 was a Sunday, so a week ends at its midnight.
    let day = Day::of(at("2026-11-24T12:00:00Z"));
    let tally = loaded(store, hash(1), day.plus(-40)).unwrap().tally;
    assert_eq!(tally.settled(Period::Week.window(day)), credits(1_300));
    assert_eq!(tally.settled(Period::Month.window(day)), credits(1_311));
}

pub(super) fn the_last_use_is_the_latest_admission(store: &dyn Store) {
    create(store, key(1));
    for (attempt, seconds) in (0..).zip([60, 90, 30]) {
        let row = Entry { attempt, admitted_at: after(seconds), ..entry("gen-1", hash(1)) };
        settle(store, &row);
    }
    let key = loaded(store, hash(1), Day::from_number(0)).unwrap();
    assert_eq!(key.last_used_at, Some(after(90)));
}

pub(super) fn the_newest_days_are_those_with_rows(store: &dyn Store) {
    assert_eq!(store.newest_days(3).unwrap(), None);
    let today = Day::of(NOW);
    for (number, days_ago) in [900, 40, 40, 0, 3].into_iter().enumerate() {
        let admitted_at = today.plus(-days_ago).start();
        let row = Entry { admitted_at, ..entry(&format!("gen-{number}"), hash(1)) };
        settle(store, &row);
    }
    for (days, first) in [(1, 0), (2, 3), (3, 40), (4, 900), (9, 900)] {
        assert_eq!(store.newest_days(days).unwrap(), Some(today.plus(-first)), "{days} days");
    }
}
