//! `tollgate import`: keys under the hashes they had elsewhere, with what they had spent there, and
//! workspaces for those that shared a budget.
//! Each key is one transaction with its opening row and its row of the audit log.

use std::sync::Arc;

use api::budgets::Interval;
use api::keys::CreateKey;
use api::workspaces::CreateWorkspace;
use api::{Object, Usd, Utc};
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use axum::{Json, Router};
use http::StatusCode;
use jiff::Timestamp;
use ledger::{Amounts, Tally};
use serde::{Deserialize, Serialize};
use store::{
    ApiType, AuditRow, BudgetRecord, Edit, Entry, KeyHash, KeyRecord, Kind, Outcome, Refused,
    Source, Tokens, WorkspaceRecord,
};

use super::{ACTOR, Control, Ours};
use crate::core::Core;
use crate::entropy;
use crate::http::error::{ApiError, ApiResult};
use crate::http::keys::settings;
use crate::http::{budgets, json, reading};
use crate::workspaces::{self, Settings};

/// The model that imported spend stands under in every report.
const MODEL: &str = "imported";
/// How many characters a label and a gateway's name may have.
const LABEL_CHARS_MAX: usize = 255;

/// What there is already of what is to be imported.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Standing {
    /// Those of the hashes asked for that are known.
    pub keys: Vec<KnownKey>,
    /// Every workspace.
    pub workspaces: Vec<KnownWorkspace>,
    /// The ids of all users.
    pub users: Vec<String>,
    /// Every model, by its id and by its aliases, each with the id.
    pub models: Vec<(String, String)>,
}

/// A key that is known.
#[derive(Debug, Serialize, Deserialize)]
pub struct KnownKey {
    /// Its hash.
    pub hash: String,
    /// What may be changed of it, as in the audit log; `None` where the hash can't be used again:
    /// of a deleted key, of a management key, of another key's second text.
    pub settings: Option<serde_json::Value>,
}

/// A workspace that is there.
#[derive(Debug, Serialize, Deserialize)]
pub struct KnownWorkspace {
    /// Its id.
    pub id: uuid::Uuid,
    /// Its name in paths.
    pub slug: String,
    /// What it is for.
    pub description: Option<String>,
    /// Its budgets.
    pub budgets: Vec<KnownBudget>,
}

/// A budget of a workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownBudget {
    /// `daily`, `weekly`, `monthly` or `lifetime`.
    pub interval: String,
    /// US dollars, as decimal text.
    pub limit: String,
}

/// A key to be imported: what a new one may have, and what it had before.
#[derive(Clone, Debug, Serialize)]
pub struct ImportKey {
    /// As `POST /keys` takes it.
    #[serde(flatten)]
    pub settings: CreateKey,
    /// The SHA-256 of its text.
    pub hash: String,
    /// Masked text to recognise it by.
    pub label: String,
    /// Refused at its next request.
    pub disabled: bool,
    /// When it was made; now where nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Utc>,
    /// What it had spent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opening: Option<ImportOpening>,
}

/// What a key had spent before.
#[derive(Clone, Debug, Serialize)]
pub struct ImportOpening {
    /// How much.
    pub amount: Usd,
    /// The moment it counts at, which decides its windows.
    pub at: Utc,
    /// The gateway it was spent at.
    pub from: String,
}

/// A workspace to be imported, with its budget.
#[derive(Clone, Debug, Serialize)]
pub struct ImportWorkspace {
    /// As `POST /workspaces` takes it; the description tells it from every other.
    #[serde(flatten)]
    pub settings: CreateWorkspace,
    /// The interval of its budget.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_interval: Option<String>,
    /// The most that may be spent in it, above zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_limit: Option<Usd>,
}

pub(super) fn routes() -> Router<Arc<Control>> {
    Router::new()
        .route("/import/known", post(known))
        .route("/import/keys", post(import_key))
        .route("/import/workspaces", post(import_workspace))
}

