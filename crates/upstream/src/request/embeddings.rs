//! A request for embeddings: what its inputs are, and what bounds their tokens.
//! It is read as a chat request is, and what passes through keeps its bytes (SEMANTICS 14.1).

use std::ops::Range;

use bytes::Bytes;

use super::fields::{Field, field};
use super::media::Scan;
use super::refusal::BadRequest;
use super::{Request, Seen, Surface, is_number, read, tokens};
use crate::json::{self, each_element, is_null};

/// What a provider may add to each input: the marks of its start and end, an instruction before it.
const ADDED_TOKENS_PER_INPUT: u64 = 16;

pub(super) const ALLOWED: &str = "a text, an array of texts, of token ids, of arrays of token ids, or of \
                       objects with content";

/// Reads a body as a request for embeddings, or says what is wrong with it.
///
/// The same is refused as by [`scan`](super::scan), and `stream` where it is `true`, which has no
/// meaning here. Of `input`, texts count by their bytes, token ids one each, parts that are not
/// text as [`media`](Request::media); what else the model may read counts once an input.
///
/// ```
/// # use {bytes::Bytes, upstream::{Plan, scan_embeddings}};
/// let body = br#"{"model":"a/b","input":["one","two"],"encoding_format":"base64","user":"u"}"#;
/// let request = scan_embeddings(&Bytes::from_static(body))?;
/// assert_eq!((request.model.as_deref(), request.inputs), (Some("a/b"), 2));
///
/// let plan = Plan { model: "b", max_tokens_field: "max_tokens", max_tokens: 0 };
/// assert_eq!(
///     request.forward(&plan).concat(),
///     br#"{"model":"b","input":["one","two"],"encoding_format":"base64"}"#
/// );
/// # Ok::<(), upstream::BadRequest>(())
/// ```
pub fn scan_embeddings(body: &Bytes) -> Result<Request, BadRequest> {
    read(body, Surface::Embeddings)
}

/// Sorts a folded name into its place. There is no completion, so no spelling of its maximum.
pub(super) fn field_of(name: &str) -> Field {
    match name {
        "encoding_format" | "dimensions" => Field::Unread,
        _ => match field(name) {
            Field::Maximum => Field::Read,
            other => other,
        },
    }
}

impl Request {
    /// Acts on one member; gives the ranges in it that are no text.
    pub(super) fn embeddings_member(
        &mut self,
        name: &str,
        text: &str,
        value: &str,
        seen: &mut Seen,
    ) -> Result<Vec<Range<usize>>, BadRequest> {
        if name == "input" {
            seen.has_prompt = true;
            let found = Inputs::read(text, value)?;
            self.inputs = found.count;
            self.beside_tokens = found.token_ids;
            self.media = found.scan.media;
            return Ok(found.scan.payloads);
        }
        self.named(name, value)?;
        if is_null(value) {
            return Ok(Vec::new());
        }
        match name {
            "stream" if value != "false" => {
                let fault = "is not supported here, as embeddings come in one piece; allowed is \
                             false or null";
                return Err(BadRequest::new(name, fault));
            }
            "dimensions" => drop(tokens(name, value)?),
            "encoding_format" => encoding(name, value)?,
            "input_type" if !value.starts_with('"') => {
                return Err(BadRequest::kind(name, value, "a string or null"));
            }
            _ => {}
        }
        Ok(Vec::new())
    }

    /// Counts what is not in the bytes of the inputs' text: `others` are the bytes of all else that
    /// the model may read, which it may read with every input.
    pub(super) fn count_beside(&mut self, others: u64) {
        let again = others.saturating_mul(self.inputs.saturating_sub(1));
        let added = self.inputs.saturating_mul(ADDED_TOKENS_PER_INPUT);
        self.beside_tokens = self.beside_tokens.saturating_add(again).saturating_add(added);
        self.prompt_bytes = self.prompt_bytes.saturating_add(self.beside_tokens);
    }
}

fn encoding(name: &str, value: &str) -> Result<(), BadRequest> {
    const ALLOWED: &str = r#""float", "base64" or null"#;
    match json::string(value).as_deref() {
        Some("float" | "base64") => Ok(()),
        Some(_) => Err(BadRequest::new(name, &format!("is not known; allowed is {ALLOWED}"))),
        None => Err(BadRequest::kind(name, value, ALLOWED)),
    }
}

/// What the elements of `input` are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    TokenId,
    TokenIds,
    Object,
}

impl Kind {
    fn of(value: &str) -> Option<Kind> {
        match value.as_bytes().first()? {
            b'"' => Some(Kind::Text),
            b'[' => Some(Kind::TokenIds),
            b'{' => Some(Kind::Object),
            _ if is_number(value) => Some(Kind::TokenId),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Kind::Text => "a text",
            Kind::TokenId => "a token id",
            Kind::TokenIds => "an array of token ids",
            Kind::Object => "an object",
        }
    }
}

