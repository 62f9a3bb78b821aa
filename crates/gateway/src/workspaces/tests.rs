use jiff::Timestamp;
use ledger::{Amounts, Day};
use money::Money;

use super::*;

const NOW: Timestamp = Timestamp::constant(1_795_003_200, 0);

fn id(number: u8) -> Uuid {
    Uuid::from_bytes([number; 16])
}

fn record(number: u8) -> WorkspaceRecord {
    bare(id(number), &format!("team-{number}"), "Team", NOW)
}

fn budget(workspace: u8) -> BudgetRecord {
    BudgetRecord {
        id: Uuid::nil(),
        workspace: id(workspace),
        reset: None,
        limit: Money::nanos(5),
        created_at: NOW,
        updated_at: NOW,
    }
}

fn workspaces() -> Workspaces {
    let mut tally = Tally::default();
    tally.post(Day::of(NOW), Amounts::credits(Money::nanos(3)));
    let loaded = LoadedWorkspace { budgets: vec![budget(1)], tally, ..unspent(record(1)) };
    Workspaces::new(vec![loaded])
}

#[test]
fn a_workspace_is_found_by_id_and_by_slug_with_what_was_spent_in_it() {
    let workspaces = workspaces();
    let found = workspaces.of_id(&id(1)).unwrap();
    assert!(Arc::ptr_eq(&found, &workspaces.of_slug("team-1").unwrap()));
    assert_eq!(found.account().figures(NOW).day, Amounts::credits(Money::nanos(3)));
    assert_eq!(*found.budgets(), [budget(1)]);
    assert!(workspaces.of_id(&id(2)).is_none() && workspaces.of_slug("team-2").is_none());
}

#[test]
fn a_changed_slug_is_the_only_one_and_the_account_stays() {
    let workspaces = workspaces();
    let before = workspaces.of_id(&id(1)).unwrap();
    let settings = |record: WorkspaceRecord| Settings {
        record: record.into(),
        budgets: Arc::new([]),
        members: Arc::new([]),
    };
    workspaces.update(settings(WorkspaceRecord { slug: "renamed".to_owned(), ..record(1) }));
    let after = workspaces.of_slug("renamed").unwrap();
    assert!(Arc::ptr_eq(&before, &after));
    assert!(workspaces.of_slug("team-1").is_none());
    assert_eq!(after.settings().budgets.len(), 0);
    workspaces.update(settings(record(2)));
    assert!(workspaces.of_slug("team-2").is_none(), "only what is there is changed");
}

#[test]
fn a_removed_workspace_is_found_no_more_and_its_slug_is_free() {
    let workspaces = workspaces();
    workspaces.remove(&id(1));
    assert!(workspaces.of_id(&id(1)).is_none() && workspaces.of_slug("team-1").is_none());
    workspaces.add(WorkspaceRecord { slug: "team-1".to_owned(), ..record(2) });
    assert_eq!(workspaces.of_slug("team-1").unwrap().record().id, id(2));
    assert_eq!(workspaces.all().len(), 1);
}

#[test]
fn a_key_whose_workspace_was_lost_has_one_all_the_same() {
    let workspaces = workspaces();
    let made_up = workspaces.of_key(id(9));
    assert_eq!(made_up.record().id, id(9));
    assert!(Arc::ptr_eq(&made_up, &workspaces.of_key(id(9))));
}

#[test]
fn the_budgets_are_limits_the_longest_window_first() {
    let of =
        |reset, dollars: i64| BudgetRecord { reset, limit: Money::nanos(dollars), ..budget(1) };
    let budgets = [
        of(Some(Reset::Weekly), 3),
        of(None, 5),
        of(Some(Reset::Daily), 2),
        of(Some(Reset::Monthly), 4),
    ];
    for include_byok in [false, true] {
        let record = WorkspaceRecord { include_byok_in_budgets: include_byok, ..record(1) };
        let limit = |period, nanos| Limit {
            layer: Layer::Workspace,
            amount: Money::nanos(nanos),
            period,
            include_byok,
        };
        let limits = [
            limit(Period::Lifetime, 5),
            limit(Period::Month, 4),
            limit(Period::Week, 3),
            limit(Period::Day, 2),
        ];
        let expected = Terms { limits: limits.into_iter().collect(), ..Terms::default() };
        assert_eq!(terms(&record, &budgets), expected);
    }
}
