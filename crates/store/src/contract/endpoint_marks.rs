//! What was learned about endpoints: one mark an endpoint, until it is cleared.
//! An endpoint is a model, a provider and the provider's name for the model, all three.

use ledger::Day;

use super::sample::{NOW, commit, edit, mark};
use crate::{Change, Edit, EndpointMark, Outcome, Store};

fn marks(store: &dyn Store) -> Vec<EndpointMark> {
    let mut marks = store.snapshot(Day::of(NOW)).unwrap().marks;
    marks.sort_by(|one, other| one.model.cmp(&other.model));
    marks
}

fn clear(store: &dyn Store, mark: &EndpointMark) -> Outcome {
    let EndpointMark { model, provider, upstream_model, .. } = mark.clone();
    edit(store, Edit::ClearMark { model, provider, upstream_model })
}

pub(super) fn the_last_mark_of_an_endpoint_is_kept(store: &dyn Store) {
    let first = mark("a");
    let last = EndpointMark {
        prompt_overhead_tokens: 1_024,
        held_at_maximum: false,
        barred: true,
        ..first.clone()
    };
    let other = mark("b");
    for mark in [&first, &other, &last] {
        assert_eq!(commit(store, Change::Mark(mark.clone())), Outcome::Done);
    }
    assert_eq!(marks(store), [last, other]);
}

pub(super) fn a_cleared_mark_is_gone(store: &dyn Store) {
    let (cleared, kept) = (mark("a"), mark("b"));
    let elsewhere = EndpointMark { provider: "azure".to_owned(), ..kept.clone() };
    commit(store, Change::Mark(cleared.clone()));
    commit(store, Change::Mark(kept.clone()));
    assert_eq!(clear(store, &cleared), Outcome::Done);
    assert_eq!(clear(store, &cleared), Outcome::Missing);
    assert_eq!(clear(store, &elsewhere), Outcome::Missing);
    assert_eq!(marks(store), [kept]);
}
