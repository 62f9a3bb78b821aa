//! How fast an account may go: requests and tokens in any minute, and requests at once.
//! A minute is any 60 seconds, wherever they begin, so that no burst fits twice around an edge.

use std::collections::VecDeque;
use std::num::NonZeroU64;

use jiff::{SignedDuration, Timestamp};

const MINUTE: SignedDuration = SignedDuration::from_secs(60);

/// Admissions within this span are kept as one, dated at the last of them: each counts for a minute
/// and up to this much longer, and no account keeps more than 602.
const STEP: SignedDuration = SignedDuration::from_millis(100);

/// The most an account may do in any minute and at once; `None` is unlimited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// Requests admitted in any 60 seconds.
    pub requests_per_minute: Option<NonZeroU64>,
    /// Prompt and completion tokens of the requests admitted in any 60 seconds.
    pub tokens_per_minute: Option<NonZeroU64>,
    /// Requests in flight at any moment.
    pub concurrent_requests: Option<NonZeroU64>,
}

impl Pace {
    /// Whether there is any limit.
    pub fn is_limited(&self) -> bool {
        *self != Pace::default()
    }
}

/// What a limit of a [`Pace`] counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Measure {
    /// Requests in a minute.
    Requests,
    /// Tokens in a minute.
    Tokens,
    /// Requests at once.
    Concurrent,
}

/// A limit of a pace that has no room for a request now; nothing but time is in its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooFast {
    /// Which limit.
    pub measure: Measure,
    /// How many it allows.
    pub limit: NonZeroU64,
    /// How many of them are free now.
    pub free: u64,
    /// From when on the request fits if nothing else comes; `None` where that is up to others'
    /// answers.
    pub free_at: Option<Timestamp>,
}

/// What an account does of late, as its pace counts it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PaceFigures {
    /// Requests admitted in the last minute.
    pub requests: u64,
    /// Their tokens: at worst while they are in flight, then as they came out.
    pub tokens: u64,
    /// Requests in flight.
    pub concurrent: u64,
}

/// Admissions that came close together.
#[derive(Debug)]
struct Step {
    /// Rises from step to step.
    id: u64,
    /// When the last of them was.
    until: Timestamp,
    requests: u64,
    /// As wide as it takes for sums of any 64-bit figures to be exact.
    tokens: u128,
}

/// The last minute of an account, and what it has in flight. Counted while it has a pace.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    /// Oldest first.
    steps: VecDeque<Step>,
    /// When the first admission of the newest step was.
    newest_since: Timestamp,
    /// The highest id of a step there was, and of one that is forgotten.
    last_id: u64,
    gone_id: u64,
    /// The sums of the steps.
    requests: u64,
    tokens: u128,
    concurrent: u64,
}

impl Recent {
    /// Forgets what is a minute ago at `now`.
    pub(crate) fn roll(&mut self, now: Timestamp) {
        self.fold(now);
        while let Some(oldest) = self.steps.pop_front_if(|step| is_past(step, now)) {
            self.gone_id = oldest.id;
            self.requests -= oldest.requests;
            self.tokens -= oldest.tokens;
        }
    }

    /// Dates what lies ahead of `now` at `now`, as one step: the clock was set back, and nobody is
    /// to wait until it is there again.
    fn fold(&mut self, now: Timestamp) {
        if self.steps.back().is_none_or(|newest| newest.until <= now) {
            return;
        }
        let first = self.steps.partition_point(|step| step.until <= now);
        let mut folded = Step { id: self.last_id, until: now, requests: 0, tokens: 0 };
        for step in self.steps.drain(first..) {
            folded.requests += step.requests;
            folded.tokens += step.tokens;
        }
        self.steps.push_back(folded);
        self.newest_since = now;
    }

