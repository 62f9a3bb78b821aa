//! `tollgate import`: keys under the hashes they had elsewhere, with what they had spent there, and
//! workspaces for those that shared a budget.

mod keys;
mod workspaces;

use std::sync::Arc;

use api::keys::CreateKey;
use api::workspaces::CreateWorkspace;
use api::{Usd, Utc};
use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use axum::{Json, Router};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use store::{BudgetRecord, KeyHash};

use super::{Control, Ours};
use crate::http::error::ApiResult;
use crate::http::keys::settings;
use crate::http::{budgets, json, reading};
use crate::workspaces::{Settings, Workspace};

/// How many characters a label and a gateway's name may have.
pub const LABEL_CHARS_MAX: usize = 255;

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
    /// What it had spent, in parts.
    pub openings: Vec<ImportOpening>,
}

/// What a key had spent before, as far as it counts at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImportOpening {
    /// What was charged for it.
    pub amount: Usd,
    /// What it spent on the owner's own provider keys.
    pub byok_amount: Usd,
    /// The moment it counts at, which decides its windows.
    pub at: Utc,
    /// The gateway it was spent at.
    pub from: String,
}

/// A workspace to be imported, with its budgets.
#[derive(Clone, Debug, Serialize)]
pub struct ImportWorkspace {
    /// As `POST /workspaces` takes it; the description tells it from every other.
    #[serde(flatten)]
    pub settings: CreateWorkspace,
    /// The most that may be spent in it, one an interval.
    pub budgets: Vec<KnownBudget>,
    /// Whether BYOK use counts towards its budgets.
    pub include_byok_in_budgets: bool,
}

pub(super) fn routes() -> Router<Arc<Control>> {
    Router::new()
        .route("/import/known", post(known))
        .route("/import/keys", post(keys::import))
        .route("/import/workspaces", post(workspaces::import))
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

fn listed(workspace: &Workspace) -> KnownWorkspace {
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
