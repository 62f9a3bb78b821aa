//! What became of one request.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::page::Data;
use crate::request::Call;
use crate::{Client, Error, Usd};

/// What one request was, who answered it, what it used and what it cost.
///
/// ```
/// # async fn example(client: tollgate::Client, id: &str) -> Result<(), tollgate::Error> {
/// let generation = client.generations().get(id).await?;
/// println!("${} at {:?}", generation.total_cost, generation.provider_name);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Generation {
    /// Its id, `gen-…`: the `id` of the answer.
    pub id: String,
    /// The provider's own id for it.
    #[serde(default)]
    pub upstream_id: Option<String>,
    /// The id of the HTTP request.
    #[serde(default)]
    pub request_id: Option<String>,
    /// The client's name for the conversation.
    #[serde(default)]
    pub session_id: Option<String>,
    /// The model that answered.
    pub model: String,
    /// The provider that answered, by its display name.
    #[serde(default)]
    pub provider_name: Option<String>,
    /// Every attempt, in order.
    #[serde(default)]
    pub provider_responses: Option<Vec<ProviderResponse>>,
    /// When it was admitted.
    pub created_at: Timestamp,
    /// Whether the answer was streamed.
    #[serde(default)]
    pub streamed: Option<bool>,
    /// Whether the client went away before the end.
    #[serde(default)]
    pub cancelled: Option<bool>,
    /// Why it ended, in the API's words.
    #[serde(default)]
    pub finish_reason: Option<String>,
    /// Why it ended, in the provider's words.
    #[serde(default)]
    pub native_finish_reason: Option<String>,
    /// The app's address, empty where there was none.
    #[serde(default)]
    pub origin: String,
    /// The app's number.
    #[serde(default)]
    pub app_id: Option<i64>,
    /// The `HTTP-Referer` of the request.
    #[serde(default)]
    pub http_referer: Option<String>,
    /// The `User-Agent` of the request.
    #[serde(default)]
    pub user_agent: Option<String>,
    /// Which part of the API it came by, such as `completions`.
    #[serde(default)]
    pub api_type: Option<String>,
    /// The router that chose the model.
    #[serde(default)]
    pub router: Option<String>,
    /// The preset that it was made with.
    #[serde(default)]
    pub preset_id: Option<String>,
    /// The tier of service that the provider gave.
    #[serde(default)]
    pub service_tier: Option<String>,
    /// Where it was processed, such as `global`.
    #[serde(default)]
    pub data_region: Option<String>,
    /// The workspace it was admitted under.
    #[serde(default)]
    pub workspace_id: Option<String>,
    /// The partner's end user it was for.
    #[serde(default)]
    pub external_user: Option<String>,
    /// What was charged, in US dollars.
    pub total_cost: Usd,
    /// The same.
    #[serde(default)]
    pub usage: Usd,
    /// Whether the owner's own provider key paid the provider.
    #[serde(default)]
    pub is_byok: bool,
    /// What the provider's part came to, where the owner's own key paid it.
    #[serde(default)]
    pub upstream_inference_cost: Option<Usd>,
    /// What the provider's cache saved.
    #[serde(default)]
    pub cache_discount: Option<Usd>,
    /// The whole request, in milliseconds.
    #[serde(default)]
    pub latency: Option<u64>,
    /// From the provider's first byte to its last, in milliseconds.
    #[serde(default)]
    pub generation_time: Option<u64>,
    /// Moderation before the request, in milliseconds.
    #[serde(default)]
    pub moderation_latency: Option<u64>,
    /// Tokens of the prompt.
    #[serde(default)]
    pub tokens_prompt: Option<u64>,
    /// Tokens of the answer.
    #[serde(default)]
    pub tokens_completion: Option<u64>,
    /// Tokens of the prompt, as the provider counts.
    #[serde(default)]
    pub native_tokens_prompt: Option<u64>,
    /// Tokens of the answer, as the provider counts.
    #[serde(default)]
    pub native_tokens_completion: Option<u64>,
    /// Those of the answer that are images.
    #[serde(default)]
    pub native_tokens_completion_images: Option<u64>,
    /// Those of the answer that were reasoning.
    #[serde(default)]
    pub native_tokens_reasoning: Option<u64>,
    /// Those of the prompt that were read from the provider's cache.
    #[serde(default)]
    pub native_tokens_cached: Option<u64>,
    /// Images and videos in the prompt.
    #[serde(default)]
    pub num_media_prompt: Option<u64>,
    /// Recordings in the prompt.
    #[serde(default)]
    pub num_input_audio_prompt: Option<u64>,
    /// Images in the answer.
    #[serde(default)]
    pub num_media_completion: Option<u64>,
    /// Search results used.
    #[serde(default)]
    pub num_search_results: Option<u64>,
    /// Pages that were fetched.
    #[serde(default)]
    pub num_fetches: Option<u64>,
    /// What searched the web.
    #[serde(default)]
    pub web_search_engine: Option<String>,
    /// The generation whose kept answer this is.
    #[serde(default)]
    pub response_cache_source_id: Option<String>,
}

/// One attempt at one provider.
///
/// ```
/// # fn show(attempt: tollgate::ProviderResponse) {
/// println!("{:?}: {:?}", attempt.provider_name, attempt.status);
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ProviderResponse {
    /// The HTTP status it answered; `None` where it did not.
    pub status: Option<u16>,
    /// The provider's own id for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The endpoint tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint_id: Option<String>,
    /// The provider tried, by its display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_name: Option<String>,
    /// The model tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_permaslug: Option<String>,
    /// Whether the owner's own provider key was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_byok: Option<bool>,
    /// The tier of service that it was sent to, where that is not the usual one. OpenRouter only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routed_service_tier: Option<String>,
    /// Until it answered, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<u64>,
}

/// The calls about requests that were made.
///
/// ```no_run
/// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
/// println!("{}", client.generations().get("gen-…").await?.total_cost);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Generations(Client);

impl Client {
    /// The calls about requests that were made.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// println!("${}", client.generations().get("gen-…").await?.total_cost);
    /// # Ok(())
    /// # }
    /// ```
    pub fn generations(&self) -> Generations {
        Generations(self.clone())
    }
}

impl Generations {
    /// What became of the request of that id.
    ///
    /// # Errors
    ///
    /// 404 where there is none that the key in use may see.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client, id: &str) -> Result<(), tollgate::Error> {
    /// let attempts = client.generations().get(id).await?.provider_responses;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get(&self, id: &str) -> Result<Generation, Error> {
        let call = Call::get(["generation"]).query("id", Some(&id));
        call.send::<Data<_>>(&self.0).await.map(|answer| answer.data)
    }

    /// What was asked and answered, where the server keeps that, as it keeps it.
    ///
    /// # Errors
    ///
    /// 404 where there is none; Tollgate never keeps any.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client, id: &str) -> Result<(), tollgate::Error> {
    /// let content = client.generations().content(id).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn content(&self, id: &str) -> Result<serde_json::Value, Error> {
        let call = Call::get(["generation", "content"]).query("id", Some(&id));
        call.send::<Data<_>>(&self.0).await.map(|answer| answer.data)
    }
}
