//! What the command line asks of a running server, over a socket only its owner can open.
//!
//! Whoever can open the store's files administers it; no key is needed. Where no server runs, the
//! command line opens the store itself and calls the same routes in its own process.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use ledger::Amounts;
use money::Money;
use serde::{Deserialize, Serialize};
use store::{AuditRow, Edit, EndpointMark, Entry, KeyHash, Kind, ManagementKey, Outcome, Source};

mod imports;
mod retention;
mod secrets;
mod users;

pub use imports::{
    ImportKey, ImportOpening, ImportWorkspace, KnownBudget, KnownKey, KnownWorkspace,
    LABEL_CHARS_MAX, Standing,
};
pub use retention::{RetentionOutcome, RetentionRun};
pub use secrets::{Rotated, Rotation};
pub use users::ListedUser;

use super::auth::hash;
use super::error::{ApiError, ApiResult};
use super::{json, reading};
use crate::core::Core;
use crate::secrets as key_texts;

/// Unresolved holds listed at most.
pub const HOLDS_MAX: usize = 100_000;

/// Who the audit log says it was.
const ACTOR: &str = "command line";

/// What the command line may ask for.
pub struct Control {
    /// The gateway.
    pub core: Arc<Core>,
    /// Reads the configuration again and puts it in force; gives its warnings.
    pub reload: Reload,
}

/// Reads a configuration again; an error is for the person who asked.
pub type Reload = Box<dyn Fn() -> Result<Vec<String>, String> + Send + Sync>;

/// A management key as it is listed.
#[derive(Debug, Serialize, Deserialize)]
pub struct ListedManagementKey {
    /// Its SHA-256 in hex.
    pub hash: String,
    /// The name the audit log shows.
    pub name: String,
    /// Masked text to recognise it by.
    pub label: String,
    /// When it was made.
    pub created_at: String,
    /// When it was revoked.
    pub revoked_at: Option<String>,
}

/// A new management key: the one time its text is shown.
#[derive(Debug, Serialize, Deserialize)]
pub struct NewManagementKey {
    /// Its text.
    pub key: api::keys::PlainKey,
    /// Its name.
    pub name: String,
}

/// A charge that was not seen to its end.
#[derive(Debug, Serialize, Deserialize)]
pub struct ListedHold {
    /// The generation.
    pub generation: String,
    /// Its attempt.
    pub attempt: u32,
    /// `interrupted` by a crash, or `held` because the provider's end was not seen.
    pub source: String,
    /// The key that was charged.
    pub key: String,
    /// The model.
    pub model: String,
    /// The provider.
    pub provider: String,
    /// When it was admitted.
    pub admitted_at: String,
    /// What was charged, in dollars.
    pub charged: String,
}

/// What to correct a charge to.
#[derive(Debug, Serialize, Deserialize)]
pub struct Correction {
    /// What it really cost, in dollars; zero voids it.
    pub cost: String,
}

/// Which endpoint.
#[derive(Debug, Serialize, Deserialize)]
pub struct NamedEndpoint {
    /// The gateway's model id.
    pub model: String,
    /// The provider's slug.
    pub provider: String,
    /// The provider's name for the model.
    pub upstream_model: String,
}

/// The routes, for a socket or for a call within the process.
pub fn routes(control: Arc<Control>) -> Router {
    Router::new()
        .route("/management-keys", get(list_keys).post(create_key))
        .route("/management-keys/{which}", axum::routing::delete(revoke_key))
        .route("/holds", get(list_holds))
        .route("/holds/{generation}/{attempt}", post(correct_hold))
        .route("/endpoints", get(list_marks))
        .route("/endpoints/clear", post(clear_mark))
        .route("/reload", post(reload))
        .merge(imports::routes())
        .merge(retention::routes())
        .merge(users::routes())
        .merge(secrets::routes())
        .with_state(control)
}

type Ours = State<Arc<Control>>;

