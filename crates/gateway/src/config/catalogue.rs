//! `[[providers]]` and `[[models]]`: as written, prices and addresses checked later as a whole.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};
use upstream::Surface;

/// The output modality of a model that gives embeddings, and nothing else.
pub const EMBEDDINGS: &str = "embeddings";

fn yes() -> bool {
    true
}

/// One of `[[providers]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// Its name in routing, rows and metrics.
    pub slug: String,
    /// Its name for people; the slug where none is given.
    pub name: Option<String>,
    /// The wire format it speaks: `openai`.
    #[serde(default = "openai")]
    pub api: String,
    /// Where it is, such as `https://api.openai.com/v1`; known of a built-in provider.
    pub base_url: Option<String>,
    /// The credential; `${NAME}` reads it from the environment. None is sent where none is given.
    pub api_key: Option<String>,
    /// It stops generating, and billing, when its connection closes.
    #[serde(default)]
    pub stops_on_disconnect: bool,
    /// It may keep what it is sent for purposes of its own; say `false` where its terms say it
    /// does not.
    #[serde(default = "yes")]
    pub collects_data: bool,
    /// Further headers it needs.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Where its privacy policy is.
    pub privacy_policy_url: Option<String>,
    /// Where its terms of service are.
    pub terms_of_service_url: Option<String>,
    /// Where it says how it is doing.
    pub status_page_url: Option<String>,
    /// The country it is seated in, in two capital letters.
    pub headquarters: Option<String>,
    /// The countries its machines are in, in two capital letters each.
    pub datacenters: Option<Vec<String>>,
    /// Which of the built-in models it runs are served here: those under `[[models]]` where none
    /// are given.
    pub models: Option<BuiltInModels>,
}

/// `models` of a provider: `"all"`, or a list of ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuiltInModels {
    /// Every built-in model that the provider runs.
    All,
    /// These.
    Listed(Vec<String>),
}

impl<'de> Deserialize<'de> for BuiltInModels {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = BuiltInModels;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("\"all\" or a list of models' ids")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<BuiltInModels, E> {
                match text {
                    "all" => Ok(BuiltInModels::All),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut ids: A) -> Result<BuiltInModels, A::Error> {
                let mut listed = Vec::new();
                while let Some(id) = ids.next_element::<String>()? {
                    if listed.contains(&id) {
                        return Err(A::Error::custom(format_args!("`{id}` is listed twice")));
                    }
                    listed.push(id);
                }
                Ok(BuiltInModels::Listed(listed))
            }
        }
        reader.deserialize_any(Read)
    }
}

fn openai() -> String {
    "openai".into()
}

/// One of `[[models]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// Its id, `author/slug`.
    pub id: String,
    /// Further names that it is asked for by, such as `~author/family-latest`.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Its name for people; the id where none is given.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The most tokens of prompt and completion together.
    pub context_length: Option<u64>,
    /// When it came out, in unix seconds.
    #[serde(default)]
    pub created: i64,
    /// The model is listed.
    #[serde(default = "yes")]
    pub listed: bool,
    /// What it takes: `text`, `image`, `file`, `audio`, `video`. Where it is given, what is not in it
    /// is not sent there.
    pub input_modalities: Option<Vec<String>>,
    /// What it gives: `text`, `image`, `audio`; or `embeddings` alone.
    #[serde(default = "text")]
    pub output_modalities: Vec<String>,
    /// The day it is switched off by its author, such as `2027-01-14`.
    pub expiration_date: Option<String>,
    /// The last day it knows of.
    pub knowledge_cutoff: Option<String>,
    /// Its id at Hugging Face.
    pub hugging_face_id: Option<String>,
    /// Where it runs; known of a built-in model.
    #[serde(default)]
    pub endpoints: Vec<EndpointConfig>,
}

fn text() -> Vec<String> {
    vec!["text".into()]
}

impl ModelConfig {
    /// What it takes, as it is shown: text where nothing is said.
    pub fn shown_inputs(&self) -> Vec<String> {
        self.input_modalities.clone().unwrap_or_else(text)
    }

    /// Whether it may take that kind of part: where nothing is said, that is for its provider to say.
    pub fn may_take(&self, modality: &str) -> bool {
        let said = self.input_modalities.as_ref();
        said.is_none_or(|said| said.iter().any(|taken| taken == modality))
    }

