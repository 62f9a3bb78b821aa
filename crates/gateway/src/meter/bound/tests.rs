use jiff::Timestamp;
use ledger::{Layer, Limit, Period, Tally};
use proptest::prelude::*;
use upstream::Usage;

use super::*;
use crate::meter::sample::{endpoint, hello, request};

const OVERHEAD: &str = "prompt_overhead_tokens = 16";

fn prompt(settings: &str, request: &Request) -> u64 {
    Candidate::by_bytes(&endpoint("", settings), request).prompt_tokens
}

#[test]
fn a_prompt_is_its_bytes_as_json_and_what_is_added_unseen() {
    assert_eq!(prompt(OVERHEAD, &hello()), 47 + 16);
    assert_eq!(prompt("", &hello()), 47 + 256);
    let tool = r#","tools":[{"type":"function","function":{"name":"f"}}]"#;
    let tools = request(r#"[{"content":"Hello","role":"user"}]"#, tool);
    assert_eq!(prompt("", &tools), 47 + tool.len() as u64 + 1_024);
    assert_eq!(prompt(OVERHEAD, &tools), 47 + tool.len() as u64 + 16);
    // Seen to be 1,981 tokens, though its text is 301 bytes.
    let many = vec![r#"{"content":"a","role":"user"}"#; 300].join(",");
    assert!(prompt("prompt_overhead_tokens = 0", &request(&format!("[{many}]"), "")) >= 1_981);
}

#[test]
fn a_prompt_is_never_longer_than_the_context() {
    let long = request(&format!(r#"[{{"content":"{}","role":"user"}}]"#, "x".repeat(9_000)), "");
    assert_eq!(prompt(OVERHEAD, &long), 8_192);
    assert_eq!(prompt("context_length = 50\nprompt_overhead_tokens = 16", &hello()), 50);
}

#[test]
fn what_is_no_text_is_bounded_by_its_kind() {
    let part = |part: &str| request(&format!(r#"[{{"role":"user","content":[{part}]}}]"#), "");
    let image = part(r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}"#);
    let audio = part(r#"{"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}"#);
    let file = part(r#"{"type":"file","file":{"file_data":"data:application/pdf;base64,AAAA"}}"#);
    let unknown = part(r#"{"type":"hologram","hologram":{}}"#);
    let bounds = "image_tokens_max = 1000\naudio_tokens_max = 2000\nfile_tokens_max = 3000";
    for (request, tokens) in [(&image, 1_000), (&audio, 2_000), (&file, 3_000)] {
        let expected = tokens + request.prompt_bytes + 256;
        assert_eq!(prompt(bounds, request), expected);
        assert_eq!(prompt("", request), 8_192, "without a bound it is the context");
    }
    assert_eq!(prompt(bounds, &unknown), 8_192);
}

#[test]
fn whatever_may_be_billed_as_a_picture_is_held_for_as_one() {
    let settings = r#"pricing = { prompt = "0", completion = "0", image = "0.01" }"#;
    let worst = |parts: &[&str]| {
        let messages = format!(r#"[{{"role":"user","content":[{}]}}]"#, parts.join(","));
        let candidate = Candidate::by_bytes(&endpoint("", settings), &request(&messages, ""));
        candidate.worst(1).unwrap().credits.as_nanos()
    };
    let text = r#"{"type":"text","text":"Hello"}"#;
    let image = r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}"#;
    let file = r#"{"type":"file","file":{"file_data":"data:application/pdf;base64,AAAA"}}"#;
    let unknown = r#"{"type":"hologram","hologram":{}}"#;
    assert_eq!(worst(&[text]), 0);
    for one in [image, file, unknown] {
        assert_eq!(worst(&[text, one]), 10_000_000, "{one}");
    }
    assert_eq!(worst(&[image, file, unknown, image]), 40_000_000);
}

#[test]
fn the_worst_case_is_the_dearest_kind_of_every_token() {
    let nanos = |settings: &str, tokens| {
        let candidate = Candidate::by_bytes(&endpoint("", settings), &hello());
        candidate.worst(tokens).unwrap().credits.as_nanos()
    };
    let priced = |more: &str| {
        format!(
            "{OVERHEAD}\nreasoning_tokens_max = 50\n\
             pricing = {{ prompt = \"0.000001\", completion = \"0.000002\"{more} }}"
        )
    };
    assert_eq!(nanos(OVERHEAD, 100), 63_000 + 200_000);
    assert_eq!(nanos(OVERHEAD, 5_000), 63_000 + 2_000_000, "no more than the endpoint's maximum");
    assert_eq!(nanos(&priced(""), 100), 63_000 + 300_000, "reasoning comes on top");
    for (more, expected) in [
        (r#", input_cache_write = "0.000003""#, 189_000 + 300_000),
        (r#", input_cache_read = "0.0000001""#, 63_000 + 300_000),
        (r#", audio = "0.000005""#, 315_000 + 750_000),
        (r#", internal_reasoning = "0.00001""#, 63_000 + 1_500_000),
        (r#", request = "0.01""#, 63_000 + 300_000 + 10_000_000),
        (r#", overrides = [{ min_prompt_tokens = 60, prompt = "0.000002" }]"#, 126_000 + 300_000),
    ] {
        assert_eq!(nanos(&priced(more), 100), expected, "{more}");
    }
}

#[test]
fn an_endpoint_that_charged_above_a_hold_is_held_at_its_own_maximum() {
    let endpoint = endpoint("", OVERHEAD);
    endpoint.learned.charged_above_hold(false);
    let candidate = Candidate::by_bytes(&endpoint, &hello());
    assert!(candidate.is_at_maximum());
    assert_eq!(candidate.worst(1).unwrap().credits.as_nanos(), 8_192_000 + 2_000_000);
    assert_eq!(candidate.cap(1), 1, "what it is told to obey stays what the client asked for");
}

#[test]
fn a_learned_overhead_counts_where_it_is_more_than_the_configured_one() {
    let endpoint = endpoint("", OVERHEAD);
    for (learned, expected) in [(7, 47 + 16), (500, 47 + 500), (100, 47 + 500)] {
        endpoint.learned.raise_overhead(learned);
        assert_eq!(Candidate::by_bytes(&endpoint, &hello()).prompt_tokens, expected);
    }
}

#[test]
fn a_tokenizer_bounds_a_prompt_closer_than_its_bytes() {
    assert!(Candidate::by_tokens(&endpoint("", OVERHEAD), &hello()).is_none());
    let endpoint = endpoint("", &format!("{OVERHEAD}\ntokenizer = \"o200k_base\""));
    let counted = Candidate::by_tokens(&endpoint, &hello()).unwrap();
    let by_bytes = Candidate::by_bytes(&endpoint, &hello());
    assert!(counted.prompt_tokens < by_bytes.prompt_tokens, "{}", counted.prompt_tokens);
    assert!(counted.prompt_tokens > 16, "the overhead is added");
    assert_eq!(by_bytes.count_prompt(&hello()), counted.prompt_tokens);
}

#[test]
fn a_refusal_names_the_longest_prompt_that_fits() {
    let candidate = Candidate::by_bytes(&endpoint("", OVERHEAD), &hello());
    for (left, tokens) in [(-5, 0), (0, 0), (999, 0), (1_000, 1), (20_999, 20), (62_999, 62)] {
        assert_eq!(candidate.affordable_prompt_tokens(&left_of_a_limit(left, false)), tokens);
    }
    let byok = candidate.with(byok("50"));
    for (left, include_byok, tokens) in [(1_000, false, 2), (1_499, true, 0), (3_000, true, 2)] {
        let cell = left_of_a_limit(left, include_byok);
        assert_eq!(byok.affordable_prompt_tokens(&cell), tokens, "{left} {include_byok}");
    }
}

fn left_of_a_limit(nanos: i64, include_byok: bool) -> Cell {
    let (amount, period) = (Money::nanos(nanos), Period::Day);
    let limit = Limit { layer: Layer::Key, amount, period, include_byok };
    Cell::at(limit, &Tally::default(), Timestamp::UNIX_EPOCH)
}

fn byok(fee: &str) -> Byok {
    Byok { credential: Uuid::nil(), fee: fee.parse().unwrap() }
}

#[test]
fn with_an_owners_credential_the_list_price_is_theirs_and_the_fee_is_charged() {
    let endpoint = endpoint("", OVERHEAD);
    let candidate = Candidate::by_bytes(&endpoint, &hello());
    let list = candidate.worst(100).unwrap().credits;
    assert_eq!(candidate.list_price(candidate.amounts(list)), list);
    for (fee, charged) in [("0", 0), ("5", 13_150), ("0.0001", 1), ("100", 263_000)] {
        let candidate = candidate.clone().with(byok(fee));
        let worst = Amounts { credits: Money::nanos(charged), byok: list };
        assert_eq!(candidate.worst(100), Some(worst), "{fee}");
        assert_eq!(candidate.list_price(worst), list);
    }
}

#[test]
fn what_is_learned_or_counted_leaves_stage_and_credential_as_they_are() {
    let endpoint = endpoint("", OVERHEAD);
    let candidate = Candidate::by_bytes(&endpoint, &hello()).at_stage(3).with(byok("5"));
    endpoint.learned.raise_overhead(500);
    let learned = candidate.as_learned(&hello());
    assert_eq!((learned.stage, learned.byok), (3, Some(byok("5"))));
    assert_eq!(learned.prompt_tokens, 47 + 500);
}

#[test]
fn a_worst_case_past_the_largest_amount_is_none() {
    let settings = "reasoning_tokens_max = 8500\n\
                    pricing = { prompt = \"0.000001\", completion = \"999999\" }";
    let candidate = Candidate::by_bytes(&endpoint("", settings), &hello());
    assert!(candidate.worst(100).is_some());
    assert!(candidate.worst(1_000).is_none());
}

proptest! {
    /// What I1 rests on: no usage within the bounds costs more than the hold.
    #[test]
    fn no_usage_within_its_bounds_costs_more_than_the_worst_case(
        cap in 1_u64..2_000,
        prompt in 0.0_f64..=1.0,
        [cached, written, audio, completion, reasoning, sound] in prop::array::uniform6(0_u64..=1_000),
        prices in prop::array::uniform9(0_u64..5_000),
        tier in 0_u64..8_192,
    ) {
        let price = |nanos: u64| format!("\"0.{nanos:012}\"");
        let settings = format!(
            "{OVERHEAD}\nreasoning_tokens_max = 50\n\
             pricing = {{ prompt = {}, completion = {}, input_cache_read = {}, \
             input_cache_write = {}, internal_reasoning = {}, audio = {}, audio_output = {}, \
             request = {}, overrides = [{{ min_prompt_tokens = {tier}, prompt = {} }}] }}",
            price(prices[0]), price(prices[1]), price(prices[2]), price(prices[3]),
            price(prices[4]), price(prices[5]), price(prices[6]), price(prices[7]),
            price(prices[8]),
        );
        let endpoint = endpoint("", &settings);
        let candidate = Candidate::by_bytes(&endpoint, &hello());
        let worst = candidate.worst(cap).unwrap().credits;
        let share = |parts: u64, whole: u64| whole * parts / 1_000;
        let prompt_tokens = share(if prompt < 0.5 { 1_000 } else { cached }, candidate.prompt_tokens);
        let cached_tokens = share(cached, prompt_tokens);
        let completion_tokens = share(completion, candidate.cap(cap) + 50);
        let reasoning_tokens = share(reasoning, completion_tokens);
        let usage = Usage {
            prompt_tokens,
            completion_tokens,
            cached_tokens,
            cache_write_tokens: share(written, prompt_tokens - cached_tokens),
            audio_prompt_tokens: share(audio, prompt_tokens),
            reasoning_tokens,
            audio_completion_tokens: share(sound, completion_tokens - reasoning_tokens),
            images: 0,
        };
        let cost = upstream::cost(&usage, &endpoint.prices).unwrap().total;
        prop_assert!(cost <= worst, "{cost} > {worst}: {usage:?}");
    }
}
