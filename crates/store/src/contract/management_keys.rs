//! Management keys: made once, revoked once, known for ever.
//! What is revoked stays revoked, whoever tries to make it again (DESIGN I7).

use ledger::Day;

use super::sample::{NOW, after, create, edit, hash, key, management_key};
use crate::{Edit, KeyRecord, ManagementKey, Outcome, Store};

fn all(store: &dyn Store) -> Vec<ManagementKey> {
    let mut keys = store.snapshot(Day::of(NOW)).unwrap().management_keys;
    keys.sort_by_key(|key| key.hash);
    keys
}

fn make(store: &dyn Store, key: &ManagementKey) -> Outcome {
    edit(store, Edit::CreateManagementKey(key.clone()))
}

pub(super) fn a_management_key_is_made_once(store: &dyn Store) {
    assert_eq!(make(store, &management_key(1)), Outcome::Done);
    assert_eq!(make(store, &management_key(2)), Outcome::Done);
    let renamed = ManagementKey { name: "other".to_owned(), ..management_key(1) };
    assert_eq!(make(store, &renamed), Outcome::Conflict);
    assert_eq!(all(store), [management_key(1), management_key(2)]);

    // No text is both kinds of key: one of them would be called by the other's name.
    let second = KeyRecord { second_hash: Some(hash(2)), ..key(3) };
    assert_eq!(create(store, key(1)), Outcome::Conflict);
    assert_eq!(create(store, second), Outcome::Conflict);
    assert_eq!(create(store, key(4)), Outcome::Done);
    assert_eq!(make(store, &management_key(4)), Outcome::Conflict);
}

pub(super) fn a_revoked_management_key_stays_known(store: &dyn Store) {
    let revoke = |number, at| edit(store, Edit::RevokeManagementKey { hash: hash(number), at });
    make(store, &management_key(1));
    assert_eq!(revoke(2, NOW), Outcome::Missing);
    assert_eq!(revoke(1, after(60)), Outcome::Done);
    assert_eq!(revoke(1, after(90)), Outcome::Missing);
    assert_eq!(make(store, &management_key(1)), Outcome::Conflict);
    let revoked = ManagementKey { revoked_at: Some(after(60)), ..management_key(1) };
    assert_eq!(all(store), [revoked]);
}
