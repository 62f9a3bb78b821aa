//! What was learned about endpoints, to and from the store, so that a restart forgets nothing.

use store::EndpointMark;

use super::{Catalogue, Endpoint};

impl Catalogue {
    /// Puts marks from the store in force.
    pub fn learn(&self, marks: &[EndpointMark]) {
        for mark in marks {
            for endpoint in self.endpoints().filter(|endpoint| endpoint.is_marked_by(mark)) {
                endpoint.learned.raise_overhead(mark.prompt_overhead_tokens);
                if mark.held_at_maximum {
                    endpoint.learned.charged_above_hold(false);
                }
                if mark.barred {
                    endpoint.learned.charged_above_hold(true);
                }
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

    /// Whether `mark` is this endpoint's.
    pub fn is_marked_by(&self, mark: &EndpointMark) -> bool {
        self.model == mark.model
            && self.provider.slug == mark.provider
            && self.upstream_model == mark.upstream_model
    }
}
