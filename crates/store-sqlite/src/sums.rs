//! The kept sums: what rows add to the day, the key and the workspace they count on.
//! A batch is added up in memory first, so that each sum is written once a batch.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ledger::Day;
use rusqlite::{Connection, Result, params};
use store::{Entry, KeyHash, Kind};
use uuid::Uuid;

use crate::fields::micros;

/// The figures that are summed by day; the first [`TOTALS`] of them are summed by key and by
/// workspace as well.
pub(crate) const FIGURES: [&str; 7] = [
    "credits",
    "byok",
    "requests",
    "prompt_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "cached_tokens",
];

/// How many of the figures a total has.
pub(crate) const TOTALS: usize = 3;

/// A sum of each figure, wide enough that no sum of rows can pass it.
pub(crate) type Figures = [i128; FIGURES.len()];

/// What a daily sum is kept for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Group<'a> {
    pub(crate) day: Day,
    pub(crate) key: KeyHash,
    pub(crate) workspace: Uuid,
    pub(crate) creator: &'a str,
    pub(crate) model: &'a str,
    pub(crate) provider: &'a str,
    pub(crate) upstream_model: &'a str,
}

/// What the rows of a batch add to the sums.
#[derive(Default)]
pub(crate) struct Sums<'a> {
    daily: BTreeMap<Group<'a>, Figures>,
    totals: BTreeMap<KeyHash, Total>,
    workspaces: BTreeMap<Uuid, [i128; TOTALS]>,
}

#[derive(Default)]
struct Total {
    figures: [i128; TOTALS],
    last_used_at: Option<Timestamp>,
}

// A sum past the largest integer stays at it. Only a provider that bills billions comes there, and
// then every limit is spent; without this one such row would keep every later batch from being
// written, since SQLite makes the sum a float and a strict table refuses it.
macro_rules! grown {
    ($column:literal) => {
        concat!(
            $column,
            " = CASE typeof(",
            $column,
            " + excluded.",
            $column,
            ")
                WHEN 'integer' THEN ",
            $column,
            " + excluded.",
            $column,
            "
                ELSE iif(",
            $column,
            " > 0, 9223372036854775807, -9223372036854775808) END"
        )
    };
}

const ADD_DAILY: &str = concat!(
    "INSERT INTO daily (day, key, workspace, creator, model, provider, upstream_model, credits,
         byok, requests, prompt_tokens, completion_tokens, reasoning_tokens, cached_tokens)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET ",
    grown!("credits"),
    ", ",
    grown!("byok"),
    ", ",
    grown!("requests"),
    ", ",
    grown!("prompt_tokens"),
    ", ",
    grown!("completion_tokens"),
    ", ",
    grown!("reasoning_tokens"),
    ", ",
    grown!("cached_tokens"),
);

const ADD_TOTAL: &str = concat!(
    "INSERT INTO totals (key, credits, byok, requests, last_used_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (key) DO UPDATE SET ",
    grown!("credits"),
    ", ",
    grown!("byok"),
    ", ",
    grown!("requests"),
    ", last_used_at = coalesce(max(last_used_at, excluded.last_used_at),
                               last_used_at, excluded.last_used_at)"
);

const ADD_WORKSPACE_TOTAL: &str = concat!(
    "INSERT INTO workspace_totals (workspace, credits, byok, requests) VALUES (?, ?, ?, ?)
     ON CONFLICT (workspace) DO UPDATE SET ",
    grown!("credits"),
    ", ",
    grown!("byok"),
    ", ",
    grown!("requests"),
);

/// What one row counts. A correction is no request of its own.
pub(crate) fn figures(entry: &Entry) -> Figures {
    [
        i128::from(entry.cost.credits.as_nanos()),
        i128::from(entry.cost.byok.as_nanos()),
        i128::from(entry.kind == Kind::Attempt),
        i128::from(entry.tokens.prompt),
        i128::from(entry.tokens.completion),
        i128::from(entry.tokens.reasoning),
        i128::from(entry.tokens.cached),
    ]
}

/// Adds each figure of `more` to `sums`.
pub(crate) fn add(sums: &mut [i128], more: &[i128]) {
    sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
}

impl<'a> Group<'a> {
    /// The group that `entry` counts in.
    pub(crate) fn of(entry: &'a Entry) -> Group<'a> {
        Group {
            day: entry.day(),
            key: entry.key,
            workspace: entry.workspace,
            creator: entry.creator.as_deref().unwrap_or_default(),
            model: &entry.model,
            provider: &entry.provider,
            upstream_model: &entry.upstream_model,
        }
    }
}

impl<'a> Sums<'a> {
    /// Counts a row that was added to the book.
    pub(crate) fn count(&mut self, entry: &'a Entry) {
        let figures = figures(entry);
        add(self.daily.entry(Group::of(entry)).or_default(), &figures);
        let total = self.totals.entry(entry.key).or_default();
        add(&mut total.figures, &figures);
        add(self.workspaces.entry(entry.workspace).or_default(), &figures);
        if entry.kind == Kind::Attempt {
            total.last_used_at = total.last_used_at.max(Some(entry.admitted_at));
        }
    }

    /// Adds what was counted to the kept sums.
    pub(crate) fn write(&self, connection: &Connection) -> Result<()> {
        let mut statement = connection.prepare_cached(ADD_DAILY)?;
        for (group, figures) in &self.daily {
            let [credits, byok, requests, prompt, completion, reasoning, cached] =
                figures.map(clamped);
            statement.execute(params![
                group.day.number(),
                group.key.0,
                group.workspace.as_bytes(),
                group.creator,
                group.model,
                group.provider,
                group.upstream_model,
                credits,
                byok,
                requests,
                prompt,
                completion,
                reasoning,
                cached,
            ])?;
        }
        let mut statement = connection.prepare_cached(ADD_TOTAL)?;
        for (key, total) in &self.totals {
            let [credits, byok, requests] = total.figures.map(clamped);
            let last_used_at = total.last_used_at.map(micros);
            statement.execute(params![key.0, credits, byok, requests, last_used_at])?;
        }
        let mut statement = connection.prepare_cached(ADD_WORKSPACE_TOTAL)?;
        for (workspace, figures) in &self.workspaces {
            let [credits, byok, requests] = figures.map(clamped);
            statement.execute(params![workspace.as_bytes(), credits, byok, requests])?;
        }
        Ok(())
    }
}

/// A sum as it is kept: past the largest integer it stays at it.
pub(crate) fn clamped(sum: i128) -> i64 {
    i64::try_from(sum).unwrap_or(if sum.is_positive() { i64::MAX } else { i64::MIN })
}