    /// What it is asked for: embeddings where it gives nothing else.
    pub fn surface(&self) -> Surface {
        let gives_embeddings = self.output_modalities.iter().any(|kind| kind == EMBEDDINGS);
        if gives_embeddings { Surface::Embeddings } else { Surface::Chat }
    }
}

/// One of `[[models.endpoints]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointConfig {
    /// The slug of the provider that runs it.
    pub provider: String,
    /// The provider's name for the model; the model's id where none is given.
    pub upstream_model: Option<String>,
    /// The most prompt and completion tokens here; the model's where none is given.
    pub context_length: Option<u64>,
    /// The most completion tokens; the context length where none is given.
    pub max_completion_tokens: Option<u64>,
    /// The name of the maximum it obeys.
    #[serde(default = "max_tokens")]
    pub max_tokens_field: String,
    /// Tokens the provider adds to a prompt unseen. Default 256, and 1,024 with tools.
    pub prompt_overhead_tokens: Option<u64>,
    /// The most reasoning tokens, where the completion's maximum does not bind them.
    #[serde(default)]
    pub reasoning_tokens_max: u64,
    /// The most tokens an image can come to; the context length where none is given.
    pub image_tokens_max: Option<u64>,
    /// The most tokens an audio part can come to; the context length where none is given.
    pub audio_tokens_max: Option<u64>,
    /// The most tokens a file can come to; the context length where none is given.
    pub file_tokens_max: Option<u64>,
    /// How it counts: a bundled tokenizer (`o200k_base`, `cl100k_base`) or a `tokenizer.json` file.
    pub tokenizer: Option<String>,
    /// What tells it from others of its provider, such as `fp8` or a region: its name in routing is
    /// then `provider/variant`.
    pub variant: Option<String>,
    /// How coarsely its weights are kept, such as `fp8`.
    pub quantization: Option<String>,
    /// The provider keeps nothing of what it is sent.
    #[serde(default)]
    pub zdr: bool,
    /// The provider caches prompts without being asked to.
    #[serde(default)]
    pub implicit_caching: bool,
    /// Which of `tools`, `tool_choice`, `response_format`, `structured_outputs`, `reasoning` it
    /// takes; what it takes is not known where none are given.
    pub supported_parameters: Option<Vec<String>>,
    /// It costs nothing; the only way to leave out the prices.
    #[serde(default)]
    pub free: bool,
    /// The provider does not bill answers without a completion token.
    #[serde(default)]
    pub zero_completion_free: bool,
    /// What it charges.
    pub pricing: Option<PricingConfig>,
}

fn max_tokens() -> String {
    "max_tokens".into()
}

/// `pricing` of an endpoint: US dollars a unit, as decimal text.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PricingConfig {
    /// A prompt token.
    pub prompt: String,
    /// A completion token; needed unless embeddings are given.
    pub completion: Option<String>,
    /// A prompt token read from the cache; `prompt` where none is given.
    pub input_cache_read: Option<String>,
    /// A prompt token written to the cache; `prompt` where none is given.
    pub input_cache_write: Option<String>,
    /// An audio token read from the cache; `input_cache_read` where none is given.
    pub input_audio_cache: Option<String>,
    /// A reasoning token; `completion` where none is given.
    pub internal_reasoning: Option<String>,
    /// An audio token of the prompt; `prompt` where none is given.
    pub audio: Option<String>,
    /// An audio token of the completion; the dearer of `audio` and `completion` where none is given.
    pub audio_output: Option<String>,
    /// An image in the prompt, besides its tokens.
    pub image: Option<String>,
    /// Each request, besides its tokens.
    pub request: Option<String>,
    /// Other prices from some prompt length on.
    #[serde(default)]
    pub overrides: Vec<TierConfig>,
}

/// One of `pricing.overrides`: what is not named stays as in `pricing`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierConfig {
    /// It applies to prompts of at least this many tokens.
    pub min_prompt_tokens: u64,
    /// A prompt token.
    pub prompt: Option<String>,
    /// A completion token.
    pub completion: Option<String>,
    /// A prompt token read from the cache.
    pub input_cache_read: Option<String>,
    /// A prompt token written to the cache.
    pub input_cache_write: Option<String>,
    /// An audio token read from the cache.
    pub input_audio_cache: Option<String>,
    /// A reasoning token.
    pub internal_reasoning: Option<String>,
    /// An audio token of the prompt.
    pub audio: Option<String>,
    /// An audio token of the completion.
    pub audio_output: Option<String>,
}
