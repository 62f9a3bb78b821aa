//! What was used on which day at which endpoint: the sums that the daily report shows.
//! Corrections count on the day of what they correct, so the sums are those of the rows.

use std::collections::BTreeMap;

use ledger::{Amounts, Day};
use money::Money;
use uuid::Uuid;

use crate::{KeyHash, SealedRow};

/// Which rows a report of activity counts, and what it tells apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityFilter {
    /// From this day on.
    pub first: Day,
    /// To this day, itself included.
    pub last: Day,
    /// Only what this key paid.
    pub key: Option<KeyHash>,
    /// Only what was admitted in this workspace.
    pub workspace: Option<Uuid>,
    /// Only what was paid by keys made for this member.
    pub creator: Option<String>,
    /// Whether each workspace has sums of its own.
    pub by_workspace: bool,
}

/// What one sum is for: a day at an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ActivityGroup {
    /// The UTC day of admission.
    pub day: Day,
    /// The workspace of admission; `None` where workspaces are not told apart.
    pub workspace: Option<Uuid>,
    /// The model, by the gateway's id.
    pub model: String,
    /// The provider's slug.
    pub provider: String,
    /// The model, by the provider's name.
    pub upstream_model: String,
}

/// One sum. A figure past the largest there is stays at it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ActivityFigures {
    /// What was charged.
    pub cost: Amounts,
    /// Attempts that were settled; a correction is none.
    pub requests: u64,
    /// Tokens of prompts, cached ones included.
    pub prompt_tokens: u64,
    /// Tokens generated, reasoning included.
    pub completion_tokens: u64,
    /// Tokens spent on reasoning.
    pub reasoning_tokens: u64,
    /// Tokens read from providers' caches.
    pub cached_tokens: u64,
}

/// Every sum that is asked for and has rows.
pub type Activity = BTreeMap<ActivityGroup, ActivityFigures>;

impl ActivityFilter {
    /// Whether `row` counts.
    pub fn takes(&self, row: &SealedRow) -> bool {
        (self.first..=self.last).contains(&row.day)
            && self.key.is_none_or(|key| row.key == key)
            && self.workspace.is_none_or(|workspace| row.workspace == workspace)
            && (self.creator.is_none() || row.creator == self.creator)
    }

    /// The sum that `row` counts in.
    pub fn group(&self, row: &SealedRow) -> ActivityGroup {
        ActivityGroup {
            day: row.day,
            workspace: self.by_workspace.then_some(row.workspace),
            model: row.model.clone(),
            provider: row.provider.clone(),
            upstream_model: row.upstream_model.clone(),
        }
    }
}

impl ActivityFigures {
    /// What `row` counts.
    pub fn of(row: &SealedRow) -> ActivityFigures {
        ActivityFigures {
            cost: row.cost,
            requests: row.requests,
            prompt_tokens: row.tokens.prompt,
            completion_tokens: row.tokens.completion,
            reasoning_tokens: row.tokens.reasoning,
            cached_tokens: row.tokens.cached,
        }
    }

    /// Adds `other`, each figure by itself.
    pub fn add(&mut self, other: &ActivityFigures) {
        let sum = |a: Money, b: Money| Money::nanos(a.as_nanos().saturating_add(b.as_nanos()));
        self.cost = Amounts {
            credits: sum(self.cost.credits, other.cost.credits),
            byok: sum(self.cost.byok, other.cost.byok),
        };
        for (figure, more) in [
            (&mut self.requests, other.requests),
            (&mut self.prompt_tokens, other.prompt_tokens),
            (&mut self.completion_tokens, other.completion_tokens),
            (&mut self.reasoning_tokens, other.reasoning_tokens),
            (&mut self.cached_tokens, other.cached_tokens),
        ] {
            *figure = figure.saturating_add(more);
        }
    }
}
