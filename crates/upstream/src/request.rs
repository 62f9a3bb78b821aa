//! A request as its client sent it: what the gateway acts on, what bounds its worst case.
//! It is read where it lies, in one pass over names and values; what passes through keeps its bytes.

mod embeddings;
mod fields;
mod forward;
mod media;
mod price_fields;
mod prompt;
mod refusal;
mod tools;

use std::borrow::Cow;
use std::num::IntErrorKind;
use std::ops::Range;

use bytes::Bytes;

pub use embeddings::scan_embeddings;
pub use forward::Plan;
pub use media::Media;
pub use prompt::PromptPiece;
pub use refusal::BadRequest;

use crate::json::{self, Member, each_element, is_null, members};
use fields::{Field, field, fold};

/// A `session_id` has at most this many characters (SEMANTICS 12.1).
pub const SESSION_ID_CHARS_MAX: usize = 256;

/// A model's id and a `user` have at most this many characters.
pub const NAME_CHARS_MAX: usize = 1_024;

/// A request names at most this many models to fall back to.
pub const MODELS_MAX: usize = 64;

/// What is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Surface {
    /// A chat completion.
    #[default]
    Chat,
    /// Embeddings.
    Embeddings,
}

/// A request that was read, with the body it was read from.
///
/// ```
/// # use {bytes::Bytes, upstream::{Plan, scan}};
/// let body = br#"{"model":"a/b","messages":[{"role":"user","content":"hi"}],"seed":1,"max_tokens":5}"#;
/// let request = scan(&Bytes::from_static(body))?;
/// assert_eq!((request.model.as_deref(), request.max_tokens), (Some("a/b"), Some(5)));
///
/// let plan = Plan { model: "b", max_tokens_field: "max_completion_tokens", max_tokens: 5 };
/// assert_eq!(
///     request.forward(&plan).concat(),
///     br#"{"model":"b","stream":false,"max_completion_tokens":5,"messages":[{"role":"user","content":"hi"}],"seed":1}"#
/// );
/// # Ok::<(), upstream::BadRequest>(())
/// ```
#[derive(Clone, Debug)]
pub struct Request {
    /// What is asked for.
    pub surface: Surface,
    /// The model asked for, where one is.
    pub model: Option<String>,
    /// The models to fall back to, in order; empty where none are named.
    pub models: Vec<String>,
    /// Whether the answer is to be streamed.
    pub stream: bool,
    /// The completion's maximum in tokens that the client named, at least 1.
    pub max_tokens: Option<u64>,
    /// Whether tools or functions are offered: the provider then adds more that is unseen.
    pub has_tools: bool,
    /// The end user that the client speaks for.
    pub user: Option<String>,
    /// The conversation that the request belongs to.
    pub session_id: Option<String>,
    /// The fields that change the price, by name; an endpoint that does not price them refuses.
    pub priced: Vec<&'static str>,
    /// The parts that are not text, each bounded by the endpoint.
    pub media: Media,
    /// The bytes, as JSON, of all text that the model may read, and what comes as tokens: no fewer
    /// than its tokens.
    pub prompt_bytes: u64,
    /// The prompts that are read apart from each other, each within the context: of a chat one.
    pub inputs: u64,
    /// Of `prompt_bytes`: what is not in the bytes of `text`.
    beside_tokens: u64,
    body: Bytes,
    members: Vec<Placed>,
    /// Ranges of `body` that are text the model may read, ascending.
    text: Vec<Range<usize>>,
}

/// A member and what becomes of it.
#[derive(Clone, Debug)]
struct Placed {
    name: Name,
    field: Field,
    /// From the name's quote to the value's end.
    span: Range<usize>,
    value: Range<usize>,
}

/// A folded name: most lie in the body as they are.
#[derive(Clone, Debug)]
enum Name {
    InBody(Range<usize>),
    Folded(Box<str>),
}

/// Reads a body as a chat request, or says what is wrong with it.
///
/// A body is refused that is no JSON object, that gives a name twice (escapes undone, case
/// folded), that asks for more than one answer, or whose fields are of the wrong kind. Unknown
/// fields are no fault. Time and memory are linear in the body; nothing of it is copied.
pub fn scan(body: &Bytes) -> Result<Request, BadRequest> {
    read(body, Surface::Chat)
}

/// What was seen of a body's members.
#[derive(Default)]
struct Seen {
    has_prompt: bool,
    newer_maximum: Option<u64>,
    /// The bytes of what the model may read besides the prompt.
    other_bytes: u64,
}

