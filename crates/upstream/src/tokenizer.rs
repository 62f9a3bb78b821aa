//! Counts the tokens of a text as a model would, where the bytes alone would refuse a request.
//! Work is bounded whatever the text: what no tokenizer can cut quickly is counted by its bytes.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{PromptPiece, Request};

/// Of one prompt, at most this many bytes go through the tokenizer; the rest count as bytes.
pub const TOKENIZED_BYTES_MAX: u64 = 4 << 20;

/// A text is cut into pieces of at most this many bytes, so that no run of one kind of character
/// makes a tokenizer's regular expression give up or take its time. A run without a place to cut
/// is counted by its bytes.
const PIECE_BYTES_MAX: usize = 16 << 10;

/// A tokenizer from a file may join what a cut parts; for each cut this many tokens are added.
const TOKENS_PER_CUT: u64 = 8;

/// A bundled tokenizer: its name, and what gives it.
#[derive(Clone, Copy)]
struct Bundled(&'static str, fn() -> &'static tiktoken_rs::CoreBPE);

const BUNDLED: [Bundled; 6] = [
    Bundled("o200k_base", tiktoken_rs::o200k_base_singleton),
    Bundled("o200k_harmony", tiktoken_rs::o200k_harmony_singleton),
    Bundled("cl100k_base", tiktoken_rs::cl100k_base_singleton),
    Bundled("p50k_base", tiktoken_rs::p50k_base_singleton),
    Bundled("p50k_edit", tiktoken_rs::p50k_edit_singleton),
    Bundled("r50k_base", tiktoken_rs::r50k_base_singleton),
];

/// A model's tokenizer; cheap to clone.
#[derive(Clone)]
pub struct Tokenizer(Kind);

#[derive(Clone)]
enum Kind {
    Bundled(Bundled),
    File(Arc<tokenizers::Tokenizer>),
}

/// Why there is no such tokenizer; told when the configuration is read.
#[derive(Debug, thiserror::Error)]
pub enum TokenizerError {
    /// No bundled tokenizer has this name.
    #[error("no tokenizer is named \"{name}\"; bundled are {}", BUNDLED.map(|known| known.0).join(", "))]
    Unknown {
        /// The name asked for.
        name: String,
    },
    /// The file could not be read, or is no tokenizer.
    #[error("{} is no tokenizer.json that can be read: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        cause: String,
    },
}

impl Tokenizer {
    /// The bundled tokenizer of that name, such as `o200k_base`.
    ///
    /// The first count builds it, which takes about a tenth of a second and tens of megabytes: who
    /// never counts never pays.
    pub fn named(name: &str) -> Result<Tokenizer, TokenizerError> {
        let known = BUNDLED.iter().find(|known| known.0 == name);
        let unknown = || TokenizerError::Unknown { name: name.to_owned() };
        known.map(|known| Tokenizer(Kind::Bundled(*known))).ok_or_else(unknown)
    }

    /// The tokenizer in a `tokenizer.json`, the form in which open models are published.
    pub fn from_file(path: &Path) -> Result<Tokenizer, TokenizerError> {
        let refused = |cause: tokenizers::Error| TokenizerError::File {
            path: path.to_owned(),
            cause: cause.to_string(),
        };
        let mut tokenizer = tokenizers::Tokenizer::from_file(path).map_err(refused)?;
        // A file may cut or fill what it counts, and read special tokens out of a user's text.
        tokenizer.with_truncation(None).map_err(refused)?;
        tokenizer.with_padding(None);
        tokenizer.set_encode_special_tokens(true);
        Ok(Tokenizer(Kind::File(Arc::new(tokenizer))))
    }

    /// The tokens of `text`, or a little more; the names of special tokens in it are plain text.
    ///
    /// This is work for the processor, up to about a second for the largest body: not for a thread
    /// that serves others meanwhile.
    pub fn count(&self, text: &str) -> u64 {
        let mut bytes_left = TOKENIZED_BYTES_MAX;
        self.count_within(text, &mut bytes_left)
    }

    /// The tokens of a request's text as the provider will count it: strings by their tokens, the
    /// JSON around them by its bytes, which covers what a chat template puts there.
    ///
    /// Token ids count one each. Media and what the provider adds unseen are not in it. Of a long prompt only
    /// [`TOKENIZED_BYTES_MAX`] are tokenized.
    pub fn count_prompt(&self, request: &Request) -> u64 {
        let mut bytes_left = TOKENIZED_BYTES_MAX;
        request
            .pieces()
            .map(|piece| match piece {
                PromptPiece::Text(text) => 2 + self.count_within(&text, &mut bytes_left),
                PromptPiece::Framing(bytes) => bytes,
            })
            .fold(request.beside_tokens(), u64::saturating_add)
    }

    fn count_within(&self, text: &str, bytes_left: &mut u64) -> u64 {
        let mut tokens = 0_u64;
        let mut rest = text;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(piece_end(rest));
            rest = after;
            let bytes = u64::try_from(piece.len()).unwrap_or(u64::MAX);
            let counted = match bytes_left.checked_sub(bytes) {
                Some(left) if piece.len() <= PIECE_BYTES_MAX => {
                    *bytes_left = left;
                    self.count_piece(piece).unwrap_or(bytes)
                }
                _ => bytes,
            };
            tokens = tokens.saturating_add(counted);
            if !rest.is_empty() && matches!(self.0, Kind::File(_)) {
                tokens = tokens.saturating_add(TOKENS_PER_CUT);
            }
        }
        tokens
    }

    fn count_piece(&self, piece: &str) -> Option<u64> {
        let tokens = match &self.0 {
            Kind::Bundled(Bundled(_, bpe)) => bpe().count_ordinary(piece),
            Kind::File(tokenizer) => tokenizer.encode_fast(piece, false).ok()?.len(),
        };
        u64::try_from(tokens).ok()
    }
}

impl fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Bundled(Bundled(name, _)) => write!(f, "Tokenizer({name})"),
            Kind::File(_) => f.write_str("Tokenizer(file)"),
        }
    }
}

/// Where the piece that `text` begins with ends: at the last cut within the bound, or if there is
/// none, at the first one after it.
fn piece_end(text: &str) -> usize {
    if text.len() <= PIECE_BYTES_MAX {
        return text.len();
    }
    let within = text.floor_char_boundary(PIECE_BYTES_MAX);
    let is_cut = |at: &usize| is_cut(text, *at);
    (1..=within)
        .rev()
        .find(is_cut)
        .or_else(|| (within + 1..text.len()).find(is_cut))
        .unwrap_or(text.len())
}

/// Whether the tokens before and after this place are those of the whole text.
///
/// The bundled tokenizers first cut a text into words by a regular expression, and merge bytes
/// within a word only. In all of them a space after anything but white space starts a word, and
/// so does a mark of punctuation or a line feed after a letter or a digit; what comes later has no
/// say in how the words before it are cut.
fn is_cut(text: &str, at: usize) -> bool {
    let Some((before, after)) = text.split_at_checked(at) else { return false };
    let (Some(before), Some(after)) = (before.chars().next_back(), after.chars().next()) else {
        return false;
    };
    match after {
        ' ' => !before.is_whitespace(),
        '\n' | '.' | ',' | ';' | ':' | '"' | '(' | ')' | '<' | '=' | '|' | '。' | '，' | '、' => {
            is_letter(before)
        }
        _ => false,
    }
}

/// Whether this is surely a letter or a digit to every regular expression: the scripts that are
/// written without spaces, and ASCII.
fn is_letter(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(c, '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{4e00}'..='\u{9fff}')
}