async fn known(State(control): Ours, Json(hashes): Json<Vec<String>>) -> ApiResult<Response> {
    let core = &control.core;
    let mut keys = Vec::new();
    let hashes: Vec<KeyHash> = hashes.iter().filter_map(|hash| KeyHash::parse(hash)).collect();
    for hash in hashes {
        let live = core.directory.key(&hash);
        let is_used = live.is_none()
            && (core.directory.caller(&hash).is_some()
                || reading(core, move |store| store.key(hash)).await?.is_some());
        let settings = live.map(|key| settings::to_json(&key.record()));
        if settings.is_some() || is_used {
            let settings = settings.and_then(|settings| serde_json::from_str(&settings).ok());
            keys.push(KnownKey { hash: hash.to_string(), settings });
        }
    }
    let catalogue = core.catalogue();
    let names = catalogue.models.iter().flat_map(|model| {
        let id = &model.config.id;
        std::iter::once(id).chain(&model.config.aliases).map(|name| (name.clone(), id.clone()))
    });
    let standing = Standing {
        keys,
        workspaces: core.directory.workspaces().all().iter().map(|one| listed(one)).collect(),
        users: core.users.all().into_iter().map(|(user, _)| user.id).collect(),
        models: names.collect(),
    };
    Ok(json(StatusCode::OK, &standing))
}

fn listed(workspace: &workspaces::Workspace) -> KnownWorkspace {
    let Settings { record, budgets, .. } = workspace.settings();
    let shown = |budget: &BudgetRecord| KnownBudget {
        interval: budgets::interval(budget.reset).as_str().to_owned(),
        limit: budget.limit.to_string(),
    };
    KnownWorkspace {
        id: record.id,
        slug: record.slug.clone(),
        description: record.description.clone(),
        budgets: budgets.iter().map(shown).collect(),
    }
}

async fn import_key(State(control): Ours, body: Bytes) -> ApiResult<Response> {
    let core = &control.core;
    let wanted = CreateKey::parse(&body)?;
    let further = Object::parse(&body)?;
    let hash = further.field("hash");
    let allowed = "64 lower-case hex digits";
    let parsed = KeyHash::parse(&hash.text(allowed)?);
    let hash = parsed.ok_or_else(|| hash.invalid("is no SHA-256", allowed))?;
    let label = further.field("label").line(LABEL_CHARS_MAX)?;
    let now = core.clock.now();
    let mut record = settings::of_new(core, &wanted, hash, label)?;
    record.disabled = further.field("disabled").given().map_or(Ok(false), |field| field.flag())?;
    if let Some(made) = further.field("created_at").given() {
        record.created_at = made.time()?.min(now);
    }
    let opening = further.field("opening").given().map(|field| opening(&field, &record, now));
    let opening = opening.transpose()?;
    let audit = AuditRow {
        at: now,
        actor: ACTOR.to_owned(),
        action: "key.import".to_owned(),
        subject: hash.to_string(),
        before: None,
        after: Some(after(&record, opening.as_ref())),
    };
    let spent = opening.as_ref().map(|entry| (entry.day(), entry.cost));
    let edit =
        Edit::CreateKey { key: record.clone(), idempotent: None, opening: opening.map(Box::new) };
    let shared = Arc::clone(core);
    let pending = core.writer.edit(edit, audit, move |outcome| {
        if *outcome != Outcome::Done {
            return;
        }
        let mut tally = Tally::default();
        if let Some((day, cost)) = spent {
            tally.post(day, cost);
            if let Some(workspace) = shared.directory.workspace(&record.workspace) {
                workspace.account().post(day, cost);
            }
        }
        shared.directory.add_spent(record, tally);
    });
    match pending.outcome().await? {
        Outcome::Done => {
            Ok(json(StatusCode::CREATED, &serde_json::json!({ "imported": hash.to_string() })))
        }
        Outcome::Conflict => Err(ApiError::conflict(
            "its hash is known: of a key that is there or was deleted, or of a management key",
        )),
        Outcome::Refused(Refused::NoWorkspace) => Err(settings::no_workspace()),
        other => Err(ApiError::internal(format!("an imported key came to {other:?}"))),
    }
}

/// A key's settings for the audit log, with what it had spent.
fn after(record: &KeyRecord, opening: Option<&Entry>) -> String {
    let settings = serde_json::from_str(&settings::to_json(record));
    let mut settings: serde_json::Value = settings.unwrap_or_default();
    settings["usage"] = opening.map(|entry| entry.cost.credits.to_string()).into();
    settings.to_string()
}

