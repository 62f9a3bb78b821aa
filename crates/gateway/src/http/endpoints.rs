//! Where models run: the endpoints of one, and those that keep nothing of what they are sent
//! (SEMANTICS 10.4 to 10.6).

use std::collections::BTreeMap;
use std::sync::Arc;

use api::Data;
use api::endpoints::{self, EndpointArchitecture, ModelEndpoints, ToolChoices};
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use jiff::Timestamp;

use super::{App, Worker, json, models};
use crate::catalogue::{Endpoint, Model};
use crate::core::Core;

/// An endpoint that works.
const WORKS: i64 = 0;
/// One that is passed over, since its provider refused the gateway's credential.
const PASSED_OVER: i64 = -1;

pub(super) fn routes() -> Router<Arc<Worker>> {
    Router::new().route("/endpoints/zdr", get(list_zdr))
}

async fn list_zdr(State(worker): App) -> Response {
    let core = &worker.core;
    let (catalogue, now) = (core.catalogue(), core.clock.now());
    let listed = catalogue.models.iter().filter(|model| model.config.listed);
    let data: Vec<endpoints::Endpoint> = listed
        .flat_map(|model| model.endpoints.iter().map(move |endpoint| (model, endpoint)))
        .filter(|(_, endpoint)| endpoint.zdr)
        .map(|(model, endpoint)| shown(model, endpoint, now))
        .collect();
    json(StatusCode::OK, &Data { data })
}

/// `GET /models/{author}/{slug}/endpoints`, which is found by its model.
pub(super) fn of_model(core: &Core, model: &Model) -> Response {
    let config = &model.config;
    let now = core.clock.now();
    let data = ModelEndpoints {
        id: config.id.clone(),
        name: model.name.clone(),
        created: config.created,
        description: config.description.clone().unwrap_or_default(),
        architecture: EndpointArchitecture {
            modality: Some(models::modality(model)),
            input_modalities: config.shown_inputs(),
            output_modalities: config.output_modalities.clone(),
            tokenizer: "Other".to_owned(),
            instruct_type: None,
        },
        endpoints: model.endpoints.iter().map(|endpoint| shown(model, endpoint, now)).collect(),
    };
    json(StatusCode::OK, &Data { data })
}

fn shown(model: &Model, endpoint: &Endpoint, now: Timestamp) -> endpoints::Endpoint {
    let Endpoint { provider, context_length, max_completion_tokens, .. } = endpoint;
    let supported_parameters = models::endpoint_parameters(model, endpoint);
    // Where it is not said what is taken, tools are, and with them every way to choose one.
    let takes = |name: &str| supported_parameters.iter().any(|taken| taken == name);
    let chooses =
        takes("tool_choice") || (endpoint.supported_parameters.is_none() && takes("tools"));
    endpoints::Endpoint {
        name: format!("{} | {}", provider.name, endpoint.model),
        tag: endpoint.tag(),
        provider_name: provider.name.clone(),
        model_id: endpoint.model.clone(),
        model_name: model.name.clone(),
        context_length: *context_length,
        max_completion_tokens: Some(*max_completion_tokens),
        max_prompt_tokens: None,
        pricing: models::pricing(endpoint),
        quantization: endpoint.quantization.clone(),
        supported_parameters,
        supports_implicit_caching: endpoint.implicit_caching,
        uptime_last_5m: None,
        uptime_last_30m: None,
        uptime_last_1d: None,
        latency_last_30m: None,
        throughput_last_30m: None,
        status: if provider.is_available(now) { WORKS } else { PASSED_OVER },
        native_tools: BTreeMap::new(),
        service_tier: None,
        supports_diarization: false,
        supports_tool_choice: ToolChoices {
            auto: chooses,
            function: chooses,
            none: chooses,
            required: chooses,
        },
    }
}
