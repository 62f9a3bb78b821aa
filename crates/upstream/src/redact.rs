//! What may be shown of a provider's error text: a little of it, and nothing secret.
//! Providers repeat the key they were given, and ours for them is nobody's business.

/// The most that is left of a text, bytes.
pub const REDACTED_BYTES_MAX: usize = 2 * 1024;

/// The most of a text that is looked at, bytes; long secrets are short once taken out.
const READ_BYTES_MAX: usize = 4 * REDACTED_BYTES_MAX;

/// The shortest beginning of the credential, bytes, that counts as one at the text's end.
const CUT_CREDENTIAL_BYTES_MIN: usize = 4;

const REDACTED: &str = "[redacted]";

/// At most 2 KiB of `text`, cut between characters, with `credential` and all that looks like a key taken out.
///
/// Taken out are the credential, its JSON-escaped form and its beginning where the text stops in the middle of it,
/// whatever follows `sk-`, and whatever follows `bearer` in any case. The secrets go first and the cut comes after, so
/// none is left in half.
///
/// ```
/// # use upstream::redact;
/// assert_eq!(redact("bad key sk-live-1: try again", "sk-live-1"), "bad key [redacted]: try again");
/// ```
pub fn redact(text: &str, credential: &str) -> String {
    let text = cut(text, READ_BYTES_MAX);
    let mut shown = String::with_capacity(text.len().min(REDACTED_BYTES_MAX));
    let mut at = 0;
    while let Some(letter) = text[at..].chars().next() {
        let end = secrets_end(text, at, credential);
        let piece = if end > at { REDACTED } else { &text[at..at + letter.len_utf8()] };
        if shown.len() + piece.len() > REDACTED_BYTES_MAX {
            break;
        }
        shown.push_str(piece);
        at += if end > at { end - at } else { letter.len_utf8() };
    }
    shown
}

fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

/// Where the secret that begins at `start` ends, with every other that begins before its end; `start` where none does.
fn secrets_end(text: &str, start: usize, credential: &str) -> usize {
    let mut end = key_end(text, start).unwrap_or(start);
    let mut at = start;
    loop {
        // No `sk-` within: it would reach no further than what it is within.
        let inner = credential_end(text, at, credential).max(bearer_end(text, at));
        end = end.max(inner.unwrap_or(end));
        let Some(letter) = text[at..].chars().next() else { return end };
        at += letter.len_utf8();
        if at >= end {
            return end;
        }
    }
}

/// The end of the credential at `at`, or of the text where that stops in the middle of it.
fn credential_end(text: &str, at: usize, credential: &str) -> Option<usize> {
    let mut rest = text[at..].char_indices().peekable();
    let mut matched_bytes = 0;
    for expected in credential.chars() {
        // JSON writes some letters with a backslash before them.
        if expected != '\\' {
            rest.next_if(|&(_, letter)| letter == '\\');
        }
        match rest.next() {
            Some((_, letter)) if letter == expected => matched_bytes += letter.len_utf8(),
            Some(_) => return None,
            None => return (matched_bytes >= CUT_CREDENTIAL_BYTES_MIN).then_some(text.len()),
        }
    }
    (matched_bytes > 0).then(|| rest.next().map_or(text.len(), |(offset, _)| at + offset))
}

/// The end of an `sk-…` at `at`.
fn key_end(text: &str, at: usize) -> Option<usize> {
    let body = after_word(text, at, "sk-")?;
    token_end(text, body)
}

/// The end of a `Bearer …` at `at`.
fn bearer_end(text: &str, at: usize) -> Option<usize> {
    let word_end = after_word(text, at, "bearer")?;
    let rest = &text[word_end..];
    let token = rest.trim_start_matches([' ', '\t', '\r', '\n', ':', '=', '"', '\'', '\\', '+']);
    if token.len() == rest.len() {
        return None;
    }
    token_end(text, text.len() - token.len())
}

/// Where `word`, in any case and not within another, ends.
fn after_word(text: &str, at: usize, word: &str) -> Option<usize> {
    let found = text.get(at..at + word.len())?;
    let within =
        text[..at].chars().next_back().is_some_and(|before| before.is_ascii_alphanumeric());
    (found.eq_ignore_ascii_case(word) && !within).then_some(at + word.len())
}

/// The end of the token at `at`, the full stop of a sentence left out; none where there is no token.
fn token_end(text: &str, at: usize) -> Option<usize> {
    let is_token = |letter: char| letter.is_ascii_alphanumeric() || "-._~+/=*%".contains(letter);
    let rest = &text[at..];
    let token = &rest[..rest.find(|letter| !is_token(letter)).unwrap_or(rest.len())];
    let token = token.trim_end_matches('.');
    (!token.is_empty()).then_some(at + token.len())
}
