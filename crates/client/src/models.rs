//! The catalogue: models, what they can do, what they cost, and where they run.

mod endpoints;

use std::collections::BTreeMap;

use futures_core::Stream;
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use crate::page::{self, Data, Page};
use crate::patch::setters;
use crate::request::Call;
use crate::{Client, Error, Price, Usd};

pub use endpoints::{Endpoint, Endpoints, ModelEndpoints, Percentiles};

/// Models on one page of [`Models::list_all`].
const PAGE_MODELS: u64 = 500;

/// One model.
///
/// ```
/// # fn show(model: tollgate::Model) {
/// println!("{}: ${} a token of the prompt", model.id, model.pricing.prompt);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Model {
    /// `author/slug`, or `author/slug:variant`.
    pub id: String,
    /// Who made it: its id's `author`. Tollgate only, as OpenAI's API has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owned_by: Option<String>,
    /// The id that never changes.
    #[serde(default)]
    pub canonical_slug: String,
    /// The name for people.
    pub name: String,
    /// When it was added, in seconds since 1970.
    pub created: i64,
    /// What it is good for.
    #[serde(default)]
    pub description: Option<String>,
    /// How many tokens prompt and answer may have together.
    #[serde(default)]
    pub context_length: Option<u64>,
    /// What goes in and what comes out.
    pub architecture: Architecture,
    /// What it costs at the endpoint that would be chosen first.
    pub pricing: Pricing,
    /// What the endpoint that would be chosen first can do.
    #[serde(default)]
    pub top_provider: TopProvider,
    /// The request parameters that do something.
    #[serde(default)]
    pub supported_parameters: Vec<String>,
    /// How many tokens one request may have, by `prompt_tokens` and `completion_tokens`.
    #[serde(default)]
    pub per_request_limits: Option<BTreeMap<String, Number>>,
    /// What parameters are where a request sets none.
    #[serde(default)]
    pub default_parameters: Option<BTreeMap<String, Option<Number>>>,
    /// The voices it speaks with.
    #[serde(default)]
    pub supported_voices: Option<Vec<String>>,
    /// Where there is more about it: `details` is the path of its endpoints.
    #[serde(default)]
    pub links: BTreeMap<String, String>,
    /// Its id at Hugging Face.
    #[serde(default)]
    pub hugging_face_id: Option<String>,
    /// The last date it knows of.
    #[serde(default)]
    pub knowledge_cutoff: Option<String>,
    /// The date from which on it is gone.
    #[serde(default)]
    pub expiration_date: Option<String>,
    /// How it thinks before it answers, where it does. OpenRouter only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<ModelReasoning>,
    /// The model that its id stands for now. OpenRouter only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias_target: Option<ModelAliasTarget>,
    /// What others measured, as the server has it. OpenRouter only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub benchmarks: Option<Value>,
}

/// How a model thinks before it answers.
///
/// ```
/// # fn show(reasoning: tollgate::ModelReasoning) {
/// println!("{:?}, of {:?}", reasoning.default_effort, reasoning.supported_efforts);
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ModelReasoning {
    /// Whether it can't be turned off.
    pub mandatory: bool,
    /// Whether it thinks where a request does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_enabled: Option<bool>,
    /// How much it thinks where a request does not say, such as `medium`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_effort: Option<String>,
    /// How much it can be told to think, such as `low` and `high`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supported_efforts: Option<Vec<String>>,
    /// Whether a request may say how many tokens it thinks at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supports_max_tokens: Option<bool>,
}

/// The model that another id stands for now.
///
/// ```
/// # fn show(target: tollgate::ModelAliasTarget) {
/// println!("{} ({})", target.slug, target.name);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModelAliasTarget {
    /// Its id.
    pub slug: String,
    /// Its name for people.
    pub name: String,
}

/// What goes into a model and what comes out.
///
/// ```
/// # fn sees(architecture: tollgate::Architecture) -> bool {
/// architecture.input_modalities.iter().any(|kind| kind == "image")
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Architecture {
    /// Both in one word, such as `text+image->text`.
    pub modality: Option<String>,
    /// What goes in: `text`, `image`, `file`, `audio`, `video`.
    pub input_modalities: Vec<String>,
    /// What comes out: `text`, `image`, `embeddings`, `audio` and others.
    pub output_modalities: Vec<String>,
    /// The family of its tokenizer.
    pub tokenizer: Option<String>,
    /// The form its instructions are put in.
    pub instruct_type: Option<String>,
}

