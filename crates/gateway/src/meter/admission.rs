//! Lets a request spend, or refuses it with the numbers a person needs.
//!
//! Candidates whose worst case does not fit are left out; refused is what leaves none. A request
//! that would fit but for others' holds waits a bounded time for them to end (DESIGN step 3).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use ledger::{Amounts, Bid, Hold, Layer, Measure, Refusal, TooFast};
use money::{Money, Percent};
use store::KeyRecord;
use tokio::time::Instant;
use upstream::Request;

use super::bound::Candidate;
use crate::core::Core;
use crate::directory::{Key, Standing};
use crate::http::error::{ApiError, ApiResult};
use crate::metrics::{Bound, Reason};
use crate::observe;
use crate::routing::{Place, Places, Unroutable};
use crate::workspaces::Workspace;

/// A request that may spend.
pub struct Admitted {
    /// What is set aside for it.
    pub hold: Hold,
    /// The key's settings that it is set aside under: whose spend it is, and in which workspace.
    pub record: Arc<KeyRecord>,
    /// Where it may go, in the order to try; the hold covers each of them.
    pub candidates: Vec<Candidate>,
    /// Where it may go if none of those answers, for which a hold is yet to be taken.
    pub rest: Vec<Candidate>,
}

/// Why nothing was admitted: the refusal, and the candidates it is for.
struct Refused<'a> {
    refusal: Refusal,
    candidates: &'a [Candidate],
}

/// Requests waiting for holds, and the bytes of their bodies.
#[derive(Debug, Default)]
pub struct Waiting {
    requests: AtomicUsize,
    body_bytes: AtomicU64,
}

impl Waiting {
    /// Requests waiting now.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

/// What a request wants to spend on.
pub struct Wish<'a> {
    /// The core of the gateway.
    pub core: &'a Core,
    /// The key that pays.
    pub key: &'a Key,
    /// The request.
    pub request: &'a Request,
    /// The bytes of its body.
    pub body_bytes: u64,
    /// It was admitted before, and wants a fresh hold for a further attempt.
    pub again: bool,
}

