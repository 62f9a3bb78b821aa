//! Keys: made, changed, deleted and listed, and no hash ever given twice.
//! What a key has spent is untouched by any of it.

use jiff::Timestamp;
use ledger::{Day, Pace};

use super::sample::{
    NOW, after, create, delete, edit, entry, hash, key, loaded, settle, total, workspace,
};
use crate::{Edit, ExportLine, KeyHash, KeyPage, KeyRecord, Outcome, Store};

const ALL: KeyPage = KeyPage {
    workspace: uuid::Uuid::from_bytes([1; 16]),
    include_disabled: true,
    unexpired_at: None,
    offset: 0,
    most: 99,
};

fn update(store: &dyn Store, key: &KeyRecord) -> Outcome {
    edit(store, Edit::UpdateKey(key.clone()))
}

fn listed(store: &dyn Store, page: &KeyPage) -> Vec<KeyHash> {
    store.keys(page).unwrap().into_iter().map(|key| key.hash).collect()
}

/// A key with all that may be absent absent.
fn bare_key(number: u8) -> KeyRecord {
    KeyRecord {
        second_hash: None,
        disabled: true,
        limit: None,
        limit_reset: None,
        include_byok_in_limit: false,
        updated_at: None,
        expires_at: None,
        creator: None,
        external_user: None,
        allowed_models: None,
        pace: Pace::default(),
        ..key(number)
    }
}

pub(super) fn a_key_reads_back_as_it_was_made(store: &dyn Store) {
    assert_eq!(create(store, key(1)), Outcome::Done);
    assert_eq!(create(store, bare_key(2)), Outcome::Done);
    assert_eq!(store.keys(&ALL).unwrap(), [bare_key(2), key(1)]);
    for made in [key(1), bare_key(2)] {
        assert_eq!(loaded(store, made.hash, Day::of(NOW)).unwrap().record, made);
    }
}

pub(super) fn a_hash_that_was_ever_known_is_refused(store: &dyn Store) {
    create(store, key(1));
    create(store, key(2));
    delete(store, hash(2));
    for known in [key(1), key(2)] {
        let second = known.second_hash.unwrap();
        let same = KeyRecord { second_hash: None, ..known.clone() };
        let second_as_hash = KeyRecord { hash: second, second_hash: None, ..key(3) };
        let hash_as_second = KeyRecord { second_hash: Some(known.hash), ..key(3) };
        let second_as_second = KeyRecord { second_hash: Some(second), ..key(3) };
        for thief in [same, second_as_hash, hash_as_second, second_as_second] {
            assert_eq!(create(store, thief.clone()), Outcome::Conflict, "{thief:?}");
        }
    }
    assert_eq!(create(store, key(3)), Outcome::Done);
    assert_eq!(listed(store, &ALL), [hash(3), hash(1)]);
}

pub(super) fn an_update_replaces_the_settings_and_raises_the_version(store: &dyn Store) {
    create(store, key(1));
    create(store, key(2));
    let changed = KeyRecord { created_at: key(1).created_at, version: 1, ..bare_key(1) };
    assert_eq!(update(store, &changed), Outcome::Done);
    let kept = KeyRecord { version: 2, ..changed };
    assert_eq!(loaded(store, hash(1), Day::of(NOW)).unwrap().record, kept);
    assert_eq!(store.keys(&ALL).unwrap(), [key(2), kept]);
}

pub(super) fn an_update_from_another_version_is_refused(store: &dyn Store) {
    create(store, key(1));
    assert_eq!(update(store, &key(2)), Outcome::Missing);
    assert_eq!(update(store, &KeyRecord { version: 2, ..key(1) }), Outcome::Conflict);
    let first = KeyRecord { name: "first".to_owned(), ..key(1) };
    let second = KeyRecord { name: "second".to_owned(), ..key(1) };
    assert_eq!(update(store, &first), Outcome::Done);
    assert_eq!(update(store, &second), Outcome::Conflict);
    assert_eq!(store.keys(&ALL).unwrap(), [KeyRecord { version: 2, ..first }]);
    delete(store, hash(1));
    assert_eq!(update(store, &KeyRecord { version: 2, ..second }), Outcome::Missing);
}

pub(super) fn an_update_may_not_take_the_second_hash_of_another(store: &dyn Store) {
    create(store, key(1));
    create(store, key(2));
    for taken in [hash(2), key(2).second_hash.unwrap()] {
        let thief = KeyRecord { second_hash: Some(taken), ..key(1) };
        assert_eq!(update(store, &thief), Outcome::Conflict);
    }
    assert_eq!(store.keys(&ALL).unwrap(), [key(2), key(1)]);
}

