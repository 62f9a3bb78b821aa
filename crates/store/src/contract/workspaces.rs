//! Workspaces: made, changed, deleted, with their budgets; and what was spent in each.
//! Spend stays where it was admitted, whatever becomes of the key.

use ledger::{Amounts, Day, Period, Tally};

use super::sample::{
    NOW, after, at, bare_workspace, budget, commit_all, correct, create, create_workspace, credits,
    delete, edit, entry, hash, key, recorded, settle, workspace, workspace_record,
};
use crate::{
    BudgetRecord, DEFAULT_WORKSPACE, Edit, Entry, ExportLine, KeyRecord, LoadedWorkspace, Outcome,
    Refused, Reset, Store, WorkspaceRecord,
};

fn update(store: &dyn Store, record: &WorkspaceRecord) -> Outcome {
    edit(store, Edit::UpdateWorkspace(record.clone()))
}

fn remove(store: &dyn Store, number: u8) -> Outcome {
    edit(store, Edit::DeleteWorkspace { id: workspace(number), at: NOW })
}

fn put(store: &dyn Store, budget: BudgetRecord, include_byok: bool, version: u64) -> Outcome {
    edit(store, Edit::PutBudget { budget, include_byok, version })
}

fn take(store: &dyn Store, number: u8, reset: Option<Reset>, version: u64) -> Outcome {
    edit(store, Edit::DeleteBudget { workspace: workspace(number), reset, version })
}

fn loaded(store: &dyn Store, number: u8, since: Day) -> Option<LoadedWorkspace> {
    let snapshot = store.snapshot(since).unwrap();
    snapshot.workspaces.into_iter().find(|loaded| loaded.record.id == workspace(number))
}

fn budgets(store: &dyn Store, number: u8) -> Vec<BudgetRecord> {
    loaded(store, number, Day::of(NOW)).expect("a live workspace").budgets
}

fn total(store: &dyn Store, number: u8) -> Amounts {
    let loaded = loaded(store, number, Day::of(NOW)).expect("a live workspace");
    loaded.tally.settled(Period::Lifetime.window(Day::of(NOW)))
}

pub(super) fn a_workspace_reads_back_as_it_was_made(store: &dyn Store) {
    for made in [workspace_record(1), bare_workspace(2)] {
        assert_eq!(store.workspace(made.id).unwrap(), None);
        assert_eq!(create_workspace(store, made.clone()), Outcome::Done);
        assert_eq!(store.workspace(made.id).unwrap(), Some(made.clone()));
    }
    for (number, made) in [(1, workspace_record(1)), (2, bare_workspace(2))] {
        let loaded = loaded(store, number, Day::of(NOW)).unwrap();
        assert_eq!((loaded.record, loaded.budgets), (made, vec![]));
        assert_eq!(loaded.tally, Tally::default());
    }
}

pub(super) fn no_two_live_workspaces_share_a_slug(store: &dyn Store) {
    create_workspace(store, workspace_record(1));
    create_workspace(store, workspace_record(2));
    let same_id = WorkspaceRecord { slug: "other".to_owned(), ..workspace_record(1) };
    assert_eq!(create_workspace(store, same_id), Outcome::Conflict);
    let slug = workspace_record(1).slug;
    let thief = WorkspaceRecord { slug: slug.clone(), ..workspace_record(3) };
    assert_eq!(create_workspace(store, thief.clone()), Outcome::Refused(Refused::SlugTaken));
    let renamed = WorkspaceRecord { slug: slug.clone(), ..workspace_record(2) };
    assert_eq!(update(store, &renamed), Outcome::Refused(Refused::SlugTaken));
    assert_eq!(store.workspace(workspace(2)).unwrap(), Some(workspace_record(2)));
    // Its own slug is no other's, and one that was given up is free.
    assert_eq!(update(store, &workspace_record(1)), Outcome::Done);
    assert_eq!(remove(store, 1), Outcome::Done);
    assert_eq!(update(store, &renamed), Outcome::Done);
    assert_eq!(create_workspace(store, thief), Outcome::Refused(Refused::SlugTaken));
}

