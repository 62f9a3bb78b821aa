//! Where chance comes from: key texts, generation ids, nonces. Tests seed it.

/// A source of unpredictable bytes.
pub trait Entropy: Send + Sync {
    /// Fills `bytes` with random ones, fit for secrets.
    fn fill(&self, bytes: &mut [u8]);
}

const ALPHANUMERIC: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// `N` random bytes.
pub(crate) fn bytes<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}

/// A generation's public id, `gen-<unix seconds>-<20 letters and digits>` (SEMANTICS 12.2).
pub(crate) fn generation_id(entropy: &dyn Entropy, now: jiff::Timestamp) -> String {
    // 62^20 is a little under 2^120, so the 128 random bits make every id about equally likely.
    let mut rest = u128::from_le_bytes(bytes(entropy));
    let mut id = format!("gen-{}-", now.as_second());
    for _ in 0..20 {
        let digit = usize::try_from(rest % 62).unwrap_or(0);
        id.push(char::from(ALPHANUMERIC[digit]));
        rest /= 62;
    }
    id
}
