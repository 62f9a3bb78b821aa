//! The part of a request that decides what a provider does and charges.
//! Read strictly, so that a gateway that writes a field twice is refused as a provider would.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::behaviour::CapField;

#[derive(Debug, Deserialize)]
pub(super) struct ChatRequest {
    pub(super) model: String,
    pub(super) messages: Box<RawValue>,
    #[serde(default)]
    stream: Option<bool>,
    #[serde(default)]
    stream_options: Option<StreamOptions>,
    #[serde(default)]
    max_tokens: Option<u64>,
    #[serde(default)]
    max_completion_tokens: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: Option<bool>,
}

impl ChatRequest {
    pub(super) fn is_stream(&self) -> bool {
        self.stream == Some(true)
    }

    pub(super) fn wants_usage(&self) -> bool {
        self.stream_options.as_ref().is_some_and(|options| options.include_usage == Some(true))
    }

    /// The most tokens the client allows, in the spelling that the provider obeys.
    pub(super) fn cap(&self, field: CapField) -> Option<u64> {
        match field {
            CapField::MaxTokens => self.max_tokens,
            CapField::MaxCompletionTokens => self.max_completion_tokens,
            CapField::Either => self.max_tokens.into_iter().chain(self.max_completion_tokens).min(),
        }
    }
}

/// A request for embeddings; a field that no provider knows is refused, as OpenAI refuses it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EmbeddingsRequest {
    pub(super) model: String,
    pub(super) input: Box<RawValue>,
    #[serde(default)]
    encoding_format: Option<String>,
    #[serde(default)]
    pub(super) dimensions: Option<usize>,
    #[serde(default)]
    #[expect(dead_code, reason = "it is a field that providers know")]
    input_type: Option<String>,
}

impl EmbeddingsRequest {
    pub(super) fn is_base64(&self) -> bool {
        self.encoding_format.as_deref() == Some("base64")
    }

    /// How many embeddings it asks for: one, or one for each text or list of tokens.
    pub(super) fn inputs(&self) -> usize {
        match serde_json::from_str::<Vec<Value>>(self.input.get()) {
            Ok(inputs) if !inputs.iter().all(Value::is_number) => inputs.len(),
            _ => 1,
        }
    }
}