/// The row of what a key had spent.
fn opening(field: &api::Field<'_>, key: &KeyRecord, now: Timestamp) -> ApiResult<Entry> {
    let object = field.object()?;
    let amount = object.field("amount").amount()?;
    let at = object.field("at").time()?;
    let from = object.field("from").line(LABEL_CHARS_MAX)?;
    // Whole microseconds, as the book keeps them.
    let at =
        Timestamp::from_microsecond(at.min(now).as_microsecond()).map_err(ApiError::internal)?;
    Ok(Entry {
        generation: format!("opening-{}", key.hash),
        api_type: ApiType::Completions,
        attempt: 0,
        kind: Kind::Opening,
        key: key.hash,
        workspace: key.workspace,
        creator: key.creator.clone(),
        model: MODEL.to_owned(),
        provider: from,
        upstream_model: MODEL.to_owned(),
        credential: None,
        admitted_at: at,
        cost: Amounts::credits(amount),
        held: Amounts::ZERO,
        source: Source::Reported,
        tokens: Tokens::default(),
        cache_discount: None,
        upstream_id: None,
        streamed: false,
        cancelled: false,
        finish_reason: None,
        latency_ms: 0,
        generation_ms: 0,
        attempts: Vec::new(),
        referer: None,
        user_agent: None,
        session: None,
    })
}

/// Makes the workspace where none has its description, and its budget where it has none yet and
/// nobody has changed it.
async fn import_workspace(State(control): Ours, body: Bytes) -> ApiResult<Response> {
    let core = &control.core;
    let wanted = CreateWorkspace::parse(&body)?;
    let further = Object::parse(&body)?;
    let interval = further.field("budget_interval").given();
    let interval =
        interval.map(|field| Interval::parse(&field.text("an interval")?)).transpose()?;
    let limit = further.field("budget_limit").given().map(|field| field.amount()).transpose()?;
    let description = wanted.settings.description.clone().flatten();
    let is_it = |one: &Arc<workspaces::Workspace>| one.record().description == description;
    let all = core.directory.workspaces().all();
    let workspace = match all.into_iter().find(is_it) {
        Some(workspace) => workspace,
        None => make(core, &wanted, description).await?,
    };
    let Settings { record, budgets, .. } = workspace.settings();
    if let (Some(interval), Some(limit), 0, true) =
        (interval, limit, record.version, budgets.is_empty())
    {
        put_budget(core, &workspace, interval, limit).await?;
    }
    Ok(json(StatusCode::CREATED, &serde_json::json!({ "id": record.id })))
}

async fn make(
    core: &Arc<Core>,
    wanted: &CreateWorkspace,
    description: Option<String>,
) -> ApiResult<Arc<workspaces::Workspace>> {
    let id = uuid::Builder::from_random_bytes(entropy::bytes(&*core.entropy)).into_uuid();
    let now = core.clock.now();
    let record =
        WorkspaceRecord { description, ..workspaces::bare(id, &wanted.slug, &wanted.name, now) };
    let audit = super::audit(core, "workspace.import", &id.to_string(), None, None);
    let audit = AuditRow { after: Some(workspaces::to_json(&record)), ..audit };
    let shared = Arc::clone(core);
    let pending = core.writer.edit(Edit::CreateWorkspace(record.clone()), audit, move |outcome| {
        if *outcome == Outcome::Done {
            shared.directory.workspaces().add(record);
        }
    });
    match pending.outcome().await? {
        Outcome::Done => core.directory.workspace(&id).ok_or_else(ApiError::not_found),
        Outcome::Refused(Refused::SlugTaken) => {
            Err(ApiError::conflict(format!("a workspace has the slug `{}`", wanted.slug)))
        }
        other => Err(ApiError::internal(format!("an imported workspace came to {other:?}"))),
    }
}

async fn put_budget(
    core: &Arc<Core>,
    workspace: &Arc<workspaces::Workspace>,
    interval: Interval,
    limit: money::Money,
) -> ApiResult<()> {
    let Settings { record, budgets, .. } = workspace.settings();
    let budget = budgets::edited(core, &record, &budgets, interval, Usd(limit));
    let include_byok = record.include_byok_in_budgets;
    let audit = super::audit(core, "budget.import", &record.id.to_string(), None, None);
    let audit = AuditRow { after: Some(budgets::to_json(&budget, &record)), ..audit };
    let version = record.version;
    let stored = WorkspaceRecord { version: version + 1, ..WorkspaceRecord::clone(&record) };
    let (shared, changed, after) = (Arc::clone(core), Arc::clone(workspace), vec![budget.clone()]);
    let edit = Edit::PutBudget { budget, include_byok, version };
    let pending = core.writer.edit(edit, audit, move |outcome| {
        if *outcome == Outcome::Done {
            let (record, budgets) = (stored.into(), after.into());
            let settings = Settings { record, budgets, ..changed.settings() };
            shared.directory.workspaces().update(settings);
        }
    });
    match pending.outcome().await? {
        Outcome::Done => Ok(()),
        _ => Err(ApiError::conflict("the workspace was changed meanwhile; try again")),
    }
}
