//! Credentials: made, changed and deleted as a whole, their secrets overwritten for good.

use ledger::Day;

use super::sample::{
    NOW, bare_credential, commit_all, create_workspace, credential, edit, export, recorded,
    workspace, workspace_record,
};
use crate::{CredentialRecord, Edit, Encrypted, ExportLine, Outcome, Reencrypted, Refused, Store};

fn live(store: &dyn Store) -> Vec<CredentialRecord> {
    let mut credentials = store.snapshot(Day::of(NOW)).expect("the store reads").credentials;
    credentials.sort_by_key(|record| record.id);
    credentials
}

fn make(store: &dyn Store, record: &CredentialRecord) -> Outcome {
    edit(store, Edit::CreateCredential(Box::new(record.clone())))
}

fn update(store: &dyn Store, record: &CredentialRecord) -> Outcome {
    edit(store, Edit::UpdateCredential(Box::new(record.clone())))
}

fn delete(store: &dyn Store, number: u8) -> Outcome {
    edit(store, Edit::DeleteCredential { id: credential(number).id, at: NOW })
}

pub(super) fn a_credential_reads_back_as_it_was_made(store: &dyn Store) {
    assert_eq!(make(store, &credential(1)), Outcome::Done);
    assert_eq!(make(store, &bare_credential(2)), Outcome::Done);
    let other = CredentialRecord { name: None, ..credential(1) };
    assert_eq!(make(store, &other), Outcome::Conflict);
    assert_eq!(live(store), [credential(1), bare_credential(2)]);
}

pub(super) fn an_update_of_a_credential_replaces_it_and_raises_its_version(store: &dyn Store) {
    make(store, &credential(1));
    make(store, &credential(2));
    let changed = CredentialRecord { id: credential(1).id, ..bare_credential(3) };
    assert_eq!(update(store, &changed), Outcome::Done);
    let kept = CredentialRecord { version: 2, ..changed.clone() };
    assert_eq!(live(store), [kept.clone(), credential(2)]);

    assert_eq!(update(store, &changed), Outcome::Conflict, "it was made from version 1");
    assert_eq!(update(store, &credential(9)), Outcome::Missing);
    assert_eq!(live(store), [kept, credential(2)]);
}

pub(super) fn a_deleted_credential_is_gone_for_ever_and_its_secret_with_it(store: &dyn Store) {
    make(store, &credential(1));
    make(store, &credential(2));
    assert_eq!(delete(store, 1), Outcome::Done);
    assert_eq!(delete(store, 1), Outcome::Missing);
    assert_eq!(update(store, &credential(1)), Outcome::Missing);
    assert_eq!(make(store, &credential(1)), Outcome::Conflict);
    assert_eq!(live(store), [credential(2)]);
}

pub(super) fn a_workspace_that_is_deleted_takes_its_credentials_along(store: &dyn Store) {
    create_workspace(store, workspace_record(1));
    for record in [credential(1), bare_credential(2)] {
        make(store, &record);
    }
    edit(store, Edit::DeleteWorkspace { id: workspace(1), at: NOW });
    assert_eq!(live(store), [bare_credential(2)]);
    assert_eq!(make(store, &credential(1)), Outcome::Conflict);
    assert_eq!(make(store, &credential(3)), Outcome::Refused(Refused::NoWorkspace));
    assert_eq!(update(store, &credential(1)), Outcome::Missing);
    let deleted = ExportLine::Credential(Box::new(credential(1).without_secret()), Some(NOW));
    assert!(export(store).contains(&deleted));
}

pub(super) fn all_live_secrets_are_encrypted_anew_or_none(store: &dyn Store) {
    for number in 1..=3 {
        make(store, &credential(number));
    }
    delete(store, 3);
    let anew = |number: u8, version| Reencrypted {
        id: credential(number).id,
        version,
        encrypted: Encrypted(vec![9, number]),
    };
    let rotate = |secrets: Vec<Reencrypted>| edit(store, Edit::ReencryptCredentials(secrets));
    let wrong = [
        vec![],
        vec![anew(1, 1)],
        vec![anew(1, 1), anew(1, 1)],
        vec![anew(1, 1), anew(2, 2)],
        vec![anew(1, 1), anew(2, 1), anew(3, 1)],
        vec![anew(1, 1), anew(4, 1)],
    ];
    for secrets in wrong {
        assert_eq!(rotate(secrets.clone()), Outcome::Conflict, "{secrets:?}");
        assert_eq!(live(store), [credential(1), credential(2)]);
    }
    assert_eq!(rotate(vec![anew(2, 1), anew(1, 1)]), Outcome::Done);
    let rotated = |number: u8| CredentialRecord {
        encrypted: Encrypted(vec![9, number]),
        version: 2,
        ..credential(number)
    };
    assert_eq!(live(store), [rotated(1), rotated(2)]);

    // An edit that was made before brings no old secret back.
    let batch = [
        recorded(Edit::UpdateCredential(Box::new(credential(1)))),
        recorded(Edit::ReencryptCredentials(vec![anew(1, 2), anew(2, 2)])),
    ];
    assert_eq!(commit_all(store, &batch), [Outcome::Conflict, Outcome::Done]);
}
