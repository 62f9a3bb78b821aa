//! The export: everything in the book, in an order that depends on nothing else.
//! Two stores with the same book export the same, line by line.

use std::io;

use ledger::{Amounts, Day};

use super::sample::{
    NOW, after, audit_row, bare_credential, budget, commit, correct, create, create_workspace,
    credential, credits, delete, edit, entry, hash, key, management_key, mark, member, settle,
    user, workspace, workspace_record,
};
use crate::{
    Change, CredentialRecord, Edit, EndpointMark, Entry, ExportLine, KeyRecord, Kind, Reset, Seal,
    SealedRow, Store, StoreError, Tokens, WorkspaceRecord,
};

pub(super) fn everything_is_handed_out_in_its_order(store: &dyn Store) {
    let tied = KeyRecord { created_at: key(3).created_at, ..key(2) };
    for made in [key(3), key(1), tied.clone()] {
        create(store, made);
    }
    delete(store, hash(1));
    edit(store, Edit::CreateManagementKey(management_key(9)));
    edit(store, Edit::CreateManagementKey(management_key(8)));
    for number in [4, 6, 5] {
        create_workspace(store, workspace_record(number));
    }
    let budgets = [budget(5, Some(Reset::Daily)), budget(4, None), budget(5, None)];
    for (budget, version) in budgets.into_iter().zip([1, 1, 2]) {
        edit(store, Edit::PutBudget { budget, include_byok: true, version });
    }
    edit(store, Edit::DeleteWorkspace { id: workspace(6), at: NOW });
    for made in [credential(5), bare_credential(4)] {
        edit(store, Edit::CreateCredential(Box::new(made)));
    }
    edit(store, Edit::DeleteCredential { id: credential(5).id, at: NOW });
    edit(store, Edit::CreateUser(user(2)));
    edit(store, Edit::CreateUser(user(1)));
    for (place, members, version) in [(5, vec![2, 1], 3), (4, vec![1], 2)] {
        let members = members.into_iter().map(|number| member(place, number)).collect();
        edit(store, Edit::AddMembers { workspace: workspace(place), members, version });
    }
    let row = |generation: &str, attempt, seconds| Entry {
        attempt,
        admitted_at: after(seconds),
        cost: credits(5),
        ..entry(generation, hash(1))
    };
    let late = row("gen-a", 0, 1);
    let second = row("gen-b", 1, 0);
    let first = row("gen-b", 0, 0);
    let other = row("gen-c", 0, 0);
    for settled in [&late, &other, &second, &first] {
        settle(store, settled);
    }
    correct(store, "gen-b", 0, credits(4));
    for (model, provider) in [("b", "x"), ("a", "y"), ("a", "x")] {
        let learned = EndpointMark { provider: provider.to_owned(), ..mark(model) };
        commit(store, Change::Mark(learned));
    }
    let mark_line = |model, provider: &str| {
        ExportLine::Mark(EndpointMark { provider: provider.to_owned(), ..mark(model) })
    };
    settle(store, &row("gen-sealed", 0, -86_400));
    let seal = Seal { before: Day::of(NOW), from: None, rows_max: 9, audit: None };
    commit(store, Change::Seal(Box::new(seal)));
    let sealed = SealedRow::of(&row("gen-sealed", 0, -86_400));
    let correction = Entry {
        kind: Kind::Correction(1),
        cost: credits(-1),
        held: Amounts::ZERO,
        tokens: Tokens::default(),
        cache_discount: None,
        ..first.clone()
    };

    let lines = super::sample::export(store);
    let key_line = |record, deleted_at| ExportLine::Key(Box::new(record), deleted_at);
    let credential_line = |record: &CredentialRecord, deleted_at| {
        ExportLine::Credential(Box::new(record.without_secret()), deleted_at)
    };
    let row_line = |row| ExportLine::Entry(Box::new(row));
    let audit_line =
        |action, number| ExportLine::Audit(audit_row(action, &hash(number).to_string()));
    let workspace_line = |number, version, deleted_at| {
        let record = WorkspaceRecord { version, ..workspace_record(number) };
        ExportLine::Workspace(Box::new(record), deleted_at)
    };
    let of_workspace =
        |action, number| ExportLine::Audit(audit_row(action, &workspace(number).to_string()));
    let byok_line = |action, record: &CredentialRecord| {
        ExportLine::Audit(audit_row(action, &record.id.to_string()))
    };
    let expected = [
        key_line(key(1), Some(NOW)),
        key_line(tied, None),
        key_line(key(3), None),
        ExportLine::ManagementKey(management_key(8)),
        ExportLine::ManagementKey(management_key(9)),
        workspace_line(4, 3, None),
        workspace_line(5, 4, None),
        workspace_line(6, 1, Some(NOW)),
        ExportLine::Budget(budget(4, None)),
        ExportLine::Budget(budget(5, None)),
        ExportLine::Budget(budget(5, Some(Reset::Daily))),
        credential_line(&bare_credential(4), None),
        credential_line(&credential(5), Some(NOW)),
        ExportLine::User(user(1)),
        ExportLine::User(user(2)),
        ExportLine::Member(member(4, 1)),
        ExportLine::Member(member(5, 1)),
        ExportLine::Member(member(5, 2)),
        row_line(first),
        row_line(correction),
        row_line(second),
        row_line(other),
        row_line(late),
        ExportLine::Sealed(Box::new(sealed)),
        mark_line("a", "x"),
        mark_line("a", "y"),
        mark_line("b", "x"),
        audit_line("key.create", 3),
        audit_line("key.create", 1),
        audit_line("key.create", 2),
        audit_line("key.delete", 1),
        audit_line("management_key.create", 9),
        audit_line("management_key.create", 8),
        of_workspace("workspace.create", 4),
        of_workspace("workspace.create", 6),
        of_workspace("workspace.create", 5),
        of_workspace("budget.put", 5),
        of_workspace("budget.put", 4),
        of_workspace("budget.put", 5),
        of_workspace("workspace.delete", 6),
        byok_line("byok.create", &credential(5)),
        byok_line("byok.create", &bare_credential(4)),
        byok_line("byok.delete", &credential(5)),
        ExportLine::Audit(audit_row("user.create", "user-2")),
        ExportLine::Audit(audit_row("user.create", "user-1")),
        of_workspace("member.add", 5),
        of_workspace("member.add", 4),
        ExportLine::Audit(audit_row("generation.correct", "gen-b")),
    ];
    assert_eq!(lines, expected);
}

pub(super) fn an_error_of_the_sink_ends_the_export(store: &dyn Store) {
    create(store, key(1));
    create(store, key(2));
    let mut calls = 0;
    let refuse = &mut |_| {
        calls += 1;
        Err(io::Error::other("the disk is full"))
    };
    assert!(matches!(store.export(refuse), Err(StoreError::Unavailable(_))));
    assert_eq!(calls, 1);
}

pub(super) fn a_commit_meanwhile_is_not_seen_and_does_not_wait(store: &dyn Store) {
    settle(store, &entry("gen-1", hash(1)));
    settle(store, &entry("gen-2", hash(1)));
    let mut lines = 0;
    let settle_more = &mut |_| {
        settle(store, &entry(&format!("gen-later-{lines}"), hash(1)));
        lines += 1;
        Ok(())
    };
    store.export(settle_more).unwrap();
    assert_eq!(lines, 2);
    assert_eq!(store.audit().unwrap().rows, 4);
}
