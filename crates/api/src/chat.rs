//! Chat completions: the parts of an answer that the gateway itself writes.
//! All else passes from the provider to the client untouched.

use serde::ser::{Serialize, Serializer};

use crate::Usd;
use crate::error::ErrorBody;

/// What a request used and what it cost (SEMANTICS 13.1).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Usage {
    /// Tokens of the prompt, cached ones included, as the provider counts them.
    pub prompt_tokens: u64,
    /// Tokens of the answer, reasoning included.
    pub completion_tokens: u64,
    /// Their sum.
    pub total_tokens: u64,
    /// Credits charged.
    pub cost: Usd,
    /// Whether the owner's own provider key paid the provider.
    pub is_byok: bool,
    /// What the provider's part came to.
    pub cost_details: CostDetails,
    /// What kinds of tokens the prompt had.
    #[serde(default)]
    pub prompt_tokens_details: PromptTokensDetails,
    /// What kinds of tokens the answer had.
    #[serde(default)]
    pub completion_tokens_details: CompletionTokensDetails,
}

/// The provider's part of a cost; all three members are always sent (SEMANTICS 13.2).
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CostDetails {
    /// The list price, where the owner's own provider key paid it.
    pub upstream_inference_cost: Option<Usd>,
    /// What the prompt came to.
    pub upstream_inference_prompt_cost: Usd,
    /// What the answer came to.
    pub upstream_inference_completions_cost: Usd,
}

/// Kinds of prompt tokens, each contained in `prompt_tokens`; never `null` (SEMANTICS 1.5).
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PromptTokensDetails {
    /// Read from the provider's cache.
    #[serde(default)]
    pub cached_tokens: u64,
    /// Written to the provider's cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_tokens: Option<u64>,
    /// Heard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio_tokens: Option<u64>,
    /// Seen moving.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video_tokens: Option<u64>,
}

/// Kinds of completion tokens, each contained in `completion_tokens`.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CompletionTokensDetails {
    /// Thought before answering.
    #[serde(default)]
    pub reasoning_tokens: u64,
    /// Spoken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio_tokens: Option<u64>,
    /// Drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_tokens: Option<u64>,
    /// Predicted by the client, and right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_prediction_tokens: Option<u64>,
    /// Predicted by the client, and wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejected_prediction_tokens: Option<u64>,
}

/// The chunk that ends a stream in which something went wrong after its first byte.
///
/// The error stands at the top, and a choice that ended with `error` beside it, so that clients
/// that look at either stop (SEMANTICS 12.6).
#[derive(Clone, Debug)]
pub struct ErrorChunk {
    /// The generation's id.
    pub id: String,
    /// When the answer began, in seconds since 1970.
    pub created: i64,
    /// The model that was answering.
    pub model: String,
    /// The provider that was answering, by its display name.
    pub provider: String,
    /// What went wrong.
    pub error: ErrorBody,
}

impl Serialize for ErrorChunk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(serde::Serialize)]
        struct Delta {
            content: &'static str,
        }
        #[derive(serde::Serialize)]
        struct Choice {
            index: u8,
            delta: Delta,
            finish_reason: &'static str,
        }
        #[derive(serde::Serialize)]
        struct Chunk<'a> {
            id: &'a str,
            object: &'static str,
            created: i64,
            model: &'a str,
            provider: &'a str,
            error: &'a ErrorBody,
            choices: [Choice; 1],
        }
        let ErrorChunk { id, created, model, provider, error } = self;
        let choice = Choice { index: 0, delta: Delta { content: "" }, finish_reason: "error" };
        Chunk {
            id,
            object: "chat.completion.chunk",
            created: *created,
            model,
            provider,
            error,
            choices: [choice],
        }
        .serialize(serializer)
    }
}
