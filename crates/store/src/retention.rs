//! Retention: old rows give way to sealed rows, one for each sum they were counted in.
//! No figure changes by it; what goes are the particulars of each generation.

use jiff::Timestamp;
use ledger::{Amounts, Day};
use money::Money;
use uuid::Uuid;

use crate::{AuditRow, Entry, KeyHash, Kind, Source, Tokens};

/// Rows younger than this many days are never sealed: they may still be looked up or corrected.
pub const RETENTION_DAYS_MIN: u32 = 40;

/// The first day whose rows a retention of `days` spares at `now`; the fewest days are
/// [`RETENTION_DAYS_MIN`].
///
/// ```
/// # use {ledger::Day, store::spared_from};
/// let now = "2026-11-22T12:00:00Z".parse().unwrap();
/// assert_eq!(spared_from(now, 40).date().to_string(), "2026-10-13");
/// assert_eq!(spared_from(now, 1), spared_from(now, 40));
/// ```
pub fn spared_from(now: Timestamp, days: u32) -> Day {
    let days = i32::try_from(days.max(RETENTION_DAYS_MIN)).unwrap_or(i32::MAX);
    Day::of(now).plus(-days)
}

/// A batch of old rows to seal.
///
/// A generation is sealed whole or not at all: only once every row of it was admitted before the
/// day, and no attempt of it is [unresolved](crate::Store::unresolved).
#[derive(Clone, Debug)]
pub struct Seal {
    /// Rows admitted on this day or later are spared.
    pub before: Day,
    /// Where the batch before this one ended; `None` begins with the oldest row.
    pub from: Option<Place>,
    /// How many rows are looked at, which bounds the time that others wait.
    pub rows_max: usize,
    /// The row that records it, written if anything was sealed.
    pub audit: Option<AuditRow>,
}

/// A row's place in the order of admission.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// When it was admitted.
    pub admitted_at: Timestamp,
    /// Its generation.
    pub generation: String,
    /// Its attempt.
    pub attempt: u32,
    /// What it is.
    pub kind: Kind,
}

impl Place {
    /// Where `entry` stands.
    pub fn of(entry: &Entry) -> Place {
        Place {
            admitted_at: entry.admitted_at,
            generation: entry.generation.clone(),
            attempt: entry.attempt,
            kind: entry.kind,
        }
    }
}

/// What was sealed, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sealing {
    /// Generations that gave way to sealed rows.
    pub generations: u64,
    /// The rows they had.
    pub rows: u64,
    /// Generations old enough that were spared: unresolved, or corrected or tried again later.
    pub spared: u64,
    /// Where the next batch begins; `None` where there is nothing more to look at.
    pub next: Option<Place>,
}

impl Sealing {
    /// Adds what the next batch came to.
    pub fn add(&mut self, batch: Sealing) {
        self.generations += batch.generations;
        self.rows += batch.rows;
        self.spared += batch.spared;
        self.next = batch.next;
    }

    /// Counts a generation with those rows, which is sealed or spared.
    pub fn count(&mut self, rows: usize, is_sealed: bool) {
        if is_sealed {
            self.generations += 1;
            self.rows += rows as u64;
        } else {
            self.spared += 1;
        }
    }
}

/// Whether the generation with these rows, all of them, may be sealed.
pub fn may_seal(rows: &[Entry], before: Day) -> bool {
    let is_resolved = |attempt: &Entry| {
        attempt.kind != Kind::Attempt
            || matches!(attempt.source, Source::Reported | Source::Counted)
            || rows.iter().any(|row| row.attempt == attempt.attempt && row.kind != Kind::Attempt)
    };
    rows.iter().all(|row| row.day() < before && is_resolved(row))
}

/// What the sealed rows of one day, key, model and provider came to.
///
/// A key that moved has one for each workspace and creator it spent under, since the spend stays
/// there; so has a model that a provider runs under several names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedRow {
    /// The UTC day they were admitted on.
    pub day: Day,
    /// The key that paid.
    pub key: KeyHash,
    /// The workspace it was in.
    pub workspace: Uuid,
    /// The member it was made for.
    pub creator: Option<String>,
    /// The model, by the gateway's id.
    pub model: String,
    /// The provider's slug.
    pub provider: String,
    /// The model, by the provider's name.
    pub upstream_model: String,
    /// How many rows it stands for, corrections included.
    pub rows: u64,
    /// How many of them were attempts.
    pub requests: u64,
    /// What they cost, corrections counted in.
    pub cost: Amounts,
    /// Their tokens.
    pub tokens: Tokens,
    /// When the latest attempt was admitted; `None` where there is none among them.
    pub last_used_at: Option<Timestamp>,
}

impl SealedRow {
    /// A sealed row that stands for `entry` alone.
    pub fn of(entry: &Entry) -> SealedRow {
        let is_request = entry.kind == Kind::Attempt;
        SealedRow {
            day: entry.day(),
            key: entry.key,
            workspace: entry.workspace,
            creator: entry.creator.clone().filter(|creator| !creator.is_empty()),
            model: entry.model.clone(),
            provider: entry.provider.clone(),
            upstream_model: entry.upstream_model.clone(),
            rows: 1,
            requests: u64::from(is_request),
            cost: entry.cost,
            tokens: entry.tokens,
            last_used_at: is_request.then_some(entry.admitted_at),
        }
    }

    /// What two rows share that are sealed in one; also the order of an export.
    pub fn sum(&self) -> impl Ord + '_ {
        let SealedRow { day, key, workspace, creator, model, provider, upstream_model, .. } = self;
        (day, key, workspace, creator, model, provider, upstream_model)
    }

    /// Adds what `other` stands for. A sum past the largest integer stays at it, as every kept sum.
    pub fn add(&mut self, other: &SealedRow) {
        let money = |one: Money, other: Money| {
            Money::nanos(one.as_nanos().saturating_add(other.as_nanos()))
        };
        self.rows = self.rows.saturating_add(other.rows);
        self.requests = self.requests.saturating_add(other.requests);
        self.cost.credits = money(self.cost.credits, other.cost.credits);
        self.cost.byok = money(self.cost.byok, other.cost.byok);
        let (tokens, more) = (&mut self.tokens, other.tokens);
        for (sum, more) in [
            (&mut tokens.prompt, more.prompt),
            (&mut tokens.completion, more.completion),
            (&mut tokens.cached, more.cached),
            (&mut tokens.cache_write, more.cache_write),
            (&mut tokens.reasoning, more.reasoning),
        ] {
            *sum = sum.saturating_add(more);
        }
        self.last_used_at = self.last_used_at.max(other.last_used_at);
    }
}
