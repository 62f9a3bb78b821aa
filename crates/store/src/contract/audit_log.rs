//! The audit log: a row for every edit that happened, and none for the others.
//! It is read newest first, by people.

use ledger::Amounts;

use super::sample::{
    NOW, after, answer, at, audit_row, budget, commit, commit_all, correct, create,
    create_workspace, delete, edit, entry, hash, key, management_key, mark, member, recorded,
    settle, user, workspace, workspace_record,
};
use crate::{
    AuditLog, AuditPage, AuditRow, Change, Edit, KeyRecord, Outcome, Store, WorkspaceRecord,
};

pub(super) fn edits_that_happened_are_recorded_newest_first(store: &dyn Store) {
    settle(store, &entry("gen-1", hash(1)));
    commit(store, Change::Mark(mark("a")));
    let clear = Edit::ClearMark {
        model: "a".to_owned(),
        provider: "openai".to_owned(),
        upstream_model: "gpt-4o-mini".to_owned(),
    };
    let correction =
        Edit::Correct { generation: "gen-1".to_owned(), attempt: 0, cost: Amounts::ZERO };
    let edits = [
        Edit::CreateKey { key: key(1), idempotent: Some(answer(1)), openings: Vec::new() },
        Edit::UpdateKey(key(1)),
        Edit::DeleteKey { hash: hash(1), at: NOW },
        Edit::CreateManagementKey(management_key(2)),
        Edit::RevokeManagementKey { hash: hash(2), at: NOW },
        correction,
        clear,
        Edit::CreateWorkspace(workspace_record(1)),
        Edit::UpdateWorkspace(workspace_record(1)),
        Edit::PutBudget { budget: budget(1, None), include_byok: true, version: 2 },
        Edit::DeleteBudget { workspace: workspace(1), reset: None, version: 3 },
        Edit::CreateUser(user(1)),
        Edit::AddMembers { workspace: workspace(1), members: vec![member(1, 1)], version: 4 },
        Edit::RemoveMembers { workspace: workspace(1), users: vec![user(1).id], version: 5 },
        Edit::DeleteUser { id: user(1).id },
        Edit::DeleteWorkspace { id: workspace(1), at: NOW },
    ];
    let changes = edits.map(recorded);
    commit_all(store, &changes);
    let full = AuditRow {
        before: Some("{\"name\":\"a\"}".to_owned()),
        after: None,
        ..audit_row("management_key.create", "full")
    };
    let last = Change::Edit(Box::new(Edit::CreateManagementKey(management_key(3))), full.clone());
    commit(store, last);

    let made = changes.into_iter().filter_map(|change| match change {
        Change::Edit(_, row) => Some(row),
        _ => None,
    });
    let newest_first: Vec<AuditRow> = [full].into_iter().chain(made.rev()).collect();
    assert_eq!(store.audit_log(&AuditPage::newest(99)).unwrap().rows, newest_first);
    assert_eq!(store.audit_log(&AuditPage::newest(2)).unwrap().rows, newest_first[..2]);
    assert_eq!(store.audit_log(&AuditPage::newest(0)).unwrap().rows, []);
}

