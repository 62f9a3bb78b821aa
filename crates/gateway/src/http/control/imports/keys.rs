//! A key under the hash it had elsewhere: one transaction with what it had spent and its row of the
//! audit log.

use std::sync::Arc;

use api::Object;
use api::keys::CreateKey;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;
use ledger::{Amounts, Day, Tally};
use money::Money;
use store::{
    ApiType, AuditRow, Edit, Entry, KeyHash, KeyRecord, Kind, Outcome, Refused, Source, Tokens,
};

use super::super::{ACTOR, Ours};
use super::LABEL_CHARS_MAX;
use crate::http::error::{ApiError, ApiResult};
use crate::http::json;
use crate::http::keys::settings;

/// The model that imported spend stands under in every report.
const MODEL: &str = "imported";

pub(super) async fn import(State(control): Ours, body: Bytes) -> ApiResult<Response> {
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
    let openings = further.field("openings").given();
    let openings =
        openings.map(|field| field.elements("a list of what it had spent")).transpose()?;
    let openings: Vec<Entry> = openings
        .iter()
        .flatten()
        .zip(0_u32..)
        .map(|(field, number)| opening(field, number, &record, now))
        .collect::<ApiResult<_>>()?;
    let audit = AuditRow {
        at: now,
        actor: ACTOR.to_owned(),
        action: "key.import".to_owned(),
        subject: hash.to_string(),
        before: None,
        after: Some(after(&record, &openings)),
    };
    let spent: Vec<(Day, Amounts)> =
        openings.iter().map(|entry| (entry.day(), entry.cost)).collect();
    let edit = Edit::CreateKey { key: record.clone(), idempotent: None, openings };
    let shared = Arc::clone(core);
    let pending = core.writer.edit(edit, audit, move |outcome| {
        if *outcome != Outcome::Done {
            return;
        }
        let mut tally = Tally::default();
        let workspace = shared.directory.workspace(&record.workspace);
        for (day, cost) in spent {
            tally.post(day, cost);
            if let Some(workspace) = &workspace {
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
fn after(record: &KeyRecord, openings: &[Entry]) -> String {
    let settings = serde_json::from_str(&settings::to_json(record));
    let mut settings: serde_json::Value = settings.unwrap_or_default();
    let spent = |part: fn(&Entry) -> Money| {
        let all = openings.iter().map(part).try_fold(Money::ZERO, Money::checked_add);
        all.filter(|all| *all != Money::ZERO).map(|all| all.to_string())
    };
    settings["usage"] = spent(|entry| entry.cost.credits).into();
    settings["byok_usage"] = spent(|entry| entry.cost.byok).into();
    settings.to_string()
}

/// The n-th row of what a key had spent.
fn opening(
    field: &api::Field<'_>,
    number: u32,
    key: &KeyRecord,
    now: Timestamp,
) -> ApiResult<Entry> {
    let object = field.object()?;
    let cost = Amounts {
        credits: object.field("amount").amount()?,
        byok: object.field("byok_amount").amount()?,
    };
    let at = object.field("at").time()?;
    let from = object.field("from").line(LABEL_CHARS_MAX)?;
    // Whole microseconds, as the book keeps them.
    let at =
        Timestamp::from_microsecond(at.min(now).as_microsecond()).map_err(ApiError::internal)?;
    Ok(Entry {
        generation: format!("opening-{}", key.hash),
        api_type: ApiType::Completions,
        attempt: number,
        kind: Kind::Opening,
        key: key.hash,
        workspace: key.workspace,
        creator: key.creator.clone(),
        model: MODEL.to_owned(),
        provider: from,
        upstream_model: MODEL.to_owned(),
        credential: None,
        admitted_at: at,
        cost,
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
