//! What of the messages is not text, and where its bytes lie.
//! A picture's tokens do not follow from its bytes, so each is counted, to be bounded by the endpoint.

use std::borrow::Cow;
use std::ops::Range;

use super::fields::fold;
use super::refusal::BadRequest;
use crate::json::{self, Member, each_element, is_null, members};

/// How many parts that are not text a request has, by what bounds their tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Media {
    /// Parts bounded by the endpoint's `image_tokens_max`.
    pub images: u64,
    /// Parts bounded by the endpoint's `audio_tokens_max`.
    pub audios: u64,
    /// Parts bounded by the endpoint's `file_tokens_max`.
    pub files: u64,
    /// Parts of any other type, bounded by the context length alone.
    pub unknown: u64,
}

impl Media {
    /// Whether there is nothing but text.
    pub fn is_empty(&self) -> bool {
        *self == Media::default()
    }
}

/// Parts of these types hold text and nothing else.
const TEXT_TYPES: [&str; 7] =
    ["text", "input_text", "output_text", "refusal", "reasoning", "thinking", "summary_text"];

/// Members that carry the medium itself, in a part or directly in a message.
///
/// A lenient provider goes by the member rather than by `type`; so a text part that has one is
/// not taken for text.
const PAYLOADS: [&str; 16] = [
    "image_url",
    "input_image",
    "image",
    "images",
    "audio_url",
    "input_audio",
    "audio",
    "video_url",
    "input_video",
    "video",
    "file_url",
    "file_data",
    "file_id",
    "file",
    "document",
    "source",
];

/// The media of a request, and the bytes that are theirs.
#[derive(Default)]
pub(super) struct Scan {
    pub(super) media: Media,
    /// Ranges of the body that hold media, ascending; they are not text that the model reads.
    pub(super) payloads: Vec<Range<usize>>,
}

impl Scan {
    /// Looks through `messages`, a slice of `body`.
    pub(super) fn messages(body: &str, messages: &str) -> Result<Scan, BadRequest> {
        let allowed = "a non-empty array of messages";
        if !messages.starts_with('[') {
            return Err(BadRequest::kind("messages", messages, allowed));
        }
        let mut scan = Scan::default();
        let mut count = 0_usize;
        each_element(messages, |at, message| {
            count += 1;
            scan.message(body, at, message)
        })?;
        if count == 0 {
            return Err(BadRequest::new("messages", &format!("is empty; allowed is {allowed}")));
        }
        Ok(scan)
    }

    fn message(&mut self, body: &str, at: usize, message: &str) -> Result<(), BadRequest> {
        let path = || format!("messages[{at}]");
        if !message.starts_with('{') {
            return Err(BadRequest::kind(path(), message, "an object with a role"));
        }
        let (mut role, mut content) = (None, None);
        for Member { name, value, .. } in members(message)? {
            match fold(name).as_ref() {
                "role" if role.is_some() => return Err(BadRequest::twice(path() + ".role")),
                "role" => role = Some(value),
                "content" if content.is_some() => {
                    return Err(BadRequest::twice(path() + ".content"));
                }
                "content" => {
                    content = Some(value);
                    self.content(body, &path, value)?;
                }
                name if is_null(value) || !PAYLOADS.contains(&name) => {}
                // An answer in sound given back by its id, its tokens unknown to us.
                "audio" => self.media.audios += 1,
                "images" if value.starts_with('[') => {
                    each_element(value, |_, _| {
                        self.media.images += 1;
                        Ok::<(), BadRequest>(())
                    })?;
                    self.payloads.push(json::span(body, value));
                }
                _ => {
                    self.media.unknown += 1;
                    self.payloads.push(json::span(body, value));
                }
            }
        }
        let role = role.unwrap_or_default();
        if !role.starts_with('"') {
            return Err(BadRequest::kind(path() + ".role", role, "a string"));
        }
        Ok(())
    }

    /// Looks through one object among the inputs of embeddings, a slice of `body`.
    pub(super) fn input(
        &mut self,
        body: &str,
        path: &impl Fn() -> String,
        input: &str,
    ) -> Result<(), BadRequest> {
        let mut has_content = false;
        for Member { name, value, .. } in members(input)? {
            match fold(name).as_ref() {
                "content" if has_content => return Err(BadRequest::twice(path() + ".content")),
                "content" => {
                    has_content = true;
                    self.content(body, path, value)?;
                }
                name if PAYLOADS.contains(&name) && !is_null(value) => {
                    self.media.unknown += 1;
                    self.payloads.push(json::span(body, value));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Content of a shape nobody knows counts by its bytes, as text does.
    fn content(
        &mut self,
        body: &str,
        path: &impl Fn() -> String,
        content: &str,
    ) -> Result<(), BadRequest> {
        match content.as_bytes().first() {
            Some(b'{') => self.part(body, || path() + ".content", content),
            Some(b'[') => each_element(content, |at, part| match part.as_bytes().first() {
                Some(b'{') => self.part(body, || format!("{}.content[{at}]", path()), part),
                _ => Ok(()),
            }),
            _ => Ok(()),
        }
    }

    fn part(
        &mut self,
        body: &str,
        path: impl Fn() -> String,
        part: &str,
    ) -> Result<(), BadRequest> {
        let mut kind = None;
        let mut payload_count = 0_u64;
        for Member { name, value, .. } in members(part)? {
            match fold(name).as_ref() {
                "type" if kind.is_some() => return Err(BadRequest::twice(path() + ".type")),
                "type" => kind = Some(json::string(value).unwrap_or(Cow::Borrowed(""))),
                name if PAYLOADS.contains(&name) && !is_null(value) => {
                    payload_count += 1;
                    self.payloads.push(json::span(body, value));
                }
                _ => {}
            }
        }
        let kind = kind.as_deref().unwrap_or_default();
        let payloads_expected = u64::from(!TEXT_TYPES.contains(&kind));
        match kind {
            "image_url" | "input_image" => self.media.images += 1,
            "input_audio" => self.media.audios += 1,
            "file" | "input_file" => self.media.files += 1,
            text if TEXT_TYPES.contains(&text) => {}
            _ => self.media.unknown += 1,
        }
        self.media.unknown += payload_count.saturating_sub(payloads_expected);
        Ok(())
    }
}
