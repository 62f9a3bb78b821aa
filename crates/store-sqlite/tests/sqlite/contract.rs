//! The contract that every backend keeps, on a file of its own for each check.
//! What the checks are is in `store::contract`.

use rusqlite::Connection;
use store::contract;

use crate::temp::TempStore;

#[test]
fn sqlite_keeps_the_contract() {
    contract::run(TempStore::new);
}

#[test]
fn the_audit_names_a_planted_difference() {
    let store = TempStore::new();
    contract::audit_names_a_planted_difference(&*store, |key| {
        let file = Connection::open(store.path()).unwrap();
        let planted =
            file.execute("UPDATE totals SET credits = credits + 1 WHERE key = ?", [key.0]).unwrap();
        assert_eq!(planted, 1);
    });
}

#[test]
fn the_audit_names_the_workspace_of_a_planted_difference() {
    let store = TempStore::new();
    contract::audit_names_a_workspace(&*store, |workspace| {
        let file = Connection::open(store.path()).unwrap();
        let plant = "UPDATE workspace_totals SET byok = byok + 1 WHERE workspace = ?";
        assert_eq!(file.execute(plant, [workspace.as_bytes()]).unwrap(), 1);
    });
}
