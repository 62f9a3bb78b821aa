//! One chunk of a streamed answer, rewritten for the client and read on the way past.
//! Its usage and its errors are told to the caller instead, who sends each of them once.

use std::borrow::Cow;

use bytes::{BufMut, BytesMut};
use memchr::{memchr2, memchr2_iter};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Malformed, Ours, Output, is_seconds};
use crate::json::{self, is_null, members};
use crate::{Reported, Surface};

/// What a provider's chunk said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk<'a> {
    /// Whether an event was written; a chunk of usage or of an error alone is swallowed.
    pub is_forwarded: bool,
    /// The usage, here or where Groq (`x_groq`) and Moonshot (`choices`) put it.
    pub usage: Reported,
    /// The value of a top-level `error`, as JSON: the stream has failed. Nothing was written.
    pub error: Option<&'a str>,
    /// What the model put out.
    pub output: Output<'a>,
    /// The provider's own id for the answer.
    pub id: Option<Cow<'a, str>>,
}

/// Appends to `out` the event that `data` becomes for the client, and says what was in it.
///
/// The id, the model and the provider become ours, `object` is always right, `created` and
/// `choices` are supplied where missing, `usage`, an `error` and a `system_fingerprint` of `null`
/// (SEMANTICS 1.5) are taken out. All else passes byte for byte. A `created` is kept in `ours`, for
/// the events that are still to come.
pub fn rewrite_chunk<'a>(
    data: &'a [u8],
    ours: &mut Ours,
    out: &mut BytesMut,
) -> Result<Chunk<'a>, Malformed> {
    let text = std::str::from_utf8(data).map_err(|_| Malformed { fault: "is not valid UTF-8" })?;
    let members = members(text)?;
    let mut chunk = Chunk {
        is_forwarded: false,
        usage: Reported::Nothing,
        error: None,
        output: Output::default(),
        id: None,
    };
    let mut usage_elsewhere = Reported::Nothing;
    let (mut has_choices, mut has_more, mut has_created) = (false, false, false);
    let start = out.len();
    out.reserve(ours.names.len() + text.len() + 96);
    ours.start_chunk(out);
    for member in &members {
        let is_kept = match &*member.name {
            "id" => {
                chunk.id = json::string(member.value);
                false
            }
            "model" | "provider" | "object" => false,
            "created" => {
                has_created = is_seconds(member.value.as_bytes());
                if has_created && ours.created != member.value {
                    member.value.clone_into(&mut ours.created);
                }
                has_created
            }
            "usage" => {
                chunk.usage = chunk.usage.then(Reported::read(member.value, Surface::Chat));
                false
            }
            "error" => {
                chunk.error = Some(member.value).filter(|error| !is_null(error));
                false
            }
            "choices" if is_null(member.value) => false,
            "choices" => {
                has_choices = true;
                let (output, usage) = Output::read(member.value);
                usage_elsewhere = usage_elsewhere.then(usage);
                has_more |= !is_empty_array(member.value);
                chunk.output = output;
                true
            }
            "system_fingerprint" => !is_null(member.value),
            "service_tier" => true,
            "x_groq" => {
                usage_elsewhere = usage_elsewhere.then(groq_usage(member.value));
                has_more |= usage_elsewhere == Reported::Nothing;
                true
            }
            _ => {
                has_more |= !is_null(member.value);
                true
            }
        };
        if is_kept {
            out.put_u8(b',');
            put_line(text.get(member.span.clone()).unwrap_or_default(), out);
        }
    }
    if chunk.usage == Reported::Nothing {
        chunk.usage = usage_elsewhere;
    }
    let is_usage_alone = chunk.usage != Reported::Nothing && !has_more;
    if chunk.error.is_some() || is_usage_alone {
        out.truncate(start);
        return Ok(chunk);
    }
    if !has_created {
        ours.put_created(out);
    }
    if !has_choices {
        out.put_slice(br#","choices":[]"#);
    }
    out.put_slice(b"}\n\n");
    chunk.is_forwarded = true;
    Ok(chunk)
}

/// Appends JSON as part of a line: line breaks in it can only be white space between tokens.
fn put_line(json: &str, out: &mut BytesMut) {
    let start = out.len();
    out.put_slice(json.as_bytes());
    if memchr2(b'\n', b'\r', json.as_bytes()).is_some() {
        for at in memchr2_iter(b'\n', b'\r', json.as_bytes()) {
            if let Some(byte) = out.get_mut(start + at) {
                *byte = b' ';
            }
        }
    }
}

fn is_empty_array(value: &str) -> bool {
    let inside = value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inside.is_some_and(|inside| inside.trim_ascii().is_empty())
}

fn groq_usage(value: &str) -> Reported {
    #[derive(Deserialize)]
    struct Groq<'a> {
        #[serde(borrow)]
        usage: Option<&'a RawValue>,
    }
    match serde_json::from_str(value) {
        Ok(Groq { usage: Some(usage) }) => Reported::read(usage.get(), Surface::Chat),
        _ => Reported::Nothing,
    }
}
