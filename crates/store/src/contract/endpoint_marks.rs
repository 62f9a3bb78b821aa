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

pub(super) fn marks_of_an_endpoint_add_up_in_any_order(store: &dyn Store) {
    let marked = |overhead, held_at_maximum, barred| EndpointMark {
        prompt_overhead_tokens: overhead,
        held_at_maximum,
        barred,
        ..mark("a")
    };
    let other = mark("b");
    let learned = [marked(1_024, true, false), marked(300, false, true), marked(0, false, false)];
    for mark in learned.iter().chain([&other]) {
        assert_eq!(commit(store, Change::Mark(mark.clone())), Outcome::Done);
    }
    assert_eq!(marks(store), [marked(1_024, true, true), other]);
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
