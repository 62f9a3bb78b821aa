//! `/models`: what may be asked for and what it costs, for anyone (SEMANTICS 10).

mod choice;

use std::sync::Arc;

use api::Data;
use api::models::{
    Architecture, ListLinks, ListModels, ListObject, Model, ModelLinks, ModelList, ModelObject,
    Page, Price, Pricing, PricingOverride, TopProvider,
};
use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{OriginalUri, Path, RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use http::{HeaderMap, StatusCode, Uri};
use store::KeyRecord;
use upstream::PriceSet;

use super::error::{ApiError, ApiResult};
use super::query::Pairs;
use super::{App, Worker, auth, endpoints, json};
use crate::catalogue::{self, ALWAYS_TAKEN, Endpoint, TAKEN_UNLESS_SAID};
use crate::config::EMBEDDINGS;
use crate::core::Core;
use crate::directory::Caller;

pub(super) fn routes() -> Router<Arc<Worker>> {
    Router::new()
        .route("/models", get(list))
        .route("/models/count", get(count))
        .route("/models/user", get(list_for_caller))
        // An id has any number of slashes; OpenAI's SDKs write them as `%2F`, others leave them.
        .route("/models/{*id}", get(one_or_endpoints))
        .route("/model/{*id}", get(one))
}

async fn list(
    State(worker): App,
    OriginalUri(uri): OriginalUri,
    RawQuery(query): RawQuery,
) -> ApiResult<Response> {
    listed(&worker.core, &uri, query.as_deref(), None, None)
}

/// Every model that gives embeddings, in the same form.
pub(super) async fn list_for_embeddings(
    State(worker): App,
    OriginalUri(uri): OriginalUri,
    RawQuery(query): RawQuery,
) -> ApiResult<Response> {
    listed(&worker.core, &uri, query.as_deref(), Some(EMBEDDINGS), None)
}

/// Every model that the caller's key may ask for; a management key sees all.
async fn list_for_caller(
    State(worker): App,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    RawQuery(query): RawQuery,
) -> ApiResult<Response> {
    let key = match auth::caller(&worker.core, &headers)? {
        Caller::Inference(key) => Some(key.record()),
        Caller::Management(_) => None,
    };
    listed(&worker.core, &uri, query.as_deref(), None, key.as_deref())
}

async fn count(State(worker): App, RawQuery(query): RawQuery) -> ApiResult<Response> {
    let wanted = ListModels::parse(Pairs::of(query.as_deref()).iter())?;
    let catalogue = worker.core.catalogue();
    let count = choice::chosen(&catalogue, &wanted).len();
    Ok(json(StatusCode::OK, &serde_json::json!({ "data": { "count": count } })))
}

/// A model's id by the rest of the path; an error where it is no text.
type Named = Result<Path<String>, PathRejection>;

/// The model itself, as OpenAI's `GET /models/{id}` gives it, or the endpoints of one.
async fn one_or_endpoints(
    State(worker): App,
    headers: HeaderMap,
    id: Named,
) -> ApiResult<Response> {
    let Ok(Path(id)) = id else { return Err(ApiError::not_found()) };
    let catalogue = worker.core.catalogue();
    if let Some(model) = id.strip_suffix("/endpoints").and_then(|id| catalogue.model(id)) {
        return Ok(endpoints::of_model(&worker.core, &headers, model));
    }
    let model = catalogue.model(&id).and_then(|model| shown(model));
    Ok(json(StatusCode::OK, &model.ok_or_else(ApiError::not_found)?))
}

async fn one(State(worker): App, id: Named) -> ApiResult<Response> {
    let Ok(Path(id)) = id else { return Err(ApiError::not_found()) };
    let catalogue = worker.core.catalogue();
    let data = catalogue.model(&id).and_then(|model| shown(model));
    let data = data.ok_or_else(ApiError::not_found)?;
    Ok(json(StatusCode::OK, &Data { data }))
}

/// The models that the query asks for; of those that give `output` alone, and that `key` may use,
/// where they are named.
fn listed(
    core: &Core,
    uri: &Uri,
    query: Option<&str>,
    output: Option<&str>,
    key: Option<&KeyRecord>,
) -> ApiResult<Response> {
    let pairs = Pairs::of(query);
    let mut wanted = ListModels::parse(pairs.iter())?;
    if let Some(output) = output {
        wanted.output_modalities = Some(vec![output.to_owned()]);
    }
    let catalogue = core.catalogue();
    let mut chosen = choice::chosen(&catalogue, &wanted);
    chosen.retain(|model| key.is_none_or(|key| key.allows(&model.config.id)));
    let total_count = chosen.len() as u64;
    let index = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let Page { offset, limit } = wanted.page.unwrap_or(Page { offset: 0, limit: u64::MAX });
    let data: Vec<Model> = chosen
        .into_iter()
        .skip(index(offset))
        .take(index(limit))
        .filter_map(|model| shown(model))
        .collect();
    let next = offset.checked_add(limit).filter(|next| *next < total_count);
    let next = next.map(|next| link(core, uri, &pairs, next));
    let object = ListObject::default();
    let list = ModelList { object, data, links: ListLinks { next }, total_count };
    Ok(json(StatusCode::OK, &list))
}

/// The same request from another place of the list on; without a server's name where its own is
/// not known.
fn link(core: &Core, uri: &Uri, pairs: &Pairs<'_>, offset: u64) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs.iter().filter(|(name, _)| *name != "offset"));
    let query = query.append_pair("offset", &offset.to_string()).finish();
    let base = core.config.server.public_url.as_deref().unwrap_or_default();
    format!("{}{}?{query}", base.trim_end_matches('/'), uri.path())
}

fn shown(model: &catalogue::Model) -> Option<Model> {
    let top = model.endpoints.first()?;
    let config = &model.config;
    Some(Model {
        id: config.id.clone(),
        object: ModelObject::default(),
        owned_by: author(&config.id).to_owned(),
        canonical_slug: config.id.clone(),
        name: model.name.clone(),
        created: config.created,
        description: config.description.clone(),
        context_length: config.context_length.or(Some(top.context_length)),
        architecture: Architecture {
            modality: Some(modality(model)),
            input_modalities: config.shown_inputs(),
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
        supported_parameters: parameters(model),
        default_parameters: None,
        supported_voices: None,
        links: ModelLinks { details: format!("/api/v1/models/{}/endpoints", config.id) },
        hugging_face_id: config.hugging_face_id.clone(),
        knowledge_cutoff: config.knowledge_cutoff.clone(),
        expiration_date: config.expiration_date.clone(),
    })
}

/// Who made the model of that id.
fn author(id: &str) -> &str {
    id.split_once('/').map_or(id, |(author, _)| author)
}

/// What goes in and what comes out, in one word.
pub(super) fn modality(model: &catalogue::Model) -> String {
    let [input, output] = [&model.config.shown_inputs(), &model.config.output_modalities];
    format!("{}->{}", input.join("+"), output.join("+"))
}

/// What one of its endpoints takes, or another.
fn parameters(model: &catalogue::Model) -> Vec<String> {
    let mut taken = Vec::new();
    for endpoint in &model.endpoints {
        for parameter in endpoint_parameters(model, endpoint) {
            if !taken.contains(&parameter) {
                taken.push(parameter);
            }
        }
    }
    taken
}

/// What an endpoint of `model` takes.
pub(super) fn endpoint_parameters(model: &catalogue::Model, endpoint: &Endpoint) -> Vec<String> {
    let is_chat = model.config.output_modalities.iter().any(|modality| modality == "text");
    let always = if is_chat { &ALWAYS_TAKEN[..] } else { &[] };
    let unless_said = if is_chat { &TAKEN_UNLESS_SAID[..] } else { &[] };
    let mut taken: Vec<String> = always.iter().map(|name| (*name).to_owned()).collect();
    match &endpoint.supported_parameters {
        Some(said) => {
            let more = said.iter().filter(|name| !always.contains(&name.as_str()));
            taken.extend(more.cloned());
        }
        None => taken.extend(unless_said.iter().map(|name| (*name).to_owned())),
    }
    taken
}

pub(super) fn pricing(endpoint: &Endpoint) -> Pricing {
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