fn read(body: &Bytes, surface: Surface) -> Result<Request, BadRequest> {
    let text = std::str::from_utf8(body).map_err(|error| {
        let fault = format!("is not valid UTF-8 at byte {}", error.valid_up_to());
        BadRequest::new("body", &fault)
    })?;
    let mut request = Request {
        surface,
        model: None,
        models: Vec::new(),
        stream: false,
        max_tokens: None,
        has_tools: false,
        user: None,
        session_id: None,
        priced: Vec::new(),
        media: Media::default(),
        prompt_bytes: 0,
        inputs: 1,
        beside_tokens: 0,
        body: body.clone(),
        members: Vec::new(),
        text: Vec::new(),
    };
    request.read(text)?;
    Ok(request)
}

impl Request {
    /// Whether all that the model reads is text.
    pub fn is_text_only(&self) -> bool {
        self.media.is_empty()
    }

    /// The value of a top-level field as JSON, or `None` where it is absent or `null`.
    pub fn raw(&self, name: &str) -> Option<&str> {
        let placed = self.members.iter().find(|placed| self.name(placed) == name.as_bytes())?;
        let value = std::str::from_utf8(self.body.get(placed.value.clone())?).ok()?;
        (!is_null(value)).then_some(value)
    }

    /// The names of the top-level fields that are not `null`, folded, in the body's order.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        let is_given = |placed: &&Placed| self.body.get(placed.value.clone()) != Some(b"null");
        let name = |placed| std::str::from_utf8(self.name(placed)).unwrap_or_default();
        self.members.iter().filter(is_given).map(name)
    }

    fn read(&mut self, text: &str) -> Result<(), BadRequest> {
        let object = text.trim_ascii_start();
        if !object.starts_with('{') {
            if !object.is_empty() {
                serde_json::from_str::<serde::de::IgnoredAny>(text)?;
            }
            return Err(BadRequest::kind("body", object, "a JSON object"));
        }
        let members = members(text)?;
        self.members.reserve_exact(members.len());
        let mut seen = Seen::default();
        for Member { name, value, span } in members {
            let name = fold(name);
            if self.members.iter().any(|placed| self.name(placed) == name.as_bytes()) {
                return Err(BadRequest::twice(name));
            }
            let value_span = json::span(text, value);
            let (field, payloads) = match self.surface {
                Surface::Chat => (field(&name), self.chat_member(&name, text, value, &mut seen)?),
                Surface::Embeddings => {
                    let payloads = self.embeddings_member(&name, text, value, &mut seen)?;
                    (embeddings::field_of(&name), payloads)
                }
            };
            if field == Field::Read {
                let before = self.prompt_bytes;
                self.read_as_text(span.clone(), &payloads);
                if !matches!(&*name, "messages" | "input") {
                    seen.other_bytes += self.prompt_bytes - before;
                }
            }
            let name = match name {
                Cow::Borrowed(name) => Name::InBody(json::span(text, name)),
                Cow::Owned(name) => Name::Folded(name.into()),
            };
            self.members.push(Placed { name, field, span, value: value_span });
        }
        match self.surface {
            Surface::Chat if !seen.has_prompt => {
                return Err(BadRequest::kind("messages", "", "a non-empty array of messages"));
            }
            Surface::Chat => self.max_tokens = seen.newer_maximum.or(self.max_tokens),
            Surface::Embeddings if !seen.has_prompt => {
                return Err(BadRequest::kind("input", "", embeddings::ALLOWED));
            }
            Surface::Embeddings => self.count_beside(seen.other_bytes),
        }
        Ok(())
    }

    /// Acts on one member; gives the ranges in it that are no text.
    fn chat_member(
        &mut self,
        name: &str,
        text: &str,
        value: &str,
        seen: &mut Seen,
    ) -> Result<Vec<Range<usize>>, BadRequest> {
        match name {
            "messages" => {
                seen.has_prompt = true;
                let found = media::Scan::messages(text, value)?;
                self.media = found.media;
                return Ok(found.payloads);
            }
            "max_completion_tokens" => seen.newer_maximum = tokens(name, value)?,
            other => self.act_on(other, value)?,
        }
        Ok(Vec::new())
    }

    fn act_on(&mut self, name: &str, value: &str) -> Result<(), BadRequest> {
        self.named(name, value)?;
        if is_null(value) {
            return Ok(());
        }
        match name {
            "stream" => self.stream = boolean(name, value)?,
            "max_tokens" => self.max_tokens = tokens(name, value)?,
            "n" if !matches!(value, "1" | "1.0") => return Err(several(name, value)),
            "functions" => self.has_tools |= tools::functions(value)?,
            "tools" | "deferred_tools" => {
                let offered = tools::tools(name, value)?;
                self.has_tools |= offered.any;
                if offered.any_run_by_provider && !self.priced.contains(&"tools") {
                    self.priced.push("tools");
                }
            }
            "plugins" => tools::plugins(value)?,
            _ => {}
        }
        Ok(())
    }

    /// Acts on what every request may have: names, and fields that change the price.
    fn named(&mut self, name: &str, value: &str) -> Result<(), BadRequest> {
        if let Some(field) = price_fields::priced(name, value) {
            self.priced.push(field);
        }
        if is_null(value) {
            return Ok(());
        }
        match name {
            "model" => self.model = Some(string(name, value, NAME_CHARS_MAX)?),
            "models" => self.models = models(value)?,
            "user" => self.user = Some(string(name, value, NAME_CHARS_MAX)?),
            "session_id" => self.session_id = Some(string(name, value, SESSION_ID_CHARS_MAX)?),
            _ => {}
        }
        Ok(())
    }

    /// Counts a member as text the model reads, the media in it apart.
    fn read_as_text(&mut self, member: Range<usize>, payloads: &[Range<usize>]) {
        let mut start = member.start;
        for payload in payloads {
            self.text.push(start..payload.start);
            start = payload.end;
        }
        self.text.push(start..member.end);
        // What is left of a payload's place, and the comma after the member, count a byte each.
        let first = self.text.len() - payloads.len() - 1;
        let bytes: usize = self.text.iter().skip(first).map(|range| range.len() + 1).sum();
        self.prompt_bytes += u64::try_from(bytes).unwrap_or(u64::MAX);
    }

    fn name<'a>(&'a self, placed: &'a Placed) -> &'a [u8] {
        match &placed.name {
            Name::InBody(range) => self.body.get(range.clone()).unwrap_or_default(),
            Name::Folded(name) => name.as_bytes(),
        }
    }
}

