//! The daily sums: by day and endpoint, corrections and deleted keys included, and all together.
//! Whatever is told apart or left out, what is shown is the sum of its rows.

use ledger::{Amounts, Day};
use money::Money;

use super::sample::{
    NOW, at, correct, create, credits, delete, entry, hash, key, settle, workspace,
};
use crate::{
    Activity, ActivityFigures, ActivityFilter, ActivityGroup, Entry, KeyHash, Store, Tokens,
};

/// Everything on the day of [`NOW`] and the day before.
fn all() -> ActivityFilter {
    let last = Day::of(NOW);
    ActivityFilter {
        first: last.plus(-1),
        last,
        key: None,
        workspace: None,
        creator: None,
        by_workspace: false,
    }
}

fn row(generation: &str, key: KeyHash, cost: i64) -> Entry {
    Entry { cost: credits(cost), ..entry(generation, key) }
}

/// What the credits of each sum are, in nano-dollars, in the order of the sums.
fn costs(store: &dyn Store, filter: &ActivityFilter) -> Vec<i64> {
    let activity = store.activity(filter).unwrap();
    activity.values().map(|figures| figures.cost.credits.as_nanos()).collect()
}

pub(super) fn rows_of_a_day_and_an_endpoint_add_up(store: &dyn Store) {
    let amounts =
        |credits, byok| Amounts { credits: Money::nanos(credits), byok: Money::nanos(byok) };
    let row = |generation: &str, number, cost| Entry {
        workspace: workspace(number),
        creator: (number == 1).then(|| "member".to_owned()),
        cost,
        ..entry(generation, hash(number))
    };
    settle(store, &row("gen-1", 1, amounts(1_000, 70)));
    settle(store, &row("gen-2", 2, amounts(500, 0)));
    settle(store, &Entry { attempt: 1, ..row("gen-2", 2, amounts(5, 0)) });
    correct(store, "gen-1", 0, amounts(900, 80));
    let other = Entry { upstream_model: "mini-2".to_owned(), ..row("gen-3", 1, amounts(3, 0)) };
    settle(store, &other);
    let earlier = Entry {
        admitted_at: at("2026-11-21T23:59:59.999999Z"),
        tokens: Tokens { prompt: 1, ..Tokens::default() },
        ..row("gen-4", 1, amounts(7, 0))
    };
    settle(store, &earlier);

    let today = ActivityGroup {
        day: Day::of(NOW),
        workspace: None,
        model: "openai/gpt-4o-mini".to_owned(),
        provider: "openai".to_owned(),
        upstream_model: "gpt-4o-mini".to_owned(),
    };
    let figures = |cost, requests| ActivityFigures {
        cost,
        requests,
        prompt_tokens: 300 * requests,
        completion_tokens: 20 * requests,
        reasoning_tokens: 11 * requests,
        cached_tokens: 100 * requests,
    };
    let one = ActivityFigures { requests: 1, prompt_tokens: 1, ..ActivityFigures::default() };
    let expected = Activity::from([
        (today.clone(), figures(amounts(1_405, 80), 3)),
        (
            ActivityGroup { upstream_model: "mini-2".to_owned(), ..today.clone() },
            figures(amounts(3, 0), 1),
        ),
        (
            ActivityGroup { day: today.day.plus(-1), ..today },
            ActivityFigures { cost: amounts(7, 0), ..one },
        ),
    ]);
    assert_eq!(store.activity(&all()).unwrap(), expected);
}

pub(super) fn workspaces_are_told_apart_where_that_is_asked_for(store: &dyn Store) {
    for (number, cost) in [(2, 20), (1, 3), (2, 40)] {
        let entry = row(&format!("gen-{cost}"), hash(1), cost);
        settle(store, &Entry { workspace: workspace(number), ..entry });
    }
    assert_eq!(costs(store, &all()), [63]);
    let apart = store.activity(&ActivityFilter { by_workspace: true, ..all() }).unwrap();
    let apart = apart.iter().map(|(group, figures)| (group.workspace, figures.cost));
    let expected = [(Some(workspace(1)), credits(3)), (Some(workspace(2)), credits(60))];
    assert_eq!(apart.collect::<Vec<_>>(), expected);
}

pub(super) fn only_what_was_asked_for_is_counted(store: &dyn Store) {
    let days = ["2026-11-20T23:59:59Z", "2026-11-21T00:00:00Z", "2026-11-22T23:59:59Z"];
    let days = days.into_iter().chain(["2026-11-23T00:00:00Z"]);
    for (number, (day, cost)) in days.zip([1_000, 1, 10, 10_000]).enumerate() {
        let entry = row(&format!("gen-{number}"), hash(1), cost);
        settle(store, &Entry { admitted_at: at(day), ..entry });
    }
    settle(store, &row("gen-key", hash(2), 100));
    let other = Entry { workspace: workspace(2), ..row("gen-workspace", hash(1), 200) };
    settle(store, &other);
    settle(store, &Entry { creator: None, ..row("gen-creator", hash(1), 400) });

    let today = all().last;
    for (filter, expected) in [
        (all(), &[1, 710][..]),
        (ActivityFilter { first: today, ..all() }, &[710]),
        (ActivityFilter { last: today.plus(-1), ..all() }, &[1]),
        (ActivityFilter { first: today, last: today.plus(-1), ..all() }, &[]),
        (ActivityFilter { key: Some(hash(2)), ..all() }, &[100]),
        (ActivityFilter { key: Some(hash(1)), ..all() }, &[1, 610]),
        (ActivityFilter { key: Some(hash(3)), ..all() }, &[]),
        (ActivityFilter { workspace: Some(workspace(2)), ..all() }, &[200]),
        (ActivityFilter { creator: Some("member".to_owned()), ..all() }, &[1, 310]),
        (
            ActivityFilter {
                key: Some(hash(1)),
                workspace: Some(workspace(1)),
                creator: Some("member".to_owned()),
                ..all()
            },
            &[1, 10],
        ),
    ] {
        assert_eq!(costs(store, &filter), expected, "{filter:?}");
    }
}

pub(super) fn what_a_deleted_key_was_charged_counts_for_ever(store: &dyn Store) {
    assert_eq!(store.charged().unwrap(), Amounts::ZERO);
    create(store, key(1));
    let cost = Amounts { credits: Money::nanos(40), byok: Money::nanos(5) };
    settle(store, &Entry { cost, ..entry("gen-1", hash(1)) });
    let old = at("2020-01-01T00:00:00Z");
    settle(store, &Entry { admitted_at: old, ..row("gen-2", hash(2), 300) });
    delete(store, hash(1));
    correct(store, "gen-2", 0, credits(200));
    assert_eq!(store.charged().unwrap(), cost.checked_add(credits(200)).unwrap());
    assert_eq!(costs(store, &ActivityFilter { key: Some(hash(1)), ..all() }), [40]);
}

pub(super) fn a_sum_past_the_largest_amount_stays_at_it(store: &dyn Store) {
    for number in 1..4 {
        settle(store, &row(&format!("gen-{number}"), hash(number), i64::MAX));
    }
    assert_eq!(costs(store, &all()), [i64::MAX]);
    assert_eq!(store.charged().unwrap(), credits(i64::MAX));
}
