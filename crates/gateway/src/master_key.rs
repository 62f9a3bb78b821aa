//! The master key: what credentials are encrypted under in the book (DESIGN I6).
//!
//! XChaCha20-Poly1305, a random nonce each time. What a secret belongs to is bound to it: moved to
//! another credential, provider or workspace it can't be read.

use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};
use store::{CredentialRecord, Encrypted};
use zeroize::Zeroizing;

use crate::entropy::{Entropy, bytes};

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
/// The first byte of every encrypted secret: the form of the rest.
const FORM: u8 = 1;

/// Which master key: eight bytes of a SHA-256 of it, from which it can't be worked out.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct MasterKeyId([u8; 8]);

impl fmt::Display for MasterKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for MasterKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl MasterKeyId {
    /// The master key that a secret was encrypted under; `None` where it is none of ours.
    pub fn of(secret: &Encrypted) -> Option<MasterKeyId> {
        let (form, rest) = secret.0.split_first()?;
        (*form == FORM).then(|| rest.first_chunk().copied().map(MasterKeyId)).flatten()
    }
}

/// Why a secret can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It was encrypted under another master key.
    #[error("it is encrypted under master key {0}")]
    OtherKey(MasterKeyId),
    /// It was changed, belongs to something else, or is of a form that is not known.
    #[error("it is damaged")]
    Damaged,
}

/// A text that is no master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not 64 hex digits")]
pub struct NoMasterKey;

/// A key that reads and writes secrets; wiped from memory when dropped.
pub struct MasterKey {
    key: Zeroizing<[u8; KEY_BYTES]>,
    id: MasterKeyId,
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.id)
    }
}

impl MasterKey {
    /// A new one.
    pub fn new(entropy: &dyn Entropy) -> MasterKey {
        MasterKey::of(Zeroizing::new(bytes(entropy)))
    }

    /// The one whose 64 hex digits `text` is, with blanks around them or not.
    pub fn parse(text: &str) -> Result<MasterKey, NoMasterKey> {
        let (pairs, []) = text.trim().as_bytes().as_chunks::<2>() else { return Err(NoMasterKey) };
        let pairs: &[[u8; 2]; KEY_BYTES] = pairs.try_into().map_err(|_| NoMasterKey)?;
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        let digit =
            |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        for (byte, [high, low]) in key.iter_mut().zip(pairs) {
            *byte = digit(*high)
                .zip(digit(*low))
                .map(|(high, low)| high << 4 | low)
                .ok_or(NoMasterKey)?;
        }
        Ok(MasterKey::of(key))
    }

    fn of(key: Zeroizing<[u8; KEY_BYTES]>) -> MasterKey {
        let digest = Sha256::new().chain_update(b"tollgate master key id\0").chain_update(*key);
        let digest: [u8; 32] = digest.finalize().into();
        let [a, b, c, d, e, f, g, h, ..] = digest;
        MasterKey { key, id: MasterKeyId([a, b, c, d, e, f, g, h]) }
    }

    /// Its 64 hex digits, for the file that keeps it.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(2 * KEY_BYTES));
        for byte in self.key.iter().flat_map(|byte| [byte >> 4, byte & 0xf]) {
            text.push(char::from_digit(u32::from(byte), 16).unwrap_or('0'));
        }
        text
    }

    /// Which one it is.
    pub fn id(&self) -> MasterKeyId {
        self.id
    }

    /// `secret` as the store keeps it for `owner`. Empty, which nothing reads, where it can't be
    /// encrypted: that takes a text larger than any memory.
    pub fn encrypt(
        &self,
        owner: &CredentialRecord,
        secret: &[u8],
        entropy: &dyn Entropy,
    ) -> Encrypted {
        let nonce: [u8; NONCE_BYTES] = bytes(entropy);
        let payload = Payload { msg: secret, aad: &binding(owner) };
        let Ok(ciphertext) = self.cipher().encrypt(&XNonce::from(nonce), payload) else {
            return Encrypted::default();
        };
        Encrypted([&[FORM], &self.id.0[..], &nonce, &ciphertext].concat())
    }

    /// The secret that was encrypted for `owner`.
    pub fn decrypt(&self, owner: &CredentialRecord) -> Result<Zeroizing<Vec<u8>>, Unreadable> {
        let id = MasterKeyId::of(&owner.encrypted).ok_or(Unreadable::Damaged)?;
        if id != self.id {
            return Err(Unreadable::OtherKey(id));
        }
        let rest = owner.encrypted.0.get(1 + id.0.len()..).unwrap_or_default();
        let (nonce, msg) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(Unreadable::Damaged)?;
        let payload = Payload { msg, aad: &binding(owner) };
        let secret = self.cipher().decrypt(&XNonce::from(*nonce), payload);
        secret.map(Zeroizing::new).map_err(|_| Unreadable::Damaged)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(*self.key))
    }
}

/// What a secret belongs to, all of it fixed for as long as it lives.
fn binding(owner: &CredentialRecord) -> Vec<u8> {
    let mut bound = b"tollgate credential\0".to_vec();
    bound.extend(owner.id.as_bytes());
    match owner.workspace {
        None => bound.push(0),
        Some(workspace) => {
            bound.push(1);
            bound.extend(workspace.as_bytes());
        }
    }
    // At the end, since nothing else here has a length of its own.
    bound.extend(owner.provider.as_bytes());
    bound
}

#[cfg(test)]
mod tests;