/// Prices in US dollars a unit; what is `None` costs nothing of its own.
///
/// ```
/// # fn is_free(pricing: tollgate::Pricing) -> bool {
/// pricing.prompt.usd().is_some_and(|price| price.is_zero())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
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
    /// A token of an image in the prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_token: Option<Price>,
    /// A prompt token of audio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio: Option<Price>,
    /// A completion token of audio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio_output: Option<Price>,
    /// A web search.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub web_search: Option<Price>,
    /// A reasoning token, where it differs from other completion tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub internal_reasoning: Option<Price>,
    /// A prompt token read from the provider's cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_cache_read: Option<Price>,
    /// A prompt token of audio read from the provider's cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_audio_cache: Option<Price>,
    /// A prompt token written to the provider's cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_cache_write: Option<Price>,
    /// One written for an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_cache_write_1h: Option<Price>,
    /// The share of all that is taken off, from 0 to 1. OpenRouter only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<Number>,
    /// Prices that take the place of these, for longer prompts or at some times of the day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<PricingOverride>,
}

/// Prices that take the place of a model's others where all of its conditions hold: what is `None`
/// costs what it does without.
///
/// ```
/// let json = r#"{"prompt": "0.000001", "completion": "0.000004", "overrides": [
///     {"min_prompt_tokens": 200000, "prompt": "0.000002"}
/// ]}"#;
/// let pricing: tollgate::Pricing = serde_json::from_str(json).unwrap();
/// let long = &pricing.overrides[0];
/// assert_eq!(long.prompt.unwrap().to_string(), "0.000002");
/// assert_eq!(long.completion.unwrap_or(pricing.completion).to_string(), "0.000004");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct PricingOverride {
    /// The least number of prompt tokens that they hold for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_prompt_tokens: Option<u64>,
    /// The time of the UTC day from which on they hold, as the server writes it. OpenRouter only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utc_start: Option<Number>,
    /// The time of the UTC day until which they hold. OpenRouter only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utc_end: Option<Number>,
    /// The UTC days of the week on which they hold, such as `monday`. OpenRouter only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utc_days: Option<Vec<String>>,
    /// A prompt token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<Price>,
    /// A completion token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion: Option<Price>,
    /// A prompt token of audio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio: Option<Price>,
    /// A prompt token read from the provider's cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_cache_read: Option<Price>,
    /// A prompt token of audio read from the provider's cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_audio_cache: Option<Price>,
    /// A prompt token written to the provider's cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_cache_write: Option<Price>,
    /// One written for an hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_cache_write_1h: Option<Price>,
}

/// What the endpoint that would be chosen first can do.
///
/// ```
/// # fn show(top: tollgate::TopProvider) {
/// println!("{:?} tokens an answer", top.max_completion_tokens);
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct TopProvider {
    /// How many tokens prompt and answer may have together there.
    pub context_length: Option<u64>,
    /// How many tokens an answer may have there.
    pub max_completion_tokens: Option<u64>,
    /// Whether prompts are looked at before they are answered.
    pub is_moderated: bool,
}

/// Which models to list: all of them where nothing is said.
///
/// ```
/// use tollgate::{ListModels, Usd};
///
/// let cheap = ListModels::new().q("mini").max_price("1".parse::<Usd>()?).limit(20);
/// # Ok::<(), tollgate::ParseUsdError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListModels {
    /// How many to skip.
    pub offset: Option<u64>,
    /// How many to give at most, from 1 to 1000.
    pub limit: Option<u64>,
    /// Those whose id or name has this in it.
    pub q: Option<String>,
    /// Those that are good at this, such as `programming`.
    pub category: Option<String>,
    /// Those that know these parameters, with commas between them.
    pub supported_parameters: Option<String>,
    /// Those that take these kinds of input, with commas between them.
    pub input_modalities: Option<String>,
    /// Those that give these kinds of output, with commas between them.
    pub output_modalities: Option<String>,
    /// Those with a context of at least so many tokens.
    pub context: Option<u64>,
    /// Those whose million of prompt tokens costs at least this, in US dollars.
    pub min_price: Option<Usd>,
    /// Those whose million of prompt tokens costs at most this.
    pub max_price: Option<Usd>,
    /// Those whose million of completion tokens costs at least this.
    pub min_output_price: Option<Usd>,
    /// Those whose million of completion tokens costs at most this.
    pub max_output_price: Option<Usd>,
    /// Those that run at one of these providers, with commas between them.
    pub providers: Option<String>,
    /// Those of these authors, with commas between them.
    pub model_authors: Option<String>,
    /// Those that run where nothing of a request is kept.
    pub zdr: bool,
    /// The order they come in, such as `pricing-low-to-high`.
    pub sort: Option<String>,
}

impl ListModels {
    /// All models.
    ///
    /// ```
    /// let all = tollgate::ListModels::new();
    /// ```
    pub fn new() -> ListModels {
        ListModels::default()
    }