async fn list_keys(State(control): Ours) -> ApiResult<Response> {
    let snapshot =
        reading(&control.core, |store| store.snapshot(ledger::Day::from_number(i32::MAX))).await?;
    let shown = |key: &ManagementKey| ListedManagementKey {
        hash: key.hash.to_string(),
        name: key.name.clone(),
        label: key.label.clone(),
        created_at: key.created_at.to_string(),
        revoked_at: key.revoked_at.map(|moment| moment.to_string()),
    };
    let keys: Vec<_> = snapshot.management_keys.iter().map(shown).collect();
    Ok(json(StatusCode::OK, &keys))
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

async fn create_key(State(control): Ours, Json(wanted): Json<Name>) -> ApiResult<Response> {
    let core = &control.core;
    let name = wanted.name.trim();
    if name.is_empty() || name.len() > 255 || name.chars().any(char::is_control) {
        return Err(ApiError::invalid("`name` must be 1 to 255 bytes without control characters"));
    }
    let text = key_texts::new_key(&*core.entropy);
    match add_management_key(core, name, text.expose()).await? {
        Outcome::Done => {
            Ok(json(StatusCode::CREATED, &NewManagementKey { key: text, name: name.to_owned() }))
        }
        other => Err(ApiError::internal(format!("a new management key came to {other:?}"))),
    }
}

/// Adds a management key of that text; [`Outcome::Conflict`] where it is known, a revoked one too.
pub async fn add_management_key(core: &Arc<Core>, name: &str, text: &str) -> ApiResult<Outcome> {
    let key = ManagementKey {
        hash: hash(text),
        label: key_texts::label(text),
        name: name.to_owned(),
        created_at: core.clock.now(),
        revoked_at: None,
    };
    let audit = audit(core, "management_key.create", &key.hash.to_string(), None, Some(&key.name));
    let shared = Arc::clone(core);
    let added = key.clone();
    let pending = core.writer.edit(Edit::CreateManagementKey(key), audit, move |outcome| {
        if *outcome == Outcome::Done {
            shared.directory.add_management(added);
        }
    });
    Ok(pending.outcome().await?)
}

async fn revoke_key(State(control): Ours, Path(which): Path<String>) -> ApiResult<Response> {
    let core = &control.core;
    let snapshot =
        reading(core, |store| store.snapshot(ledger::Day::from_number(i32::MAX))).await?;
    let live = snapshot.management_keys.iter().filter(|key| key.revoked_at.is_none());
    let named: Vec<&ManagementKey> =
        live.filter(|key| key.name == which || key.hash.to_string() == which).collect();
    let key = match named[..] {
        [key] => key,
        [] => return Err(ApiError::not_found()),
        _ => {
            return Err(ApiError::conflict(format!(
                "{} management keys are named {which}; name one by its hash",
                named.len()
            )));
        }
    };
    let hash: KeyHash = key.hash;
    let audit = audit(core, "management_key.revoke", &hash.to_string(), Some(&key.name), None);
    let shared = Arc::clone(core);
    let edit = Edit::RevokeManagementKey { hash, at: audit.at };
    let pending = core.writer.edit(edit, audit, move |outcome| {
        if *outcome == Outcome::Done {
            shared.directory.remove_management(&hash);
        }
    });
    match pending.outcome().await? {
        Outcome::Done => Ok(json(StatusCode::OK, &serde_json::json!({ "revoked": key.name }))),
        _ => Err(ApiError::not_found()),
    }
}

async fn list_holds(State(control): Ours) -> ApiResult<Response> {
    let rows = reading(&control.core, |store| store.unresolved(HOLDS_MAX)).await?;
    let holds: Vec<ListedHold> = rows.iter().map(listed).collect();
    Ok(json(StatusCode::OK, &holds))
}

fn listed(row: &Entry) -> ListedHold {
    ListedHold {
        generation: row.generation.clone(),
        attempt: row.attempt,
        source: row.source.as_str().to_owned(),
        key: row.key.to_string(),
        model: row.model.clone(),
        provider: row.provider.clone(),
        admitted_at: row.admitted_at.to_string(),
        charged: list_price(row, row.cost).to_string(),
    }
}

/// What `amounts` of that row come to at list price, as a provider bills it to whoever's credential
/// it went with.
fn list_price(row: &Entry, amounts: Amounts) -> Money {
    if row.credential.is_some() { amounts.byok } else { amounts.credits }
}

async fn correct_hold(
    State(control): Ours,
    Path((generation, attempt)): Path<(String, u32)>,
    Json(correction): Json<Correction>,
) -> ApiResult<Response> {
    let core = &control.core;
    let cost = correction.cost.parse::<Money>().ok().filter(|cost| !cost.is_negative());
    let cost = cost.ok_or_else(|| {
        ApiError::invalid("`cost` must be dollars from zero up, with at most nine decimals")
    })?;
    let rows = reading(core, {
        let generation = generation.clone();
        move |store| store.generation(&generation)
    })
    .await?;
    let first = rows.iter().find(|row| row.attempt == attempt && row.kind == Kind::Attempt);
    let first = first.ok_or_else(ApiError::not_found)?;
    if matches!(first.source, Source::Reported | Source::Counted) {
        return Err(ApiError::conflict(format!(
            "{generation} was charged for what was seen of it; only a charge whose end was not \
             seen (`interrupted` or `held`) is corrected"
        )));
    }
    let stands_at = rows
        .iter()
        .filter(|row| row.attempt == attempt)
        .map(|row| list_price(row, row.cost))
        .fold(Money::ZERO, |sum, cost| sum.checked_add(cost).unwrap_or(Money::MAX));
    let audit = audit(
        core,
        "hold.correct",
        &format!("{generation}/{attempt}"),
        Some(&stands_at.to_string()),
        Some(&cost.to_string()),
    );
    let amounts = match first.credential {
        Some(_) => Amounts { credits: core.config.metering.byok_fee_percent.of(cost), byok: cost },
        None => Amounts::credits(cost),
    };
    let edit = Edit::Correct { generation, attempt, cost: amounts };
    let shared = Arc::clone(core);
    let pending = core.writer.edit(edit, audit, move |outcome| {
        let Outcome::Corrected { entry } = outcome else { return };
        if let Some(key) = shared.directory.key(&entry.key) {
            key.account().post(entry.day(), entry.cost);
        }
        // It was spent in the workspace that it was admitted in, wherever the key is now.
        if let Some(workspace) = shared.directory.workspace(&entry.workspace) {
            workspace.account().post(entry.day(), entry.cost);
        }
    });
    match pending.outcome().await? {
        Outcome::Corrected { entry } => {
            let difference = list_price(&entry, entry.cost).to_string();
            Ok(json(StatusCode::OK, &serde_json::json!({ "difference": difference })))
        }
        _ => Err(ApiError::not_found()),
    }
}

async fn list_marks(State(control): Ours) -> ApiResult<Response> {
    let snapshot =
        reading(&control.core, |store| store.snapshot(ledger::Day::from_number(i32::MAX))).await?;
    let marks: Vec<_> = snapshot
        .marks
        .iter()
        .map(|mark| {
            serde_json::json!({
                "model": mark.model,
                "provider": mark.provider,
                "upstream_model": mark.upstream_model,
                "prompt_overhead_tokens": mark.prompt_overhead_tokens,
                "held_at_maximum": mark.held_at_maximum,
                "barred": mark.barred,
            })
        })
        .collect();
    Ok(json(StatusCode::OK, &marks))
}

async fn clear_mark(State(control): Ours, Json(named): Json<NamedEndpoint>) -> ApiResult<Response> {
    let core = &control.core;
    let NamedEndpoint { model, provider, upstream_model } = named;
    let subject = format!("{model} at {provider}");
    let audit = audit(core, "endpoint.clear", &subject, None, None);
    let mark = EndpointMark {
        model: model.clone(),
        provider: provider.clone(),
        upstream_model: upstream_model.clone(),
        prompt_overhead_tokens: 0,
        held_at_maximum: false,
        barred: false,
    };
    let shared = Arc::clone(core);
    let edit = Edit::ClearMark { model, provider, upstream_model };
    let pending = core.writer.edit(edit, audit, move |outcome| {
        if *outcome == Outcome::Done {
            shared.clear_mark(&mark);
        }
    });
    match pending.outcome().await? {
        Outcome::Done => Ok(json(StatusCode::OK, &serde_json::json!({ "cleared": subject }))),
        _ => Err(ApiError::not_found()),
    }
}

async fn reload(State(control): Ours) -> ApiResult<Response> {
    let warnings = (control.reload)().map_err(ApiError::invalid)?;
    Ok(json(StatusCode::OK, &serde_json::json!({ "warnings": warnings })))
}

fn audit(
    core: &Core,
    action: &str,
    subject: &str,
    before: Option<&str>,
    after: Option<&str>,
) -> AuditRow {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    AuditRow {
        at: core.clock.now(),
        actor: ACTOR.to_owned(),
        action: action.to_owned(),
        subject: subject.to_owned(),
        before: before.map(quoted),
        after: after.map(quoted),
    }
}
