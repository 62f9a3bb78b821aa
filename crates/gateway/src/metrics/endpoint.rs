//! What is counted of one endpoint: attempts, how long they took, what they cost.
//! Kept with what was learned of it, so that a reload of the configuration loses no count.

use std::time::Duration;

use ledger::Amounts;
use money::Money;
use store::{Source, Tokens};

use super::instrument::{Counter, Histogram, Looked, PROVIDER_SECONDS};

/// What became of an attempt, as far as the head of the provider's answer said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A status of 2xx.
    Answered,
    /// 429.
    RateLimited,
    /// Any other status below 500.
    Refused,
    /// A status of 5xx.
    Failed,
    /// No connection was had; nothing was sent.
    NotSent,
    /// It was sent, and no answer came in time.
    TimedOut,
    /// It was sent, and the connection broke before the answer's head was there.
    Broken,
    /// The gateway closed the connection since the client had left.
    Stopped,
}

impl Outcome {
    const ALL: [Outcome; 8] = [
        Outcome::Answered,
        Outcome::RateLimited,
        Outcome::Refused,
        Outcome::Failed,
        Outcome::NotSent,
        Outcome::TimedOut,
        Outcome::Broken,
        Outcome::Stopped,
    ];

    /// The outcome that an answer of `status` is.
    pub fn of_status(status: u16) -> Outcome {
        match status {
            200..=299 => Outcome::Answered,
            429 => Outcome::RateLimited,
            500.. => Outcome::Failed,
            _ => Outcome::Refused,
        }
    }

    /// The outcome of a request that was sent and has no answer.
    pub fn unanswered(is_timeout: bool) -> Outcome {
        if is_timeout { Outcome::TimedOut } else { Outcome::Broken }
    }

    /// Its name in labels.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Answered => "answered",
            Outcome::RateLimited => "rate_limited",
            Outcome::Refused => "refused",
            Outcome::Failed => "failed",
            Outcome::NotSent => "not_sent",
            Outcome::TimedOut => "timed_out",
            Outcome::Broken => "broken",
            Outcome::Stopped => "stopped",
        }
    }
}

const SOURCES: [Source; 4] = [Source::Reported, Source::Counted, Source::Held, Source::Interrupted];
const TOKENS: [&str; 5] = ["prompt", "completion", "cached", "cache_write", "reasoning"];

/// The figures of one endpoint.
#[derive(Debug)]
pub struct EndpointFigures {
    attempts: [Counter; Outcome::ALL.len()],
    first_byte: Histogram,
    whole: Histogram,
    settlements: [Counter; SOURCES.len()],
    tokens: [Counter; TOKENS.len()],
    credits_nanos: Counter,
    byok_nanos: Counter,
    above_hold: Counter,
    above_hold_nanos: Counter,
}

impl Default for EndpointFigures {
    fn default() -> EndpointFigures {
        EndpointFigures {
            attempts: Default::default(),
            first_byte: Histogram::new(&PROVIDER_SECONDS),
            whole: Histogram::new(&PROVIDER_SECONDS),
            settlements: Default::default(),
            tokens: Default::default(),
            credits_nanos: Counter::default(),
            byok_nanos: Counter::default(),
            above_hold: Counter::default(),
            above_hold_nanos: Counter::default(),
        }
    }
}

impl EndpointFigures {
    /// Whether anything was ever counted.
    pub fn is_empty(&self) -> bool {
        let counts = self.attempts.iter().chain(&self.settlements);
        counts.map(Counter::get).all(|count| count == 0)
    }

