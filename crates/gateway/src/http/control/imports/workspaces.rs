//! A workspace that is known by what it is for, with its budgets.

use std::sync::Arc;

use api::budgets::{Interval, PutBudget};
use api::workspaces::CreateWorkspace;
use api::{Object, Usd};
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use money::Money;
use store::{AuditRow, Edit, Outcome, Refused, WorkspaceRecord};

use super::super::{Ours, audit};
use crate::core::Core;
use crate::entropy;
use crate::http::error::{ApiError, ApiResult};
use crate::http::{budgets, json};
use crate::workspaces::{self, Settings, Workspace};

/// Makes the workspace where none has its description, and those of its budgets that it has not
/// yet, where nobody has changed it otherwise.
pub(super) async fn import(State(control): Ours, body: Bytes) -> ApiResult<Response> {
    let core = &control.core;
    let wanted = CreateWorkspace::parse(&body)?;
    let further = Object::parse(&body)?;
    let include_byok = further.field("include_byok_in_budgets").flag()?;
    let wanted_budgets: Vec<(Interval, Money)> = further
        .field("budgets")
        .elements("a list of budgets")?
        .iter()
        .map(budget)
        .collect::<ApiResult<_>>()?;
    let description = wanted.settings.description.clone().flatten();
    let is_it = |one: &Arc<Workspace>| one.record().description == description;
    let all = core.directory.workspaces().all();
    let workspace = match all.into_iter().find(is_it) {
        Some(workspace) => workspace,
        None => make(core, &wanted, description).await?,
    };
    for (interval, limit) in missing(&workspace, &wanted_budgets) {
        let put = PutBudget { limit_usd: Usd(limit), include_byok_in_budgets: Some(include_byok) };
        let id = workspace.record().id.to_string();
        let row = |before: Option<String>, after: Option<String>| AuditRow {
            before,
            after,
            ..audit(core, "budget.import", &id, None, None)
        };
        if budgets::replace(core, &workspace, interval, &put, row).await?.is_none() {
            return Err(ApiError::conflict("the workspace was changed meanwhile; try again"));
        }
    }
    let id = workspace.record().id;
    Ok(json(StatusCode::CREATED, &serde_json::json!({ "id": id })))
}

fn budget(field: &api::Field<'_>) -> ApiResult<(Interval, Money)> {
    let object = field.object()?;
    let interval = Interval::parse(&object.field("interval").text("an interval")?)?;
    let limit = object.field("limit");
    let allowed = "US dollars above zero, as decimal text";
    let parsed = limit.text(allowed)?.parse::<Money>().ok();
    let parsed = parsed.filter(|limit| *limit > Money::ZERO);
    Ok((interval, parsed.ok_or_else(|| limit.invalid("is no such amount", allowed))?))
}

/// The budgets that are still to be put, the longest window first: none where the workspace has
/// changed in any way but by some of them.
fn missing(workspace: &Workspace, wanted: &[(Interval, Money)]) -> Vec<(Interval, Money)> {
    let Settings { record, budgets, .. } = workspace.settings();
    let known: Vec<(Interval, Money)> =
        budgets.iter().map(|one| (budgets::interval(one.reset), one.limit)).collect();
    let puts = u64::try_from(known.len()).unwrap_or(u64::MAX);
    if record.version != puts || known.iter().any(|one| !wanted.contains(one)) {
        return Vec::new();
    }
    wanted.iter().filter(|one| !known.contains(one)).copied().collect()
}

async fn make(
    core: &Arc<Core>,
    wanted: &CreateWorkspace,
    description: Option<String>,
) -> ApiResult<Arc<Workspace>> {
    let id = uuid::Builder::from_random_bytes(entropy::bytes(&*core.entropy)).into_uuid();
    let now = core.clock.now();
    let record =
        WorkspaceRecord { description, ..workspaces::bare(id, &wanted.slug, &wanted.name, now) };
    let audit = audit(core, "workspace.import", &id.to_string(), None, None);
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
