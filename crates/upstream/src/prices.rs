//! What an endpoint charges, and the cost of a generation at those prices.
//! A cost is the exact sum of units times prices, rounded up once (SEMANTICS 13.4).

use money::{Bill, Money, Overflow, Rate};

use crate::Usage;

/// The prices of one endpoint; kept with a hold, they settle it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Prices {
    /// The prices of prompts below every tier.
    pub base: PriceSet,
    /// Prices that take the place of `base` for long prompts; their order means nothing.
    pub overrides: Vec<PriceTier>,
}

/// The prices from a size of prompt on, all of them at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceTier {
    /// The least prompt, in tokens, that these prices are for.
    pub min_prompt_tokens: u64,
    /// The prices.
    pub prices: PriceSet,
}

/// One set of prices, in US dollars a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct PriceSet {
    /// A prompt token.
    pub prompt: Rate,
    /// A completion token.
    pub completion: Rate,
    /// A prompt token read from the provider's cache; the prompt's price where not set.
    pub input_cache_read: Option<Rate>,
    /// A prompt token written to the provider's cache; the prompt's price where not set.
    pub input_cache_write: Option<Rate>,
    /// A prompt token of sound read from the provider's cache; the cache's price where not set.
    pub input_audio_cache: Option<Rate>,
    /// A completion token of reasoning; the completion's price where not set.
    pub internal_reasoning: Option<Rate>,
    /// A prompt token of sound; the prompt's price where not set.
    pub audio: Option<Rate>,
    /// A completion token of sound; where not set, the dearer of `audio` and the completion's.
    pub audio_output: Option<Rate>,
    /// A picture in the prompt, on top of its tokens.
    pub image: Option<Rate>,
    /// The request itself.
    pub request: Option<Rate>,
}

/// What a generation costs.
///
/// The parts are for reading, the total is what is charged. `completion` is rounded up by itself
/// and `prompt` is the rest, so that the two always add up to `total`; either is less than a
/// nano-dollar off its exact amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// The exact sum, rounded up once.
    pub total: Money,
    /// The part of the prompt, with the prices of a request and of pictures.
    pub prompt: Money,
    /// The part of the completion.
    pub completion: Money,
}

impl Prices {
    /// The prices of a prompt of that many tokens: the tier with the highest threshold not above.
    pub fn at(&self, prompt_tokens: u64) -> &PriceSet {
        let reached = self.overrides.iter().filter(|tier| tier.min_prompt_tokens <= prompt_tokens);
        reached.max_by_key(|tier| tier.min_prompt_tokens).map_or(&self.base, |tier| &tier.prices)
    }

    /// The dearest price that a prompt token can have, whatever it is and however long the prompt.
    pub fn dearest_prompt(&self) -> Rate {
        self.dearest(|set| {
            [
                Some(set.prompt),
                set.input_cache_read,
                set.input_cache_write,
                set.input_audio_cache.max(set.audio),
            ]
        })
    }

    /// The dearest price that a completion token can have.
    pub fn dearest_completion(&self) -> Rate {
        self.dearest(|set| {
            [Some(set.completion), set.internal_reasoning, Some(set.audio_output()), None]
        })
    }

    /// The dearest price of a picture in the prompt, on top of its tokens.
    pub fn dearest_image(&self) -> Rate {
        self.dearest(|set| [set.image, None, None, None])
    }

    /// The dearest price of a request, on top of its tokens.
    pub fn dearest_request(&self) -> Rate {
        self.dearest(|set| [set.request, None, None, None])
    }

    /// Whether nothing sent here can cost anything.
    pub fn is_free(&self) -> bool {
        let dearest = self
            .dearest_prompt()
            .max(self.dearest_completion())
            .max(self.dearest_image())
            .max(self.dearest_request());
        dearest.is_zero()
    }

    fn dearest(&self, prices: impl Fn(&PriceSet) -> [Option<Rate>; 4]) -> Rate {
        let tiers = self.overrides.iter().map(|tier| &tier.prices);
        std::iter::once(&self.base)
            .chain(tiers)
            .flat_map(prices)
            .flatten()
            .max()
            .unwrap_or_default()
    }
}

impl PriceSet {
    fn audio_output(&self) -> Rate {
        self.audio_output.unwrap_or(self.audio.unwrap_or_default().max(self.completion))
    }
}

/// The cost of `usage` at `prices`, to the nano-dollar.
///
/// A token has one price. Where a token of sound may have come from the cache or been reasoned, the
/// reported counts overlap: as much of the sound as can be is taken to be neither, and for the rest
/// of it the price of sound in the cache, or of reasoning, is charged.
///
/// ```
/// # use {money::Money, upstream::{PriceSet, Prices, Usage, cost}};
/// let base = PriceSet { prompt: "0.00000015".parse()?, completion: "0.0000006".parse()?, ..Default::default() };
/// let prices = Prices { base, ..Default::default() };
/// let usage = Usage { prompt_tokens: 7, completion_tokens: 3, ..Default::default() };
/// assert_eq!(cost(&usage, &prices)?.total, Money::nanos(2_850));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn cost(usage: &Usage, prices: &Prices) -> Result<Cost, Overflow> {
    let set = prices.at(usage.prompt_tokens);
    let fresh = usage
        .prompt_tokens
        .saturating_sub(usage.cached_tokens)
        .saturating_sub(usage.cache_write_tokens);
    let fresh_audio = usage.audio_prompt_tokens.min(fresh);
    let cached_audio = (usage.audio_prompt_tokens - fresh_audio).min(usage.cached_tokens);
    let cache_read = set.input_cache_read.unwrap_or(set.prompt);
    let answered = usage.completion_tokens.saturating_sub(usage.reasoning_tokens);
    let answered_audio = usage.audio_completion_tokens.min(answered);

    let mut completion = Bill::default();
    completion.add(answered - answered_audio, set.completion)?;
    completion.add(answered_audio, set.audio_output())?;
    completion.add(usage.reasoning_tokens, set.internal_reasoning.unwrap_or(set.completion))?;

    let mut all = completion;
    all.add(fresh - fresh_audio, set.prompt)?;
    all.add(fresh_audio, set.audio.unwrap_or(set.prompt))?;
    all.add(usage.cached_tokens - cached_audio, cache_read)?;
    all.add(cached_audio, set.input_audio_cache.unwrap_or(cache_read))?;
    all.add(usage.cache_write_tokens, set.input_cache_write.unwrap_or(set.prompt))?;
    all.add(usage.images, set.image.unwrap_or_default())?;
    all.add(1, set.request.unwrap_or_default())?;

    let (total, completion) = (all.round_up()?, completion.round_up()?);
    let prompt = total.checked_sub(completion).ok_or(Overflow)?;
    Ok(Cost { total, prompt, completion })
}

/// What the provider's cache saved on the prompt of `usage`: what it would have cost without a
/// cache, less what it costs. Negative where writing to the cache cost more than reading from it
/// saved; `None` where nothing was cached.
pub fn cache_discount(usage: &Usage, prices: &Prices) -> Option<Money> {
    if usage.cached_tokens == 0 && usage.cache_write_tokens == 0 {
        return None;
    }
    let uncached = Usage { cached_tokens: 0, cache_write_tokens: 0, ..*usage };
    let [without, with] = [cost(&uncached, prices).ok()?, cost(usage, prices).ok()?];
    without.total.checked_sub(with.total)
}
