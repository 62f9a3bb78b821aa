use jiff::SignedDuration;
use uuid::Uuid;

use super::*;

const NOW: Timestamp = Timestamp::constant(1_795_003_200, 0);

fn record(number: u8) -> KeyRecord {
    KeyRecord {
        hash: KeyHash([number; 32]),
        second_hash: Some(KeyHash([number + 100; 32])),
        label: format!("key {number}"),
        name: format!("key {number}"),
        disabled: false,
        limit: None,
        limit_reset: None,
        include_byok_in_limit: false,
        created_at: NOW,
        updated_at: None,
        expires_at: None,
        creator: None,
        workspace: Uuid::nil(),
        external_user: None,
        allowed_models: None,
        pace: ledger::Pace::default(),
        version: 0,
    }
}

fn manager(number: u8, revoked_at: Option<Timestamp>) -> ManagementKey {
    ManagementKey {
        hash: KeyHash([number; 32]),
        label: String::new(),
        name: "ci".into(),
        created_at: NOW,
        revoked_at,
    }
}

fn directory() -> Directory {
    let loaded = LoadedKey { record: record(1), tally: Tally::default(), last_used_at: None };
    Directory::new(vec![loaded], vec![], vec![manager(10, None), manager(11, Some(NOW))])
}

#[test]
fn a_second_text_is_the_same_key_and_no_identity_of_its_own() {
    let directory = directory();
    let (first, second) = (KeyHash([1; 32]), KeyHash([101; 32]));
    let key = directory.key(&first).unwrap();
    let Some(Caller::Inference(same)) = directory.caller(&second) else { panic!("nobody") };
    assert!(Arc::ptr_eq(&key, &same));
    assert!(directory.key(&second).is_none());
    assert_eq!(directory.keys().len(), 1, "it is listed once");
}

#[test]
fn a_revoked_management_key_is_known_to_nobody() {
    let directory = directory();
    assert!(matches!(directory.caller(&KeyHash([10; 32])), Some(Caller::Management(_))));
    assert!(directory.caller(&KeyHash([11; 32])).is_none());
    directory.remove_management(&KeyHash([1; 32]));
    assert!(directory.key(&KeyHash([1; 32])).is_some(), "an inference key is not revoked as one");
    directory.remove_management(&KeyHash([10; 32]));
    assert!(directory.caller(&KeyHash([10; 32])).is_none());
    assert!(directory.key(&KeyHash([10; 32])).is_none());
}

#[test]
fn changed_settings_bind_the_account_that_requests_in_flight_hold_on() {
    let directory = directory();
    let key = directory.key(&KeyHash([1; 32])).unwrap();
    directory.update(KeyRecord { disabled: true, ..record(1) });
    assert!(key.record().disabled && !key.account().is_open(NOW));
    directory.update(KeyRecord { expires_at: Some(NOW), ..record(1) });
    assert!(!key.account().is_open(NOW));
    assert!(key.account().is_open(NOW - SignedDuration::from_nanos(1)));
}

#[test]
fn a_removed_key_is_closed_and_gone_with_its_second_text() {
    let directory = directory();
    let key = directory.key(&KeyHash([1; 32])).unwrap();
    directory.remove(&KeyHash([101; 32]));
    assert!(key.account().is_open(NOW), "a second text removes nothing");
    directory.remove(&KeyHash([1; 32]));
    assert!(!key.account().is_open(NOW));
    assert!(directory.caller(&KeyHash([1; 32])).is_none());
    assert!(directory.caller(&KeyHash([101; 32])).is_none());
    assert_eq!(directory.keys().len(), 0);
}

#[test]
fn the_latest_use_stands_whatever_order_they_are_noted_in() {
    let directory = directory();
    let key = directory.key(&KeyHash([1; 32])).unwrap();
    assert_eq!(key.last_used_at(), None);
    key.used_at(NOW);
    key.used_at(NOW - SignedDuration::from_secs(1));
    assert_eq!(key.last_used_at(), Some(NOW));
}

#[test]
fn a_key_that_moves_has_its_new_workspace_and_its_own_account() {
    let directory = directory();
    let there = crate::workspaces::bare(Uuid::from_bytes([7; 16]), "there", "There", NOW);
    directory.workspaces().add(there.clone());
    let key = directory.key(&KeyHash([1; 32])).unwrap();
    let account = Arc::clone(key.account());
    assert_eq!(key.workspace().record().id, Uuid::nil());
    directory.update(KeyRecord { workspace: there.id, ..record(1) });
    let Standing { record, workspace } = key.standing();
    assert_eq!((record.workspace, workspace.record().id), (there.id, there.id));
    assert!(Arc::ptr_eq(&workspace, &directory.workspace(&there.id).unwrap()));
    assert!(Arc::ptr_eq(&account, key.account()));
}
