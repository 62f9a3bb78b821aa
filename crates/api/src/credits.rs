//! `GET /credits`: what the account may spend and has spent in all (SEMANTICS 5.1).

use serde::{Deserialize, Serialize};

use crate::Usd;

/// The account's two totals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credits {
    /// What was bought.
    pub total_credits: Usd,
    /// What was charged to all keys ever, deleted ones included.
    pub total_usage: Usd,
}
