//! Key texts that somebody thought up. A hash does not show it, but a text, its last characters,
//! or the hash of a text that many use do.

use gateway::http::hash;

/// Fewer characters, or fewer different ones, are too few.
const CHARS_MIN: usize = 20;
const DISTINCT_MIN: usize = 10;

/// Texts from manuals and examples.
const USUAL: [&str; 14] = [
    "sk-1234",
    "sk-12345",
    "sk-123456",
    "sk-12345678",
    "sk-test",
    "sk-litellm",
    "sk-master",
    "sk-admin",
    "sk-password",
    "sk-key",
    "sk-demo",
    "sk-dev",
    "sk-local",
    "sk-anything",
];

/// Why a key may be guessed; `text` where it is known, `shown` is the masked one.
pub(super) fn reason(
    text: Option<&str>,
    key_hash: &str,
    shown: Option<&str>,
) -> Option<&'static str> {
    if USUAL.iter().any(|usual| hash(usual).to_string() == key_hash) {
        return Some("its text is one from manuals, which everybody knows: give out another key");
    }
    if let Some(text) = text {
        let mut seen: Vec<char> = text.chars().collect();
        let length = seen.len();
        seen.sort_unstable();
        seen.dedup();
        let is_weak = length < CHARS_MIN || seen.len() < DISTINCT_MIN;
        return is_weak
            .then_some("its text is short or has few different characters: it may be guessed");
    }
    let last: Vec<char> = shown?.rsplit("...").next()?.chars().collect();
    let is_counted = last.iter().all(char::is_ascii_digit);
    let is_repeated = last.windows(2).all(|pair| pair[0] == pair[1]);
    (last.len() >= 4 && (is_counted || is_repeated))
        .then_some("its last characters look thought up: if the text is short, it may be guessed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_thought_up_is_told_from_what_was_drawn() {
        let of = |text: &str| reason(Some(text), &hash(text).to_string(), None).is_some();
        assert!(of("sk-1234") && of("sk-team-alpha") && of(&"sk-".repeat(9)));
        assert!(!of("sk-Zb0aTq_s1dVf7wX2kLr9Qw"));
        assert!(reason(None, &hash("sk-1234").to_string(), None).is_some());
        let shown = |last: &str| reason(None, &"0".repeat(64), Some(last)).is_some();
        assert!(shown("sk-...1234") && shown("sk-...aaaa") && !shown("sk-...9Qw1"));
    }
}
