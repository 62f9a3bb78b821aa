//! `/keys`: what an administrator makes, sees and changes of keys (SEMANTICS 3).
//! Settings come from the store, spend from the ledger; a change is in force once it is durable.

mod idempotency;
pub(super) mod settings;

use std::num::NonZeroU64;
use std::sync::Arc;

use api::keys::{ApiKey, CreateKey, KeyCreated, LimitReset, ListKeys, UpdateKey, parse_hash};
use api::{Data, Deleted, Open, Usd, Utc};
use axum::Router;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use ledger::Figures;
use money::Money;
use store::{AuditRow, Edit, KeyHash, KeyPage, KeyRecord, ManagementKey, Outcome, Refused, Reset};

use super::error::{ApiError, ApiResult};
use super::query::Pairs;
use super::{App, HeldBody, Worker, auth, json, reading};
use crate::core::{Core, DEFAULT_WORKSPACE};
use crate::directory::Key;
use crate::secrets;

pub(super) use settings::models_are_there;

/// Keys on a page of the list; the API has no other size (SEMANTICS 3.3).
const PAGE_KEYS: u64 = 100;
/// How often an edit is made again because another one came between.
const EDIT_TRIES_MAX: usize = 8;

pub(super) fn routes() -> Router<Arc<Worker>> {
    Router::new()
        .route("/keys", get(list).post(create))
        .route("/keys/{hash}", get(one).patch(update).delete(delete))
}

