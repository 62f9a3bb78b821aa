//! Endpoints: where a model runs, what it costs there and how it does (SEMANTICS 10.4 to 10.6).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Number;

use crate::models::Pricing;

/// The endpoints of one model: the `data` of `GET /models/{author}/{slug}/endpoints`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelEndpoints {
    /// The model's id.
    pub id: String,
    /// The model's name for people.
    pub name: String,
    /// When it came out, in seconds since 1970.
    pub created: i64,
    /// What it is good for; empty where nothing is said.
    pub description: String,
    /// What goes in and what comes out.
    pub architecture: EndpointArchitecture,
    /// Where it runs, in the order they are tried.
    pub endpoints: Vec<Endpoint>,
}

/// As [`Architecture`](crate::models::Architecture), with every member sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointArchitecture {
    /// Both in one word, such as `text+image->text`.
    pub modality: Option<String>,
    /// What goes in.
    pub input_modalities: Vec<String>,
    /// What comes out.
    pub output_modalities: Vec<String>,
    /// The family of its tokenizer; `Other` where it is none of those that have a word.
    pub tokenizer: String,
    /// The form its instructions are put in.
    pub instruct_type: Option<String>,
}

/// One place where a model runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Provider and model in one line.
    pub name: String,
    /// Its name in routing: the provider's slug, or `slug/variant`.
    pub tag: String,
    /// The provider, by its display name.
    pub provider_name: String,
    /// The model's id that never changes.
    pub model_id: String,
    /// The model's name for people.
    pub model_name: String,
    /// How many tokens prompt and answer may have together here.
    pub context_length: u64,
    /// How many tokens an answer may have here.
    pub max_completion_tokens: Option<u64>,
    /// How many tokens a prompt may have here, where that is less than the context.
    pub max_prompt_tokens: Option<u64>,
    /// What it costs here.
    pub pricing: Pricing,
    /// How coarsely the model's weights are kept, such as `fp8`.
    pub quantization: Option<String>,
    /// The request parameters that do something here.
    pub supported_parameters: Vec<String>,
    /// Whether prompts are cached without being asked to.
    pub supports_implicit_caching: bool,
    /// The share of minutes in which it worked, in percent, of the last 5.
    pub uptime_last_5m: Option<Number>,
    /// Of the last 30.
    pub uptime_last_30m: Option<Number>,
    /// Of the last day.
    pub uptime_last_1d: Option<Number>,
    /// Milliseconds to the first token; `None` to callers without a key.
    pub latency_last_30m: Option<Percentiles>,
    /// Tokens a second; `None` to callers without a key.
    pub throughput_last_30m: Option<Percentiles>,
    /// 0 where it works, below zero where it is passed over for now.
    #[serde(default)]
    pub status: i64,
    /// The provider's own tools it offers, by name.
    pub native_tools: BTreeMap<String, NativeTool>,
    /// The tier of service it is; `None` is the usual one.
    pub service_tier: Option<String>,
    /// Whether it can tell speakers apart.
    pub supports_diarization: bool,
    /// Which values of `tool_choice` do something.
    pub supports_tool_choice: ToolChoices,
}

/// How a figure is spread: so much or less in so many percent of the cases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Percentiles {
    /// In half of them.
    pub p50: Number,
    /// In three quarters.
    pub p75: Number,
    /// In nine of ten.
    pub p90: Number,
    /// In 99 of 100.
    pub p99: Number,
}

/// A tool of a provider's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NativeTool {
    /// The provider's name for its kind.
    pub r#type: String,
}

/// The values of `tool_choice`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolChoices {
    /// `auto`
    pub auto: bool,
    /// One function by name.
    pub function: bool,
    /// `none`
    pub none: bool,
    /// `required`
    pub required: bool,
}
