//! Usage in the dialects that providers speak, and what it costs.

use money::{Money, Rate};
use proptest::prelude::*;
use upstream::{PriceSet, PriceTier, Prices, Usage, cache_discount, cost};

fn rate(text: &str) -> Rate {
    text.parse().unwrap()
}

#[test]
fn each_dialect_is_read() {
    let plain = Usage { prompt_tokens: 32, completion_tokens: 5, ..Usage::default() };
    let cached = Usage { cached_tokens: 24, ..plain };
    let reasoned = Usage { completion_tokens: 325, reasoning_tokens: 320, ..plain };
    let cases = [
        (r#"{"prompt_tokens":32,"completion_tokens":5,"total_tokens":37}"#, plain),
        (r#"{"prompt_tokens":32,"completion_tokens":5,"total_tokens":0}"#, plain),
        // OpenAI, llama.cpp, vLLM
        (
            r#"{"prompt_tokens":32,"completion_tokens":5,"total_tokens":37,
                "prompt_tokens_details":{"cached_tokens":24,"audio_tokens":null},
                "completion_tokens_details":null}"#,
            cached,
        ),
        // DeepSeek
        (
            r#"{"prompt_tokens":32,"completion_tokens":5,"total_tokens":37,
                "prompt_cache_hit_tokens":24,"prompt_cache_miss_tokens":8}"#,
            cached,
        ),
        // Moonshot
        (r#"{"prompt_tokens":32,"completion_tokens":5,"cached_tokens":24}"#, cached),
        // Groq's times are fractions, and none of ours
        (r#"{"queue_time":0.1,"prompt_tokens":32,"completion_tokens":5,"total_tokens":37}"#, plain),
        // the Responses names: cached inside
        (
            r#"{"input_tokens":32,"output_tokens":5,"input_tokens_details":{"cached_tokens":24}}"#,
            cached,
        ),
        // Anthropic: cached and written outside
        (
            r#"{"input_tokens":5,"output_tokens":5,"cache_read_input_tokens":24,
                "cache_creation_input_tokens":3}"#,
            Usage { cache_write_tokens: 3, ..cached },
        ),
        // OpenRouter
        (
            r#"{"prompt_tokens":32,"completion_tokens":5,"cost":0.01,
                "prompt_tokens_details":{"cached_tokens":24,"cache_write_tokens":8}}"#,
            Usage { cache_write_tokens: 8, ..cached },
        ),
        (
            r#"{"prompt_tokens":32,"completion_tokens":325,"total_tokens":357,
                "completion_tokens_details":{"reasoning_tokens":320}}"#,
            reasoned,
        ),
        // xAI: reasoning beside the completion
        (
            r#"{"prompt_tokens":32,"completion_tokens":5,"total_tokens":357,
                "completion_tokens_details":{"reasoning_tokens":320}}"#,
            reasoned,
        ),
        // Google: the same, and only the total says so
        (r#"{"prompt_tokens":32,"completion_tokens":5,"total_tokens":357}"#, reasoned),
        (r#"{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}"#, Usage::default()),
    ];
    for (text, usage) in cases {
        assert_eq!(Usage::parse(text), Some(usage), "{text}");
    }
}

#[test]
fn what_does_not_add_up_counts_as_absent() {
    for text in [
        "null",
        "[]",
        "{}",
        r#"{"prompt_tokens":1}"#,
        r#"{"completion_tokens":1}"#,
        r#"{"prompt_tokens":-1,"completion_tokens":1}"#,
        r#"{"prompt_tokens":24.0,"completion_tokens":1}"#,
        r#"{"prompt_tokens":1e2,"completion_tokens":1}"#,
        r#"{"prompt_tokens":"24","completion_tokens":1}"#,
        r#"{"prompt_tokens":1,"prompt_tokens":2,"completion_tokens":1}"#,
        r#"{"prompt_tokens":1,"completion_tokens":1099511627777}"#,
        r#"{"prompt_tokens":18446744073709551615,"completion_tokens":1}"#,
        r#"{"prompt_tokens":1,"completion_tokens":1,"total_tokens":18446744073709551615}"#,
        r#"{"prompt_tokens":3,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":2,"cache_write_tokens":2}}"#,
        r#"{"prompt_tokens":3,"completion_tokens":1,"prompt_tokens_details":{"audio_tokens":4}}"#,
        r#"{"prompt_tokens":3,"completion_tokens":1,"completion_tokens_details":{"reasoning_tokens":2}}"#,
        r#"{"prompt_tokens":3,"completion_tokens":3,"completion_tokens_details":{"reasoning_tokens":2,"audio_tokens":2}}"#,
        r#"{"prompt_tokens":3,"completion_tokens":1,"prompt_cache_hit_tokens":-1}"#,
    ] {
        assert_eq!(Usage::parse(text), None, "{text}");
    }
}

