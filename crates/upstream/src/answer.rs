//! What goes to the client: the provider's answer under the gateway's own names, and own events.
//! Whatever is not ours to change passes byte for byte.

mod chunk;
mod output;
mod value;
mod whole;

use bytes::{BufMut, Bytes, BytesMut};
use serde_json::Value;

pub use chunk::{Chunk, rewrite_chunk};
pub use output::Output;
pub use whole::{AnswerEnd, CAPTURE_BYTES_MAX, JsonAnswer};

/// The event that ends a stream.
pub const DONE: Bytes = Bytes::from_static(b"data: [DONE]\n\n");

/// The comment that keeps a silent stream open (SEMANTICS 12.4).
pub const KEEP_ALIVE: Bytes = Bytes::from_static(b": OPENROUTER PROCESSING\n\n");

/// A number of this many digits is exact as a double.
const SECONDS_DIGITS_MAX: usize = 15;

/// An answer, or a piece of one, that is no JSON object; it cannot be passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the provider's answer {fault}")]
pub struct Malformed {
    /// What was wrong, for the log: `is not valid UTF-8`.
    pub fault: &'static str,
}

impl From<serde_json::Error> for Malformed {
    fn from(_: serde_json::Error) -> Malformed {
        Malformed { fault: "is not a JSON object" }
    }
}

/// What an answer says of itself in the gateway's words; made once a generation.
#[derive(Clone, Debug)]
pub struct Ours {
    /// `"id":…,"model":…,"provider":…`, as JSON.
    names: String,
    /// The provider's last, or else the moment of admission: the events of a stream agree in it.
    created: String,
}

impl Ours {
    /// The generation's id, the model's id here, the provider's display name, and the moment of
    /// admission in seconds since 1970, for providers that name none.
    pub fn new(id: &str, model: &str, provider: &str, created_seconds: i64) -> Ours {
        // `Value` prints a string with its escapes and cannot fail.
        let [id, model, provider] = [id, model, provider].map(Value::from);
        let names = format!(r#""id":{id},"model":{model},"provider":{provider}"#);
        Ours { names, created: created_seconds.to_string() }
    }

    /// The one event that carries the usage, given as JSON, before the stream's end (SEMANTICS 12.5).
    pub fn usage_event(&self, usage: &str) -> Bytes {
        let mut out = BytesMut::with_capacity(self.names.len() + usage.len() + 96);
        self.start_chunk(&mut out);
        self.put_created(&mut out);
        out.put_slice(br#","choices":[],"usage":"#);
        out.put_slice(usage.as_bytes());
        out.put_slice(b"}\n\n");
        out.freeze()
    }

    /// The event that tells of an error, given as JSON, once bytes have gone to the client
    /// (SEMANTICS 12.6); its `code` must be an integer.
    pub fn error_event(&self, error: &str) -> Bytes {
        let mut out = BytesMut::with_capacity(self.names.len() + error.len() + 160);
        self.start_chunk(&mut out);
        self.put_created(&mut out);
        out.put_slice(
            br#","choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]"#,
        );
        out.put_slice(br#","error":"#);
        out.put_slice(error.as_bytes());
        out.put_slice(b"}\n\n");
        out.freeze()
    }

    fn start_chunk(&self, out: &mut BytesMut) {
        out.put_slice(b"data: {");
        out.put_slice(self.names.as_bytes());
        out.put_slice(br#","object":"chat.completion.chunk""#);
    }

    fn put_created(&self, out: &mut BytesMut) {
        out.put_slice(br#","created":"#);
        out.put_slice(self.created.as_bytes());
    }
}

/// Whether a `created` is what SDKs accept: whole seconds, exact in every language.
fn is_seconds(value: &[u8]) -> bool {
    (1..=SECONDS_DIGITS_MAX).contains(&value.len()) && value.iter().all(u8::is_ascii_digit)
}
