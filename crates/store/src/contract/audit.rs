//! The audit: it agrees with an honest book, and says where a dishonest one is wrong.
//! A backend that keeps sums tries the second with [`audit_names_a_planted_difference`].

use ledger::Amounts;
use uuid::Uuid;

use super::sample::{
    after, correct, create, credits, delete, entry, hash, key, settle, settlement, total, workspace,
};
use crate::{Difference, Entry, KeyHash, Report, Store, Subject};

pub(super) fn the_book_agrees_after_every_kind_of_change(store: &dyn Store) {
    assert_eq!(store.audit().unwrap(), Report::default());
    create(store, key(1));
    let models = ["a", "b", "a"];
    for (attempt, model) in (0..).zip(models) {
        let row = Entry {
            attempt,
            model: model.to_owned(),
            creator: (attempt > 0).then(|| "member".to_owned()),
            admitted_at: after(i64::from(attempt) * 43_200),
            ..entry("gen-1", hash(1))
        };
        settle(store, &row);
        settle(store, &row);
    }
    store
        .commit(&[settlement(&entry("gen-2", hash(2))), settlement(&entry("gen-2", hash(2)))])
        .unwrap();
    correct(store, "gen-1", 0, credits(3));
    correct(store, "gen-1", 2, Amounts::ZERO);
    correct(store, "gen-1", 2, credits(8));
    delete(store, hash(1));
    let report = store.audit().unwrap();
    assert_eq!((report.rows, report.keys, report.differences), (7, 2, vec![]));
}

/// Checks that the audit finds a kept sum that is wrong. Only a backend can make one so: `plant`
/// adds one nano-dollar to the credits that are kept as a key's total, and nothing else.
pub fn audit_names_a_planted_difference(store: &dyn Store, plant: impl FnOnce(KeyHash)) {
    create(store, key(1));
    create(store, key(2));
    settle(store, &Entry { cost: credits(40), ..entry("gen-1", hash(1)) });
    settle(store, &entry("gen-2", hash(2)));
    assert_eq!(store.audit().unwrap().differences, []);
    plant(hash(1));
    let subject = Subject::Key(hash(1));
    let difference =
        Difference { subject, day: None, figure: "credits".to_owned(), kept: 41, summed: 40 };
    assert_eq!(store.audit().unwrap().differences, [difference]);
    assert_eq!(total(store, hash(1)), credits(41));
}

/// Checks the same of a workspace's sum: `plant` adds one nano-dollar to the BYOK use that is kept as
/// its total.
pub fn audit_names_a_workspace(store: &dyn Store, plant: impl FnOnce(Uuid)) {
    for (generation, payer, place) in [("gen-1", 1, 1), ("gen-2", 2, 1), ("gen-3", 2, 2)] {
        let row = Entry { workspace: workspace(place), ..entry(generation, hash(payer)) };
        settle(store, &row);
    }
    assert_eq!(store.audit().unwrap().differences, []);
    plant(workspace(1));
    let subject = Subject::Workspace(workspace(1));
    let difference =
        Difference { subject, day: None, figure: "byok".to_owned(), kept: 141, summed: 140 };
    assert_eq!(store.audit().unwrap().differences, [difference]);
}
