//! The audit log: a row for every edit that happened, and none for the others.
//! It is read newest first, by people.

use ledger::Amounts;

use super::sample::{
    NOW, answer, audit_row, budget, commit, commit_all, correct, create, create_workspace, delete,
    edit, entry, hash, key, management_key, mark, recorded, settle, workspace, workspace_record,
};
use crate::{AuditRow, Change, Edit, KeyRecord, Outcome, Store, WorkspaceRecord};

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
        Edit::CreateKey { key: key(1), idempotent: Some(answer(1)) },
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
    assert_eq!(store.audit_log(99).unwrap(), newest_first);
    assert_eq!(store.audit_log(2).unwrap(), newest_first[..2]);
    assert_eq!(store.audit_log(0).unwrap(), []);
}

pub(super) fn edits_that_did_not_happen_leave_no_row(store: &dyn Store) {
    let make = |number| Edit::CreateKey { key: key(number), idempotent: Some(answer(1)) };
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
    ];
    assert!(!refused.contains(&Outcome::Done), "{refused:?}");
    let made = audit_row("workspace.create", &workspace(1).to_string());
    let created = audit_row("key.create", &hash(1).to_string());
    assert_eq!(store.audit_log(99).unwrap(), [made, created]);
}