impl Wish<'_> {
    /// Holds the worst case of the first stage of `candidates` that fits, waiting for others' holds
    /// where that may help.
    pub async fn admit(&self, candidates: Vec<Candidate>) -> ApiResult<Admitted> {
        let mut candidates = candidates;
        let mut is_counted = false;
        let deadline = Instant::now() + Duration::from_millis(self.core.config.bounds.hold_wait_ms);
        let mut place: Option<Waiter<'_>> = None;
        loop {
            let standing = self.key.standing();
            // Made before the look, they miss nothing that is freed in between.
            let key_freed = self.key.freed().notified();
            let workspace_freed = standing.workspace.freed().notified();
            let is_last = Instant::now() >= deadline;
            // What could not be written must not be spent; that may have changed while waiting.
            if self.core.writer.is_away() {
                self.core.metrics.overloaded(Bound::StoreAway);
                return Err(ApiError::store_away());
            }
            candidates = self.usable(candidates, &standing)?;
            let look = Look { wish: self, standing: &standing, is_last };
            let refused = match look.try_stages(&candidates, is_counted) {
                Ok(admitted) => return Ok(admitted),
                Err(refused) => refused,
            };
            if !is_counted && refused.may_count() {
                is_counted = true;
                if let Some(counted) = self.counted(&candidates).await {
                    candidates = counted;
                    continue;
                }
            }
            let Refusal::Busy(cell) = &refused.refusal else {
                return Err(self.refused(&refused));
            };
            if is_last {
                return Err(self.refused(&refused));
            }
            if place.is_none() {
                let limit = match cell.limit.layer {
                    Layer::Workspace => Awaited::Workspace(Arc::clone(&standing.workspace)),
                    Layer::Key => Awaited::Key(self.key),
                };
                match Waiter::take(self, limit)? {
                    Some(taken) => place = Some(taken),
                    // The queue for this limit is full: as if the wait had been in vain.
                    None => return Err(self.refused(&refused)),
                }
            }
            // Out of time is not refused yet: the last look takes whatever is free.
            tokio::select! {
                () = key_freed => {}
                () = workspace_freed => {}
                () = tokio::time::sleep_until(deadline) => {}
            }
        }
    }

    /// The candidates as they stand now: what was learned of an endpoint, or changed of the key,
    /// binds whoever is not yet admitted.
    fn usable(
        &self,
        mut candidates: Vec<Candidate>,
        standing: &Standing,
    ) -> ApiResult<Vec<Candidate>> {
        let Standing { record, workspace } = standing;
        candidates.retain(|candidate| record.allows(&candidate.endpoint.model));
        if candidates.is_empty() {
            return Err(ApiError::model_not_allowed(&self.core.refusal_style()));
        }
        let now = self.core.clock.now();
        let is_limited = || record.limit.is_some() || !workspace.budgets().is_empty();
        let is_usable = |candidate: &Candidate| {
            let is_barred = candidate.endpoint.learned.is_barred() && is_limited();
            // A credential may have been changed or deleted while its request waited, or the key have
            // moved to a workspace that it is not for.
            let is_good = candidate.credential.as_ref().is_none_or(|one| {
                let is_here = one.record.workspace.is_none_or(|its| its == record.workspace);
                is_here && one.is_available(now)
            });
            is_good && !is_barred
        };
        let last = candidates.last().map(|candidate| candidate.endpoint.model.clone());
        let usable: Vec<Candidate> = candidates
            .into_iter()
            .filter(is_usable)
            .map(|candidate| candidate.as_learned(self.request))
            .collect();
        if usable.is_empty() {
            let unroutable = Unroutable::of_health(last.as_deref().unwrap_or_default());
            return Err(ApiError::unroutable(&unroutable, self.request));
        }
        Ok(usable)
    }

    /// The fewest and the most completion tokens worth holding for.
    fn tokens(&self, candidates: &[Candidate]) -> (u64, u64) {
        let endpoints = candidates.iter().map(|candidate| &candidate.endpoint);
        let most = endpoints.map(|endpoint| endpoint.max_completion_tokens).max().unwrap_or(1);
        match self.request.max_tokens {
            Some(named) => (named.min(most), named.min(most)),
            // Embeddings have no completion.
            None if most == 0 => (0, 0),
            None => (self.core.config.metering.completion_floor_tokens.clamp(1, most), most),
        }
    }

    /// The candidates with their prompts counted by their tokenizers, where any has one.
    async fn counted(&self, candidates: &[Candidate]) -> Option<Vec<Candidate>> {
        if candidates.iter().all(|candidate| candidate.endpoint.tokenizer.is_none()) {
            return None;
        }
        // Closed only with the gateway.
        let _turn = self.core.counting.acquire().await;
        let (candidates, request) = (candidates.to_vec(), self.request.clone());
        // Counting a long prompt takes a while: not on the thread that serves the others.
        let counting = tokio::task::spawn_blocking(move || {
            let count =
                |candidate: Candidate| match Candidate::by_tokens(&candidate.endpoint, &request) {
                    Some(counted) if counted.prompt_tokens < candidate.prompt_tokens => {
                        counted.in_place_of(&candidate)
                    }
                    _ => candidate,
                };
            candidates.into_iter().map(count).collect()
        });
        counting.await.ok()
    }

    fn refused(&self, refused: &Refused<'_>) -> ApiError {
        let Refused { refusal, candidates } = refused;
        let (style, metrics) = (self.core.refusal_style(), &self.core.metrics);
        let error = match refusal {
            Refusal::Closed => return ApiError::unauthenticated(false),
            Refusal::TooLarge => {
                return ApiError::invalid(
                    "max_tokens is too large: what the request could cost can't be expressed",
                );
            }
            Refusal::Spent(cell) => {
                metrics.refused(cell.limit.layer, Reason::Spent);
                ApiError::limit_spent(cell, &style)
            }
            Refusal::TooDear { cell, affordable } => {
                metrics.refused(cell.limit.layer, Reason::TooDear);
                let requested = self.request.max_tokens.unwrap_or(self.tokens(candidates).1);
                let cheapest =
                    candidates.iter().min_by_key(|candidate| dearness(candidate.worst(0)));
                let prompt = cheapest.map_or((0, 0), |candidate| {
                    (candidate.prompt_tokens, candidate.affordable_prompt_tokens(cell))
                });
                ApiError::too_dear(cell, requested, *affordable, prompt, &style)
            }
            Refusal::TooManyTokens { limit, affordable } => {
                metrics.refused(Layer::Key, Reason::TooManyTokens);
                let least = self.tokens(candidates).0;
                let used = candidates.iter().map(|candidate| candidate.worst_tokens(least)).min();
                ApiError::too_many_tokens(*limit, used.unwrap_or(0), *affordable)
            }
            Refusal::TooFast { pace, affordable } => {
                metrics.refused(Layer::Key, pace.measure.into());
                ApiError::too_fast(pace, *affordable, self.core.clock.now())
            }
            Refusal::Busy(cell) => {
                metrics.refused(cell.limit.layer, Reason::Busy);
                ApiError::limit_busy(cell)
            }
        };
        error.of_user(self.key.record().creator.clone())
    }
}