fn string(name: &str, value: &str, chars_max: usize) -> Result<String, BadRequest> {
    if !value.starts_with('"') {
        return Err(BadRequest::kind(name, value, "a string or null"));
    }
    let fault = match json::string(value) {
        // Half a surrogate pair is JSON and yet no text.
        None => "is not Unicode; allowed is a string or null".to_owned(),
        Some(text) if text.chars().any(char::is_control) => {
            "has a control character; allowed is a string without, or null".to_owned()
        }
        Some(text) if text.chars().nth(chars_max).is_some() => {
            format!("is too long; allowed are {chars_max} characters")
        }
        Some(text) => return Ok(text.into_owned()),
    };
    Err(BadRequest::new(name, &fault))
}

/// The refusal of a wish for another number of answers than one.
fn several(name: &str, value: &str) -> BadRequest {
    match value.bytes().next() {
        Some(b'1'..=b'9') => {
            BadRequest::new(name, "is not supported above 1; allowed is 1 or null")
        }
        Some(b'-' | b'0') => {
            BadRequest::new(name, "is not a positive integer; allowed is 1 or null")
        }
        _ => BadRequest::kind(name, value, "1 or null"),
    }
}

fn is_number(value: &str) -> bool {
    value.starts_with(|c: char| c == '-' || c.is_ascii_digit())
}

fn models(value: &str) -> Result<Vec<String>, BadRequest> {
    if !value.starts_with('[') {
        return Err(BadRequest::kind("models", value, "an array of strings or null"));
    }
    let mut models = Vec::new();
    each_element(value, |at, element| {
        if at == MODELS_MAX {
            let fault = format!("names too many models; allowed are {MODELS_MAX}");
            return Err(BadRequest::new("models", &fault));
        }
        models.push(string(&format!("models[{at}]"), element, NAME_CHARS_MAX)?);
        Ok(())
    })?;
    Ok(models)
}

fn boolean(name: &str, value: &str) -> Result<bool, BadRequest> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(BadRequest::kind(name, value, "true, false or null")),
    }
}

fn tokens(name: &str, value: &str) -> Result<Option<u64>, BadRequest> {
    if is_null(value) {
        return Ok(None);
    }
    // To JSON 100.0 is an integer, and some SDKs send it so.
    let whole =
        value.split_once('.').filter(|(_, decimals)| decimals.bytes().all(|byte| byte == b'0'));
    let whole = whole.map_or(value, |(whole, _)| whole);
    Err(match whole.parse::<u64>() {
        Ok(tokens) if tokens > 0 => return Ok(Some(tokens)),
        _ if !is_number(value) => BadRequest::kind(name, value, "a positive integer or null"),
        Err(error) if *error.kind() == IntErrorKind::PosOverflow => {
            let allowed = format!("allowed is a whole number from 1 to {}, or null", u64::MAX);
            BadRequest::new(name, &format!("is too large; {allowed}"))
        }
        _ => BadRequest::new(
            name,
            "is not a positive integer; allowed is a whole number from 1, or null",
        ),
    })
}
