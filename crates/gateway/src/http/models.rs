//! `/models`: what may be asked for and what it costs, for anyone (SEMANTICS 10).

use std::sync::Arc;

use api::models::{
    Architecture, ListLinks, ListObject, Model, ModelLinks, ModelList, ModelObject, Price, Pricing,
    PricingOverride, TopProvider,
};
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use upstream::PriceSet;

use super::{App, Worker, json};
use crate::catalogue::{self, Endpoint};

/// What any chat model here takes; a provider ignores what it does not know.
const PARAMETERS: [&str; 9] = [
    "max_tokens",
    "temperature",
    "top_p",
    "stop",
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "response_format",
    "tools",
];

pub(super) fn routes() -> Router<Arc<Worker>> {
    Router::new().route("/models", get(list))
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
        supported_parameters: PARAMETERS.map(str::to_owned).to_vec(),
        default_parameters: None,
        supported_voices: None,
        links: ModelLinks { details: format!("/api/v1/models/{}/endpoints", config.id) },
        hugging_face_id: None,
        knowledge_cutoff: None,
        expiration_date: None,
    })
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
        input_audio_cache: None,
        web_search: None,
        internal_reasoning: base.internal_reasoning.map(Price::from),
        input_cache_read: base.input_cache_read.map(Price::from),
        input_cache_write: base.input_cache_write.map(Price::from),
        input_cache_write_1h: None,
        overrides: overrides.collect(),
    }
}