/// A look at whether a wish can be met now.
struct Look<'a> {
    wish: &'a Wish<'a>,
    /// The key's settings and workspace.
    standing: &'a Standing,
    /// The wait is over: what is free now is taken.
    is_last: bool,
}

impl Look<'_> {
    /// Tries one stage after the other, each under a hold of its own: what a model may be fallen
    /// back to must not make the one asked for dearer.
    ///
    /// Where counting tokens may yet help a stage, the later ones are not tried before that is done.
    fn try_stages<'a>(
        &self,
        candidates: &'a [Candidate],
        is_counted: bool,
    ) -> Result<Admitted, Refused<'a>> {
        let (mut tried, mut kept) = (0, None::<Refused<'a>>);
        for stage in candidates.chunk_by(|one, next| one.stage == next.stage) {
            tried += stage.len();
            let refusal = match self.try_each(stage) {
                Ok((hold, covered)) => {
                    let rest = candidates[tried..].to_vec();
                    let record = Arc::clone(&self.standing.record);
                    return Ok(Admitted { hold, record, candidates: covered, rest });
                }
                Err(refusal) => refusal,
            };
            let refused = Refused { refusal, candidates: stage };
            if is_of_key(&refused.refusal) || (!is_counted && refused.may_count()) {
                return Err(refused);
            }
            // One that a wait may help is kept, else the last.
            if !kept.as_ref().is_some_and(|kept| matches!(kept.refusal, Refusal::Busy(_))) {
                kept = Some(refused);
            }
        }
        Err(kept.unwrap_or(Refused { refusal: Refusal::TooLarge, candidates }))
    }

    /// Tries the candidates of a stage under one hold, leaving out the dearest, or the one with the
    /// most tokens where those are in the way, until the rest fit.
    fn try_each(&self, candidates: &[Candidate]) -> Result<(Hold, Vec<Candidate>), Refusal> {
        let mut candidates = candidates.to_vec();
        loop {
            let refusal = match self.try_all(&candidates) {
                Ok(hold) => return Ok((hold, candidates)),
                Err(refusal) => refusal,
            };
            if is_of_key(&refusal) || candidates.len() < 2 {
                return Err(refusal);
            }
            let most = self.wish.tokens(&candidates).1;
            let cost = |candidate: &Candidate| dearness(candidate.worst(most));
            let tokens = |candidate: &Candidate| candidate.worst_tokens(most);
            let places = 0..candidates.len();
            let left_out = match refusal {
                Refusal::TooManyTokens { .. } | Refusal::TooFast { .. } => {
                    places.max_by_key(|place| tokens(&candidates[*place]))
                }
                _ => places.max_by_key(|place| cost(&candidates[*place])),
            };
            candidates.remove(left_out.unwrap_or(0));
        }
    }

    fn try_all(&self, candidates: &[Candidate]) -> Result<Hold, Refusal> {
        let Look { wish, standing, is_last } = *self;
        // The clock is read and the key looked at now, when the body is there and any wait is over.
        let now = wish.core.clock.now();
        let (least, most) = wish.tokens(candidates);
        let worst = |tokens: u64| {
            candidates.iter().try_fold(Amounts::ZERO, |dearest, candidate| {
                let worst = candidate.worst(tokens)?;
                Some(Amounts {
                    credits: worst.credits.max(dearest.credits),
                    byok: worst.byok.max(dearest.byok),
                })
            })
        };
        let used = |tokens: u64| {
            let tokens = candidates.iter().map(|candidate| candidate.worst_tokens(tokens));
            tokens.max().unwrap_or(0)
        };
        let again = wish.again;
        let bid =
            Bid { least, most, worst: &worst, used: &used, again, take_what_is_free: is_last };
        // In the order their limits are enforced.
        let accounts = [standing.workspace.account(), wish.key.account()].map(Arc::clone);
        let hold = ledger::admit(&accounts, &bid, now)?;
        wish.key.used_at(now);
        Ok(hold)
    }
}

