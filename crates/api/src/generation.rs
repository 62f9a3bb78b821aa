//! One generation as the book has it: the `data` of `GET /generation` (SEMANTICS 5.3).
//! Every member is always sent; nearly all may be `null`.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Invalid, Query, Usd, Utc};

/// The id in a query for a generation or its content; there is no answer without one.
///
/// ```
/// # use api::generation::wanted_id;
/// assert_eq!(wanted_id([("id", "gen-1")])?, "gen-1");
/// assert!(wanted_id([]).unwrap_err().to_string().starts_with("`id` is missing; allowed: "));
/// # Ok::<(), api::Invalid>(())
/// ```
pub fn wanted_id<'a>(
    pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<&'a str, Invalid> {
    let given = Query::read(["id"], pairs)?.get("id").filter(|id| !id.is_empty());
    let allowed = "the id of a generation, as its answer has it";
    given.ok_or_else(|| Invalid::new("id", "is missing", allowed))
}

/// What one request was, who answered it, what it used and what it cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GenerationData {
    /// Its id, `gen-…`.
    pub id: String,
    /// The provider's own id for it.
    pub upstream_id: Option<String>,
    /// The id of the HTTP request.
    pub request_id: Option<String>,
    /// The client's name for the conversation.
    pub session_id: Option<String>,
    /// The model that answered.
    pub model: String,
    /// The provider that answered, by its display name.
    pub provider_name: Option<String>,
    /// Every attempt, in order.
    pub provider_responses: Option<Vec<ProviderResponse>>,
    /// When it was admitted.
    pub created_at: Utc,
    /// Whether the answer was streamed.
    pub streamed: Option<bool>,
    /// Whether the client went away before the end.
    pub cancelled: Option<bool>,
    /// Why it ended, in the API's words.
    pub finish_reason: Option<String>,
    /// Why it ended, in the provider's words.
    pub native_finish_reason: Option<String>,
    /// The app's URL, empty where there was none.
    pub origin: String,
    /// The app's number.
    pub app_id: Option<i64>,
    /// The `HTTP-Referer` of the request.
    pub http_referer: Option<String>,
    /// The `User-Agent` of the request.
    pub user_agent: Option<String>,
    /// Which surface it came by, such as `completions`.
    pub api_type: Option<String>,
    /// The router that chose the model.
    pub router: Option<String>,
    /// The preset it used.
    pub preset_id: Option<String>,
    /// The service tier it was served in.
    pub service_tier: Option<String>,
    /// Where it was processed, such as `global`.
    pub data_region: String,
    /// The workspace it was admitted under.
    pub workspace_id: Option<Uuid>,
    /// The partner's end user it was for.
    pub external_user: Option<String>,
    /// Credits charged.
    pub total_cost: Usd,
    /// The same as `total_cost`.
    pub usage: Usd,
    /// Whether the owner's own provider key paid the provider.
    pub is_byok: bool,
    /// What the provider's part came to.
    pub upstream_inference_cost: Option<Usd>,
    /// What the provider's cache saved.
    pub cache_discount: Option<Usd>,
    /// The whole request, in milliseconds.
    pub latency: Option<u64>,
    /// From the provider's first byte to its last, in milliseconds.
    pub generation_time: Option<u64>,
    /// Moderation before the request, in milliseconds.
    pub moderation_latency: Option<u64>,
    /// Tokens of the prompt; the same as the native count.
    pub tokens_prompt: Option<u64>,
    /// Tokens of the answer; the same as the native count.
    pub tokens_completion: Option<u64>,
    /// Tokens of the prompt, as the provider counts.
    pub native_tokens_prompt: Option<u64>,
    /// Tokens of the answer, as the provider counts.
    pub native_tokens_completion: Option<u64>,
    /// Those of the answer that were images.
    pub native_tokens_completion_images: Option<u64>,
    /// Those of the answer that were reasoning.
    pub native_tokens_reasoning: Option<u64>,
    /// Those of the prompt that were read from the provider's cache.
    pub native_tokens_cached: Option<u64>,
    /// Images and videos in the prompt.
    pub num_media_prompt: Option<u64>,
    /// Recordings in the prompt.
    pub num_input_audio_prompt: Option<u64>,
    /// Images in the answer.
    pub num_media_completion: Option<u64>,
    /// Search results used.
    pub num_search_results: Option<u64>,
    /// Pages fetched.
    pub num_fetches: Option<u64>,
    /// The search engine used.
    pub web_search_engine: Option<String>,
    /// The generation whose cached answer this was.
    pub response_cache_source_id: Option<String>,
}

/// One attempt at one provider; what is unknown is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderResponse {
    /// The HTTP status it answered, `null` where it did not.
    pub status: Option<u16>,
    /// The provider's own id for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The endpoint tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint_id: Option<String>,
    /// The provider tried, by its display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_name: Option<String>,
    /// The model tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_permaslug: Option<String>,
    /// Whether the owner's own provider key was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_byok: Option<bool>,
    /// Until it answered, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<u64>,
}
