//! Retention: old rows give way to sealed ones, no figure changes, and nothing counts twice.
//! `NOW` is the day before which everything is old here.

use jiff::Timestamp;
use ledger::{Amounts, Day};

use super::sample::{
    NOW, after, audit_row, commit, commit_all, correct, create, credits, delete, entry, export,
    hash, key, loaded, settle, settlement, workspace,
};
use crate::{
    AuditPage, Change, Entry, ExportLine, KeyHash, Kind, Outcome, Place, Report, Seal, SealedRow,
    Sealing, Source, Store, Tokens,
};

fn today() -> Day {
    Day::of(NOW)
}

fn days_ago(days: i32) -> Timestamp {
    today().plus(-days).start()
}

fn old(generation: &str, payer: KeyHash) -> Entry {
    Entry { admitted_at: days_ago(1), ..entry(generation, payer) }
}

fn batch(from: Option<Place>, rows_max: usize) -> Seal {
    Seal { before: today(), from, rows_max, audit: None }
}

fn seal_with(store: &dyn Store, seal: Seal) -> Sealing {
    match commit(store, Change::Seal(Box::new(seal))) {
        Outcome::Sealed(sealing) => sealing,
        other => panic!("not sealed: {other:?}"),
    }
}

/// Seals all that may be.
fn seal(store: &dyn Store) -> Sealing {
    let would_be = store.sealable(today()).unwrap();
    let sealed = seal_with(store, batch(None, usize::MAX));
    assert_eq!(sealed, would_be);
    sealed
}

fn counts(generations: u64, rows: u64, spared: u64) -> Sealing {
    Sealing { generations, rows, spared, next: None }
}

fn sealed_rows(store: &dyn Store) -> Vec<SealedRow> {
    let sealed = export(store).into_iter().filter_map(|line| match line {
        ExportLine::Sealed(row) => Some(*row),
        _ => None,
    });
    sealed.collect()
}

/// Every figure there is: of each key by day and in all, of the audit, and the days with rows.
fn figures(store: &dyn Store) -> (Vec<String>, Report, Vec<Option<Day>>) {
    let days = || (-5..3).map(|day| today().plus(day));
    let of_key = |number| {
        days().map(move |since| {
            let key = loaded(store, hash(number), since);
            format!("{:?}", key.map(|key| (key.tally, key.last_used_at)))
        })
    };
    let newest = (1..6).map(|days| store.newest_days(days).unwrap());
    ((1..4).flat_map(of_key).collect(), store.audit().unwrap(), newest.collect())
}

pub(super) fn sealing_changes_no_figure(store: &dyn Store) {
    (1..4).for_each(|number| drop(create(store, key(number))));
    for (number, days) in (0_u32..).zip([4, 3, 3, 1, 1, 0]) {
        let row = Entry {
            attempt: number % 2,
            admitted_at: days_ago(days) + jiff::SignedDuration::from_secs(i64::from(number)),
            model: ["a", "b"][usize::from(number > 1)].to_owned(),
            provider: ["x", "y"][usize::from(number == 2)].to_owned(),
            upstream_model: ["a", "b"][usize::from(number == 3)].to_owned(),
            workspace: workspace(u8::from(number == 4)),
            creator: (number > 2).then(|| "member".to_owned()),
            ..entry(&format!("gen-{}", number / 2), hash(1 + u8::from(number > 1)))
        };
        settle(store, &row);
    }
    correct(store, "gen-0", 0, credits(3));
    correct(store, "gen-1", 0, Amounts::ZERO);
    settle(store, &old("gen-unknown", hash(9)));
    delete(store, hash(2));
    let before = figures(store);
    assert_eq!(before.1.differences, []);
    // The last two attempts are of one generation, and one of them is of today.
    assert_eq!(seal(store), counts(3, 7, 1));
    assert_eq!(figures(store), before);
    assert_eq!(seal(store), counts(0, 0, 1));
    assert_eq!(figures(store), before);
    for generation in ["gen-0", "gen-1", "gen-unknown"] {
        assert_eq!(store.generation(generation).unwrap(), [], "{generation}");
    }
}

pub(super) fn one_row_stands_for_a_day_key_model_and_provider(store: &dyn Store) {
    create(store, key(1));
    let first = Entry { cost: credits(10), creator: None, ..old("gen-1", hash(1)) };
    let later = first.admitted_at + jiff::SignedDuration::from_secs(60);
    settle(store, &first);
    settle(store, &Entry { attempt: 1, admitted_at: later, ..first.clone() });
    settle(store, &Entry { generation: "gen-2".to_owned(), ..first.clone() });
    correct(store, "gen-2", 0, credits(7));
    settle(store, &Entry { model: "other".to_owned(), ..old("gen-3", hash(1)) });
    seal(store);
    let sum = SealedRow {
        day: today().plus(-1),
        key: hash(1),
        workspace: workspace(1),
        creator: None,
        model: "openai/gpt-4o-mini".to_owned(),
        provider: "openai".to_owned(),
        upstream_model: "gpt-4o-mini".to_owned(),
        rows: 4,
        requests: 3,
        cost: credits(27),
        tokens: Tokens { prompt: 900, completion: 60, cached: 300, cache_write: 21, reasoning: 33 },
        last_used_at: Some(later),
    };
    let other = SealedRow::of(&Entry { model: "other".to_owned(), ..old("gen-3", hash(1)) });
    assert_eq!(sealed_rows(store), [sum.clone(), other.clone()]);

    // What comes later for that day is added.
    settle(store, &Entry { generation: "gen-4".to_owned(), ..first });
    assert_eq!(seal(store), counts(1, 1, 0));
    let grown = SealedRow {
        rows: 5,
        requests: 4,
        cost: credits(37),
        tokens: Tokens {
            prompt: 1_200,
            completion: 80,
            cached: 400,
            cache_write: 28,
            reasoning: 44,
        },
        ..sum
    };
    assert_eq!(sealed_rows(store), [grown, other]);
}

