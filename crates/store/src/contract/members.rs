//! Users and members: added, listed and removed, but not while live keys are theirs.

use ledger::Day;

use super::sample::{
    NOW, after, commit_all, create, create_workspace, delete, edit, hash, key, member, recorded,
    user, workspace, workspace_record,
};
use crate::{Edit, KeyRecord, MemberRecord, Outcome, Refused, Store, UserRecord, WorkspaceRecord};

fn add_user(store: &dyn Store, user: UserRecord) -> Outcome {
    edit(store, Edit::CreateUser(user))
}

fn remove_user(store: &dyn Store, number: u8) -> Outcome {
    edit(store, Edit::DeleteUser { id: user(number).id })
}

fn add(store: &dyn Store, place: u8, numbers: &[u8], version: u64) -> Outcome {
    let members = numbers.iter().map(|number| member(place, *number)).collect();
    edit(store, Edit::AddMembers { workspace: workspace(place), members, version })
}

fn remove(store: &dyn Store, place: u8, numbers: &[u8], version: u64) -> Outcome {
    let users = numbers.iter().map(|number| user(*number).id).collect();
    edit(store, Edit::RemoveMembers { workspace: workspace(place), users, version })
}

fn users(store: &dyn Store) -> Vec<UserRecord> {
    store.snapshot(Day::of(NOW)).unwrap().users
}

fn members(store: &dyn Store, place: u8) -> Vec<MemberRecord> {
    let snapshot = store.snapshot(Day::of(NOW)).unwrap();
    let mut loaded = snapshot.workspaces.into_iter();
    loaded.find(|loaded| loaded.record.id == workspace(place)).expect("it is there").members
}

pub(super) fn a_user_is_added_once_and_listed_by_when_that_was(store: &dyn Store) {
    let bare = UserRecord {
        first_name: None,
        last_name: None,
        created_at: after(-9),
        role: crate::OrgRole::Member,
        ..user(3)
    };
    for added in [user(2), user(1), bare.clone()] {
        assert_eq!(add_user(store, added), Outcome::Done);
    }
    let again = UserRecord { email: "other@example.com".to_owned(), ..user(1) };
    assert_eq!(add_user(store, again), Outcome::Conflict);
    assert_eq!(users(store), [bare, user(1), user(2)]);
}

pub(super) fn a_removed_user_is_no_member_any_more_and_may_come_back(store: &dyn Store) {
    create_workspace(store, workspace_record(1));
    add_user(store, user(1));
    add_user(store, user(2));
    add(store, 1, &[1, 2], 1);
    assert_eq!(remove_user(store, 1), Outcome::Done);
    assert_eq!(remove_user(store, 1), Outcome::Missing);
    assert_eq!(users(store), [user(2)]);
    assert_eq!(members(store, 1), [member(1, 2)]);
    assert_eq!(add_user(store, user(1)), Outcome::Done);
    assert_eq!(members(store, 1), [member(1, 2)]);
}

pub(super) fn a_user_with_live_keys_is_not_removed(store: &dyn Store) {
    add_user(store, user(1));
    add_user(store, user(2));
    create(store, KeyRecord { creator: Some(user(1).id), ..key(1) });
    assert_eq!(remove_user(store, 1), Outcome::Refused(Refused::OwnsKeys));
    assert_eq!(users(store), [user(1), user(2)]);
    assert_eq!(remove_user(store, 2), Outcome::Done);
    delete(store, hash(1));
    assert_eq!(remove_user(store, 1), Outcome::Done);
}

pub(super) fn members_are_added_once_and_listed_by_when_that_was(store: &dyn Store) {
    create_workspace(store, workspace_record(1));
    create_workspace(store, workspace_record(2));
    // They need not be users of the book: the configuration has users as well.
    assert_eq!(add(store, 1, &[3, 2], 1), Outcome::Done);
    assert_eq!(add(store, 2, &[2], 1), Outcome::Done);
    let later = MemberRecord { created_at: after(99), ..member(1, 2) };
    let again = vec![later, member(1, 1)];
    let edited = Edit::AddMembers { workspace: workspace(1), members: again, version: 2 };
    assert_eq!(edit(store, edited), Outcome::Done);
    assert_eq!(members(store, 1), [member(1, 1), member(1, 2), member(1, 3)]);
    assert_eq!(members(store, 2), [member(2, 2)]);
    let record = store.workspace(workspace(1)).unwrap().unwrap();
    assert_eq!(record, WorkspaceRecord { version: 3, ..workspace_record(1) });
}

pub(super) fn members_are_changed_from_the_version_that_was_seen(store: &dyn Store) {
    create_workspace(store, workspace_record(1));
    let change = |number| {
        let members = vec![member(1, number)];
        recorded(Edit::AddMembers { workspace: workspace(1), members, version: 1 })
    };
    let outcomes = commit_all(store, &[change(1), change(2)]);
    assert_eq!(outcomes, [Outcome::Done, Outcome::Conflict]);
    assert_eq!(remove(store, 1, &[1], 1), Outcome::Conflict);
    assert_eq!(add(store, 9, &[1], 1), Outcome::Missing);
    assert_eq!(remove(store, 9, &[1], 1), Outcome::Missing);
    assert_eq!(members(store, 1), [member(1, 1)]);
}

pub(super) fn a_member_with_live_keys_in_the_workspace_is_not_removed(store: &dyn Store) {
    create_workspace(store, workspace_record(1));
    create_workspace(store, workspace_record(2));
    add(store, 1, &[1, 2], 1);
    add(store, 2, &[1, 2], 1);
    create(store, KeyRecord { creator: Some(user(1).id), ..key(1) });
    // All or none; and a key elsewhere holds nobody here.
    assert_eq!(remove(store, 1, &[2, 1], 2), Outcome::Refused(Refused::OwnsKeys));
    assert_eq!(members(store, 1), [member(1, 1), member(1, 2)]);
    assert_eq!(remove(store, 2, &[1, 9], 2), Outcome::Done);
    assert_eq!(members(store, 2), [member(2, 2)]);
    delete(store, hash(1));
    assert_eq!(remove(store, 1, &[2, 1], 2), Outcome::Done);
    assert_eq!(members(store, 1), []);
}

pub(super) fn a_deleted_workspace_has_no_members(store: &dyn Store) {
    create_workspace(store, workspace_record(1));
    add(store, 1, &[1], 1);
    edit(store, Edit::DeleteWorkspace { id: workspace(1), at: NOW });
    let lines = super::sample::export(store);
    assert!(!lines.iter().any(|line| matches!(line, crate::ExportLine::Member(_))));
}
