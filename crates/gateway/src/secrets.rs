//! Key texts: made, masked and forgotten. Only their SHA-256 is kept (DESIGN I6).

use std::fmt::Write as _;

use api::keys::PlainKey;

use crate::entropy::{Entropy, bytes};

const PREFIX: &str = "sk-or-v1-";

/// A new key text: the prefix and 256 random bits in lower-case hex (SEMANTICS 2.2).
pub fn new_key(entropy: &dyn Entropy) -> PlainKey {
    let mut text = String::with_capacity(PREFIX.len() + 64);
    text.push_str(PREFIX);
    for byte in bytes::<32>(entropy) {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
    }
    PlainKey::from(text)
}

/// What people may see of a key's text: its prefix, three characters, its last four
/// (SEMANTICS 2.4). A text of another form shows less.
pub fn label(text: &str) -> String {
    let (prefix, rest) = match text.strip_prefix(PREFIX) {
        Some(rest) => (PREFIX, rest),
        None => ("", text),
    };
    if rest.chars().count() < 24 {
        return format!("{prefix}...");
    }
    let first: String = rest.chars().take(3).collect();
    let last: Vec<char> = rest.chars().rev().take(4).collect();
    format!("{prefix}{first}...{}", last.into_iter().rev().collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_shows_three_and_four_characters_of_a_long_text() {
        let text = format!("sk-or-v1-0e6{}1c96", "0".repeat(57));
        assert_eq!(label(&text), "sk-or-v1-0e6...1c96");
        assert_eq!(label("hunter2"), "...", "a short text is not given away");
        assert_eq!(label(&"é".repeat(30)), "ééé...éééé");
    }
}
