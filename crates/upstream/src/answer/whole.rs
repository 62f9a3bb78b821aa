//! An answer that is one JSON object, rewritten as it passes, whatever its size.
//! Its end is kept back: the caller sends it once the settlement is durable (DESIGN step 5).

use std::borrow::Cow;

use bytes::{BufMut, Bytes, BytesMut};

use super::value::ValueEnd;
use super::{Malformed, Ours, is_seconds};
use crate::{Reported, Surface, json};

/// A `usage` or an `error` is read up to this many bytes.
pub const CAPTURE_BYTES_MAX: usize = 64 << 10;

/// A top-level name is read up to this many bytes; a longer one is refused.
const NAME_BYTES_MAX: usize = 256;

/// Rewrites an answer piece by piece.
///
/// The id, the model, the provider and `object` become ours, and the usage comes at the end, and
/// of a chat's answer `created` and `system_fingerprint` where they are missing. All other values
/// pass byte for byte. Brackets and strings are checked as they pass; a small answer that is seen whole
/// before its first byte is sent can be checked throughout with [`Output::of_answer`](super::Output::of_answer).
///
/// ```
/// # use {bytes::BytesMut, upstream::{JsonAnswer, Ours, Surface}};
/// let ours = Ours::new("gen-1", "openai/gpt-4o-mini", "OpenAI", 1_800_000_000);
/// let mut answer = JsonAnswer::new(&ours, Surface::Chat);
/// let mut out = BytesMut::new();
/// answer.push(br#"{"id":"x","choices":[],"usage":{"prompt_tokens":7,"compl"#, &mut out)?;
/// answer.push(br#"etion_tokens":3}}"#, &mut out)?;
/// let end = answer.finish()?;
/// out.extend_from_slice(&end.tail(r#"{"cost":0.1}"#));
/// assert_eq!(
///     out,
///     concat!(
///         r#"{"id":"gen-1","model":"openai/gpt-4o-mini","provider":"OpenAI","object":"chat.completion","#,
///         r#""choices":[],"created":1800000000,"system_fingerprint":null,"usage":{"cost":0.1}}"#
///     )
/// );
/// # Ok::<(), upstream::Malformed>(())
/// ```
#[derive(Debug)]
pub struct JsonAnswer {
    ours: Ours,
    surface: Surface,
    place: Place,
    /// The name being read, as JSON.
    name: Vec<u8>,
    /// The value being read, where it is captured.
    captured: Vec<u8>,
    end: AnswerEnd,
    has_system_fingerprint: bool,
    has_created: bool,
}

/// What an answer said, and how it ends.
#[derive(Debug, Default)]
pub struct AnswerEnd {
    /// The usage; of several the last.
    pub usage: Reported,
    /// The value of a top-level `error`, as JSON: the provider answered 200 with an error. `{}`
    /// where it was longer than [`CAPTURE_BYTES_MAX`].
    pub error: Option<String>,
    /// The provider's own id for the answer.
    pub id: Option<String>,
    /// Whether there were choices, or embeddings.
    pub has_choices: bool,
    /// The bytes of the choices, as JSON: no fewer than the completion's tokens that were seen.
    /// Embeddings are no tokens.
    pub choices_bytes: u64,
    /// The members still to come but the usage, each with a comma before it.
    rest: String,
}

impl AnswerEnd {
    /// The answer's last bytes, with the usage given as JSON: all that [`JsonAnswer`] kept back.
    pub fn tail(&self, usage: &str) -> Bytes {
        Bytes::from(format!(r#"{},"usage":{usage}}}"#, self.rest))
    }
}

/// Where in the answer's own object the reader is.
#[derive(Clone, Copy, Debug)]
enum Place {
    Start,
    /// After `{`: a name, or `}`.
    First,
    /// After a comma: a name.
    Next,
    Name {
        escaped: bool,
    },
    Colon,
    BeforeValue,
    Value {
        end: ValueEnd,
        use_: Use,
    },
    AfterValue,
    /// After the last bracket: white space.
    End,
}

/// What is made of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Pass,
    Choices,
    Embeddings,
    Drop,
    Id,
    Usage,
    Error,
    Created,
}

impl JsonAnswer {
    /// A reader at the start of an answer to what was asked for.
    pub fn new(ours: &Ours, surface: Surface) -> JsonAnswer {
        JsonAnswer {
            ours: ours.clone(),
            surface,
            place: Place::Start,
            name: Vec::new(),
            captured: Vec::new(),
            end: AnswerEnd::default(),
            has_system_fingerprint: false,
            has_created: false,
        }
    }