    fn on(&self, call: Call) -> Call {
        call.query("offset", self.offset.as_ref())
            .query("limit", self.limit.as_ref())
            .query("q", self.q.as_ref())
            .query("category", self.category.as_ref())
            .query("supported_parameters", self.supported_parameters.as_ref())
            .query("input_modalities", self.input_modalities.as_ref())
            .query("output_modalities", self.output_modalities.as_ref())
            .query("context", self.context.as_ref())
            .query("min_price", self.min_price.as_ref())
            .query("max_price", self.max_price.as_ref())
            .query("min_output_price", self.min_output_price.as_ref())
            .query("max_output_price", self.max_output_price.as_ref())
            .query("providers", self.providers.as_ref())
            .query("model_authors", self.model_authors.as_ref())
            .query("zdr", self.zdr.then_some(&true))
            .query("sort", self.sort.as_ref())
    }
}

setters!(ListModels, ListModels::new();
    some offset: u64 = 20,
    some limit: u64 = 20,
    text q = "mini",
    text category = "programming",
    text supported_parameters = "tools,seed",
    text input_modalities = "text,image",
    text output_modalities = "text",
    some context: u64 = 100_000,
    some min_price: Usd = Usd::from(1),
    some max_price: Usd = Usd::from(1),
    some min_output_price: Usd = Usd::from(2),
    some max_output_price: Usd = Usd::from(2),
    text providers = "openai,groq",
    text model_authors = "openai",
    plain zdr: bool = true,
    text sort = "pricing-low-to-high",
);

/// The calls about models.
///
/// ```no_run
/// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
/// let model = client.models().get("openai/gpt-4o-mini").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Models(Client);

impl Client {
    /// The calls about models.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// println!("{}", client.models().get("openai/gpt-4o-mini").await?.pricing.prompt);
    /// # Ok(())
    /// # }
    /// ```
    pub fn models(&self) -> Models {
        Models(self.clone())
    }
}

#[derive(Deserialize)]
struct Count {
    count: u64,
}

impl Models {
    /// The models asked for; all on one page unless the request says otherwise.
    ///
    /// # Errors
    ///
    /// 400 where a filter is not what it may be.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// let page = client.models().list(&tollgate::ListModels::new().q("mini")).await?;
    /// println!("{} of {:?}", page.data.len(), page.total_count);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn list(&self, wanted: &ListModels) -> Result<Page<Model>, Error> {
        wanted.on(Call::get(["models"])).send(&self.0).await
    }

    /// The models asked for, page after page.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// use futures_util::TryStreamExt as _;
    ///
    /// let models: Vec<_> =
    ///     client.models().list_all(tollgate::ListModels::new()).try_collect().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_all(
        &self,
        wanted: ListModels,
    ) -> impl Stream<Item = Result<Model, Error>> + Send + use<> {
        let models = self.clone();
        let limit = wanted.limit.unwrap_or(PAGE_MODELS);
        page::all(
            wanted.offset.unwrap_or(0),
            |model: &Model| model.id.clone(),
            move |offset| {
                let (models, wanted) = (models.clone(), wanted.clone().offset(offset).limit(limit));
                async move { models.list(&wanted).await }
            },
        )
    }

    /// The models that the key in use may use.
    ///
    /// # Errors
    ///
    /// 401 where the key is not good.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// let mine = client.models().list_for_user(&tollgate::ListModels::new()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn list_for_user(&self, wanted: &ListModels) -> Result<Page<Model>, Error> {
        wanted.on(Call::get(["models", "user"])).send(&self.0).await
    }

    /// How many models there are.
    ///
    /// # Errors
    ///
    /// Where the server can't be asked.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// println!("{}", client.models().count().await?);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn count(&self) -> Result<u64, Error> {
        let call = Call::get(["models", "count"]);
        call.send::<Data<Count>>(&self.0).await.map(|answer| answer.data.count)
    }

    /// The model of that id, `author/slug`.
    ///
    /// # Errors
    ///
    /// 404 where there is none.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// let context = client.models().get("openai/gpt-4o-mini").await?.context_length;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get(&self, id: &str) -> Result<Model, Error> {
        let (author, slug) = parts(id)?;
        let call = Call::get(["model", author, slug]);
        call.send::<Data<_>>(&self.0).await.map(|answer| answer.data)
    }

    /// Where the model of that id runs, and what it costs there.
    ///
    /// # Errors
    ///
    /// 404 where there is no such model.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// for endpoint in client.models().endpoints("openai/gpt-4o-mini").await?.endpoints {
    ///     println!("{}: ${}", endpoint.provider_name, endpoint.pricing.completion);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn endpoints(&self, id: &str) -> Result<ModelEndpoints, Error> {
        let (author, slug) = parts(id)?;
        let call = Call::get(["models", author, slug, "endpoints"]);
        call.send::<Data<_>>(&self.0).await.map(|answer| answer.data)
    }
}

fn parts(id: &str) -> Result<(&str, &str), Error> {
    let no_id = || Error::misuse(format!("{id:?} is no model's id; allowed: `author/slug`"));
    id.split_once('/').ok_or_else(no_id)
}
