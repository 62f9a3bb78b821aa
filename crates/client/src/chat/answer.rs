//! An answer in one piece, and what it cost.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Message;
use crate::Usd;
use crate::open::open_enum;

/// An answer in one piece.
///
/// ```
/// # fn show(answer: tollgate::ChatCompletion) {
/// println!("{}", answer.text());
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChatCompletion {
    /// The generation's id, which [`Generations::get`](crate::Generations::get) takes.
    pub id: String,
    /// The model that answered.
    pub model: String,
    /// The provider that answered, by its display name.
    #[serde(default)]
    pub provider: Option<String>,
    /// When it began, in seconds since 1970.
    #[serde(default)]
    pub created: i64,
    /// What the provider says of its machines: the same ones answer one `seed` alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_fingerprint: Option<String>,
    /// The tier of service that the provider gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<String>,
    /// The answers; one unless more were asked for.
    pub choices: Vec<ChatChoice>,
    /// What it used and what it cost.
    #[serde(default)]
    pub usage: Option<ChatUsage>,
    /// How the request was routed, where its headers asked for that. OpenRouter only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub openrouter_metadata: Option<Value>,
    /// What a plugin found of how well the answer keeps to what is wanted. OpenRouter only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alignment: Option<Value>,
    /// What plugins found that look at what is said. OpenRouter only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub safeguard_results: Option<Value>,
}

impl ChatCompletion {
    /// The text of the first answer; empty where there is none.
    ///
    /// ```
    /// # fn show(answer: tollgate::ChatCompletion) {
    /// println!("{}", answer.text());
    /// # }
    /// ```
    pub fn text(&self) -> &str {
        let content = self.choices.first().and_then(|choice| choice.message.content.as_ref());
        content.and_then(super::Content::as_text).unwrap_or_default()
    }

    /// What was charged, in US dollars, where the server says so.
    ///
    /// ```
    /// let answer: tollgate::ChatCompletion = serde_json::from_str(
    ///     r#"{"id": "gen-1", "model": "a/b", "choices": [], "usage": {
    ///         "prompt_tokens": 8, "completion_tokens": 20, "total_tokens": 28, "cost": 0.000088
    ///     }}"#,
    /// ).unwrap();
    /// assert_eq!(answer.cost().unwrap().to_string(), "0.000088");
    /// ```
    pub fn cost(&self) -> Option<Usd> {
        self.usage.as_ref()?.cost
    }
}

/// One answer.
///
/// ```
/// # fn show(choice: tollgate::ChatChoice) {
/// println!("{:?}: {:?}", choice.finish_reason, choice.message.content);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChatChoice {
    /// Its number.
    #[serde(default)]
    pub index: u64,
    /// What the model says.
    pub message: Message,
    /// Why it ended.
    #[serde(default)]
    pub finish_reason: Option<FinishReason>,
    /// Why it ended, in the provider's words.
    #[serde(default)]
    pub native_finish_reason: Option<String>,
    /// How probable its tokens were, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<Value>,
}

open_enum! {
    /// Why an answer ended.
    ///
    /// ```
    /// assert_eq!(tollgate::FinishReason::from("length"), tollgate::FinishReason::Length);
    /// ```
    pub enum FinishReason {
        /// It was said.
        Stop = "stop",
        /// It had as many tokens as it may have.
        Length = "length",
        /// The model calls functions.
        ToolCalls = "tool_calls",
        /// The provider's filter ended it.
        ContentFilter = "content_filter",
        /// Something went wrong.
        Error = "error",
    }
}

/// What a request used and what it cost.
///
/// ```
/// # fn show(usage: tollgate::ChatUsage) {
/// println!("{} tokens for {:?}", usage.total_tokens, usage.cost);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChatUsage {
    /// Tokens of the prompt, cached ones included.
    pub prompt_tokens: u64,
    /// Tokens of the answer, reasoning included.
    pub completion_tokens: u64,
    /// Their sum.
    pub total_tokens: u64,
    /// What was charged, in US dollars.
    #[serde(default)]
    pub cost: Option<Usd>,
    /// Whether the owner's own provider key paid the provider.
    #[serde(default)]
    pub is_byok: bool,
    /// What the provider's part came to.
    #[serde(default)]
    pub cost_details: Option<CostDetails>,
    /// What kinds of tokens the prompt had.
    #[serde(default)]
    pub prompt_tokens_details: Option<PromptTokensDetails>,
    /// What kinds of tokens the answer had.
    #[serde(default)]
    pub completion_tokens_details: Option<CompletionTokensDetails>,
    /// How often the server's own tools were used. OpenRouter only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_tool_use_details: Option<ServerToolUseDetails>,
}

/// How often the server's own tools were used.
///
/// ```
/// # fn show(details: tollgate::ServerToolUseDetails) {
/// println!("searched {:?} times", details.web_search_requests);
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ServerToolUseDetails {
    /// Calls of tools that the model asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_calls_requested: Option<u64>,
    /// Calls of tools that were made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_calls_executed: Option<u64>,
    /// Searches of the web.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web_search_requests: Option<u64>,
}

/// The provider's part of a cost.
///
/// ```
/// # fn show(details: tollgate::CostDetails) {
/// println!("{:?}", details.upstream_inference_cost);
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct CostDetails {
    /// The list price, where the owner's own provider key paid it.
    pub upstream_inference_cost: Option<Usd>,
    /// What the prompt came to.
    pub upstream_inference_prompt_cost: Option<Usd>,
    /// What the answer came to.
    pub upstream_inference_completions_cost: Option<Usd>,
    /// What the server's own tools came to. OpenRouter only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_tool_cost: Option<Usd>,
}

/// Kinds of prompt tokens, each contained in `prompt_tokens`.
///
/// ```
/// # fn show(details: tollgate::PromptTokensDetails) {
/// println!("{:?} were cached", details.cached_tokens);
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct PromptTokensDetails {
    /// Read from the provider's cache.
    pub cached_tokens: Option<u64>,
    /// Written to the provider's cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write_tokens: Option<u64>,
    /// Heard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_tokens: Option<u64>,
    /// Seen moving.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video_tokens: Option<u64>,
}

/// Kinds of completion tokens, each contained in `completion_tokens`.
///
/// ```
/// # fn show(details: tollgate::CompletionTokensDetails) {
/// println!("{:?} were thought", details.reasoning_tokens);
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct CompletionTokensDetails {
    /// Thought before answering.
    pub reasoning_tokens: Option<u64>,
    /// Spoken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_tokens: Option<u64>,
    /// Drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_tokens: Option<u64>,
    /// Predicted by the client, and right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted_prediction_tokens: Option<u64>,
    /// Predicted by the client, and wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected_prediction_tokens: Option<u64>,
}
