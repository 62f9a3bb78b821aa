use std::sync::atomic::{AtomicU8, Ordering};

use uuid::Uuid;

use super::*;
use crate::credentials::sample::credential;

const TEXT: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// Every byte is another.
struct Counting(AtomicU8);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.iter_mut().for_each(|byte| *byte = self.0.fetch_add(1, Ordering::Relaxed));
    }
}

fn entropy() -> Counting {
    Counting(AtomicU8::new(0))
}

#[test]
fn a_key_is_its_64_hex_digits_and_tells_nothing_of_them() {
    let key = MasterKey::parse(TEXT).unwrap();
    assert_eq!(key.to_text().as_str(), TEXT);
    assert_eq!(MasterKey::new(&entropy()).to_text().as_str(), TEXT);
    let spaced = format!(" {}\n", TEXT.to_uppercase());
    assert_eq!(MasterKey::parse(&spaced).unwrap().id(), key.id());
    let shown = format!("{key:?}");
    assert_eq!(shown, format!("MasterKey({})", key.id()));
    assert_eq!(key.id().to_string().len(), 16);
    assert!(!TEXT.contains(&key.id().to_string()));
    let more = format!("{TEXT}00");
    for wrong in ["", "0", &TEXT[2..], &more, &TEXT.replace('f', "g"), &"é".repeat(32)] {
        assert_eq!(MasterKey::parse(wrong).unwrap_err(), NoMasterKey, "{wrong}");
    }
}

#[test]
fn a_secret_is_read_by_its_key_alone_and_for_its_owner_alone() {
    let (key, chance) = (MasterKey::parse(TEXT).unwrap(), entropy());
    let mut owner = credential("alpha");
    owner.encrypted = key.encrypt(&owner, b"sk-secret", &chance);
    assert_eq!(key.decrypt(&owner).unwrap().as_slice(), b"sk-secret");
    assert_eq!(MasterKeyId::of(&owner.encrypted), Some(key.id()));
    let again = key.encrypt(&owner, b"sk-secret", &chance);
    assert_ne!(again, owner.encrypted, "each time with another nonce");

    let other = MasterKey::parse(&TEXT.replace("00", "99")).unwrap();
    assert_eq!(other.decrypt(&owner).unwrap_err(), Unreadable::OtherKey(key.id()));
    let moved = [
        CredentialRecord { id: Uuid::from_u128(9), ..owner.clone() },
        CredentialRecord { provider: "alphabet".to_owned(), ..owner.clone() },
        CredentialRecord { workspace: Some(Uuid::from_u128(9)), ..owner.clone() },
        CredentialRecord { workspace: None, ..owner.clone() },
    ];
    for moved in moved {
        assert_eq!(key.decrypt(&moved).unwrap_err(), Unreadable::Damaged, "{moved:?}");
    }
    let renamed = CredentialRecord { name: None, disabled: true, version: 9, ..owner };
    assert_eq!(key.decrypt(&renamed).unwrap().as_slice(), b"sk-secret");
}

#[test]
fn a_secret_of_which_any_byte_was_changed_or_lost_is_not_read() {
    let key = MasterKey::parse(TEXT).unwrap();
    let mut owner = credential("alpha");
    let whole = key.encrypt(&owner, b"sk-secret", &entropy());
    for place in 0..whole.0.len() {
        owner.encrypted = whole.clone();
        owner.encrypted.0[place] ^= 1;
        assert!(key.decrypt(&owner).is_err(), "byte {place}");
        owner.encrypted.0.truncate(place);
        assert!(key.decrypt(&owner).is_err(), "{place} bytes");
    }
}