pub(super) fn what_was_sealed_counts_nothing_when_it_is_settled_again(store: &dyn Store) {
    create(store, key(1));
    let first = old("gen-1", hash(1));
    let second = Entry { attempt: 1, ..first.clone() };
    settle(store, &first);
    settle(store, &second);
    correct(store, "gen-1", 0, credits(3));
    let before = figures(store);
    seal(store);
    let interrupted = Entry { source: Source::Interrupted, cost: first.held, ..first.clone() };
    for repeat in [&first, &second, &interrupted] {
        assert_eq!(settle(store, repeat), (repeat.cost, false));
    }
    let correction = Entry { kind: Kind::Correction(1), cost: credits(-997), ..first.clone() };
    assert_eq!(settle(store, &correction), (correction.cost, false));
    assert_eq!(correct(store, "gen-1", 0, Amounts::ZERO), Outcome::Missing);
    assert_eq!(figures(store), before);
    assert_eq!(store.generation("gen-1").unwrap(), []);

    // Only those: another attempt, and another generation of that day, were never there.
    let third = Entry { attempt: 2, ..first.clone() };
    let other = Entry { generation: "gen-2".to_owned(), ..first };
    assert!(settle(store, &third).1 && settle(store, &other).1);
    assert_eq!(store.audit().unwrap().rows, 5);
}

pub(super) fn a_repeat_after_the_sealing_in_one_batch_counts_nothing(store: &dyn Store) {
    create(store, key(1));
    let row = old("gen-1", hash(1));
    let seal = Change::Seal(Box::new(batch(None, 9)));
    let outcomes = commit_all(store, &[settlement(&row), seal, settlement(&row)]);
    let settled = |is_new| Outcome::Settled { cost: row.cost, is_new };
    assert_eq!(outcomes, [settled(true), Outcome::Sealed(counts(1, 1, 0)), settled(false)]);
    let report = store.audit().unwrap();
    assert_eq!((report.rows, report.keys, report.differences), (1, 1, vec![]));
}

pub(super) fn what_is_unresolved_is_spared_until_it_is_corrected(store: &dyn Store) {
    for (generation, source) in [("gen-1", Source::Interrupted), ("gen-2", Source::Held)] {
        settle(store, &Entry { source, ..old(generation, hash(1)) });
        // An attempt that is well known goes with the other, or stays with it.
        settle(store, &Entry { attempt: 1, ..old(generation, hash(1)) });
    }
    assert_eq!(seal(store), counts(0, 0, 2));
    assert_eq!(store.unresolved(9).unwrap().len(), 2);
    assert_eq!(store.generation("gen-1").unwrap().len(), 2);
    correct(store, "gen-1", 0, Amounts::ZERO);
    assert_eq!(seal(store), counts(1, 3, 1));
    assert_eq!(store.unresolved(9).unwrap().len(), 1);
    assert_eq!(store.audit().unwrap().differences, []);
}

pub(super) fn a_generation_is_sealed_whole_and_what_is_young_is_spared(store: &dyn Store) {
    let last = today().start() - jiff::SignedDuration::from_micros(1);
    settle(store, &Entry { admitted_at: last, ..entry("gen-old", hash(1)) });
    settle(store, &Entry { admitted_at: today().start(), ..entry("gen-young", hash(1)) });
    settle(store, &old("gen-both", hash(1)));
    settle(store, &Entry { attempt: 1, ..entry("gen-both", hash(1)) });
    assert_eq!(seal(store), counts(1, 1, 1));
    assert_eq!(store.generation("gen-old").unwrap(), []);
    assert_eq!(store.generation("gen-young").unwrap().len(), 1);
    assert_eq!(store.generation("gen-both").unwrap().len(), 2);
}

pub(super) fn batches_are_bounded_and_go_on_where_the_last_one_ended(store: &dyn Store) {
    create(store, key(1));
    for number in 0..7_i64 {
        let admitted_at = after(number / 2 - 86_400);
        let source = if number == 1 { Source::Held } else { Source::Reported };
        settle(store, &Entry { admitted_at, source, ..entry(&format!("gen-{number}"), hash(1)) });
    }
    // Its second row stands last, and is gone by then.
    settle(store, &Entry { attempt: 1, admitted_at: after(-86_390), ..entry("gen-0", hash(1)) });
    let before = figures(store);
    let mut from = None;
    let mut looked_at = Vec::new();
    loop {
        let sealing = seal_with(store, batch(from, 3));
        assert_eq!(figures(store), before);
        looked_at.push((sealing.generations, sealing.rows, sealing.spared));
        from = sealing.next;
        if from.is_none() {
            break;
        }
    }
    assert_eq!(looked_at, [(2, 3, 1), (3, 3, 0), (1, 1, 0)]);
    assert_eq!(store.unresolved(9).unwrap().len(), 1);
}

pub(super) fn a_sealing_is_recorded_where_it_sealed_anything(store: &dyn Store) {
    let audit = audit_row("retention.run", "2026-11-22");
    let recorded = || Seal { audit: Some(audit.clone()), ..batch(None, 9) };
    seal_with(store, recorded());
    assert_eq!(store.audit_log(&AuditPage::newest(9)).unwrap().rows, []);
    settle(store, &old("gen-1", hash(1)));
    seal_with(store, recorded());
    seal_with(store, recorded());
    assert_eq!(store.audit_log(&AuditPage::newest(9)).unwrap().rows, [audit]);
}
