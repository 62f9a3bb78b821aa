//! `GET /generation`: one generation as the book has it (SEMANTICS 5.3).
//! A key reads its own; those of its workspace where the configuration says so.

use std::sync::Arc;

use api::generation::{GenerationData, ProviderResponse};
use api::{Data, Invalid, Usd, Utc};
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use http::{HeaderMap, StatusCode};
use ledger::Amounts;
use store::{Entry, Kind};

use super::error::{ApiError, ApiResult};
use super::{App, Worker, auth, json, reading};
use crate::catalogue::Catalogue;
use crate::config::GenerationScope;
use crate::core::Core;
use crate::directory::Caller;

pub(super) fn routes() -> Router<Arc<Worker>> {
    Router::new().route("/generation", get(one))
}

async fn one(
    State(worker): App,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> ApiResult<Response> {
    let core = &worker.core;
    let caller = auth::caller(core, &headers)?;
    let query = query.unwrap_or_default();
    let id = id(&query)?;
    let rows = reading(core, move |store| store.generation(&id)).await?;
    let data = shown(&rows, &core.catalogue()).ok_or_else(ApiError::not_found)?;
    if !rows.iter().all(|row| may_read(core, &caller, row)) {
        return Err(ApiError::not_found());
    }
    Ok(json(StatusCode::OK, &Data { data }))
}

/// The id that the query names.
fn id(query: &str) -> ApiResult<String> {
    let mut ids = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "id");
    let problem = match (ids.next(), ids.next()) {
        (Some((_, id)), None) if !id.is_empty() => return Ok(id.into_owned()),
        (Some(_), Some(_)) => "is given twice",
        _ => "is missing",
    };
    Err(Invalid::new("id", problem, "the id of a generation, as its answer has it").into())
}

fn may_read(core: &Core, caller: &Caller, row: &Entry) -> bool {
    match caller {
        Caller::Management(_) => true,
        Caller::Inference(key) => {
            let record = key.record();
            let shares = core.config.api.generation_scope == GenerationScope::Workspace;
            record.hash == row.key || (shares && record.workspace == row.workspace)
        }
    }
}

/// The generation its rows add up to: the last attempt's facts at the cost of all of them.
fn shown(rows: &[Entry], catalogue: &Catalogue) -> Option<GenerationData> {
    let last = rows.iter().rev().find(|row| row.kind == Kind::Attempt)?;
    let cost = rows.iter().try_fold(Amounts::ZERO, |sum, row| sum.checked_add(row.cost))?;
    let name_of = |slug: &str| {
        let mut endpoints = catalogue.endpoints();
        let found = endpoints.find(|endpoint| endpoint.provider.slug == slug);
        found.map_or_else(|| slug.to_owned(), |endpoint| endpoint.provider.name.clone())
    };
    let responses = last.attempts.iter().map(|attempt| ProviderResponse {
        status: attempt.status,
        provider_name: Some(name_of(&attempt.provider)),
        model_permaslug: Some(attempt.model.clone()),
        is_byok: Some(false),
        latency: Some(attempt.latency_ms),
        ..ProviderResponse::default()
    });
    Some(GenerationData {
        id: last.generation.clone(),
        upstream_id: last.upstream_id.clone(),
        request_id: None,
        session_id: last.session.clone(),
        model: last.model.clone(),
        provider_name: Some(name_of(&last.provider)),
        provider_responses: Some(responses.collect()),
        created_at: Utc(last.admitted_at),
        streamed: Some(last.streamed),
        cancelled: Some(last.cancelled),
        finish_reason: last.finish_reason.clone(),
        native_finish_reason: last.finish_reason.clone(),
        origin: last.referer.clone().unwrap_or_default(),
        app_id: None,
        http_referer: last.referer.clone(),
        user_agent: last.user_agent.clone(),
        api_type: Some("completions".to_owned()),
        router: None,
        preset_id: None,
        service_tier: None,
        data_region: "global".to_owned(),
        workspace_id: Some(last.workspace),
        external_user: None,
        total_cost: Usd(cost.credits),
        usage: Usd(cost.credits),
        is_byok: false,
        upstream_inference_cost: None,
        cache_discount: None,
        latency: Some(last.latency_ms),
        generation_time: Some(last.generation_ms),
        moderation_latency: None,
        tokens_prompt: Some(last.tokens.prompt),
        tokens_completion: Some(last.tokens.completion),
        native_tokens_prompt: Some(last.tokens.prompt),
        native_tokens_completion: Some(last.tokens.completion),
        native_tokens_completion_images: None,
        native_tokens_reasoning: Some(last.tokens.reasoning),
        native_tokens_cached: Some(last.tokens.cached),
        num_media_prompt: None,
        num_input_audio_prompt: None,
        num_media_completion: None,
        num_search_results: None,
        num_fetches: None,
        web_search_engine: None,
        response_cache_source_id: None,
    })
}
