//! Where models run, what they cost there and how they do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use super::Pricing;
use crate::page::Data;
use crate::request::Call;
use crate::{Architecture, Client, Error};

/// Where one model runs.
///
/// ```
/// # fn show(model: tollgate::ModelEndpoints) {
/// println!("{} runs at {} places", model.id, model.endpoints.len());
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModelEndpoints {
    /// The model's id.
    pub id: String,
    /// The model's name for people.
    pub name: String,
    /// When it was added, in seconds since 1970.
    pub created: i64,
    /// What it is good for; empty where nothing is said.
    #[serde(default)]
    pub description: String,
    /// What goes in and what comes out.
    pub architecture: Architecture,
    /// Where it runs, in the order they are tried.
    pub endpoints: Vec<Endpoint>,
}

/// One place where a model runs.
///
/// ```
/// # fn show(endpoint: tollgate::Endpoint) {
/// println!("{}: {:?} % up", endpoint.tag, endpoint.uptime_last_30m);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Endpoint {
    /// Provider and model in one line.
    pub name: String,
    /// Its name in routing: the provider's slug, or `slug/variant`.
    #[serde(default)]
    pub tag: String,
    /// The provider, by its display name.
    pub provider_name: String,
    /// The model's id.
    #[serde(default)]
    pub model_id: String,
    /// The model's name for people.
    #[serde(default)]
    pub model_name: String,
    /// How many tokens prompt and answer may have together here.
    pub context_length: u64,
    /// How many tokens an answer may have here.
    #[serde(default)]
    pub max_completion_tokens: Option<u64>,
    /// How many tokens a prompt may have here, where that is less than the context.
    #[serde(default)]
    pub max_prompt_tokens: Option<u64>,
    /// What it costs here.
    pub pricing: Pricing,
    /// How coarsely the model's weights are kept, such as `fp8`.
    #[serde(default)]
    pub quantization: Option<String>,
    /// The request parameters that do something here.
    #[serde(default)]
    pub supported_parameters: Vec<String>,
    /// Whether prompts are cached without being asked to.
    #[serde(default)]
    pub supports_implicit_caching: bool,
    /// Whether what is said is told apart by who says it.
    #[serde(default)]
    pub supports_diarization: bool,
    /// Whether a voice may be given to be spoken with. OpenRouter only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supports_voice_cloning: Option<bool>,
    /// Whether an image may be given to be held to. OpenRouter only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supports_image_reference: Option<bool>,
    /// Whether several recordings may be given to be held to. OpenRouter only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supports_multiple_audio_references: Option<bool>,
    /// Which values of `tool_choice` do something here.
    #[serde(default)]
    pub supports_tool_choice: BTreeMap<String, bool>,
    /// The tools that run here, by their names, each with its `type`.
    #[serde(default)]
    pub native_tools: BTreeMap<String, Value>,
    /// The tier of service that this is, where there are several.
    #[serde(default)]
    pub service_tier: Option<String>,
    /// The share of the last 5 minutes in which it worked, in percent.
    #[serde(default)]
    pub uptime_last_5m: Option<Number>,
    /// Of the last 30.
    #[serde(default)]
    pub uptime_last_30m: Option<Number>,
    /// Of the last day.
    #[serde(default)]
    pub uptime_last_1d: Option<Number>,
    /// Milliseconds to the first token.
    #[serde(default)]
    pub latency_last_30m: Option<Percentiles>,
    /// Tokens a second.
    #[serde(default)]
    pub throughput_last_30m: Option<Percentiles>,
    /// 0 where it works, below zero where it is passed over for now.
    #[serde(default)]
    pub status: Option<i64>,
}

/// How a figure is spread: so much or less in so many percent of the cases.
///
/// ```
/// # fn show(latency: tollgate::Percentiles) {
/// println!("{} ms in half of the cases", latency.p50);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
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

/// The call about endpoints of all models.
///
/// ```no_run
/// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
/// let zdr = client.endpoints().zdr().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Endpoints(Client);

impl Client {
    /// The call about endpoints of all models.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// println!("{} endpoints keep nothing", client.endpoints().zdr().await?.len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn endpoints(&self) -> Endpoints {
        Endpoints(self.clone())
    }
}

impl Endpoints {
    /// Those that keep nothing of what they are sent.
    ///
    /// # Errors
    ///
    /// Where the server can't be asked.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// for endpoint in client.endpoints().zdr().await? {
    ///     println!("{}", endpoint.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn zdr(&self) -> Result<Vec<Endpoint>, Error> {
        let call = Call::get(["endpoints", "zdr"]);
        call.send::<Data<_>>(&self.0).await.map(|answer| answer.data)
    }
}
