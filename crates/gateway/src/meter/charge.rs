//! What a call is charged, given how its provider's answer ended and what was seen of it.
//! The rules of DESIGN step 6, with no I/O: where each figure comes from is part of the answer.

use ledger::Amounts;
use money::Money;
use store::{Source, Tokens};
use upstream::{Cost, Prices, Reported, Usage};

use super::bound::{Byok, Candidate};

/// How a provider's answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Its end was seen.
    Complete,
    /// It was not: cut, too late, or a bound was reached.
    Unseen,
    /// The gateway closed the connection because the client had left, and the provider stops then.
    Stopped,
}

/// What was seen of an answer.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// What the provider reported.
    pub usage: Reported,
    /// The provider's own id for the answer.
    pub upstream_id: Option<String>,
    /// Why generation ended, in the provider's word.
    pub finish_reason: Option<String>,
    /// Bytes of the texts put out.
    pub text_bytes: u64,
    /// The texts themselves, while they are few, where the endpoint has a tokenizer.
    pub text: Option<String>,
    /// Sound or pictures were put out, whose tokens can't be counted from here.
    pub has_media: bool,
    /// Some of it could not be read, so that what it held is not known.
    pub is_unreadable: bool,
}

/// What a call is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Charge {
    /// The cost and its parts, at list price.
    pub cost: Cost,
    /// The tokens it is for.
    pub usage: Usage,
    /// Where the figures come from.
    pub source: Source,
    /// The owner's credential it went with.
    pub byok: Option<Byok>,
}

impl Charge {
    /// What the account is charged, and what the owner's provider does.
    pub(super) fn amounts(&self) -> Amounts {
        let list = self.cost.total;
        self.byok.map_or(Amounts::credits(list), |byok| byok.amounts(list))
    }

    /// What the provider's cache saved on the prompt; nothing where nothing was charged.
    pub(super) fn cache_discount(&self, prices: &Prices) -> Option<Money> {
        if self.cost.total.is_zero() {
            return None;
        }
        upstream::cache_discount(&self.usage, prices)
    }

    /// The tokens that were used, as far as that is known.
    pub(super) fn tokens_used(&self) -> Option<u64> {
        match self.source {
            Source::Reported | Source::Counted => {
                Some(self.usage.prompt_tokens.saturating_add(self.usage.completion_tokens))
            }
            Source::Held | Source::Interrupted => None,
        }
    }

    /// The tokens, for the book.
    pub(super) fn tokens(&self) -> Tokens {
        Tokens {
            prompt: self.usage.prompt_tokens,
            completion: self.usage.completion_tokens,
            cached: self.usage.cached_tokens,
            cache_write: self.usage.cache_write_tokens,
            reasoning: self.usage.reasoning_tokens,
        }
    }
}

/// Tokens counted by the gateway, where the provider reported none that add up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    /// In the prompt.
    pub prompt: u64,
    /// In what was seen of the completion.
    pub completion: u64,
}

/// Whether the tokens of an answer can be counted from what was seen of it, where its provider
/// reported none that add up.
fn may_count(candidate: &Candidate, end: End, seen: &Seen, may_hide: bool) -> bool {
    let is_end_known = match end {
        End::Complete | End::Stopped => true,
        End::Unseen => candidate.endpoint.provider.stops_on_disconnect,
    };
    // What was put out and not shown can't be counted, however the answer ended.
    is_end_known && !may_hide && !seen.has_media && !seen.is_unreadable
}

/// Whether the tokens have to be counted, and can be: nothing else says what was used.
pub(super) fn must_count(candidate: &Candidate, end: End, seen: &Seen, may_hide: bool) -> bool {
    let is_reported = matches!(seen.usage, Reported::Usage(_)) && is_whole(end, seen);
    !is_reported && may_count(candidate, end, seen, may_hide)
}

/// Whether a usage that was reported is that of all the provider put out.
fn is_whole(end: End, seen: &Seen) -> bool {
    match end {
        End::Complete | End::Stopped => true,
        // A stream that was cut after it had said why it ended and what it used has been seen.
        End::Unseen => seen.finish_reason.is_some(),
    }
}

/// What a call to `candidate` is charged, with `held` on hold for it.
///
/// `counted` is used where the provider reported nothing that adds up; `may_hide` says that it may
/// have put out what was not seen (reasoning, its own tools).
pub(super) fn charge(
    candidate: &Candidate,
    end: End,
    seen: &Seen,
    held: Amounts,
    images: u64,
    counted: Counted,
    may_hide: bool,
) -> Charge {
    let (endpoint, byok) = (&candidate.endpoint, candidate.byok);
    if let (Reported::Usage(usage), true) = (seen.usage, is_whole(end, seen)) {
        let usage = Usage { images, ..usage };
        let is_free = endpoint.zero_completion_free && usage.completion_tokens == 0;
        let cost = if is_free {
            Ok(Cost { total: Money::ZERO, prompt: Money::ZERO, completion: Money::ZERO })
        } else {
            upstream::cost(&usage, &endpoint.prices)
        };
        if let Ok(cost) = cost {
            return Charge { cost, usage, source: Source::Reported, byok };
        }
    }
    let held = candidate.list_price(held);
    let full = Cost { total: held, prompt: held, completion: Money::ZERO };
    if !may_count(candidate, end, seen, may_hide) {
        return Charge { cost: full, usage: Usage::default(), source: Source::Held, byok };
    }
    let usage = Usage {
        prompt_tokens: counted.prompt.min(candidate.prompt_tokens),
        completion_tokens: counted.completion,
        images,
        ..Usage::default()
    };
    match upstream::cost(&usage, &endpoint.prices) {
        Ok(cost) if cost.total <= held => Charge { cost, usage, source: Source::Counted, byok },
        // Counted by bytes it may come to more than was held; never charge that.
        _ => Charge { cost: full, usage, source: Source::Counted, byok },
    }
}

#[cfg(test)]
mod tests;