pub(super) fn a_changed_workspace_has_a_higher_version(store: &dyn Store) {
    assert_eq!(update(store, &workspace_record(1)), Outcome::Missing);
    create_workspace(store, workspace_record(1));
    let first = WorkspaceRecord { version: 1, ..bare_workspace(1) };
    assert_eq!(update(store, &WorkspaceRecord { version: 2, ..first.clone() }), Outcome::Conflict);
    assert_eq!(update(store, &first), Outcome::Done);
    assert_eq!(update(store, &first), Outcome::Conflict);
    let kept = WorkspaceRecord { version: 2, ..first };
    assert_eq!(store.workspace(workspace(1)).unwrap(), Some(kept.clone()));
    assert_eq!(loaded(store, 1, Day::of(NOW)).unwrap().record, kept);
}

pub(super) fn a_workspace_with_live_keys_is_not_deleted(store: &dyn Store) {
    create_workspace(store, workspace_record(1));
    create_workspace(store, workspace_record(2));
    create(store, key(1));
    assert_eq!(remove(store, 1), Outcome::Refused(Refused::HasKeys));
    let moved = KeyRecord { workspace: workspace(2), ..key(1) };
    assert_eq!(edit(store, Edit::UpdateKey(moved)), Outcome::Done);
    assert_eq!(remove(store, 2), Outcome::Refused(Refused::HasKeys));
    assert_eq!(remove(store, 1), Outcome::Done);
    assert_eq!(remove(store, 1), Outcome::Missing);
    assert_eq!(remove(store, 9), Outcome::Missing);
    delete(store, hash(1));
    assert_eq!(remove(store, 2), Outcome::Done);
}

pub(super) fn the_default_workspace_is_not_deleted(store: &dyn Store) {
    create_workspace(store, WorkspaceRecord { id: DEFAULT_WORKSPACE, ..workspace_record(1) });
    let gone = Edit::DeleteWorkspace { id: DEFAULT_WORKSPACE, at: NOW };
    assert_eq!(edit(store, gone), Outcome::Refused(Refused::IsDefault));
    assert!(store.workspace(DEFAULT_WORKSPACE).unwrap().is_some());
}

pub(super) fn a_deleted_workspace_is_gone_for_ever_and_its_spend_stays(store: &dyn Store) {
    create_workspace(store, workspace_record(1));
    put(store, budget(1, None), true, 1);
    create(store, key(1));
    settle(store, &entry("gen-1", hash(1)));
    delete(store, hash(1));
    assert_eq!(remove(store, 1), Outcome::Done);
    assert!(loaded(store, 1, Day::of(NOW)).is_none());
    assert_eq!(create_workspace(store, workspace_record(1)), Outcome::Conflict);
    assert_eq!(
        update(store, &WorkspaceRecord { version: 2, ..workspace_record(1) }),
        Outcome::Missing
    );
    assert_eq!(put(store, budget(1, None), true, 2), Outcome::Missing);
    assert_eq!(take(store, 1, None, 2), Outcome::Missing);
    // Nothing is made in it or moves to it any more.
    create_workspace(store, workspace_record(2));
    let late =
        [create(store, key(2)), create(store, KeyRecord { workspace: workspace(2), ..key(3) })];
    assert_eq!(late, [Outcome::Refused(Refused::NoWorkspace), Outcome::Done]);
    assert_eq!(edit(store, Edit::UpdateKey(key(3))), Outcome::Refused(Refused::NoWorkspace));
    assert_eq!(store.key(hash(2)).unwrap(), None);
    // What was made of it is still known, and what was spent in it still counts.
    let record = store.workspace(workspace(1)).unwrap().unwrap();
    assert_eq!(record, WorkspaceRecord { version: 2, ..workspace_record(1) });
    let lines = super::sample::export(store);
    assert!(lines.contains(&ExportLine::Workspace(Box::new(record), Some(NOW))));
    assert!(!lines.iter().any(|line| matches!(line, ExportLine::Budget(_))));
    assert_eq!(store.audit().unwrap().differences, []);
}

