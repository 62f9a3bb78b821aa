//! `GET /generation`: one generation as the book has it (SEMANTICS 5.3).
//! A key reads its own; those of its workspace where the configuration says so.

use std::sync::Arc;

use api::error::ErrorType;
use api::generation::{GenerationData, ProviderResponse, wanted_id};
use api::{Data, Usd, Utc};
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use http::{HeaderMap, StatusCode};
use ledger::Amounts;
use store::{Attempt, Entry, Kind, Source};
use upstream::finish_reason;

use super::error::{ApiError, ApiResult};
use super::query::Pairs;
use super::{App, Worker, auth, json, reading};
use crate::catalogue::{Catalogue, endpoint_id};
use crate::config::GenerationScope;
use crate::core::Core;
use crate::directory::Caller;

pub(super) fn routes() -> Router<Arc<Worker>> {
    Router::new().route("/generation", get(one)).route("/generation/content", get(content))
}

async fn one(
    State(worker): App,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> ApiResult<Response> {
    let core = &worker.core;
    let caller = auth::caller(core, &headers)?;
    let id = wanted_id(Pairs::of(query.as_deref()).iter())?.to_owned();
    let read = reading(core, move |store| {
        let rows = store.generation(&id)?;
        let key = rows.first().map(|row| store.key(row.key)).transpose()?.flatten();
        Ok((rows, key))
    });
    let (rows, key) = read.await?;
    if !rows.iter().all(|row| may_read(core, &caller, row)) {
        return Err(ApiError::not_found());
    }
    let data = shown(&rows, &core.catalogue()).ok_or_else(ApiError::not_found)?;
    // What a key was made for never changes, so it needs no place in every row.
    let external_user = key.and_then(|key| key.external_user);
    Ok(json(StatusCode::OK, &Data { data: GenerationData { external_user, ..data } }))
}

/// Prompts and answers pass through and are not kept, so there is never any content to read.
async fn content(
    State(worker): App,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> ApiResult<Response> {
    auth::caller(&worker.core, &headers)?;
    wanted_id(Pairs::of(query.as_deref()).iter())?;
    let message = "No content is kept of this generation: this gateway logs no prompts or answers";
    Err(ApiError::new(ErrorType::NotFound, message))
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
    let is_byok = last.credential.is_some();
    // Of all attempts: one before the last may have gone with the owner's credential as well.
    let has_byok = is_byok || !cost.byok.is_zero();
    // What a process that ended, or a provider's end that was not seen, leaves unknown is not zero.
    let ended = Some(last).filter(|row| row.source != Source::Interrupted);
    let used =
        Some(&last.tokens).filter(|_| matches!(last.source, Source::Reported | Source::Counted));
    let prompt = used.map(|tokens| tokens.prompt);
    let completion = used.map(|tokens| tokens.completion);
    Some(GenerationData {
        id: last.generation.clone(),
        upstream_id: last.upstream_id.clone(),
        request_id: None,
        session_id: last.session.clone(),
        model: last.model.clone(),
        provider_name: Some(catalogue.provider_name(&last.provider).to_owned()),
        provider_responses: Some(responses(rows, catalogue)),
        created_at: Utc(last.admitted_at),
        streamed: Some(last.streamed),
        cancelled: Some(last.cancelled),
        finish_reason: last.finish_reason.as_deref().and_then(finish_reason).map(str::to_owned),
        native_finish_reason: last.finish_reason.clone(),
        origin: last.referer.clone().unwrap_or_default(),
        app_id: None,
        http_referer: last.referer.clone(),
        user_agent: last.user_agent.clone(),
        api_type: Some(last.api_type.as_str().to_owned()),
        router: None,
        preset_id: None,
        service_tier: None,
        data_region: "global".to_owned(),
        workspace_id: Some(last.workspace),
        external_user: None,
        total_cost: Usd(cost.credits),
        usage: Usd(cost.credits),
        is_byok,
        upstream_inference_cost: has_byok.then_some(Usd(cost.byok)),
        cache_discount: last.cache_discount.map(Usd),
        latency: ended.map(|row| row.latency_ms),
        generation_time: ended.map(|row| row.generation_ms),
        moderation_latency: None,
        tokens_prompt: prompt,
        tokens_completion: completion,
        native_tokens_prompt: prompt,
        native_tokens_completion: completion,
        native_tokens_completion_images: None,
        native_tokens_reasoning: used.map(|tokens| tokens.reasoning),
        native_tokens_cached: used.map(|tokens| tokens.cached),
        num_media_prompt: None,
        num_input_audio_prompt: None,
        num_media_completion: None,
        num_search_results: None,
        num_fetches: None,
        web_search_engine: None,
        response_cache_source_id: None,
    })
}

/// Every attempt, in order.
///
/// A row lists what was tried up to its own end, itself last; so the last one that lists anything
/// lists most. A row that a crash left lists nothing, and stands for its own attempt.
fn responses(rows: &[Entry], catalogue: &Catalogue) -> Vec<ProviderResponse> {
    let rows: Vec<&Entry> = rows.iter().filter(|row| row.kind == Kind::Attempt).collect();
    let listing = rows.iter().rposition(|row| !row.attempts.is_empty());
    let tried = listing.map_or(&[][..], |index| &rows[index].attempts);
    let mut responses: Vec<ProviderResponse> =
        tried.iter().map(|attempt| response(attempt, catalogue)).collect();
    for row in &rows {
        let own = row.attempts.len().checked_sub(1).and_then(|index| responses.get_mut(index));
        if let Some(response) = own {
            response.id = row.upstream_id.clone();
        }
    }
    let unlisted = rows.iter().skip(listing.map_or(0, |index| index + 1));
    responses.extend(unlisted.map(|row| ProviderResponse {
        endpoint_id: Some(endpoint_id(&row.model, &row.provider, &row.upstream_model).to_string()),
        provider_name: Some(catalogue.provider_name(&row.provider).to_owned()),
        model_permaslug: Some(row.model.clone()),
        is_byok: Some(row.credential.is_some()),
        ..ProviderResponse::default()
    }));
    responses
}

fn response(attempt: &Attempt, catalogue: &Catalogue) -> ProviderResponse {
    let Attempt { provider, model, upstream_model, status, latency_ms, is_byok } = attempt;
    let is_known = !upstream_model.is_empty();
    ProviderResponse {
        status: *status,
        id: None,
        endpoint_id: is_known.then(|| endpoint_id(model, provider, upstream_model).to_string()),
        provider_name: Some(catalogue.provider_name(provider).to_owned()),
        model_permaslug: Some(model.clone()),
        is_byok: Some(*is_byok),
        latency: Some(*latency_ms),
    }
}
