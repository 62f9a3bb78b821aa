//! One limit in one window: what is settled, what is held and what is left.
//! A cell is computed at the moment it is looked at; nothing is stored per limit.

use jiff::Timestamp;
use money::Money;

use crate::{Amounts, Day, Period, Tally, Window};

/// Where a limit comes from, in the API's words for it (`scope` of a `KeyBudget`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layer {
    /// A budget of the workspace, of which there is one a period.
    Workspace,
    /// The key's own limit.
    Key,
}

/// The most that may be spent in one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Whose limit it is.
    pub layer: Layer,
    /// The amount; zero is a real limit that blocks all paid use.
    pub amount: Money,
    /// When spend starts afresh.
    pub period: Period,
    /// Whether use of the owner's own provider keys counts.
    pub include_byok: bool,
}

/// One limit as it stands at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The limit.
    pub limit: Limit,
    /// The window the moment falls in.
    pub window: Window,
    /// What was settled in the window, as the limit counts it.
    pub settled: Money,
    /// What is on hold in the window, as the limit counts it.
    pub held: Money,
}

impl Cell {
    /// How `limit` stands at `now`, given an account's figures.
    pub fn at(limit: Limit, tally: &Tally, now: Timestamp) -> Cell {
        let window = limit.period.window(Day::of(now));
        let counted = |amounts: Amounts| amounts.counted(limit.include_byok).unwrap_or(Money::MAX);
        Cell {
            limit,
            window,
            settled: counted(tally.settled(window)),
            held: counted(tally.held(window)),
        }
    }

    /// The limit less what was settled; below zero where the limit was set under what was spent.
    pub fn left(&self) -> Money {
        Money::nanos(self.limit.amount.as_nanos().saturating_sub(self.settled.as_nanos()))
    }

    /// What a new hold may take: what is left less what others hold.
    pub fn free(&self) -> Money {
        Money::nanos(self.left().as_nanos().saturating_sub(self.held.as_nanos()))
    }

    /// Whether the limit is used up by what was settled.
    pub fn is_spent(&self) -> bool {
        self.settled >= self.limit.amount
    }

    /// What this limit counts of `amounts`; past the largest amount counts as more than any limit.
    pub(crate) fn count(&self, amounts: Amounts) -> Option<Money> {
        amounts.counted(self.limit.include_byok)
    }
}
