//! `tollgate retention`: sealing old rows now, or saying what that would come to.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use axum::{Json, Router};
use http::StatusCode;
use ledger::Day;
use serde::{Deserialize, Serialize};
use store::{RETENTION_DAYS_MIN, spared_from};

use super::{ACTOR, Control, Ours};
use crate::http::error::{ApiError, ApiResult};
use crate::http::{json, reading};
use crate::retention;

/// How old a row must be, and whether to seal.
#[derive(Debug, Serialize, Deserialize)]
pub struct RetentionRun {
    /// Days; where none are given, those of `store.retention_days`.
    pub older_than_days: Option<u32>,
    /// Only say what it would come to.
    pub dry_run: bool,
}

/// What was sealed, or would be.
#[derive(Debug, Serialize, Deserialize)]
pub struct RetentionOutcome {
    /// Only said, not done.
    pub dry_run: bool,
    /// Rows admitted on this day or later are spared.
    pub before: String,
    /// Generations that gave way to sealed rows.
    pub generations: u64,
    /// The rows they had.
    pub rows: u64,
    /// Generations that were old enough and are kept: a charge of theirs is unresolved.
    pub spared: u64,
}

pub(super) fn routes() -> Router<Arc<Control>> {
    Router::new().route("/retention", post(run))
}

async fn run(State(control): Ours, Json(wanted): Json<RetentionRun>) -> ApiResult<Response> {
    let core = &control.core;
    let before = before(&control, &wanted)?;
    let sealing = if wanted.dry_run {
        reading(core, move |store| store.sealable(before)).await?
    } else {
        retention::run(core, before, ACTOR).await?
    };
    let outcome = RetentionOutcome {
        dry_run: wanted.dry_run,
        before: before.date().to_string(),
        generations: sealing.generations,
        rows: sealing.rows,
        spared: sealing.spared,
    };
    Ok(json(StatusCode::OK, &outcome))
}

fn before(control: &Control, wanted: &RetentionRun) -> ApiResult<Day> {
    let core = &control.core;
    let days = wanted.older_than_days.or(core.config.store.retention_days).ok_or_else(|| {
        ApiError::invalid("`store.retention_days` is not set: say how old with `--older-than DAYS`")
    })?;
    if days < RETENTION_DAYS_MIN {
        return Err(ApiError::invalid(format!(
            "`older_than_days` must be at least {RETENTION_DAYS_MIN}: younger rows are never sealed"
        )));
    }
    Ok(spared_from(core.clock.now(), days))
}
