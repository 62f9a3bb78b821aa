//! The text form of a key's hash: 64 lower-case hex digits.
//! A capital letter makes it another text, which no key has (SEMANTICS 3.4).

/// The hash that `text` is, or `None` where it is not 64 lower-case hex digits.
///
/// ```
/// # use api::keys::{hex, parse_hash};
/// let text = "0e".repeat(32);
/// assert_eq!(parse_hash(&text).map(|hash| hex(&hash)), Some(text.clone()));
/// assert_eq!(parse_hash(&text.to_uppercase()), None);
/// ```
pub fn parse_hash(text: &str) -> Option<[u8; 32]> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let pairs: &[[u8; 2]; 32] = pairs.try_into().ok()?;
    let mut hash = [0; 32];
    for (byte, [high, low]) in hash.iter_mut().zip(pairs) {
        *byte = nibble(*high)? << 4 | nibble(*low)?;
    }
    Some(hash)
}

/// The text of a hash.
pub fn hex(hash: &[u8; 32]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    hash.iter()
        .flat_map(|byte| [byte >> 4, byte & 0xf])
        .map(|nibble| char::from(DIGITS[usize::from(nibble)]))
        .collect()
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}
