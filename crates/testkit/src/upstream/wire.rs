//! The JSON that an OpenAI-compatible provider sends.
//! The usage is a raw text in every shape, since a test may have it say anything.

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::tally::Tokens;

/// When every answer says it was made: the provider has no clock.
const CREATED: u64 = 1_763_769_600;

/// What all parts of one answer share.
pub(super) struct Answer<'a> {
    pub(super) id: String,
    pub(super) model: &'a str,
}

#[derive(Serialize)]
struct Completion<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    system_fingerprint: Option<Value>,
    choices: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<&'a RawValue>,
}

impl Answer<'_> {
    /// The whole answer as one JSON body.
    pub(super) fn body(&self, text: &str, finish: &str, usage: Option<&RawValue>) -> String {
        let choice = json!({
            "index": 0,
            "message": { "role": "assistant", "content": text, "refusal": null },
            "logprobs": null,
            "finish_reason": finish,
        });
        // OpenAI always names the fingerprint in a body, null where there is none.
        self.write("chat.completion", vec![choice], Some(Value::Null), usage)
    }

    /// A chunk with a piece of text; the first one names the role.
    pub(super) fn text_chunk(
        &self,
        text: &str,
        is_first: bool,
        usage: Option<&RawValue>,
    ) -> String {
        let delta = if is_first {
            json!({ "role": "assistant", "content": text })
        } else {
            json!({ "content": text })
        };
        self.chunk(vec![json!({ "index": 0, "delta": delta, "finish_reason": null })], usage)
    }

    /// The chunk that says why the text is at its end.
    pub(super) fn finish_chunk(&self, finish: &str, usage: Option<&RawValue>) -> String {
        self.chunk(vec![json!({ "index": 0, "delta": {}, "finish_reason": finish })], usage)
    }

    /// The last chunk: no choices, only the usage.
    pub(super) fn usage_chunk(&self, usage: Option<&RawValue>) -> String {
        self.chunk(Vec::new(), usage)
    }

    fn chunk(&self, choices: Vec<Value>, usage: Option<&RawValue>) -> String {
        self.write("chat.completion.chunk", choices, None, usage)
    }

    fn write(
        &self,
        object: &'static str,
        choices: Vec<Value>,
        system_fingerprint: Option<Value>,
        usage: Option<&RawValue>,
    ) -> String {
        let (id, model, created) = (self.id.as_str(), self.model, CREATED);
        let completion =
            Completion { id, object, created, model, system_fingerprint, choices, usage };
        serde_json::to_string(&completion).expect("an answer is JSON")
    }
}

/// The coordinates of every embedding, again and again, and the same three as base64.
const COORDINATES: (&str, &str) = ("0.5,-0.25,1.0", "AAAAPwAAgL4AAIA/");

/// The answer to a request for embeddings of `triples` times three coordinates each.
pub(super) fn embeddings(
    model: &str,
    inputs: usize,
    triples: usize,
    is_base64: bool,
    usage: Option<&RawValue>,
) -> String {
    let (floats, text) = COORDINATES;
    let embedding = if is_base64 {
        format!("\"{}\"", text.repeat(triples))
    } else {
        format!("[{}]", vec![floats; triples].join(","))
    };
    let one =
        |index| format!(r#"{{"object":"embedding","index":{index},"embedding":{embedding}}}"#);
    let data = (0..inputs).map(one).collect::<Vec<_>>().join(",");
    let usage = usage.map_or(String::new(), |usage| format!(r#","usage":{}"#, usage.get()));
    let model = Value::from(model);
    format!(r#"{{"object":"list","data":[{data}],"model":{model}{usage}}}"#)
}

/// The usage that embeddings of these tokens say.
pub(super) fn embeddings_usage(tokens: &Tokens) -> Box<RawValue> {
    let usage = json!({ "prompt_tokens": tokens.prompt, "total_tokens": tokens.prompt });
    raw(&usage.to_string())
}

/// The usage that says these tokens.
pub(super) fn usage(tokens: &Tokens) -> Box<RawValue> {
    let total = tokens.prompt.saturating_add(tokens.completion);
    let usage = json!({
        "prompt_tokens": tokens.prompt,
        "completion_tokens": tokens.completion,
        "total_tokens": total,
        "prompt_tokens_details": {
            "cached_tokens": tokens.cached,
            "cache_write_tokens": tokens.cache_written,
        },
        "completion_tokens_details": { "reasoning_tokens": tokens.reasoning },
    });
    raw(&usage.to_string())
}

/// A JSON text as it stands.
pub(super) fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).expect("a JSON text")
}

/// The provider's error object.
pub(super) fn error(kind: &str, message: &str) -> String {
    json!({ "error": { "message": message, "type": kind, "param": null, "code": null } })
        .to_string()
}

/// The list of models.
pub(super) fn models(ids: &[String]) -> String {
    let entry = |id: &String| json!({ "id": id, "object": "model", "created": CREATED, "owned_by": "fake" });
    json!({ "object": "list", "data": ids.iter().map(entry).collect::<Vec<_>>() }).to_string()
}
