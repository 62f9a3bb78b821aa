//! A request that comes twice: one key, one answer, for as long as the answer is kept.
//! How long that is follows from the answer and the time handed in, not from a clean-up.

use super::sample::{NOW, after, answer, commit, commit_all, create, edit, key, recorded};
use crate::{Change, Edit, Idempotent, KeyPage, KeyRecord, Outcome, Store};

fn make(key: KeyRecord, idempotent: Idempotent) -> Edit {
    Edit::CreateKey { key, idempotent: Some(idempotent), openings: Vec::new() }
}

fn count(store: &dyn Store) -> usize {
    let workspace = key(1).workspace;
    let page =
        KeyPage { workspace, include_disabled: true, unexpired_at: None, offset: 0, most: 99 };
    store.keys(&page).unwrap().len()
}

pub(super) fn a_repeat_is_answered_as_the_first_was(store: &dyn Store) {
    let first = answer(1);
    assert_eq!(store.idempotent(&first.id, NOW).unwrap(), None);
    assert_eq!(edit(store, make(key(1), first.clone())), Outcome::Done);
    assert_eq!(store.idempotent(&first.id, NOW).unwrap(), Some(first.clone()));

    // Another key under the same id, as the repeat draws one, and even with another body.
    let repeat = Idempotent { body: [0; 32], answer: vec![9], ..first.clone() };
    assert_eq!(edit(store, make(key(2), repeat)), Outcome::Replayed(first.clone()));
    assert_eq!(edit(store, make(key(1), first.clone())), Outcome::Replayed(first.clone()));
    assert_eq!(store.idempotent(&first.id, NOW).unwrap(), Some(first));
    assert_eq!(count(store), 1);
    assert_eq!(edit(store, make(key(2), answer(2))), Outcome::Done);
}

pub(super) fn a_repeat_in_one_batch_makes_one_key(store: &dyn Store) {
    let changes = [key(1), key(2)].map(|key| recorded(make(key, answer(1))));
    assert_eq!(commit_all(store, &changes), [Outcome::Done, Outcome::Replayed(answer(1))]);
    assert_eq!(count(store), 1);
}

pub(super) fn an_expired_answer_is_forgotten(store: &dyn Store) {
    let first = Idempotent { expires_at: after(60), ..answer(1) };
    let later = Idempotent { expires_at: after(600), ..answer(1) };
    edit(store, make(key(1), first.clone()));
    assert_eq!(store.idempotent(&first.id, after(59)).unwrap(), Some(first.clone()));
    assert_eq!(store.idempotent(&first.id, after(60)).unwrap(), None);

    // An edit is made at the time its audit row says.
    let made_at = |seconds, number| match recorded(make(key(number), later.clone())) {
        Change::Edit(edit, mut row) => {
            row.at = after(seconds);
            Change::Edit(edit, row)
        }
        other => other,
    };
    assert_eq!(commit(store, made_at(59, 2)), Outcome::Replayed(first));
    assert_eq!(commit(store, made_at(60, 2)), Outcome::Done);
    assert_eq!(commit(store, made_at(61, 3)), Outcome::Replayed(later.clone()));
    assert_eq!(store.idempotent(&later.id, after(61)).unwrap(), Some(later));
    assert_eq!(count(store), 2);
}

pub(super) fn a_key_that_was_not_made_keeps_no_answer(store: &dyn Store) {
    create(store, key(1));
    assert_eq!(edit(store, make(key(1), answer(1))), Outcome::Conflict);
    assert_eq!(store.idempotent(&answer(1).id, NOW).unwrap(), None);
    assert_eq!(edit(store, make(key(2), answer(1))), Outcome::Done);
}
