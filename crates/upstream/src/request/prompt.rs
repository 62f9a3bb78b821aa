//! The text of a prompt in pieces, for counting tokens: strings unescaped, and what is around them.
//! Media are not among them.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use super::Request;
use crate::json;

/// A piece of what the model may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PromptPiece<'a> {
    /// A string's content, escapes undone and its two quotes taken off: a name or a value.
    Text(Cow<'a, str>),
    /// That many bytes of JSON between strings.
    Framing(u64),
}

impl Request {
    /// What the model may read, in the body's order.
    ///
    /// A string that is no Unicode text (half a surrogate pair) comes as framing, which is counted
    /// by its bytes.
    pub fn pieces(&self) -> impl Iterator<Item = PromptPiece<'_>> {
        let texts = self.text.iter().filter_map(|range| self.body.get(range.clone()));
        texts.flat_map(|text| Pieces { rest: text })
    }

    /// Tokens of the prompt that are in none of its pieces: those that came as ids, and what goes
    /// with each of several inputs.
    pub(crate) fn beside_tokens(&self) -> u64 {
        self.beside_tokens
    }
}

/// Cuts JSON into strings and what is between them; it begins and ends outside of strings.
struct Pieces<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Pieces<'a> {
    type Item = PromptPiece<'a>;

    fn next(&mut self) -> Option<PromptPiece<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        let before = memchr(b'"', self.rest).unwrap_or(self.rest.len());
        let (piece, taken) = if before > 0 {
            (framing(before), before)
        } else {
            let taken = string_end(self.rest);
            let literal = self.rest.get(..taken).and_then(|raw| std::str::from_utf8(raw).ok());
            let piece = match literal.and_then(json::string) {
                Some(text) => PromptPiece::Text(text),
                None => framing(taken),
            };
            (piece, taken)
        };
        self.rest = self.rest.get(taken..).unwrap_or_default();
        Some(piece)
    }
}

fn framing(bytes: usize) -> PromptPiece<'static> {
    PromptPiece::Framing(u64::try_from(bytes).unwrap_or(u64::MAX))
}

/// The length of the string literal that `json` begins with, quotes included.
fn string_end(json: &[u8]) -> usize {
    let mut at = 1;
    while let Some(found) = json.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += found;
        if json.get(at) == Some(&b'"') {
            return at + 1;
        }
        at += 2;
    }
    json.len()
}
