//! In which order the endpoints that fit are tried.
//!
//! Without a wish: those in an outage last; of the others the first is drawn, the cheaper the
//! likelier, and the rest follow from the cheapest on (SEMANTICS 11.6). An order that the client
//! asks for is kept to the letter.

use std::cmp::Reverse;
use std::sync::Arc;

use api::routing::{Cutoffs, SortBy};
use money::Rate;
use smallvec::SmallVec;

use super::{Endpoints, Percentiles, Places, Question};
use crate::catalogue::Endpoint;
use crate::config::RoutingOrder;

/// What endpoints are compared by where nothing else is said: a prompt is usually the longer part.
const PROMPT_SHARES: u32 = 3;
const COMPLETION_SHARES: u32 = 1;
/// A ratio of prices is kept to so many binary places.
const RATIO_BITS: u32 = 24;

/// Puts `endpoints` into the order to try.
pub(super) fn arrange(
    endpoints: &mut Endpoints<'_>,
    question: &Question<'_>,
    sort: Option<SortBy>,
    draw: &mut dyn FnMut() -> u64,
) {
    let wish = question.wish;
    if endpoints.len() > 1 {
        // Those of one listed provider among each other, and all that are not listed, have the
        // order that there would be without the list.
        let rank = |endpoint: &Endpoint| {
            wish.order.iter().position(|name| endpoint.is_called(name)).unwrap_or(usize::MAX)
        };
        endpoints.sort_by_cached_key(|endpoint| rank(endpoint));
        for group in endpoints.chunk_by_mut(|one, next| rank(one) == rank(next)) {
            arrange_equals(group, question, sort, draw);
        }
    }
}

/// Puts endpoints in order between which the client's list makes no difference.
fn arrange_equals(
    endpoints: &mut [&Arc<Endpoint>],
    question: &Question<'_>,
    sort: Option<SortBy>,
    draw: &mut dyn FnMut() -> u64,
) {
    if endpoints.len() < 2 {
        return;
    }
    let now = question.now;
    match sort {
        Some(SortBy::Price) => by_price(endpoints),
        Some(SortBy::Throughput) => {
            by_price(endpoints);
            by_figure(endpoints, |endpoint| {
                Some(Reverse(endpoint.learned.health.throughput(now)?[0]))
            });
        }
        Some(SortBy::Latency) => {
            by_price(endpoints);
            by_figure(endpoints, |endpoint| Some(endpoint.learned.health.latency(now)?[0]));
        }
        // Which endpoint is the best is for the operator to say, who wrote them down in an order.
        Some(SortBy::Exacto) => {}
        None => return by_default(endpoints, question, draw),
    }
    if has_preference(question) {
        endpoints.sort_by_cached_key(|endpoint| misses(endpoint, question));
    }
}

fn by_default(
    endpoints: &mut [&Arc<Endpoint>],
    question: &Question<'_>,
    draw: &mut dyn FnMut() -> u64,
) {
    let is_drawn = question.order == RoutingOrder::Price;
    if is_drawn {
        by_price(endpoints);
    }
    let has_preference = has_preference(question);
    let mut ranked: SmallVec<[(Standing, &Arc<Endpoint>); 4]> = endpoints
        .iter()
        .map(|endpoint| {
            let is_out = endpoint.learned.health.is_out(question.now);
            let misses = has_preference && misses(endpoint, question);
            (Standing { is_out, misses }, *endpoint)
        })
        .collect();
    ranked.sort_by_key(|(standing, _)| *standing);
    for (place, (_, endpoint)) in endpoints.iter_mut().zip(&ranked) {
        *place = endpoint;
    }
    let equals = ranked.iter().take_while(|(standing, _)| *standing == ranked[0].0).count();
    if is_drawn && equals > 1 {
        let drawn = drawn(&endpoints[..equals], draw());
        endpoints[..=drawn].rotate_right(1);
    }
}

/// What counts before the price, the worse the later.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Standing {
    is_out: bool,
    misses: bool,
}

/// The place of one of `endpoints`, which come from the cheapest on: each as likely as one by its
/// price squared, and a free one sure to be taken, whichever of them it is.
fn drawn(endpoints: &[&Arc<Endpoint>], chance: u64) -> usize {
    let prices: SmallVec<[u128; 8]> = endpoints.iter().map(|endpoint| price(endpoint)).collect();
    let least = prices.first().copied().unwrap_or(0);
    let weight = |price: u128| match (least, price) {
        (0, 0) => 1,
        (0, _) => 0,
        // Prices have 82 bits at most, and a ratio at most 24: nothing here can overflow.
        _ => ((least << RATIO_BITS) / price).pow(2),
    };
    let all: u128 = prices.iter().map(|price| weight(*price)).sum();
    // The chance as a share of all weights, which have 53 bits.
    let mut left = (u128::from(chance) * all) >> u64::BITS;
    for (place, price) in prices.iter().enumerate() {
        let weight = weight(*price);
        if left < weight {
            return place;
        }
        left -= weight;
    }
    0
}

/// What a request costs there, as far as endpoints are compared by it.
fn price(endpoint: &Endpoint) -> u128 {
    let set = &endpoint.prices.base;
    Rate::blend(&[(PROMPT_SHARES, set.prompt), (COMPLETION_SHARES, set.completion)])
}

fn by_price(endpoints: &mut [&Arc<Endpoint>]) {
    endpoints.sort_by_key(|endpoint| price(endpoint));
}

/// Sorts by a figure; those of which none is known come last, as they stand.
fn by_figure<F: Ord>(endpoints: &mut [&Arc<Endpoint>], figure: impl Fn(&Endpoint) -> Option<F>) {
    endpoints.sort_by_cached_key(|endpoint| {
        let figure = figure(endpoint);
        (figure.is_none(), figure)
    });
}

/// Moves what is known to miss the client's preferences behind all other models, too.
pub(super) fn prefer_across(places: &mut Places, question: &Question<'_>) {
    if !has_preference(question) {
        return;
    }
    places.sort_by_cached_key(|place| misses(&place.endpoint, question));
    let (mut stage, mut before) = (0, None);
    for place in places {
        if before.is_some_and(|before| before != place.stage) {
            stage += 1;
        }
        before = Some(std::mem::replace(&mut place.stage, stage));
    }
}

fn has_preference(question: &Question<'_>) -> bool {
    let wish = question.wish;
    wish.preferred_max_latency.is_some() || wish.preferred_min_throughput.is_some()
}

/// Whether an endpoint is known to miss what the client prefers; one of which nothing is known may
/// well fulfil it.
fn misses(endpoint: &Endpoint, question: &Question<'_>) -> bool {
    let Question { wish, now, .. } = *question;
    let health = &endpoint.learned.health;
    let is_slow_to_begin = wish.preferred_max_latency.is_some_and(|most| {
        health.latency(now).is_some_and(|figures| any(most, figures, |bound, found| found > bound))
    });
    is_slow_to_begin
        || wish.preferred_min_throughput.is_some_and(|least| {
            let found = health.throughput(now);
            found.is_some_and(|figures| any(least, figures, |bound, found| found < bound))
        })
}

fn any(Cutoffs(bounds): Cutoffs, figures: Percentiles, fails: fn(u64, u64) -> bool) -> bool {
    bounds.iter().zip(figures).any(|(bound, found)| bound.is_some_and(|bound| fails(bound, found)))
}