    /// Attempts by outcome.
    pub fn attempts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        Outcome::ALL
            .iter()
            .map(|outcome| outcome.name())
            .zip(self.attempts.iter().map(Counter::get))
    }

    /// How long answers took from the request to their head.
    pub fn first_byte(&self) -> Looked {
        self.first_byte.look()
    }

    /// How long answers took from the request to the end that was seen of them.
    pub fn whole(&self) -> Looked {
        self.whole.look()
    }

    /// Settlements by where their figures come from.
    pub fn settlements(&self) -> impl Iterator<Item = (&'static str, u64)> {
        SOURCES.iter().map(|source| source.as_str()).zip(self.settlements.iter().map(Counter::get))
    }

    /// Tokens by kind. Cached and cache-written ones are prompt tokens as well, reasoning ones
    /// completion tokens.
    pub fn tokens(&self) -> impl Iterator<Item = (&'static str, u64)> {
        TOKENS.into_iter().zip(self.tokens.iter().map(Counter::get))
    }

    /// What was charged, by kind, in nano-dollars.
    pub fn cost_nanos(&self) -> [(&'static str, u64); 2] {
        [("credits", self.credits_nanos.get()), ("byok", self.byok_nanos.get())]
    }

    /// How many charges were above their holds, and by how many nano-dollars in all.
    pub fn above_hold(&self) -> (u64, u64) {
        (self.above_hold.get(), self.above_hold_nanos.get())
    }

    /// An attempt came to `outcome`, `taken` after it was sent.
    pub fn attempted(&self, outcome: Outcome, taken: Duration) {
        self.attempts[outcome as usize].one();
        if outcome == Outcome::Answered {
            self.first_byte.record_duration(taken);
        }
    }

    /// A hold that an earlier process left was charged in full.
    pub fn interrupted(&self, held: Amounts) {
        self.settled(Source::Interrupted, &Tokens::default(), held, held, None);
    }

    /// An attempt's charge goes into the book: `cost`, for which `held` was on hold. `whole` is how
    /// long the provider took in all, where its answer was seen to begin.
    pub fn settled(
        &self,
        source: Source,
        tokens: &Tokens,
        cost: Amounts,
        held: Amounts,
        whole: Option<Duration>,
    ) {
        let place = SOURCES.iter().position(|known| *known == source);
        if let Some(count) = place.and_then(|place| self.settlements.get(place)) {
            count.one();
        }
        let Tokens { prompt, completion, cached, cache_write, reasoning } = *tokens;
        for (count, more) in
            self.tokens.iter().zip([prompt, completion, cached, cache_write, reasoning])
        {
            // Most answers have no tokens of most kinds.
            if more > 0 {
                count.add(more);
            }
        }
        self.credits_nanos.add(nanos(cost.credits));
        if cost.byok != Money::ZERO {
            self.byok_nanos.add(nanos(cost.byok));
        }
        let above = all(cost).saturating_sub(all(held));
        if above > 0 {
            self.above_hold.one();
            self.above_hold_nanos.add(above);
        }
        if let Some(whole) = whole {
            self.whole.record_duration(whole);
        }
    }
}

/// An amount in nano-dollars; a charge is never below zero.
fn nanos(amount: Money) -> u64 {
    u64::try_from(amount.as_nanos()).unwrap_or(0)
}

/// Credits and BYOK use together.
fn all(amounts: Amounts) -> u64 {
    nanos(amounts.credits).saturating_add(nanos(amounts.byok))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_a_place_and_a_name_of_its_own() {
        for (place, outcome) in Outcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome as usize, place);
        }
        let mut names = Outcome::ALL.map(Outcome::name).to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Outcome::ALL.len());
    }

    #[test]
    fn what_is_charged_above_a_hold_is_counted_to_the_nano_dollar() {
        let figures = EndpointFigures::default();
        let amounts =
            |credits, byok| Amounts { credits: Money::nanos(credits), byok: Money::nanos(byok) };
        let tokens = Tokens::default();
        figures.settled(Source::Reported, &tokens, amounts(5, 7), amounts(5, 7), None);
        assert_eq!(figures.above_hold(), (0, 0));
        figures.settled(Source::Reported, &tokens, amounts(6, 9), amounts(5, 7), None);
        assert_eq!(figures.above_hold(), (1, 3));
        assert_eq!(figures.cost_nanos(), [("credits", 11), ("byok", 16)]);
    }
}