pub(super) fn only_the_rows_asked_for_are_read_page_by_page(store: &dyn Store) {
    let rows: Vec<AuditRow> = (0_u8..6)
        .map(|number| AuditRow {
            at: after(i64::from(number)),
            actor: ["operator", "ci", "100%"][usize::from(number % 3)].to_owned(),
            action: ["key.create", "keyring.create"][usize::from(number % 2)].to_owned(),
            ..audit_row("", &hash(number).to_string())
        })
        .collect();
    let made = |(number, row): (u8, &AuditRow)| {
        let edit = Edit::CreateManagementKey(management_key(number));
        Change::Edit(Box::new(edit), row.clone())
    };
    commit_all(store, &(0..).zip(&rows).map(made).collect::<Vec<_>>());
    let all = AuditPage::newest(99);
    let by = |actor: &str| AuditPage { actor: Some(actor.to_owned()), ..all.clone() };
    let of = |action: &str| AuditPage { action: Some(action.to_owned()), ..all.clone() };
    let to = |subject: &str| AuditPage { subject: Some(subject.to_owned()), ..all.clone() };
    let from = |since| AuditPage { since: Some(since), ..all.clone() };
    let before = |until| AuditPage { until: Some(until), ..all.clone() };
    let part = |offset, most, page: AuditPage| AuditPage { offset, most, ..page };
    let late = at("2026-11-22T12:00:02.0000001Z");
    for (page, expected, total) in [
        (all.clone(), &[5, 4, 3, 2, 1, 0][..], 6),
        (by("ci"), &[4, 1], 2),
        (by("100%"), &[5, 2], 2),
        (by("%"), &[], 0),
        (by("CI"), &[], 0),
        (of("key.create"), &[4, 2, 0], 3),
        (of("key."), &[4, 2, 0], 3),
        (of("key"), &[], 0),
        (of("."), &[], 0),
        (of("keyring."), &[5, 3, 1], 3),
        (to(&hash(3).to_string()), &[3], 1),
        (from(after(2)), &[5, 4, 3, 2], 4),
        (from(late), &[5, 4, 3], 3),
        (before(after(2)), &[1, 0], 2),
        (before(late), &[2, 1, 0], 3),
        (AuditPage { until: Some(after(4)), ..from(after(2)) }, &[3, 2], 2),
        (AuditPage { until: Some(after(1)), ..from(after(2)) }, &[], 0),
        (AuditPage { action: of("key.").action, ..by("operator") }, &[0], 1),
        (part(2, 2, all.clone()), &[3, 2], 6),
        (part(5, 2, all.clone()), &[0], 6),
        (part(6, 2, all.clone()), &[], 6),
        (part(u64::MAX, u64::MAX, all.clone()), &[], 6),
        (part(1, 1, of("key.")), &[2], 3),
        (part(0, 0, all), &[], 6),
    ] {
        let expected: Vec<AuditRow> = expected.iter().map(|at: &usize| rows[*at].clone()).collect();
        let log = store.audit_log(&page).unwrap();
        assert_eq!(log, AuditLog { rows: expected, total }, "{page:?}");
    }
}

pub(super) fn edits_that_did_not_happen_leave_no_row(store: &dyn Store) {
    let make = |number| Edit::CreateKey {
        key: key(number),
        idempotent: Some(answer(1)),
        openings: Vec::new(),
    };
    assert_eq!(edit(store, make(1)), Outcome::Done);
    assert_eq!(edit(store, make(2)), Outcome::Replayed(answer(1)));
    assert_eq!(create(store, key(1)), Outcome::Conflict);
    let stale = KeyRecord { version: 7, ..key(1) };
    assert_eq!(edit(store, Edit::UpdateKey(stale)), Outcome::Conflict);
    assert_eq!(edit(store, Edit::UpdateKey(key(9))), Outcome::Missing);
    assert_eq!(delete(store, hash(9)), Outcome::Missing);
    assert_eq!(correct(store, "gen-9", 0, Amounts::ZERO), Outcome::Missing);
    create_workspace(store, workspace_record(1));
    let refused = [
        create_workspace(store, workspace_record(1)),
        create_workspace(store, WorkspaceRecord { id: workspace(2), ..workspace_record(1) }),
        edit(store, Edit::UpdateWorkspace(workspace_record(2))),
        edit(store, Edit::DeleteWorkspace { id: workspace(1), at: NOW }),
        edit(store, Edit::PutBudget { budget: budget(1, None), include_byok: true, version: 0 }),
        edit(store, Edit::DeleteBudget { workspace: workspace(1), reset: None, version: 1 }),
        edit(store, Edit::DeleteUser { id: user(1).id }),
        edit(store, Edit::AddMembers { workspace: workspace(1), members: vec![], version: 0 }),
        edit(store, Edit::RemoveMembers { workspace: workspace(2), users: vec![], version: 1 }),
    ];
    assert!(!refused.contains(&Outcome::Done), "{refused:?}");
    let made = audit_row("workspace.create", &workspace(1).to_string());
    let created = audit_row("key.create", &hash(1).to_string());
    assert_eq!(store.audit_log(&AuditPage::newest(99)).unwrap().rows, [made, created]);
}
