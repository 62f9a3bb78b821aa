//! What the fake provider counts, reports and charges.
//! Each number is written out, so that the oracle of the other tests is itself checked by hand.

use super::raw;
use money::Money;
use serde_json::{Value, json};
use testkit::{Behaviour, CapField, Client, Event, FakeUpstream, Prices, Tokens, Usage};

/// A quarter of the 35 bytes of `[{"content":"Hello","role":"user"}]`.
const MESSAGES_TOKENS: u64 = 35 / 4;

fn client(upstream: &FakeUpstream) -> Client {
    Client::new(upstream.address()).below("/v1")
}

async fn usage(upstream: &FakeUpstream, behaviour: Behaviour, extras: Value) -> Value {
    upstream.on("m", behaviour);
    let answer = client(upstream).chat(None, "m", &extras).await.expect("an answer");
    answer.json()["usage"].clone()
}

async fn events(upstream: &FakeUpstream, behaviour: Behaviour, extras: Value) -> Vec<Event> {
    upstream.on("m", behaviour);
    let stream = client(upstream).chat_stream(None, "m", &extras).await.expect("a stream");
    stream.rest().await.expect("a whole stream")
}

fn with_usage() -> Value {
    json!({ "stream_options": { "include_usage": true } })
}

#[tokio::test]
async fn an_unlisted_model_answers_with_a_quarter_of_its_bytes_and_sixteen_tokens() {
    let upstream = FakeUpstream::start().await;
    let answer = client(&upstream).chat(None, "unlisted", &json!({})).await.expect("an answer");
    let body = answer.json();
    assert_eq!(body["model"], "unlisted");
    assert_eq!(
        body["choices"][0]["message"]["content"],
        "word0 word1 word2 word3 word4 word5 word6 word7 "
    );
    assert_eq!(body["choices"][0]["finish_reason"], "stop");
    assert_eq!(body["usage"]["prompt_tokens"], MESSAGES_TOKENS);
    assert_eq!(body["usage"]["completion_tokens"], 16);
    assert_eq!(body["usage"]["total_tokens"], MESSAGES_TOKENS + 16);
}

#[tokio::test]
async fn completions_keep_to_the_cap_fill_it_or_pass_it_as_told() {
    let upstream = FakeUpstream::start().await;
    let cap = || json!({ "max_tokens": 10 });
    let up_to = Behaviour::new().completion_tokens(40);
    assert_eq!(usage(&upstream, up_to.clone(), cap()).await["completion_tokens"], 10);
    assert_eq!(usage(&upstream, up_to, json!({})).await["completion_tokens"], 40);
    let all = Behaviour::new().completion_all_allowed();
    assert_eq!(usage(&upstream, all.clone(), cap()).await["completion_tokens"], 10);
    assert_eq!(usage(&upstream, all.clone(), json!({})).await["completion_tokens"], 16_384);
    let small = all.completion_tokens_max(99);
    assert_eq!(usage(&upstream, small, json!({})).await["completion_tokens"], 99);
    let beyond = Behaviour::new().completion_beyond_allowed(3);
    assert_eq!(usage(&upstream, beyond, cap()).await["completion_tokens"], 13);
}

#[tokio::test]
async fn only_the_cap_field_that_the_provider_knows_binds_it() {
    let upstream = FakeUpstream::start().await;
    let both = || json!({ "max_tokens": 10, "max_completion_tokens": 20 });
    for (field, tokens) in
        [(CapField::Either, 10), (CapField::MaxTokens, 10), (CapField::MaxCompletionTokens, 20)]
    {
        let behaviour = Behaviour::new().completion_all_allowed().cap_field(field);
        assert_eq!(usage(&upstream, behaviour, both()).await["completion_tokens"], tokens);
    }
}

#[tokio::test]
async fn the_parts_of_a_usage_never_exceed_their_wholes() {
    let upstream = FakeUpstream::start().await;
    let behaviour = Behaviour::new().prompt_tokens(100).cached_tokens(60).cache_write_tokens(70);
    let usage = usage(&upstream, behaviour.reasoning_tokens(99), json!({})).await;
    assert_eq!(
        usage,
        json!({
            "prompt_tokens": 100, "completion_tokens": 16, "total_tokens": 116,
            "prompt_tokens_details": { "cached_tokens": 60, "cache_write_tokens": 40 },
            "completion_tokens_details": { "reasoning_tokens": 16 },
        })
    );
}

