//! One row of the book: what one attempt at a generation cost, or a correction of it.
//! Rows are added and never edited; every figure Tollgate reports is a sum of them.

use jiff::Timestamp;
use ledger::{Amounts, Day};
use money::Money;
use uuid::Uuid;

use crate::KeyHash;

/// Where a row's figures come from (DESIGN step 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// The provider's own usage.
    Reported,
    /// Tokens counted by the gateway.
    Counted,
    /// The whole hold, because the provider's end was not seen.
    Held,
    /// The whole hold, because the process ended while the request was in flight.
    Interrupted,
}

impl Source {
    /// The word for it, in the store, the API and the metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Source::Reported => "reported",
            Source::Counted => "counted",
            Source::Held => "held",
            Source::Interrupted => "interrupted",
        }
    }

    /// The source of that name.
    pub fn parse(text: &str) -> Option<Source> {
        [Source::Reported, Source::Counted, Source::Held, Source::Interrupted]
            .into_iter()
            .find(|source| source.as_str() == text)
    }
}

/// What was asked for.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum ApiType {
    /// A chat completion.
    #[default]
    Completions,
    /// Embeddings.
    Embeddings,
}

impl ApiType {
    /// The word for it, in the store and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            ApiType::Completions => "completions",
            ApiType::Embeddings => "embeddings",
        }
    }

    /// The one of that name.
    pub fn parse(text: &str) -> Option<ApiType> {
        [ApiType::Completions, ApiType::Embeddings]
            .into_iter()
            .find(|api_type| api_type.as_str() == text)
    }
}

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// One attempt, as first settled.
    Attempt,
    /// The n-th correction of it, counted from 1: the difference it makes, dated as the original.
    Correction(u32),
    /// What a key had spent elsewhere before it came here: no request, and no use of the key.
    Opening,
}

/// Tokens as the provider counts them; a correction carries none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// In the prompt, cached ones included.
    pub prompt: u64,
    /// Generated, reasoning included.
    pub completion: u64,
    /// Read from the provider's cache.
    pub cached: u64,
    /// Written to the provider's cache.
    pub cache_write: u64,
    /// Spent on reasoning.
    pub reasoning: u64,
}

/// One call to a provider within a generation, for `provider_responses` of the API.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Attempt {
    /// The provider's slug.
    pub provider: String,
    /// The model asked for, by the gateway's id.
    pub model: String,
    /// The provider's name for it; empty in rows from before it was kept.
    #[serde(default)]
    pub upstream_model: String,
    /// The provider's status; `None` where no answer came.
    pub status: Option<u16>,
    /// How long the provider took to answer or fail, in milliseconds.
    pub latency_ms: u64,
    /// Whether it went with a credential of the owner's; not in rows from before there were any.
    #[serde(default)]
    pub is_byok: bool,
}

/// A row of the book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The generation's public id, `gen-…`.
    pub generation: String,
    /// What was asked for.
    pub api_type: ApiType,
    /// Which attempt of it, from 0. With `kind` it makes the row unique (DESIGN I4).
    pub attempt: u32,
    /// What the row is.
    pub kind: Kind,
    /// The key that paid.
    pub key: KeyHash,
    /// The workspace the key was in when the request was admitted.
    pub workspace: Uuid,
    /// The member the key was made for.
    pub creator: Option<String>,
    /// The model, by the gateway's id.
    pub model: String,
    /// The provider's slug.
    pub provider: String,
    /// The model, by the provider's name.
    pub upstream_model: String,
    /// The owner's credential it went with; `None` for the operator's own.
    pub credential: Option<Uuid>,
    /// When the request was admitted; decides its day, week and month. Whole microseconds.
    pub admitted_at: Timestamp,
    /// What it cost; of a correction, the difference it makes, which may be negative.
    pub cost: Amounts,
    /// What was on hold for it.
    pub held: Amounts,
    /// Where the figures come from.
    pub source: Source,
    /// The tokens.
    pub tokens: Tokens,
    /// What the provider's cache saved on the prompt, at the prices it was charged by; negative
    /// where writing to the cache cost more. `None` where nothing was cached, and of a correction.
    pub cache_discount: Option<Money>,
    /// The provider's id for its answer.
    pub upstream_id: Option<String>,
    /// Whether the client asked for a stream.
    pub streamed: bool,
    /// Whether the client left before the end.
    pub cancelled: bool,
    /// Why generation ended, in the provider's word.
    pub finish_reason: Option<String>,
    /// From the request's arrival to the end, in milliseconds.
    pub latency_ms: u64,
    /// From the provider's first byte to its last, in milliseconds.
    pub generation_ms: u64,
    /// Every provider that was tried, in order.
    pub attempts: Vec<Attempt>,
    /// The client's `HTTP-Referer`.
    pub referer: Option<String>,
    /// The client's `User-Agent`.
    pub user_agent: Option<String>,
    /// The client's session.
    pub session: Option<String>,
}

impl Entry {
    /// The UTC day it counts on.
    pub fn day(&self) -> Day {
        Day::of(self.admitted_at)
    }
}
