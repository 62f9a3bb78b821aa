use jiff::ToSpan as _;
use store::KeyHash;

use super::sample::credential;
use super::*;

const NOW: Timestamp = Timestamp::constant(1_795_348_800, 0);
const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

struct Fixed;

impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0x5A);
    }
}

fn key() -> MasterKey {
    MasterKey::parse(KEY).unwrap()
}

fn asker() -> Asker<'static> {
    Asker { model: "openai/gpt", key: KeyHash([1; 32]), user: None, workspace: Uuid::from_u128(7) }
}

/// A credential with a secret of its own.
fn kept(number: u128, change: impl FnOnce(&mut CredentialRecord)) -> CredentialRecord {
    let mut record = CredentialRecord { id: Uuid::from_u128(number), ..credential("alpha") };
    change(&mut record);
    let secret = format!("secret-{number}");
    encrypted(&key(), record, &secret, &Fixed)
}

fn opened(records: Vec<CredentialRecord>) -> Credentials {
    Credentials::open(records, Some(key())).unwrap()
}

/// The texts of those that may be used, and whether the operator's own may.
fn chosen(credentials: &Credentials, asker: &Asker<'_>) -> (Vec<String>, bool) {
    let set = credentials.current();
    let choice = choose(set.of("alpha"), asker, NOW);
    let texts = choice.credentials.iter().map(|known| known.text().to_owned()).collect();
    (texts, !choice.is_closed_to_own)
}

#[test]
fn those_of_a_provider_come_before_the_operators_own_or_after_each_by_its_place() {
    let credentials = opened(vec![
        kept(1, |record| record.is_fallback = true),
        kept(2, |record| record.sort_order = 5),
        kept(3, |record| record.sort_order = 4),
        kept(4, |record| (record.is_fallback, record.sort_order) = (true, 3)),
        kept(5, |record| record.provider = "alph".to_owned()),
        kept(6, |record| record.provider = "alphabet".to_owned()),
    ]);
    let texts = ["secret-3", "secret-2", "secret-1", "secret-4"].map(str::to_owned);
    assert_eq!(chosen(&credentials, &asker()), (texts.to_vec(), true));
    assert_eq!(credentials.current().of("alphabet").len(), 1);
    assert!(credentials.current().of("beta").is_empty());
}