#[tokio::test]
async fn a_usage_can_be_absent_null_or_nonsense() {
    let upstream = FakeUpstream::start().await;
    let absent = Behaviour::new().usage(Usage::Absent);
    upstream.on("m", absent);
    let answer = client(&upstream).chat(None, "m", &json!({})).await.expect("an answer");
    assert_eq!(answer.json().get("usage"), None);

    // These break the contract, so they are looked at below the client.
    for (usage, text) in [
        (Usage::Null, r#""usage":null"#),
        (
            Usage::Nonsense(r#"{"prompt_tokens":-1e3}"#.to_owned()),
            r#""usage":{"prompt_tokens":-1e3}"#,
        ),
    ] {
        upstream.on("m", Behaviour::new().usage(usage));
        for extras in [json!({}), json!({ "stream": true })] {
            let answer = raw::exchange(upstream.address(), "m", &extras).await;
            assert_eq!(answer.matches(text).count(), 1, "{answer}");
        }
    }
}

#[tokio::test]
async fn a_stream_ends_with_its_usage_only_where_that_is_asked_for() {
    let upstream = FakeUpstream::start().await;
    let behaviour = || Behaviour::new().prompt_tokens(5).completion_tokens(4).events(2);
    upstream.on("m", behaviour());
    let asked = raw::exchange(upstream.address(), "m", &raw::stream()).await;
    assert_eq!(asked.matches(r#""usage":null"#).count(), 3, "{asked}");
    assert_eq!(asked.matches(r#""usage":{"#).count(), 1, "{asked}");

    let unasked = events(&upstream, behaviour(), json!({})).await;
    assert_eq!(unasked.len(), 4);
    assert!(unasked.iter().all(|event| event.exact("/usage").is_none()));
    assert_eq!(unasked[0].exact("/choices/0/delta/role").as_deref(), Some(r#""assistant""#));
    assert_eq!(unasked[2].exact("/choices/0/finish_reason").as_deref(), Some(r#""stop""#));
    assert_eq!(unasked[3], Event::Done);
}

#[tokio::test]
async fn a_running_usage_grows_with_every_chunk() {
    let upstream = FakeUpstream::start().await;
    let behaviour = Behaviour::new().completion_tokens(9).events(2).usage(Usage::Running);
    let chunks = events(&upstream, behaviour, with_usage()).await;
    let tokens: Vec<_> =
        chunks.iter().map(|chunk| chunk.exact("/usage/completion_tokens")).collect();
    assert_eq!(tokens, [Some("4".into()), Some("9".into()), Some("9".into()), None]);
}

#[tokio::test]
async fn a_text_comes_out_whole_however_it_is_cut_into_events() {
    let upstream = FakeUpstream::start().await;
    let text = "Grüße, 世界 🦀 – \"fin\"\n";
    for count in [1, 3, 7, 40] {
        let behaviour = Behaviour::new().text(text).events(count);
        let chunks = events(&upstream, behaviour, json!({})).await;
        assert_eq!(chunks.len(), count + 2);
        let said: String = chunks
            .iter()
            .filter_map(|chunk| chunk.exact("/choices/0/delta/content"))
            .map(|part| serde_json::from_str::<String>(&part).expect("a string"))
            .collect();
        assert_eq!(said, text);
    }
}

#[tokio::test]
async fn charges_are_the_exact_sum_of_each_call_rounded_up_once() {
    let upstream = FakeUpstream::start().await;
    let behaviour = Behaviour::new().prompt_tokens(101).cached_tokens(50).cache_write_tokens(20);
    upstream.on("m", behaviour.completion_tokens(7).reasoning_tokens(2));
    for extras in [json!({}), json!({ "stream": true })] {
        raw::exchange(upstream.address(), "m", &extras).await;
    }
    upstream.on("m", Behaviour::new().status(429, "{}").retry_after(1));
    raw::exchange(upstream.address(), "m", &json!({})).await;

    let calls = upstream.calls();
    let tokens = Tokens { prompt: 101, cached: 50, cache_written: 20, completion: 7, reasoning: 2 };
    assert_eq!(calls[0].charged, Some(tokens));
    assert_eq!(calls[1].charged, Some(tokens));
    assert_eq!(calls[2].charged, None);

    // 101 x 0.15 + 7 x 0.6 nano-dollars are 19.35, a call.
    let plain = Prices::new("0.00000000015", "0.0000000006");
    assert_eq!(calls[0].cost(&plain), Money::nanos(20));
    assert_eq!(upstream.charged(&plain), Money::nanos(40));
    // 31 x 10 + 50 x 1 + 20 x 12 + 5 x 40 + 2 x 80 + 1000, a call.
    let all = Prices::new("0.00000001", "0.00000004")
        .cached("0.000000001")
        .cache_written("0.000000012")
        .reasoning("0.00000008")
        .request("0.000001");
    assert_eq!(upstream.charged(&all), Money::nanos(2 * 1_960));
}