/// Prices that are each a power of ten of a nano-dollar, so that a sum shows its parts.
fn digits() -> PriceSet {
    PriceSet {
        prompt: rate("0.000000001"),
        completion: rate("0.00000001"),
        input_cache_read: Some(rate("0.0000001")),
        input_cache_write: Some(rate("0.000001")),
        internal_reasoning: Some(rate("0.00001")),
        audio: Some(rate("0.0001")),
        audio_output: Some(rate("0.001")),
        image: Some(rate("0.01")),
        request: Some(rate("0.1")),
        input_audio_cache: Some(rate("1")),
    }
}

#[test]
fn every_token_is_charged_once_at_its_own_price() {
    let usage = Usage {
        prompt_tokens: 1 + 3 + 4 + 6,
        completion_tokens: 2 + 5 + 7,
        cached_tokens: 3,
        cache_write_tokens: 4,
        audio_prompt_tokens: 6,
        reasoning_tokens: 5,
        audio_completion_tokens: 7,
        images: 8,
    };
    let prices = Prices { base: digits(), overrides: Vec::new() };
    let charged = cost(&usage, &prices).unwrap();
    assert_eq!(charged.total, Money::nanos(187_654_321));
    assert_eq!(charged.completion, Money::nanos(7_050_020));
    assert_eq!(charged.prompt, Money::nanos(180_604_301));
}

#[test]
fn sound_that_can_only_have_come_from_the_cache_has_a_price_of_its_own() {
    let total = |audio_prompt_tokens, prices| {
        let usage =
            Usage { prompt_tokens: 10, cached_tokens: 6, audio_prompt_tokens, ..Usage::default() };
        cost(&usage, &Prices { base: prices, overrides: Vec::new() }).unwrap().total
    };
    let prices = PriceSet { request: None, ..digits() };
    assert_eq!(total(0, prices), Money::nanos(4 + 600));
    assert_eq!(total(4, prices), Money::nanos(400_000 + 600));
    assert_eq!(total(6, prices), Money::nanos(400_000 + 400 + 2_000_000_000));
    let without = PriceSet { input_audio_cache: None, ..prices };
    assert_eq!(total(6, without), Money::nanos(400_000 + 600));
}

#[test]
fn a_price_that_is_not_set_is_that_of_the_prompt_or_the_completion() {
    let base = PriceSet {
        prompt: rate("0.000000001"),
        completion: rate("0.00000001"),
        ..PriceSet::default()
    };
    let usage = Usage {
        prompt_tokens: 9,
        completion_tokens: 9,
        cached_tokens: 3,
        cache_write_tokens: 3,
        audio_prompt_tokens: 3,
        reasoning_tokens: 3,
        audio_completion_tokens: 3,
        images: 3,
    };
    let prices = Prices { base, overrides: Vec::new() };
    assert_eq!(cost(&usage, &prices).unwrap().total, Money::nanos(99));
}

#[test]
fn a_cost_is_rounded_up_once_and_its_parts_add_up() {
    let base = PriceSet {
        prompt: rate("0.0000000004"),
        completion: rate("0.0000000004"),
        ..PriceSet::default()
    };
    let usage = Usage { prompt_tokens: 1, completion_tokens: 1, ..Usage::default() };
    let charged = cost(&usage, &Prices { base, overrides: Vec::new() }).unwrap();
    assert_eq!(charged.total, Money::nanos(1));
    assert_eq!((charged.prompt, charged.completion), (Money::ZERO, Money::nanos(1)));
}

#[test]
fn a_long_prompt_takes_the_whole_set_of_the_highest_tier_it_reaches() {
    let flat = |text| PriceSet { prompt: rate(text), ..PriceSet::default() };
    let tier = |min_prompt_tokens, prices| PriceTier { min_prompt_tokens, prices };
    let prices = Prices {
        base: digits(),
        overrides: vec![tier(200, flat("0.000000003")), tier(100, flat("0.000000002"))],
    };
    let total = |prompt_tokens, cached_tokens| {
        let usage = Usage { prompt_tokens, cached_tokens, ..Usage::default() };
        cost(&usage, &prices).unwrap().total
    };
    assert_eq!(total(99, 0), Money::nanos(100_000_099));
    assert_eq!(total(100, 50), Money::nanos(200));
    assert_eq!(total(199, 0), Money::nanos(398));
    assert_eq!(total(200, 200), Money::nanos(600));
    assert_eq!(total(5_000, 0), Money::nanos(15_000));
}