/// The inputs of a request.
#[derive(Default)]
struct Inputs {
    count: u64,
    token_ids: u64,
    scan: Scan,
}

impl Inputs {
    /// Reads `input`, a slice of `body`.
    fn read(body: &str, input: &str) -> Result<Inputs, BadRequest> {
        let mut inputs = Inputs::default();
        match input.as_bytes().first() {
            Some(b'"') => inputs.element(body, || "input".to_owned(), input)?,
            Some(b'[') => inputs.list(body, input)?,
            _ => return Err(BadRequest::kind("input", input, ALLOWED)),
        }
        Ok(inputs)
    }

    fn list(&mut self, body: &str, input: &str) -> Result<(), BadRequest> {
        if let Some(ids) = ids_at_a_glance(input).filter(|ids| *ids > 0) {
            self.token_ids = ids;
            self.are_tokens(body, input);
            self.count = 1;
            return Ok(());
        }
        let mut first = None;
        each_element(input, |at, element| {
            let path = || format!("input[{at}]");
            let kind =
                Kind::of(element).ok_or_else(|| BadRequest::kind(path(), element, ALLOWED))?;
            let first = *first.get_or_insert(kind);
            if kind != first {
                let (is, allowed) = (kind.name(), first.name());
                let fault = format!("is {is}; allowed is {allowed}, as input[0] is");
                return Err(BadRequest::new(path(), &fault));
            }
            self.element(body, path, element)
        })?;
        match first {
            None => Err(BadRequest::new("input", &format!("is empty; allowed is {ALLOWED}"))),
            Some(Kind::TokenId) => {
                self.are_tokens(body, input);
                self.count = 1;
                Ok(())
            }
            Some(Kind::TokenIds) => {
                self.are_tokens(body, input);
                Ok(())
            }
            Some(Kind::Text | Kind::Object) => Ok(()),
        }
    }

    /// Nothing of `input` is text: the brackets and commas around its tokens are none.
    fn are_tokens(&mut self, body: &str, input: &str) {
        self.scan.payloads = vec![json::span(body, input)];
    }

    fn element(
        &mut self,
        body: &str,
        path: impl Fn() -> String,
        element: &str,
    ) -> Result<(), BadRequest> {
        self.count += 1;
        match element.as_bytes().first() {
            Some(b'{') => self.scan.input(body, &path, element),
            Some(b'[') => {
                let ids = token_ids(&path, element)?;
                self.token_ids += ids;
                if ids == 0 {
                    let fault = "is empty; allowed is an array of token ids";
                    return Err(BadRequest::new(path(), fault));
                }
                Ok(())
            }
            Some(b'"') if element == r#""""# => {
                Err(BadRequest::new(path(), "is empty; allowed is a text of at least a character"))
            }
            Some(b'"') => Ok(()),
            _ => {
                self.token_ids += 1;
                token_id(path, element)
            }
        }
    }
}

/// How many token ids a list has, each looked at.
fn token_ids(path: impl Fn() -> String, list: &str) -> Result<u64, BadRequest> {
    if let Some(ids) = ids_at_a_glance(list) {
        return Ok(ids);
    }
    let mut ids = 0;
    each_element(list, |at, id| {
        ids += 1;
        token_id(|| format!("{}[{at}]", path()), id)
    })?;
    Ok(ids)
}

/// How many token ids a list of JSON has, where it is written as nearly all are, digits and commas:
/// there may be millions.
fn ids_at_a_glance(list: &str) -> Option<u64> {
    let inner = list.strip_prefix('[')?.strip_suffix(']')?;
    let is_plain = |byte: u8| byte.is_ascii_digit() || byte == b',' || byte.is_ascii_whitespace();
    if !inner.bytes().all(is_plain) {
        return None;
    }
    let commas = memchr::memchr_iter(b',', inner.as_bytes()).count();
    let ids = if inner.trim_ascii().is_empty() { 0 } else { commas + 1 };
    u64::try_from(ids).ok()
}

/// A token's id is a whole number from 0; to JSON `7.0` is one as well.
fn token_id(path: impl Fn() -> String, value: &str) -> Result<(), BadRequest> {
    let (whole, decimals) = value.split_once('.').unwrap_or((value, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !whole.is_empty() && is_digits(whole) && decimals.bytes().all(|byte| byte == b'0') {
        return Ok(());
    }
    let allowed = "a token id, a whole number from 0";
    if is_number(value) {
        return Err(BadRequest::new(path(), &format!("is no token id; allowed is {allowed}")));
    }
    Err(BadRequest::kind(path(), value, allowed))
}
