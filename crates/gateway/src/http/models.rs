//! `/models`: what may be asked for and what it costs, for anyone (SEMANTICS 10).

use std::sync::Arc;

use api::Data;
use api::models::{
    Architecture, ListLinks, ListObject, Model, ModelLinks, ModelList, ModelObject, Price, Pricing,
    PricingOverride, TopProvider,
};
use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use upstream::PriceSet;

use super::error::{ApiError, ApiResult};
use super::{App, Worker, json};
use crate::catalogue::{self, Endpoint};

/// What any chat model here takes; a provider ignores what it does not know.
const PARAMETERS: [&str; 7] =
    ["max_tokens", "temperature", "top_p", "stop", "seed", "frequency_penalty", "presence_penalty"];
/// What it is taken to take besides, where its endpoint does not say.
const UNLESS_SAID: [&str; 2] = ["response_format", "tools"];

pub(super) fn routes() -> Router<Arc<Worker>> {
    Router::new()
        .route("/models", get(list))
        .route("/models/count", get(count))
        // OpenAI's SDKs write the id's slash as `%2F`; others leave it.
        .route("/models/{id}", get(one))
        .route("/models/{author}/{slug}", get(one_of_author))
        .route("/model/{author}/{slug}", get(wrapped))
}

async fn list(State(worker): App) -> Response {
    let catalogue = worker.core.catalogue();
    let listed = catalogue.models.iter().filter(|model| model.config.listed);
    let data: Vec<Model> = listed.filter_map(|model| shown(model)).collect();
    let list = ModelList {
        object: ListObject::default(),
        total_count: data.len() as u64,
        data,
        links: ListLinks::default(),
    };
    json(StatusCode::OK, &list)
}

async fn count(State(worker): App) -> Response {
    let catalogue = worker.core.catalogue();
    let count = catalogue.models.iter().filter(|model| model.config.listed).count();
    json(StatusCode::OK, &serde_json::json!({ "data": { "count": count } }))
}

/// An author's model by the parts of the path; an error where they are no text.
type Named = Result<Path<(String, String)>, PathRejection>;

/// The model itself, as OpenAI's `GET /models/{id}` gives it.
async fn one(State(worker): App, id: Result<Path<String>, PathRejection>) -> ApiResult<Response> {
    let Ok(Path(id)) = id else { return Err(ApiError::not_found()) };
    Ok(json(StatusCode::OK, &find(&worker, &id)?))
}

async fn one_of_author(State(worker): App, named: Named) -> ApiResult<Response> {
    Ok(json(StatusCode::OK, &find_named(&worker, named)?))
}

async fn wrapped(State(worker): App, named: Named) -> ApiResult<Response> {
    let data = find_named(&worker, named)?;
    Ok(json(StatusCode::OK, &Data { data }))
}

fn find_named(worker: &Worker, named: Named) -> ApiResult<Model> {
    let Ok(Path((author, slug))) = named else { return Err(ApiError::not_found()) };
    find(worker, &format!("{author}/{slug}"))
}

fn find(worker: &Worker, id: &str) -> ApiResult<Model> {
    let catalogue = worker.core.catalogue();
    catalogue.model(id).and_then(|model| shown(model)).ok_or_else(ApiError::not_found)
}

fn shown(model: &catalogue::Model) -> Option<Model> {
    let top = model.endpoints.first()?;
    let config = &model.config;
    let author = config.id.split_once('/').map_or(config.id.as_str(), |(author, _)| author);
    let modality =
        format!("{}->{}", config.input_modalities.join("+"), config.output_modalities.join("+"));
    Some(Model {
        id: config.id.clone(),
        object: ModelObject::default(),
        owned_by: author.to_owned(),
        canonical_slug: config.id.clone(),
        name: model.name.clone(),
        created: config.created,
        description: config.description.clone(),
        context_length: config.context_length.or(Some(top.context_length)),
        architecture: Architecture {
            modality: Some(modality),
            input_modalities: config.input_modalities.clone(),
            output_modalities: config.output_modalities.clone(),
            tokenizer: None,
            instruct_type: None,
        },
        pricing: pricing(top),
        top_provider: TopProvider {
            context_length: Some(top.context_length),
            max_completion_tokens: Some(top.max_completion_tokens),
            is_moderated: false,
        },
        per_request_limits: None,
        supported_parameters: parameters(top),
        default_parameters: None,
        supported_voices: None,
        links: ModelLinks { details: format!("/api/v1/models/{}/endpoints", config.id) },
        hugging_face_id: None,
        knowledge_cutoff: None,
        expiration_date: config.expiration_date.clone(),
    })
}

fn parameters(endpoint: &Endpoint) -> Vec<String> {
    let mut taken = PARAMETERS.map(str::to_owned).to_vec();
    match &endpoint.supported_parameters {
        Some(said) => taken.extend(said.iter().cloned()),
        None => taken.extend(UNLESS_SAID.map(str::to_owned)),
    }
    taken
}

fn pricing(endpoint: &Endpoint) -> Pricing {
    let base: &PriceSet = &endpoint.prices.base;
    let overrides = endpoint.prices.overrides.iter().map(|tier| PricingOverride {
        min_prompt_tokens: Some(tier.min_prompt_tokens),
        prompt: Some(tier.prices.prompt.into()),
        completion: Some(tier.prices.completion.into()),
        audio: tier.prices.audio.map(Price::from),
        input_cache_read: tier.prices.input_cache_read.map(Price::from),
        input_cache_write: tier.prices.input_cache_write.map(Price::from),
        input_cache_write_1h: None,
    });
    Pricing {
        prompt: base.prompt.into(),
        completion: base.completion.into(),
        request: base.request.map(Price::from),
        image: base.image.map(Price::from),
        image_output: None,
        image_token: None,
        audio: base.audio.map(Price::from),
        audio_output: base.audio_output.map(Price::from),
        input_audio_cache: base.input_audio_cache.map(Price::from),
        web_search: None,
        internal_reasoning: base.internal_reasoning.map(Price::from),
        input_cache_read: base.input_cache_read.map(Price::from),
        input_cache_write: base.input_cache_write.map(Price::from),
        input_cache_write_1h: None,
        overrides: overrides.collect(),
    }
}