async fn list(
    State(worker): App,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> ApiResult<Response> {
    let core = &worker.core;
    auth::management(core, &headers)?;
    let wanted = ListKeys::parse(Pairs::of(query.as_deref()).iter())?;
    let now = core.clock.now();
    let workspace = workspace(core, wanted.workspace_id).ok_or_else(ApiError::not_found)?;
    let page = KeyPage {
        workspace,
        include_disabled: wanted.include_disabled,
        unexpired_at: (!wanted.include_expired).then_some(now),
        offset: wanted.offset,
        most: PAGE_KEYS,
    };
    let records = reading(core, move |store| store.keys(&page)).await?;
    // One deleted since it was read is no longer in the directory, and no longer listed.
    let keys = records.iter().filter_map(|record| core.directory.key(&record.hash));
    let data: Vec<ApiKey> = keys.map(|key| shown(&key, now)).collect();
    Ok(json(StatusCode::OK, &Data { data }))
}

async fn create(State(worker): App, headers: HeaderMap, body: Body) -> ApiResult<Response> {
    let core = &worker.core;
    let manager = auth::management(core, &headers)?;
    let body = HeldBody::of_management(core, &headers, body).await?;
    let request = idempotency::Request::read(&headers, &manager, &body.bytes)?;
    if let Some(request) = &request
        && let Some(answer) = request.answered(core).await?
    {
        return Ok(created(answer));
    }
    let wanted = CreateKey::parse(&body.bytes)?;
    let text = secrets::new_key(&*core.entropy);
    let models = wanted.allowed_models.as_deref().unwrap_or_default();
    models_are_there(&core.catalogue(), models, &[])?;
    let (hash, label) = (auth::hash(text.expose()), secrets::label(text.expose()));
    let record = settings::of_new(core, &wanted, hash, label)?;
    let answer = KeyCreated { data: unspent(&record), key: text };
    let answer = serde_json::to_vec(&answer).map_err(ApiError::internal)?;
    let idempotent = request.as_ref().map(|request| request.keep(core, &answer)).transpose()?;

    let audit = audit(core, &manager, "key.create", &record.hash, None, Some(&record));
    let edit = Edit::CreateKey { key: record.clone(), idempotent, openings: Vec::new() };
    let shared = Arc::clone(core);
    let pending = core.writer.edit(edit, audit, move |outcome| {
        if *outcome == Outcome::Done {
            shared.directory.add(record);
        }
    });
    match (pending.outcome().await?, request) {
        (Outcome::Done, _) => Ok(created(answer)),
        (Outcome::Replayed(kept), Some(request)) => Ok(created(request.open(&kept)?)),
        (Outcome::Conflict, _) => {
            Err(ApiError::conflict("`external.api_key` is in use by another key"))
        }
        // It was deleted while the key was made.
        (Outcome::Refused(Refused::NoWorkspace), _) => Err(settings::no_workspace()),
        (other, _) => Err(ApiError::internal(format!("a new key came to {other:?}"))),
    }
}

async fn one(State(worker): App, headers: HeaderMap, named: Named) -> ApiResult<Response> {
    let core = &worker.core;
    auth::management(core, &headers)?;
    let key = find(core, named)?;
    Ok(json(StatusCode::OK, &Data { data: shown(&key, core.clock.now()) }))
}

async fn update(
    State(worker): App,
    headers: HeaderMap,
    named: Named,
    body: Body,
) -> ApiResult<Response> {
    let core = &worker.core;
    let manager = auth::management(core, &headers)?;
    let key = find(core, named)?;
    let body = HeldBody::of_management(core, &headers, body).await?;
    let wanted = UpdateKey::parse(&body.bytes)?;
    for _ in 0..EDIT_TRIES_MAX {
        let before = key.record();
        let after = settings::edited(core, &before, &wanted)?;
        let audit = audit(core, &manager, "key.update", &after.hash, Some(&before), Some(&after));
        let shared = Arc::clone(core);
        let stored = KeyRecord { version: after.version + 1, ..after.clone() };
        let pending = core.writer.edit(Edit::UpdateKey(after), audit, move |outcome| {
            if *outcome == Outcome::Done {
                shared.directory.update(stored);
            }
        });
        match pending.outcome().await? {
            Outcome::Done => {
                return Ok(json(StatusCode::OK, &Data { data: shown(&key, core.clock.now()) }));
            }
            Outcome::Missing | Outcome::Refused(Refused::NoWorkspace) => {
                return Err(ApiError::not_found());
            }
            // Another edit came first: this one is made again on top of it.
            _ => {}
        }
    }
    Err(ApiError::conflict("Resource conflict. Please try again later."))
}

async fn delete(State(worker): App, headers: HeaderMap, named: Named) -> ApiResult<Response> {
    let core = &worker.core;
    let manager = auth::management(core, &headers)?;
    let key = find(core, named)?;
    let record = key.record();
    let hash = record.hash;
    let audit = audit(core, &manager, "key.delete", &hash, Some(&record), None);
    let shared = Arc::clone(core);
    let edit = Edit::DeleteKey { hash, at: audit.at };
    let pending = core.writer.edit(edit, audit, move |outcome| {
        if *outcome == Outcome::Done {
            shared.directory.remove(&hash);
        }
    });
    match pending.outcome().await? {
        Outcome::Done => Ok(json(StatusCode::OK, &Deleted::default())),
        _ => Err(ApiError::not_found()),
    }
}

fn created(answer: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(answer));
    *response.status_mut() = StatusCode::CREATED;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The part of the path that names a key; an error where it is no text.
type Named = Result<Path<String>, PathRejection>;

/// The key of that hash; what is no hash, or nobody's, is not found (SEMANTICS 3.4).
fn find(core: &Core, named: Named) -> ApiResult<Arc<Key>> {
    let hash = named.ok().and_then(|Path(hash)| parse_hash(&hash)).map(KeyHash);
    hash.and_then(|hash| core.directory.key(&hash)).ok_or_else(ApiError::not_found)
}

/// The workspace named, or the default one; `None` where there is none of that id.
pub(super) fn workspace(core: &Core, named: Option<uuid::Uuid>) -> Option<uuid::Uuid> {
    let id = named.unwrap_or(DEFAULT_WORKSPACE);
    core.directory.workspace(&id).map(|_| id)
}

/// A key as it is listed, settings and spend of one moment each.
fn shown(key: &Key, now: jiff::Timestamp) -> ApiKey {
    let record = key.record();
    let (figures, cells) = key.account().look(now);
    let remaining = cells.first().map(ledger::Cell::left);
    facts(&record, &figures, remaining, key.last_used_at())
}

/// A key that was just made.
fn unspent(record: &KeyRecord) -> ApiKey {
    facts(record, &Figures::default(), record.limit, None)
}

fn facts(
    record: &KeyRecord,
    figures: &Figures,
    remaining: Option<Money>,
    last_used_at: Option<jiff::Timestamp>,
) -> ApiKey {
    ApiKey {
        hash: record.hash.to_string(),
        name: record.name.clone(),
        label: record.label.clone(),
        disabled: record.disabled,
        limit: record.limit.map(Usd),
        limit_remaining: remaining.map(Usd),
        limit_reset: shown_reset(record.limit_reset),
        include_byok_in_limit: record.include_byok_in_limit,
        usage: Usd(figures.total.credits),
        usage_daily: Usd(figures.day.credits),
        usage_weekly: Usd(figures.week.credits),
        usage_monthly: Usd(figures.month.credits),
        byok_usage: Usd(figures.total.byok),
        byok_usage_daily: Usd(figures.day.byok),
        byok_usage_weekly: Usd(figures.week.byok),
        byok_usage_monthly: Usd(figures.month.byok),
        created_at: Utc(record.created_at),
        updated_at: record.updated_at.map(Utc),
        expires_at: record.expires_at.map(Utc),
        creator_user_id: record.creator.clone(),
        workspace_id: record.workspace,
        external_user: record.external_user.clone(),
        last_used_at: last_used_at.map(Utc),
        allowed_models: record.allowed_models.clone(),
        requests_per_minute: record.pace.requests_per_minute.map(NonZeroU64::get),
        tokens_per_minute: record.pace.tokens_per_minute.map(NonZeroU64::get),
        concurrent_requests: record.pace.concurrent_requests.map(NonZeroU64::get),
    }
}

/// A reset on the wire.
pub(super) fn reset(reset: Reset) -> LimitReset {
    match reset {
        Reset::Daily => LimitReset::Daily,
        Reset::Weekly => LimitReset::Weekly,
        Reset::Monthly => LimitReset::Monthly,
    }
}

/// A key's reset as it is shown.
pub(super) fn shown_reset(stored: Option<Reset>) -> Option<Open<LimitReset>> {
    stored.map(|stored| Open::Known(reset(stored)))
}

fn stored_reset(reset: LimitReset) -> Reset {
    match reset {
        LimitReset::Daily => Reset::Daily,
        LimitReset::Weekly => Reset::Weekly,
        LimitReset::Monthly => Reset::Monthly,
    }
}

fn audit(
    core: &Core,
    manager: &ManagementKey,
    action: &str,
    subject: &KeyHash,
    before: Option<&KeyRecord>,
    after: Option<&KeyRecord>,
) -> AuditRow {
    AuditRow {
        at: core.clock.now(),
        actor: manager.name.clone(),
        action: action.to_owned(),
        subject: subject.to_string(),
        before: before.map(settings::to_json),
        after: after.map(settings::to_json),
    }
}