#[test]
fn a_cost_too_large_for_an_amount_is_an_error() {
    let base = PriceSet { prompt: rate("1000000"), ..PriceSet::default() };
    let usage = Usage { prompt_tokens: 1 << 40, ..Usage::default() };
    assert!(cost(&usage, &Prices { base, overrides: Vec::new() }).is_err());
}

#[test]
fn only_prices_that_are_all_zero_are_free() {
    assert!(Prices::default().is_free());
    let paid = [
        PriceSet { prompt: rate("1"), ..PriceSet::default() },
        PriceSet { completion: rate("1"), ..PriceSet::default() },
        PriceSet { input_cache_write: Some(rate("1")), ..PriceSet::default() },
        PriceSet { internal_reasoning: Some(rate("1")), ..PriceSet::default() },
        PriceSet { audio_output: Some(rate("1")), ..PriceSet::default() },
        PriceSet { image: Some(rate("1")), ..PriceSet::default() },
        PriceSet { request: Some(rate("1")), ..PriceSet::default() },
        PriceSet { input_audio_cache: Some(rate("1")), ..PriceSet::default() },
    ];
    for prices in paid {
        assert!(!Prices { base: prices, overrides: Vec::new() }.is_free(), "{prices:?}");
        let tier = PriceTier { min_prompt_tokens: 1, prices };
        assert!(!Prices { base: PriceSet::default(), overrides: vec![tier] }.is_free());
    }
}

fn set() -> impl Strategy<Value = PriceSet> {
    let price = || (0_u32..5_000).prop_map(|tenths| rate(&format!("{tenths}e-10")));
    let maybe = || prop::option::of(price());
    (price(), price(), maybe(), maybe(), maybe(), maybe(), maybe(), maybe()).prop_map(
        |(prompt, completion, read, write, reasoning, audio, audio_output, audio_read)| PriceSet {
            prompt,
            completion,
            input_cache_read: read,
            input_cache_write: write,
            internal_reasoning: reasoning,
            audio,
            audio_output,
            input_audio_cache: audio_read,
            ..PriceSet::default()
        },
    )
}

proptest! {
    #[test]
    fn no_usage_costs_more_than_its_tokens_at_the_dearest_prices(
        base in set(),
        tiers in prop::collection::vec((0_u64..2_000, set()), 0..3),
        (prompt, completion) in (0_u64..2_000, 0_u64..2_000),
        parts in prop::collection::vec(0_u64..1_000, 5),
    ) {
        let tiers = tiers.into_iter();
        let overrides = tiers.map(|(min_prompt_tokens, prices)| PriceTier { min_prompt_tokens, prices });
        let prices = Prices { base, overrides: overrides.collect() };
        let usage = format!(
            r#"{{"prompt_tokens":{prompt},"completion_tokens":{completion},
                "prompt_tokens_details":{{"cached_tokens":{},"cache_write_tokens":{},"audio_tokens":{}}},
                "completion_tokens_details":{{"reasoning_tokens":{},"audio_tokens":{}}}}}"#,
            parts[0], parts[1], parts[2], parts[3], parts[4],
        );
        let Some(usage) = Usage::parse(&usage) else { return Ok(()) };
        let mut dearest = money::Bill::default();
        dearest.add(prompt, prices.dearest_prompt()).unwrap();
        dearest.add(completion, prices.dearest_completion()).unwrap();
        let charged = cost(&usage, &prices).unwrap();
        prop_assert!(charged.total <= dearest.round_up().unwrap());
        prop_assert_eq!(charged.prompt.checked_add(charged.completion), Some(charged.total));
        prop_assert!(!charged.prompt.is_negative());
    }
}

#[test]
fn a_cache_saves_what_the_prompt_would_have_cost_without_it() {
    let base = PriceSet {
        prompt: rate("0.000000010"),
        completion: rate("0.0000001"),
        input_cache_read: Some(rate("0.000000001")),
        input_cache_write: Some(rate("0.0000000125")),
        ..PriceSet::default()
    };
    let prices = Prices { base, overrides: Vec::new() };
    let saved = |cached_tokens, cache_write_tokens| {
        let usage = Usage {
            prompt_tokens: 100,
            completion_tokens: 3,
            cached_tokens,
            cache_write_tokens,
            ..Usage::default()
        };
        cache_discount(&usage, &prices).map(Money::as_nanos)
    };
    assert_eq!(saved(0, 0), None);
    assert_eq!(saved(60, 0), Some(540));
    assert_eq!(saved(60, 40), Some(440));
    assert_eq!(saved(0, 100), Some(-250));
}