    /// Reads a piece and appends to `out` what of it goes to the client.
    ///
    /// After an error the answer cannot be read on.
    pub fn push(&mut self, piece: &[u8], out: &mut BytesMut) -> Result<(), Malformed> {
        let mut rest = piece;
        while let Some(&first) = rest.first() {
            let taken = match self.place {
                Place::Name { escaped } => self.read_name(rest, escaped)?,
                Place::Value { end, use_ } => self.read_value(rest, end, use_, out)?,
                _ if first.is_ascii_whitespace() => 1,
                Place::BeforeValue => {
                    self.place =
                        Place::Value { end: ValueEnd::before(first)?, use_: self.begin(out) };
                    0
                }
                _ => self.step(first, out)?,
            };
            rest = rest.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    /// What was said as far as it was read, for an answer whose end does not come.
    pub fn so_far(&self) -> &AnswerEnd {
        &self.end
    }

    /// What the whole answer said, or that its end never came.
    pub fn finish(mut self) -> Result<AnswerEnd, Malformed> {
        if !matches!(self.place, Place::End) {
            return Err(Malformed { fault: "ends before its JSON does" });
        }
        if self.surface == Surface::Embeddings {
            return Ok(self.end);
        }
        if !self.has_created {
            self.end.rest = format!(r#","created":{}"#, self.ours.created);
        }
        if !self.has_system_fingerprint {
            self.end.rest.push_str(r#","system_fingerprint":null"#);
        }
        Ok(self.end)
    }

    /// Takes one byte of what holds the members together.
    fn step(&mut self, byte: u8, out: &mut BytesMut) -> Result<usize, Malformed> {
        self.place = match (self.place, byte) {
            (Place::Start, b'{') => {
                out.put_u8(b'{');
                out.put_slice(self.ours.names.as_bytes());
                out.put_slice(match self.surface {
                    Surface::Chat => br#","object":"chat.completion""#,
                    Surface::Embeddings => br#","object":"list""#,
                });
                Place::First
            }
            (Place::First | Place::Next, b'"') => {
                self.name.clear();
                self.name.push(b'"');
                Place::Name { escaped: false }
            }
            (Place::Colon, b':') => Place::BeforeValue,
            (Place::AfterValue, b',') => Place::Next,
            (Place::First | Place::AfterValue, b'}') => Place::End,
            _ => return Err(Malformed { fault: "is not a JSON object" }),
        };
        Ok(1)
    }

    fn read_name(&mut self, bytes: &[u8], mut escaped: bool) -> Result<usize, Malformed> {
        let is_end = |byte: &u8| {
            let is_quote = *byte == b'"' && !escaped;
            escaped = *byte == b'\\' && !escaped;
            is_quote
        };
        let end = bytes.iter().position(is_end);
        let taken = end.map_or(bytes.len(), |quote| quote + 1);
        if self.name.len() + taken > NAME_BYTES_MAX {
            return Err(Malformed { fault: "has a name that is too long" });
        }
        self.name.extend_from_slice(bytes.get(..taken).unwrap_or_default());
        self.place = if end.is_some() { Place::Colon } else { Place::Name { escaped } };
        Ok(taken)
    }

    /// Decides by its name what is made of the value that follows.
    fn begin(&mut self, out: &mut BytesMut) -> Use {
        self.captured.clear();
        let name = std::str::from_utf8(&self.name).ok().and_then(json::string);
        let use_ = match name.as_deref() {
            Some("id") => Use::Id,
            Some("model" | "provider" | "object") => Use::Drop,
            Some("usage") => Use::Usage,
            Some("error") => Use::Error,
            Some("created") if self.surface == Surface::Chat => Use::Created,
            Some("choices") if self.surface == Surface::Chat => Use::Choices,
            Some("data") if self.surface == Surface::Embeddings => Use::Embeddings,
            name => {
                self.has_system_fingerprint |= name == Some("system_fingerprint");
                Use::Pass
            }
        };
        if matches!(use_, Use::Pass | Use::Choices | Use::Embeddings) {
            out.put_u8(b',');
            out.put_slice(&self.name);
            out.put_u8(b':');
        }
        use_
    }

    fn read_value(
        &mut self,
        bytes: &[u8],
        mut end: ValueEnd,
        use_: Use,
        out: &mut BytesMut,
    ) -> Result<usize, Malformed> {
        let (taken, has_ended) = end.advance(bytes)?;
        let piece = bytes.get(..taken).unwrap_or_default();
        match use_ {
            Use::Drop => {}
            Use::Pass | Use::Embeddings => out.put_slice(piece),
            Use::Choices => {
                out.put_slice(piece);
                self.end.choices_bytes += u64::try_from(piece.len()).unwrap_or(u64::MAX);
            }
            Use::Id | Use::Usage | Use::Error | Use::Created => {
                // One byte more than the bound tells that it was passed.
                let room = (CAPTURE_BYTES_MAX + 1).saturating_sub(self.captured.len());
                self.captured.extend_from_slice(piece.get(..room).unwrap_or(piece));
            }
        }
        self.place = Place::Value { end, use_ };
        if has_ended {
            self.place = Place::AfterValue;
            self.value_ended(use_, out);
        }
        Ok(taken)
    }

    fn value_ended(&mut self, use_: Use, out: &mut BytesMut) {
        let is_whole = self.captured.len() <= CAPTURE_BYTES_MAX;
        let captured = std::str::from_utf8(&self.captured).ok().filter(|_| is_whole);
        match use_ {
            Use::Pass | Use::Drop => {}
            Use::Id => self.end.id = captured.and_then(json::string).map(Cow::into_owned),
            Use::Choices | Use::Embeddings => self.end.has_choices = true,
            Use::Usage => {
                let read = |usage| Reported::read(usage, self.surface);
                let usage = captured.map_or(Reported::Unusable, read);
                self.end.usage = self.end.usage.then(usage);
            }
            Use::Error => match captured {
                Some(error) if json::is_null(error) => {}
                error => self.end.error = Some(error.unwrap_or("{}").to_owned()),
            },
            Use::Created if is_seconds(&self.captured) => {
                self.has_created = true;
                out.put_slice(br#","created":"#);
                out.put_slice(&self.captured);
            }
            Use::Created => {}
        }
    }
}