pub(super) fn a_workspace_has_one_budget_of_each_reset(store: &dyn Store) {
    create_workspace(store, workspace_record(1));
    create_workspace(store, workspace_record(2));
    let order = [None, Some(Reset::Monthly), Some(Reset::Weekly), Some(Reset::Daily)];
    for (version, reset) in (1..).zip([order[3], order[0], order[2], order[1]]) {
        assert_eq!(put(store, budget(1, reset), true, version), Outcome::Done);
    }
    assert_eq!(budgets(store, 1), order.map(|reset| budget(1, reset)));
    assert_eq!(budgets(store, 2), []);
    let raised =
        BudgetRecord { limit: money::Money::nanos(9), updated_at: after(9), ..budget(1, None) };
    assert_eq!(put(store, raised.clone(), true, 5), Outcome::Done);
    assert_eq!(budgets(store, 1)[0], raised);
    assert_eq!(take(store, 1, order[2], 6), Outcome::Done);
    assert_eq!(take(store, 1, order[2], 7), Outcome::Missing);
    assert_eq!(take(store, 9, None, 1), Outcome::Missing);
    assert_eq!(put(store, budget(9, None), true, 1), Outcome::Missing);
    assert_eq!(budgets(store, 1), [raised, budget(1, order[1]), budget(1, order[3])]);
}

pub(super) fn a_budget_is_changed_from_the_version_it_was_made_from(store: &dyn Store) {
    create_workspace(store, workspace_record(1));
    let daily = budget(1, Some(Reset::Daily));
    assert_eq!(put(store, daily.clone(), false, 0), Outcome::Conflict);
    // Of two that were made from the same, one comes first.
    let change = |reset| {
        recorded(Edit::PutBudget { budget: budget(1, reset), include_byok: false, version: 1 })
    };
    let outcomes = commit_all(store, &[change(daily.reset), change(None)]);
    assert_eq!(outcomes, [Outcome::Done, Outcome::Conflict]);
    assert_eq!(take(store, 1, daily.reset, 1), Outcome::Conflict);
    assert_eq!(budgets(store, 1), [daily]);
    let record =
        WorkspaceRecord { version: 2, include_byok_in_budgets: false, ..workspace_record(1) };
    assert_eq!(store.workspace(workspace(1)).unwrap(), Some(record));
}

pub(super) fn what_is_spent_counts_where_it_was_admitted(store: &dyn Store) {
    create_workspace(store, workspace_record(1));
    create_workspace(store, workspace_record(2));
    create(store, key(1));
    create(store, KeyRecord { workspace: workspace(2), ..key(2) });
    let row = |generation: &str, number, place, cost| Entry {
        workspace: workspace(place),
        cost: credits(cost),
        ..entry(generation, hash(number))
    };
    settle(store, &row("gen-1", 1, 1, 1));
    settle(store, &row("gen-2", 2, 2, 20));
    let moved = KeyRecord { workspace: workspace(2), ..key(1) };
    assert_eq!(edit(store, Edit::UpdateKey(moved)), Outcome::Done);
    // Admitted before the move, settled after it.
    settle(store, &row("gen-3", 1, 1, 300));
    settle(store, &row("gen-4", 1, 2, 4_000));
    assert_eq!((total(store, 1), total(store, 2)), (credits(301), credits(4_020)));
    correct(store, "gen-3", 0, credits(3));
    delete(store, hash(2));
    assert_eq!((total(store, 1), total(store, 2)), (credits(4), credits(4_020)));
    // A workspace that nobody has made yet has spent as well.
    settle(store, &row("gen-5", 1, 3, 7));
    create_workspace(store, workspace_record(3));
    assert_eq!(total(store, 3), credits(7));
    assert_eq!(store.audit().unwrap().differences, []);
}

pub(super) fn its_spend_is_split_at_the_day_asked_for(store: &dyn Store) {
    create_workspace(store, workspace_record(1));
    let days = ["2026-01-01T00:00:00Z", "2026-11-20T23:59:59.999999Z", "2026-11-21T00:00:00Z"];
    for (number, day) in (0..).zip(days) {
        for payer in [1, 2] {
            let row = Entry {
                attempt: number,
                admitted_at: at(day),
                cost: credits(10_i64.pow(number)),
                ..entry(&format!("gen-{payer}"), hash(payer))
            };
            settle(store, &row);
        }
    }
    let mut expected = Tally::default();
    expected.post_before_days(credits(22));
    expected.post(Day::of(at("2026-11-21T00:00:00Z")), credits(200));
    let split = loaded(store, 1, Day::of(at("2026-11-21T18:00:00Z"))).unwrap();
    assert_eq!(split.tally, expected);
}
