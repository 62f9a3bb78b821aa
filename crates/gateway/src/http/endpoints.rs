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
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde_json::Number;

use super::{App, Worker, auth, json, models};
use crate::catalogue::{Endpoint, Model};
use crate::core::Core;
use crate::routing::{Percentiles, Report};

/// An endpoint that works.
const WORKS: i64 = 0;
/// One that is passed over: its provider refused the gateway's credential, or so many of its calls
/// failed that others are asked first.
const PASSED_OVER: i64 = -1;

pub(super) fn routes() -> Router<Arc<Worker>> {
    Router::new().route("/endpoints/zdr", get(list_zdr))
}

async fn list_zdr(State(worker): App, headers: HeaderMap) -> Response {
    let core = &worker.core;
    let (catalogue, reader) = (core.catalogue(), Reader::of(core, &headers));
    let listed = catalogue.models.iter().filter(|model| model.config.listed);
    let data: Vec<endpoints::Endpoint> = listed
        .flat_map(|model| model.endpoints.iter().map(move |endpoint| (model, endpoint)))
        .filter(|(_, endpoint)| endpoint.zdr)
        .map(|(model, endpoint)| shown(model, endpoint, &reader))
        .collect();
    json(StatusCode::OK, &Data { data })
}

/// For whom endpoints are shown, and when.
struct Reader {
    now: Timestamp,
    /// It has a key: how quick endpoints are is not for everyone (SEMANTICS 10.5).
    has_key: bool,
}

impl Reader {
    fn of(core: &Core, headers: &HeaderMap) -> Reader {
        Reader { now: core.clock.now(), has_key: auth::caller(core, headers).is_ok() }
    }
}

/// `GET /models/{author}/{slug}/endpoints`, which is found by its model.
pub(super) fn of_model(core: &Core, headers: &HeaderMap, model: &Model) -> Response {
    let config = &model.config;
    let reader = Reader::of(core, headers);
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
        endpoints: model.endpoints.iter().map(|endpoint| shown(model, endpoint, &reader)).collect(),
    };
    json(StatusCode::OK, &Data { data })
}

fn shown(model: &Model, endpoint: &Endpoint, reader: &Reader) -> endpoints::Endpoint {
    let Endpoint { provider, context_length, max_completion_tokens, .. } = endpoint;
    let health = &endpoint.learned.health;
    let is_asked = provider.is_available(reader.now) && !health.is_out(reader.now);
    let Report { uptime, latency, throughput } = health.report(reader.now);
    let [uptime_last_5m, uptime_last_30m, uptime_last_1d] =
        uptime.map(|share| share.map(|share| thousandths(share.into())));
    let for_callers = |spread: Option<Percentiles>, number: fn(u64) -> Number| {
        spread.filter(|_| reader.has_key).map(|spread| {
            let [p50, p75, p90, p99] = spread.map(number);
            endpoints::Percentiles { p50, p75, p90, p99 }
        })
    };
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
        uptime_last_5m,
        uptime_last_30m,
        uptime_last_1d,
        latency_last_30m: for_callers(latency, Number::from),
        throughput_last_30m: for_callers(throughput, thousandths),
        status: if is_asked { WORKS } else { PASSED_OVER },
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

/// So many thousandths, as the decimal they are.
fn thousandths(number: u64) -> Number {
    let (whole, part) = (number / 1_000, number % 1_000);
    let decimal = (part > 0).then(|| format!("{whole}.{part:03}").parse().ok()).flatten();
    decimal.unwrap_or_else(|| Number::from(whole))
}