#[test]
fn every_filter_must_let_a_request_through() {
    type Change = fn(&mut CredentialRecord);
    let list = |text: &str| Some(vec![text.to_owned()]);
    let other = Asker { user: Some("ada"), ..asker() };
    let table: [(Change, &Asker<'_>, bool); 12] = [
        (|_| {}, &asker(), true),
        (|record| record.disabled = true, &asker(), false),
        (|record| record.workspace = None, &asker(), true),
        (|record| record.workspace = Some(Uuid::from_u128(8)), &asker(), false),
        (|record| record.allowed_models = Some(vec!["openai/gpt".to_owned()]), &asker(), true),
        (|record| record.allowed_models = Some(vec!["openai/*".to_owned()]), &asker(), true),
        (|record| record.allowed_models = Some(vec!["openai/gpt-4".to_owned()]), &asker(), false),
        (|record| record.allowed_api_key_hashes = Some(vec![KeyHash([1; 32])]), &asker(), true),
        (|record| record.allowed_api_key_hashes = Some(vec![KeyHash([2; 32])]), &asker(), false),
        (|record| record.allowed_user_ids = Some(vec!["ada".to_owned()]), &other, true),
        (|record| record.allowed_user_ids = Some(vec!["bob".to_owned()]), &other, false),
        (|record| record.allowed_user_ids = Some(vec!["ada".to_owned()]), &asker(), false),
    ];
    for (row, (change, asker, is_usable)) in table.into_iter().enumerate() {
        let (texts, _) = chosen(&opened(vec![kept(1, change)]), asker);
        assert_eq!(!texts.is_empty(), is_usable, "row {row}");
    }
    // All of them, not any.
    let both = kept(1, |record| {
        record.allowed_models = list("openai/gpt");
        record.allowed_user_ids = list("bob");
    });
    assert!(chosen(&opened(vec![both]), &other).0.is_empty());
}

#[test]
fn the_operators_own_stays_out_where_a_credential_that_is_for_the_caller_wants_it() {
    type Change = fn(&mut CredentialRecord);
    let table: [(Change, bool); 7] = [
        (|_| {}, true),
        (|record| record.is_required = true, false),
        (|record| record.is_byok_only = true, false),
        (
            |record| {
                record.is_required = true;
                record.allowed_models = Some(vec!["openai/other".to_owned()]);
            },
            true,
        ),
        (
            |record| {
                record.is_byok_only = true;
                record.allowed_models = Some(vec!["openai/other".to_owned()]);
            },
            false,
        ),
        (|record| (record.is_byok_only, record.disabled) = (true, true), true),
        (
            |record| {
                record.is_byok_only = true;
                record.workspace = Some(Uuid::from_u128(8));
            },
            true,
        ),
    ];
    for (row, (change, is_own_allowed)) in table.into_iter().enumerate() {
        let (_, allowed) = chosen(&opened(vec![kept(1, change)]), &asker());
        assert_eq!(allowed, is_own_allowed, "row {row}");
    }
    // One that rests, too: the owner did not say "unless it fails".
    let credentials = opened(vec![kept(1, |record| record.is_required = true)]);
    credentials.current().all()[0].rest_until(NOW, REST);
    assert_eq!(chosen(&credentials, &asker()), (vec![], false));
}

#[test]
fn one_that_was_refused_rests_a_minute_and_is_tried_at_once_when_it_was_changed() {
    let credentials = opened(vec![kept(1, |_| {}), kept(2, |_| {})]);
    let first = Arc::clone(credentials.current().find(Uuid::from_u128(1)).unwrap());
    first.rest_until(NOW, REST);
    assert_eq!(chosen(&credentials, &asker()).0, ["secret-2"]);
    assert!(!first.is_available(NOW + 59.seconds()));
    assert!(first.is_available(NOW + 60.seconds()));

    credentials.put(Credential::new(first.record.clone(), b"secret-anew").unwrap());
    assert_eq!(chosen(&credentials, &asker()).0, ["secret-anew", "secret-2"]);
    assert!(!first.is_available(Timestamp::MAX - 1.second()), "what it was before is never used");
}

#[test]
fn who_still_has_one_that_was_deleted_passes_it_over() {
    let credentials = opened(vec![kept(1, |_| {}), kept(2, |record| record.workspace = None)]);
    let had = credentials.current();
    credentials.remove_of(Uuid::from_u128(7));
    assert!(
        !had.all().iter().any(|known| known.record.id.as_u128() == 1 && known.is_available(NOW))
    );
    assert_eq!(chosen(&credentials, &asker()).0, ["secret-2"]);
    credentials.remove(Uuid::from_u128(2));
    assert!(credentials.current().is_empty() && !had.all()[1].is_available(NOW));
}

#[test]
fn another_master_key_changes_how_secrets_are_kept_and_nothing_else() {
    let credentials = opened(vec![kept(1, |_| {}), kept(2, |_| {})]);
    let had = credentials.current();
    had.find(Uuid::from_u128(1)).unwrap().rest_until(NOW, REST);
    let other = MasterKey::parse(&KEY.replace("00", "99")).unwrap();
    let secrets = credentials.reencrypted(&other, &Fixed);
    let id = other.id();
    credentials.rotate(other, secrets);
    assert_eq!(credentials.master_key().unwrap().id(), id);
    assert_eq!(chosen(&credentials, &asker()).0, ["secret-2"], "the first rests on");
    for known in credentials.current().all() {
        assert_eq!((MasterKeyId::of(&known.record.encrypted), known.record.version), (Some(id), 2));
    }
    assert!(had.find(Uuid::from_u128(2)).unwrap().is_available(NOW), "who has it goes on with it");
}

#[test]
fn what_cannot_be_decrypted_is_refused_with_what_to_do() {
    let record = kept(1, |_| {});
    let refusal = |records: Vec<CredentialRecord>, key: Option<MasterKey>| {
        Credentials::open(records, key).unwrap_err().to_string()
    };
    let id = key().id();
    let refused = refusal(vec![record.clone()], None);
    assert!(
        refused.contains(&format!("credentials of providers (1), encrypted under master key {id}"))
    );
    assert!(refused.contains("secrets.key_file") && refused.contains("TOLLGATE_MASTER_KEY"));
    let other = MasterKey::parse(&KEY.replace("00", "99")).unwrap();
    let refused = refusal(vec![record.clone()], Some(other));
    assert!(refused.contains(&format!("is encrypted under master key {id}, and the one given")));
    let moved = CredentialRecord { provider: "beta".to_owned(), ..record };
    assert!(refusal(vec![moved], Some(key())).contains("was damaged or changed"));
    assert!(Credentials::open(vec![], None).unwrap().current().is_empty());
}

#[test]
fn nothing_that_is_printed_has_the_secret_in_it() {
    let credentials = opened(vec![kept(1, |_| {})]);
    let known = Arc::clone(&credentials.current().all()[0]);
    let printed = format!("{credentials:?} {known:?} {:?}", known.authorization());
    assert!(!printed.contains("secret-1"), "{printed}");
    assert!(Credential::new(known.record.clone(), b"new\nline").is_none());
}
