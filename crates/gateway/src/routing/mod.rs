//! Where a request may go, and in which order: the models it names, the endpoints of each that do
//! what it asks for, the likeliest to do well first (SEMANTICS 11).
//!
//! Pure: no I/O, no clock, and chance is drawn by whoever asks. What is learned of endpoints is
//! read as it stands.

mod copies;
mod filter;
mod health;
mod order;
mod resolve;
mod unroutable;

use std::sync::Arc;

use api::routing::{ProviderPreferences, SortBy};
use jiff::Timestamp;
use smallvec::SmallVec;
use upstream::{Request, Surface};

use crate::catalogue::{Catalogue, Endpoint, Model};
use crate::config::RoutingOrder;
use crate::credentials::Credential;
use copies::Copies;

pub use copies::Brought;
pub use health::{
    Health, OUTAGE_FAILURES_MIN, OUTAGE_PERCENT, OUTAGE_SECONDS, Pace, Percentiles, Report,
};
pub use unroutable::{Step, Unroutable};

/// A request has at most this many places to go: what each could cost is worked out beforehand.
pub const PLACES_MAX: usize = 32;

/// Endpoints of one model, which are rarely more.
type Endpoints<'a> = SmallVec<[&'a Arc<Endpoint>; 4]>;

/// The models that a request names, each once, in the order to try.
pub type Asked = SmallVec<[AskedModel; 2]>;

/// A model that a request names.
#[derive(Clone)]
pub struct AskedModel {
    /// The model.
    pub model: Arc<Model>,
    /// What the name says of the order of its endpoints, as `:nitro` does.
    pub sort: Option<SortBy>,
}

/// Which models a request may ask for.
pub struct Terms<'a> {
    /// What it asks for.
    pub surface: Surface,
    /// Whether its key may use the model of that id.
    pub allows: &'a dyn Fn(&str) -> bool,
}

/// What decides where a request goes, besides the models.
pub struct Question<'a> {
    /// The request.
    pub request: &'a Request,
    /// What its client says of providers.
    pub wish: &'a ProviderPreferences,
    /// The order of endpoints where the client names none.
    pub order: RoutingOrder,
    /// What was brought to go with; `None` where nothing was, which costs no look.
    pub brought: Option<&'a Brought<'a>>,
    /// What its workspace has endpoints sorted by where nothing else says so.
    pub sort: Option<SortBy>,
    /// When it is asked.
    pub now: Timestamp,
}

/// A place where a request may go.
#[derive(Clone)]
pub struct Place {
    /// The endpoint.
    pub endpoint: Arc<Endpoint>,
    /// The credential to go with; `None` is the operator's own.
    pub credential: Option<Arc<Credential>>,
    /// Places of one stage share a hold; the next stage is tried where all of one have failed. A
    /// stage is a model's, or everything where the client has models pooled; and either all of it
    /// goes with credentials that were brought, or nothing.
    pub stage: usize,
}

/// The places a request may go to, in the order to try; at least one.
pub type Places = SmallVec<[Place; 4]>;

/// The models that `ids` name and that may be asked for so; what else they name is left out, and is
/// the error where nothing is left.
///
/// ```text
/// author/slug          as configured, an alias included
/// author/slug:nitro    the same, the fastest endpoint first
/// author/slug:floor    the same, the cheapest endpoint first
/// ```
pub fn resolve<'a>(
    catalogue: &Catalogue,
    ids: impl Iterator<Item = &'a str>,
    terms: &Terms<'_>,
) -> Result<Asked, Unroutable> {
    resolve::resolve(catalogue, ids, terms)
}

/// The places that `asked` comes to, or why there is none: the reason of the last model.
///
/// `draw` gives 64 even bits of chance; it is called where more than one endpoint would do as the
/// first, and only then.
pub fn choose(
    asked: &[AskedModel],
    question: &Question<'_>,
    draw: &mut dyn FnMut() -> u64,
) -> Result<Places, Unroutable> {
    let mut places = Places::new();
    let mut pool = Endpoints::new();
    let mut reason = None;
    for asked in asked {
        let mut endpoints = match filter::fitting(&asked.model, question) {
            Ok(endpoints) => endpoints,
            Err(unroutable) => {
                reason = Some(unroutable);
                continue;
            }
        };
        if question.wish.pools_models {
            pool.append(&mut endpoints);
            continue;
        }
        let sort = question.wish.sort.or(asked.sort).or(question.sort);
        order::arrange(&mut endpoints, question, sort, draw);
        add(&mut places, &copies::spread(&endpoints, question));
    }
    if !pool.is_empty() {
        let named = asked.first().and_then(|asked| asked.sort);
        let sort = question.wish.sort.or(named).or(question.sort);
        order::arrange(&mut pool, question, sort, draw);
        add(&mut places, &copies::spread(&pool, question));
    }
    if asked.len() > 1 && question.wish.order.is_empty() && !question.wish.pools_models {
        order::prefer_across(&mut places, question);
    }
    match reason {
        Some(reason) if places.is_empty() => Err(reason),
        _ => Ok(places),
    }
}

/// Adds a model's copies as stages of their own, one for each run of those that cost the same
/// account.
fn add(places: &mut Places, copies: &Copies<'_>) {
    let mut stage = places.last().map_or(0, |last| last.stage + 1);
    let mut before = None;
    for copy in copies.iter().take(PLACES_MAX - places.len()) {
        let is_own = copy.credential.is_none();
        stage += usize::from(before.is_some_and(|before| before != is_own));
        before = Some(is_own);
        let (endpoint, credential) = (Arc::clone(copy.endpoint), copy.credential.cloned());
        places.push(Place { endpoint, credential, stage });
    }
}

#[cfg(test)]
mod tests;
