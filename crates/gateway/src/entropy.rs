//! Where chance comes from: key texts, generation ids, nonces. Tests seed it.

use std::fmt::Write as _;

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
///
/// The first four of the twenty are the moment within the second, so that ids rise with time and
/// the rows of a batch lie side by side in the book's index; the other sixteen are chance.
pub(crate) fn generation_id(entropy: &dyn Entropy, now: jiff::Timestamp) -> String {
    let digit = |number: u128| char::from(ALPHANUMERIC[usize::try_from(number % 62).unwrap_or(0)]);
    let mut id = String::with_capacity("gen-0123456789-0123456789abcdefghij".len());
    // Writing to a string can't fail.
    let _ = write!(id, "gen-{}-", now.as_second());
    // 62^4 is a little under 15 million: more than the microseconds of a second.
    let within = u128::from(now.subsec_microsecond().unsigned_abs());
    id.extend([62 * 62 * 62, 62 * 62, 62, 1].map(|place| digit(within / place)));
    // 62^16 is a little under 2^96, so the 128 random bits make every ending about equally likely.
    let mut rest = u128::from_le_bytes(bytes(entropy));
    for _ in 0..16 {
        id.push(digit(rest));
        rest /= 62;
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;

    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0x5A);
        }
    }

    #[test]
    fn ids_rise_with_the_moment_of_their_admission() {
        let at = |text: &str| generation_id(&Fixed, text.parse().unwrap());
        let ids = [
            at("2026-11-18T12:00:00Z"),
            at("2026-11-18T12:00:00.000001Z"),
            at("2026-11-18T12:00:00.000062Z"),
            at("2026-11-18T12:00:00.999999Z"),
            at("2026-11-18T12:00:01Z"),
        ];
        assert_eq!(
            ids.each_ref().map(|id| &id[..19]),
            [
                "gen-1795003200-0000",
                "gen-1795003200-0001",
                "gen-1795003200-0010",
                "gen-1795003200-4C91",
                "gen-1795003201-0000",
            ]
        );
        assert!(ids.is_sorted() && ids.iter().all(|id| id.len() == 35));
    }
}