pub(super) fn a_second_hash_that_was_given_up_stays_its_keys(store: &dyn Store) {
    create(store, key(1));
    let given_up = KeyRecord { second_hash: None, ..key(1) };
    assert_eq!(update(store, &given_up), Outcome::Done);
    let thief = KeyRecord { second_hash: key(1).second_hash, ..key(2) };
    assert_eq!(create(store, thief), Outcome::Conflict);
    let taken_back = KeyRecord { version: 2, ..key(1) };
    assert_eq!(update(store, &taken_back), Outcome::Done);
    assert_eq!(store.keys(&ALL).unwrap(), [KeyRecord { version: 3, ..key(1) }]);
}

pub(super) fn a_deleted_key_is_gone_for_ever(store: &dyn Store) {
    create(store, key(1));
    create(store, key(2));
    let at = after(120);
    let delete_at = |at: Timestamp| edit(store, Edit::DeleteKey { hash: hash(1), at });
    assert_eq!(delete_at(at), Outcome::Done);
    assert_eq!(delete_at(after(240)), Outcome::Missing);
    assert_eq!(create(store, key(1)), Outcome::Conflict);
    assert_eq!(listed(store, &ALL), [hash(2)]);
    assert!(loaded(store, hash(1), Day::of(NOW)).is_none());

    let mut deleted = Vec::new();
    let keep = &mut |line| {
        if let ExportLine::Key(key, Some(at)) = line {
            deleted.push((*key, at));
        }
        Ok(())
    };
    store.export(keep).unwrap();
    assert_eq!(deleted, [(key(1), at)]);
}

pub(super) fn a_key_can_be_looked_up_even_when_it_is_deleted(store: &dyn Store) {
    assert_eq!(store.key(hash(1)).unwrap(), None);
    create(store, key(1));
    assert_eq!(store.key(hash(1)).unwrap(), Some(key(1)));
    delete(store, hash(1));
    assert_eq!(store.key(hash(1)).unwrap(), Some(key(1)));
    // A second text authenticates a key, and is not its name.
    assert_eq!(store.key(key(1).second_hash.unwrap()).unwrap(), None);
}

pub(super) fn an_edit_leaves_what_was_spent(store: &dyn Store) {
    create(store, key(1));
    let row = entry("gen-1", hash(1));
    settle(store, &row);
    let moved = KeyRecord { workspace: workspace(2), ..bare_key(1) };
    assert_eq!(update(store, &moved), Outcome::Done);
    assert_eq!(total(store, hash(1)), row.cost);
    assert_eq!(loaded(store, hash(1), Day::of(NOW)).unwrap().last_used_at, Some(row.admitted_at));
    // The spend stays with the workspace it was admitted under.
    assert_eq!(store.generation("gen-1").unwrap(), [row]);
}

pub(super) fn keys_are_listed_newest_first_and_page_by_page(store: &dyn Store) {
    let made = |number, seconds| KeyRecord { created_at: after(seconds), ..key(number) };
    for made in [made(4, 0), made(2, 10), made(5, 20), made(1, 10), made(3, -10)] {
        create(store, made);
    }
    let order = [5, 1, 2, 4, 3].map(hash);
    let page = |offset, most| listed(store, &KeyPage { offset, most, ..ALL });
    assert_eq!(page(0, u64::MAX), order);
    assert_eq!(page(0, 2), order[..2]);
    assert_eq!(page(2, 2), order[2..4]);
    assert_eq!(page(4, 2), order[4..]);
    assert_eq!(page(5, 2), []);
    assert_eq!(page(u64::MAX, 1), []);
    assert_eq!(page(0, 0), []);
}

pub(super) fn the_list_leaves_out_what_was_not_asked_for(store: &dyn Store) {
    let end = after(60);
    let keys = [
        key(1),
        KeyRecord { workspace: workspace(2), ..key(2) },
        KeyRecord { disabled: true, ..key(3) },
        KeyRecord { expires_at: Some(end), ..key(4) },
        KeyRecord { expires_at: None, ..key(5) },
    ];
    keys.into_iter().for_each(|key| assert_eq!(create(store, key), Outcome::Done));
    let lists = |page: KeyPage, numbers: &[u8]| {
        let expected: Vec<KeyHash> = numbers.iter().map(|number| hash(*number)).collect();
        assert_eq!(listed(store, &page), expected, "{page:?}");
    };
    lists(ALL, &[5, 4, 3, 1]);
    lists(KeyPage { workspace: workspace(2), ..ALL }, &[2]);
    lists(KeyPage { workspace: workspace(3), ..ALL }, &[]);
    lists(KeyPage { include_disabled: false, ..ALL }, &[5, 4, 1]);
    lists(KeyPage { unexpired_at: Some(after(59)), ..ALL }, &[5, 4, 3, 1]);
    lists(KeyPage { unexpired_at: Some(end), ..ALL }, &[5, 3, 1]);
    lists(KeyPage { include_disabled: false, unexpired_at: Some(end), most: 1, ..ALL }, &[5]);
}
