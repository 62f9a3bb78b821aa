//! What was learned about endpoints, to and from the store, so that a restart forgets nothing.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use parking_lot::Mutex;
use store::EndpointMark;

use super::{Endpoint, Learned};

/// What was learned about every endpoint there ever was: one that leaves the configuration and
/// comes back is known again.
#[derive(Debug, Default)]
pub struct LearnedBook {
    by_name: Mutex<HashMap<[String; 3], Arc<Learned>>>,
}

impl LearnedBook {
    /// What was learned about one endpoint.
    pub fn of(&self, model: &str, provider: &str, upstream_model: &str) -> Arc<Learned> {
        let name = [model, provider, upstream_model].map(str::to_owned);
        Arc::clone(self.by_name.lock().entry(name).or_default())
    }

    /// What was learned about each, in the order of their names.
    pub fn all(&self) -> BTreeMap<[String; 3], Arc<Learned>> {
        let by_name = self.by_name.lock();
        by_name.iter().map(|(name, learned)| (name.clone(), Arc::clone(learned))).collect()
    }

    /// Puts marks from the store in force.
    pub fn learn(&self, marks: &[EndpointMark]) {
        for mark in marks {
            let learned = self.of(&mark.model, &mark.provider, &mark.upstream_model);
            learned.raise_overhead(mark.prompt_overhead_tokens);
            if mark.held_at_maximum {
                learned.charged_above_hold(false);
            }
            if mark.barred {
                learned.charged_above_hold(true);
            }
        }
    }
}

impl Endpoint {
    /// What was learned about it, for the store.
    pub fn mark(&self) -> EndpointMark {
        EndpointMark {
            model: self.model.clone(),
            provider: self.provider.slug.clone(),
            upstream_model: self.upstream_model.clone(),
            prompt_overhead_tokens: self.learned.prompt_overhead_tokens(),
            held_at_maximum: self.learned.is_held_at_maximum(),
            barred: self.learned.is_barred(),
        }
    }
}
