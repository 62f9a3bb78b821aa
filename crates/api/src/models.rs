//! The catalogue: models, what they can do and what they cost (SEMANTICS 10.1 to 10.3).
//! OpenAI's own members stand among them, since OpenAI clients list models, too.

mod list;

use std::fmt;

use money::Rate;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};
use serde_json::Number;

pub use list::{INPUT_MODALITIES, ListModels, ModelSort, OUTPUT_MODALITIES, PARAMETERS, Page};

/// The answer to `GET /models`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ModelList {
    /// What OpenAI clients know a list by.
    #[serde(default)]
    pub object: ListObject,
    /// The models asked for.
    pub data: Vec<Model>,
    /// Where the next page is.
    pub links: ListLinks,
    /// How many models there are on all pages.
    pub total_count: u64,
}

/// The word `list`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ListObject {
    /// `list`
    #[default]
    List,
}

/// Where the next page of a list is.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ListLinks {
    /// Its URL; `None` after the last page, or where no page was asked for.
    pub next: Option<String>,
}

/// One model.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Model {
    /// `author/slug`, or `author/slug:variant`.
    pub id: String,
    /// What OpenAI clients know a model by.
    #[serde(default)]
    pub object: ModelObject,
    /// The author, as OpenAI clients read it.
    #[serde(default)]
    pub owned_by: String,
    /// The id that never changes.
    pub canonical_slug: String,
    /// The name for people.
    pub name: String,
    /// When it was added, in seconds since 1970.
    pub created: i64,
    /// What it is good for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How many tokens prompt and answer may have together.
    pub context_length: Option<u64>,
    /// What goes in and what comes out.
    pub architecture: Architecture,
    /// What it costs at the endpoint that would be chosen first.
    pub pricing: Pricing,
    /// What the endpoint that would be chosen first can do.
    pub top_provider: TopProvider,
    /// How large one request may be.
    pub per_request_limits: Option<PerRequestLimits>,
    /// The request parameters that do something.
    pub supported_parameters: Vec<String>,
    /// The parameters' values where a request does not set them.
    pub default_parameters: Option<DefaultParameters>,
    /// The voices it speaks with.
    pub supported_voices: Option<Vec<String>>,
    /// Where there is more about it.
    pub links: ModelLinks,
    /// Its id at Hugging Face.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hugging_face_id: Option<String>,
    /// The last date it knows of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub knowledge_cutoff: Option<String>,
    /// The date from which on it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiration_date: Option<String>,
}

/// The word `model`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelObject {
    /// `model`
    #[default]
    Model,
}

/// What goes into a model and what comes out.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Architecture {
    /// Both in one word, such as `text+image->text`.
    pub modality: Option<String>,
    /// What goes in: `text`, `image`, `file`, `audio`, `video`.
    pub input_modalities: Vec<String>,
    /// What comes out: `text`, `image`, `embeddings`, `audio` and others.
    pub output_modalities: Vec<String>,
    /// The family of its tokenizer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokenizer: Option<String>,
    /// The form its instructions are put in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instruct_type: Option<String>,
}

/// Prices in US dollars a unit; what is left out costs nothing of its own.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Pricing {
    /// A prompt token.
    pub prompt: Price,
    /// A completion token.
    pub completion: Price,
    /// A request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Price>,
    /// An image in the prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Price>,
    /// An image in the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_output: Option<Price>,
    /// A prompt token of an image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_token: Option<Price>,
    /// A prompt token of audio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio: Option<Price>,
    /// A completion token of audio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio_output: Option<Price>,
    /// A prompt token of audio read from the provider's cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_audio_cache: Option<Price>,
    /// A web search.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web_search: Option<Price>,
    /// A reasoning token, where it differs from other completion tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub internal_reasoning: Option<Price>,
    /// A prompt token read from the provider's cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_cache_read: Option<Price>,
    /// A prompt token written to the provider's cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_cache_write: Option<Price>,
    /// A prompt token written to the provider's cache for an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_cache_write_1h: Option<Price>,
    /// Other prices for longer prompts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<PricingOverride>,
}

/// Prices that hold in place of the others from some length of the prompt on.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PricingOverride {
    /// The least number of prompt tokens they hold for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_prompt_tokens: Option<u64>,
    /// A prompt token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<Price>,
    /// A completion token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion: Option<Price>,
    /// A prompt token of audio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio: Option<Price>,
    /// A prompt token read from the provider's cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_cache_read: Option<Price>,
    /// A prompt token written to the provider's cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_cache_write: Option<Price>,
    /// A prompt token written to the provider's cache for an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_cache_write_1h: Option<Price>,
}

/// A price in the catalogue: a decimal string, never a number (SEMANTICS 10.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Price {
    /// So many dollars a unit, `"0"` where it is free.
    Fixed(Rate),
    /// That of whichever model a router chooses, on the wire `"-1"`.
    Dynamic,
}

impl From<Rate> for Price {
    fn from(rate: Rate) -> Price {
        Price::Fixed(rate)
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Price::Fixed(rate) => rate.fmt(f),
            Price::Dynamic => f.write_str("-1"),
        }
    }
}

impl Serialize for Price {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Price, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "-1" {
            return Ok(Price::Dynamic);
        }
        text.parse().map(Price::Fixed).map_err(D::Error::custom)
    }
}

/// What the endpoint that would be chosen first can do.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TopProvider {
    /// How many tokens prompt and answer may have together there.
    pub context_length: Option<u64>,
    /// How many tokens an answer may have there.
    pub max_completion_tokens: Option<u64>,
    /// Whether prompts are looked at before they are answered.
    pub is_moderated: bool,
}

/// How large one request may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PerRequestLimits {
    /// The most prompt tokens.
    pub prompt_tokens: u64,
    /// The most completion tokens.
    pub completion_tokens: u64,
}

/// Values of sampling parameters, as the numbers they were written as.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DefaultParameters {
    /// `temperature`
    pub temperature: Option<Number>,
    /// `top_p`
    pub top_p: Option<Number>,
    /// `top_k`
    pub top_k: Option<u64>,
    /// `frequency_penalty`
    pub frequency_penalty: Option<Number>,
    /// `presence_penalty`
    pub presence_penalty: Option<Number>,
    /// `repetition_penalty`
    pub repetition_penalty: Option<Number>,
}

/// Where there is more about a model.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ModelLinks {
    /// The path of its endpoints.
    pub details: String,
}
