//! Embeddings: the part of an answer that the gateway itself writes.
//! All else passes from the provider to the client untouched.

use crate::Usd;
use crate::chat::CostDetails;

/// What a request for embeddings used and what it cost (SEMANTICS 14.1).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Usage {
    /// Tokens of all inputs, as the provider counts them.
    pub prompt_tokens: u64,
    /// The same: there is no completion.
    pub total_tokens: u64,
    /// Credits charged.
    pub cost: Usd,
    /// Whether the owner's own provider key paid the provider.
    pub is_byok: bool,
    /// What the provider's part came to.
    pub cost_details: CostDetails,
}
