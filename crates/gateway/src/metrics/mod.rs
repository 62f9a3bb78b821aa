//! What an operator sees of the gateway: figures that every worker adds to and `GET /metrics` shows.
//!
//! Whoever counts holds what it counts with: an endpoint its own figures, the writer those of its
//! commits, the core the rest. Adding is a relaxed atomic addition; no key is ever named.

mod endpoint;
mod instrument;
mod process;
mod route;
mod scrape;
mod text;

use std::sync::Arc;
use std::time::Duration;

use ledger::{Layer, Measure};

pub use endpoint::{EndpointFigures, Outcome};
pub use instrument::{
    Buckets, COMMIT_CHANGES, COMMIT_SECONDS, Counter, HOLD_WAIT_SECONDS, Histogram, Looked,
    PROVIDER_SECONDS, Unit,
};
pub use route::{Requests, Route};
pub use scrape::scrape;

use crate::observe::ObserverFigures;

/// Where limits come from, with their names in labels.
const LAYERS: [(Layer, &str); 2] = [(Layer::Workspace, "workspace"), (Layer::Key, "key")];

/// Why a limit refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is used up.
    Spent,
    /// The worst case is above what is left.
    TooDear,
    /// Other requests hold what is left, and did not end in time.
    Busy,
    /// A key's requests of the minute are used up.
    Requests,
    /// A key's tokens of the minute are used up.
    Tokens,
    /// A key has as many requests in flight as it may.
    Concurrent,
    /// The request alone is above a key's tokens of a minute.
    TooManyTokens,
}

const REASONS: [(Reason, &str); 7] = [
    (Reason::Spent, "spent"),
    (Reason::TooDear, "too_dear"),
    (Reason::Busy, "busy"),
    (Reason::Requests, "requests_per_minute"),
    (Reason::Tokens, "tokens_per_minute"),
    (Reason::Concurrent, "concurrent_requests"),
    (Reason::TooManyTokens, "too_many_tokens"),
];

/// Whether limits of that layer refuse for that reason: only keys have a pace.
fn may_refuse(layer: Layer, reason: Reason) -> bool {
    layer == Layer::Key || matches!(reason, Reason::Spent | Reason::TooDear | Reason::Busy)
}

impl From<Measure> for Reason {
    fn from(measure: Measure) -> Reason {
        match measure {
            Measure::Requests => Reason::Requests,
            Measure::Tokens => Reason::Tokens,
            Measure::Concurrent => Reason::Concurrent,
        }
    }
}

/// A bound that all callers share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Paid requests in flight.
    InFlight,
    /// Requests that wait for holds, and their bodies.
    Waiting,
    /// Bodies in memory.
    Bodies,
    /// The store can't be written, so nothing may be admitted.
    StoreAway,
}

const BOUNDS: [(Bound, &str); 4] = [
    (Bound::InFlight, "in_flight"),
    (Bound::Waiting, "waiting"),
    (Bound::Bodies, "bodies"),
    (Bound::StoreAway, "store_away"),
];

/// The figures that belong to no endpoint and no thread.
#[derive(Debug)]
pub struct Metrics {
    /// Requests that were answered.
    pub requests: Requests,
    /// How long requests waited for others' holds.
    pub hold_wait: Histogram,
    /// Answers that were ended before their last byte, their settlement not being durable in time.
    pub not_durable: Counter,
    /// What was told of requests, and what was not.
    pub observer: Arc<ObserverFigures>,
    refusals: [[Counter; REASONS.len()]; LAYERS.len()],
    overloads: [Counter; BOUNDS.len()],
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics {
            requests: Requests::default(),
            hold_wait: Histogram::new(&HOLD_WAIT_SECONDS),
            not_durable: Counter::default(),
            observer: Arc::default(),
            refusals: Default::default(),
            overloads: Default::default(),
        }
    }
}

impl Metrics {
    /// A limit of `layer` refused a request.
    pub fn refused(&self, layer: Layer, reason: Reason) {
        let place = LAYERS.iter().position(|(known, _)| *known == layer);
        if let Some(counts) = place.and_then(|place| self.refusals.get(place)) {
            counts[reason as usize].one();
        }
    }

    /// A request was turned away at a shared bound.
    pub fn overloaded(&self, bound: Bound) {
        self.overloads[bound as usize].one();
    }

    /// A request waited for others' holds.
    pub fn waited(&self, wait: Duration) {
        self.hold_wait.record_duration(wait);
    }

    fn refusals(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        LAYERS.iter().zip(&self.refusals).flat_map(|((layer, name), counts)| {
            let counts = REASONS.iter().zip(counts);
            let possible = counts.filter(|((reason, _), _)| may_refuse(*layer, *reason));
            possible.map(|((_, reason), count)| (*name, *reason, count.get()))
        })
    }

    fn overloads(&self) -> impl Iterator<Item = (&'static str, u64)> {
        BOUNDS.iter().zip(&self.overloads).map(|((_, name), count)| (*name, count.get()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A layer that is added to the ledger has to be added here: this match says so.
    fn is_known(layer: Layer) -> bool {
        match layer {
            Layer::Workspace | Layer::Key => LAYERS.iter().any(|(known, _)| *known == layer),
        }
    }

    #[test]
    fn every_reason_and_bound_has_its_own_place() {
        assert!(is_known(Layer::Workspace) && is_known(Layer::Key));
        for (place, (reason, _)) in REASONS.into_iter().enumerate() {
            assert_eq!(reason as usize, place);
        }
        for (place, (bound, _)) in BOUNDS.into_iter().enumerate() {
            assert_eq!(bound as usize, place);
        }
        let metrics = Metrics::default();
        metrics.refused(Layer::Key, Reason::TooDear);
        metrics.overloaded(Bound::Bodies);
        metrics.refused(Layer::Key, Measure::Concurrent.into());
        let refusals: Vec<_> = metrics.refusals().filter(|(_, _, count)| *count > 0).collect();
        assert_eq!(refusals, [("key", "too_dear", 1), ("key", "concurrent_requests", 1)]);
        let overloads: Vec<_> = metrics.overloads().filter(|(_, count)| *count > 0).collect();
        assert_eq!(overloads, [("bodies", 1)]);
    }
}