    /// The limit that keeps a request of `tokens` out for longest, if one does. Rolled to now
    /// before. What is admitted `again` is a request already, and asks for its tokens alone.
    pub(crate) fn too_fast(&self, pace: &Pace, tokens: u64, again: bool) -> Option<TooFast> {
        let reached =
            |measure, limit: NonZeroU64, count: u128, asked: u64, of: fn(&Step) -> u128| {
                let excess = (count + u128::from(asked)).saturating_sub(u128::from(limit.get()));
                let free = u128::from(limit.get()).saturating_sub(count);
                let free = u64::try_from(free).unwrap_or(u64::MAX);
                (excess > 0).then(|| TooFast {
                    measure,
                    limit,
                    free,
                    free_at: Some(self.past_at(excess, of)),
                })
            };
        let requests = pace.requests_per_minute.filter(|_| !again).and_then(|limit| {
            let count = u128::from(self.requests);
            reached(Measure::Requests, limit, count, 1, |step| u128::from(step.requests))
        });
        let tokens = pace.tokens_per_minute.and_then(|limit| {
            reached(Measure::Tokens, limit, self.tokens, tokens, |step| step.tokens)
        });
        let concurrent = pace
            .concurrent_requests
            .filter(|limit| !again && self.concurrent >= limit.get())
            .map(|limit| TooFast { measure: Measure::Concurrent, limit, free: 0, free_at: None });
        [concurrent, tokens, requests].into_iter().flatten().max_by_key(|limit| limit.free_at)
    }

    /// How many tokens are free; without a limit, as many as can be counted.
    pub(crate) fn free_tokens(&self, pace: &Pace) -> u64 {
        let Some(limit) = pace.tokens_per_minute else { return u64::MAX };
        u64::try_from(u128::from(limit.get()).saturating_sub(self.tokens)).unwrap_or(u64::MAX)
    }

    /// Counts an admission, and gives the id of its step. Rolled to `now` before.
    pub(crate) fn admit(&mut self, tokens: u64, again: bool, now: Timestamp) -> u64 {
        let (requests, tokens) = (u64::from(!again), u128::from(tokens));
        self.requests += requests;
        self.tokens += tokens;
        self.concurrent += requests;
        let is_close = now.duration_since(self.newest_since) < STEP;
        if let Some(newest) = self.steps.back_mut().filter(|_| is_close) {
            newest.until = now;
            newest.requests += requests;
            newest.tokens += tokens;
        } else {
            self.last_id += 1;
            self.newest_since = now;
            self.steps.push_back(Step { id: self.last_id, until: now, requests, tokens });
        }
        self.last_id
    }

    /// Puts `used` in the place of the `held` tokens of an admission in that step; nothing where it
    /// is forgotten.
    pub(crate) fn recount(&mut self, id: u64, held: u64, used: u64) {
        if id <= self.gone_id {
            return;
        }
        // Steps that were folded into one left it the highest of their ids.
        let index = self.steps.partition_point(|step| step.id < id);
        let Some(step) = self.steps.get_mut(index) else { return };
        for sum in [&mut step.tokens, &mut self.tokens] {
            *sum = sum.saturating_sub(u128::from(held)) + u128::from(used);
        }
    }

    /// Ends one request in flight.
    pub(crate) fn leave(&mut self) {
        self.concurrent = self.concurrent.saturating_sub(1);
    }

    /// The figures. Rolled to now before.
    pub(crate) fn figures(&self) -> PaceFigures {
        PaceFigures {
            requests: self.requests,
            tokens: u64::try_from(self.tokens).unwrap_or(u64::MAX),
            concurrent: self.concurrent,
        }
    }

    /// When the oldest steps that come to `excess` will be a minute ago.
    fn past_at(&self, excess: u128, of: fn(&Step) -> u128) -> Timestamp {
        let mut past = 0;
        let last = self.steps.iter().find(|step| {
            past += of(step);
            past >= excess
        });
        let last = last.or(self.steps.back()).map_or(self.newest_since, |step| step.until);
        last.checked_add(MINUTE).unwrap_or(Timestamp::MAX)
    }
}

fn is_past(step: &Step, now: Timestamp) -> bool {
    now.duration_since(step.until) >= MINUTE
}