/// How dear a worst case is beside others of its stage, which all go with the owner's credentials or
/// none do: by what any limit may count of it.
fn dearness(worst: Option<Amounts>) -> Money {
    worst.and_then(|worst| worst.counted(true)).unwrap_or(Money::MAX)
}

/// Whether the request is refused whatever it asks for.
fn is_of_key(refusal: &Refusal) -> bool {
    matches!(
        refusal,
        Refusal::Closed
            | Refusal::TooFast {
                pace: TooFast { measure: Measure::Requests | Measure::Concurrent, .. },
                ..
            }
    )
}

/// Whether the request is refused for its size, so that a closer count of its tokens may help.
fn is_of_size(refusal: &Refusal) -> bool {
    match refusal {
        Refusal::TooDear { .. } | Refusal::TooManyTokens { .. } => true,
        Refusal::TooFast { pace, .. } => pace.measure == Measure::Tokens,
        Refusal::Closed | Refusal::Spent(_) | Refusal::Busy(_) | Refusal::TooLarge => false,
    }
}

/// Whose limit is waited for.
enum Awaited<'a> {
    Key(&'a Key),
    Workspace(Arc<Workspace>),
}

impl Awaited<'_> {
    /// How many requests wait for it.
    fn waiting(&self) -> &AtomicUsize {
        match self {
            Awaited::Key(key) => &key.waiting,
            Awaited::Workspace(workspace) => &workspace.waiting,
        }
    }
}

/// A place among the waiting, given back when dropped.
struct Waiter<'a> {
    core: &'a Core,
    limit: Awaited<'a>,
    body_bytes: u64,
    since: Instant,
}

impl<'a> Waiter<'a> {
    /// A place, or `None` where the limit has too many waiting already; an error where all have.
    fn take(wish: &'a Wish<'_>, limit: Awaited<'a>) -> ApiResult<Option<Waiter<'a>>> {
        let (waiting, bounds) = (&wish.core.waiting, &wish.core.config.bounds);
        if limit.waiting().fetch_add(1, Ordering::Relaxed) >= bounds.waiting_per_limit_max {
            limit.waiting().fetch_sub(1, Ordering::Relaxed);
            return Ok(None);
        }
        let requests = waiting.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let bytes =
            waiting.body_bytes.fetch_add(wish.body_bytes, Ordering::Relaxed) + wish.body_bytes;
        let core = wish.core;
        let place = Waiter { core, limit, body_bytes: wish.body_bytes, since: Instant::now() };
        if requests > bounds.waiting_max || bytes > bounds.waiting_bodies_bytes_max {
            core.metrics.overloaded(Bound::Waiting);
            return Err(ApiError::unavailable("Too many requests are waiting for limits to free."));
        }
        Ok(Some(place))
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let waiting = &self.core.waiting;
        self.limit.waiting().fetch_sub(1, Ordering::Relaxed);
        waiting.requests.fetch_sub(1, Ordering::Relaxed);
        waiting.body_bytes.fetch_sub(self.body_bytes, Ordering::Relaxed);
        self.core.metrics.waited(self.since.elapsed());
        observe::note(|passage| passage.waited(self.since));
    }
}

impl Refused<'_> {
    /// Whether it may fit once its tokens are counted.
    fn may_count(&self) -> bool {
        let may_fit = is_of_size(&self.refusal) || matches!(self.refusal, Refusal::Busy(_));
        may_fit && self.candidates.iter().any(|candidate| candidate.endpoint.tokenizer.is_some())
    }
}

/// What the request could cost at each place, in the same order; `fee` of a list price is charged
/// where it goes with a credential that was brought.
pub fn candidates(places: &Places, request: &Request, fee: Percent) -> Vec<Candidate> {
    let bounded = |place: &Place| {
        let bounded = Candidate::by_bytes(&place.endpoint, request).at_stage(place.stage);
        match &place.credential {
            Some(credential) => bounded.going_with(Arc::clone(credential), fee),
            None => bounded,
        }
    };
    places.iter().map(bounded).collect()
}
