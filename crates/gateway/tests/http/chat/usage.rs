//! Answers whose usage is absent, nonsense or surprising: charged with care, never silently nothing.

use insta::assert_snapshot;
use serde_json::json;
use testkit::{Behaviour, Cut, Usage};

use crate::support::{TestGateway, TestKey};

/// One whole and one streamed answer; the rows they leave.
async fn both(gateway: &TestGateway, key: &TestKey, model: &str, max_tokens: u64) -> Vec<String> {
    let extras = json!({ "max_tokens": max_tokens });
    assert_eq!(gateway.chat(key, model, extras.clone()).await.status, 200);
    gateway.chat_stream(key, model, extras).await.rest().await.unwrap();
    gateway.settled().await;
    gateway.rows()
}

#[tokio::test]
async fn a_usage_that_is_absent_or_does_not_add_up_is_counted_by_bytes() {
    for usage in [
        Usage::Absent,
        Usage::Null,
        Usage::Nonsense("{}".into()),
        Usage::Nonsense("[]".into()),
        Usage::Nonsense("true".into()),
        Usage::Nonsense(r#"{"prompt_tokens":8}"#.into()),
        Usage::Nonsense(r#"{"prompt_tokens":-8,"completion_tokens":16}"#.into()),
        Usage::Nonsense(r#"{"prompt_tokens":8.5,"completion_tokens":16}"#.into()),
        Usage::Nonsense(r#"{"prompt_tokens":"8","completion_tokens":"16"}"#.into()),
        Usage::Nonsense(r#"{"prompt_tokens":8,"completion_tokens":18446744073709551615}"#.into()),
        Usage::Nonsense(
            r#"{"prompt_tokens":8,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":9}}"#.into(),
        ),
    ] {
        let gateway = TestGateway::start().await;
        let key = gateway.key(json!({ "limit": 1 })).await;
        gateway.upstream.on("small", Behaviour::new().usage(usage.clone()));
        // 63 prompt tokens and the 48 bytes of the answer.
        let rows = both(&gateway, &key, "test/small", 400).await;
        assert_eq!(rows, ["alpha: counted $0.000159 for 63+48"; 2], "{usage:?}");
        assert_eq!(gateway.fact(&key, "usage").await, "0.000318");
        gateway.close().await;
    }
}

/// Models whose tokens can be counted; `test/counted-stopping` stops with its connection.
const COUNTED: &str = r#"
    [[models]]
    id = "test/counted"
    context_length = 8192
    endpoints = [{ provider = "alpha", upstream_model = "counted", tokenizer = "o200k_base", max_completion_tokens = 1000, prompt_overhead_tokens = 16, pricing = { prompt = "0.000001", completion = "0.000002" } }]
    [[models]]
    id = "test/counted-stopping"
    context_length = 8192
    endpoints = [{ provider = "gamma", upstream_model = "counted-stopping", tokenizer = "o200k_base", max_completion_tokens = 1000, prompt_overhead_tokens = 16, pricing = { prompt = "0.000001", completion = "0.000002" } }]
"#;

/// Eight tokens in 48 bytes.
fn eight_tokens() -> Behaviour {
    Behaviour::new().text(&" hello".repeat(8)).events(8)
}

#[tokio::test]
async fn a_usage_that_is_absent_is_counted_by_the_tokenizer_where_there_is_one() {
    let gateway = TestGateway::with(COUNTED).await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    gateway.upstream.on("counted", eight_tokens().usage(Usage::Absent));
    let rows = both(&gateway, &key, "test/counted", 400).await;
    assert_eq!(rows, ["alpha: counted $0.000055 for 39+8"; 2]);
    gateway.close().await;
}

#[tokio::test]
async fn half_an_answer_is_counted_by_the_tokenizer_though_it_told_a_usage() {
    let gateway = TestGateway::with(COUNTED).await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    let running = eight_tokens().usage(Usage::Running).cut(Cut::AfterEvents(4));
    gateway.upstream.on("counted-stopping", running);
    let extras = json!({ "max_tokens": 400 });
    gateway.chat_stream(&key, "test/counted-stopping", extras).await.rest().await.unwrap();
    gateway.settled().await;
    assert_eq!(gateway.rows(), ["gamma: counted $0.000047 for 39+4"]);
    gateway.close().await;
}

/// Counting takes a while, and there is a turn at it for each core.
#[tokio::test]
async fn what_needs_no_counting_waits_for_no_turn_at_it() {
    let gateway = TestGateway::with(COUNTED).await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    let turns = gateway.core.counting.available_permits().try_into().unwrap();
    let all = gateway.core.counting.acquire_many(turns).await.unwrap();
    gateway.upstream.then("counted", [Behaviour::new(), Behaviour::new().usage(Usage::Absent)]);
    let reported = gateway.begin_chat(&key, "test/counted", json!({}));
    gateway.until(|_| gateway.rows() == ["alpha: reported $0.00004 for 8+16"]).await;
    let hidden = json!({ "reasoning_effort": "low", "max_tokens": 400 });
    let held = gateway.begin_chat(&key, "test/counted", hidden);
    gateway.until(|_| gateway.rows().contains(&"alpha: held $0.000888 for 0+0".into())).await;
    drop(all);
    assert_eq!((reported.await.unwrap().status, held.await.unwrap().status), (200, 200));
    gateway.close().await;
}

#[tokio::test]
async fn an_answer_says_of_what_kinds_its_tokens_were() {
    const KINDS: &str = r#"{"prompt_tokens":100,"completion_tokens":16,
        "prompt_tokens_details":{"cached_tokens":40,"cache_write_tokens":8,"audio_tokens":5},
        "completion_tokens_details":{"reasoning_tokens":6,"audio_tokens":3}}"#;
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    gateway.upstream.on("small", Behaviour::new().usage(Usage::Nonsense(KINDS.into())));
    let answer = gateway.chat(&key, "test/small", json!({})).await;
    assert_snapshot!(answer.exact("/usage").unwrap(), @r#"{"prompt_tokens":100,"completion_tokens":16,"total_tokens":116,"cost":0.000132,"is_byok":false,"cost_details":{"upstream_inference_cost":null,"upstream_inference_prompt_cost":0.0001,"upstream_inference_completions_cost":0.000032},"prompt_tokens_details":{"cached_tokens":40,"cache_write_tokens":8,"audio_tokens":5},"completion_tokens_details":{"reasoning_tokens":6,"audio_tokens":3}}"#);
    gateway.close().await;
}

#[tokio::test]
async fn what_is_counted_never_passes_the_hold() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    gateway.upstream.on("small", Behaviour::new().usage(Usage::Absent));
    let rows = both(&gateway, &key, "test/small", 16).await;
    assert_eq!(rows, ["alpha: counted $0.000095 for 63+48"; 2]);
    gateway.close().await;
}

#[tokio::test]
async fn where_output_can_be_hidden_an_absent_usage_is_charged_at_the_hold() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    gateway.upstream.on("reasoning", Behaviour::new().usage(Usage::Absent));
    let rows = both(&gateway, &key, "test/reasoning", 400).await;
    assert_eq!(rows, ["alpha: held $0.001863 for 0+0"; 2]);

    gateway.close().await;

    // The prompt is longer by what was asked for.
    for (extra, held) in [
        (json!({ "reasoning": { "effort": "low" } }), "0.002092"),
        (json!({ "reasoning_effort": "low" }), "0.002088"),
    ] {
        let gateway = TestGateway::start().await;
        let key = gateway.key(json!({ "limit": 1 })).await;
        gateway.upstream.on("small", Behaviour::new().usage(Usage::Absent));
        assert_eq!(gateway.chat(&key, "test/small", extra).await.status, 200);
        gateway.settled().await;
        assert_eq!(gateway.rows(), [format!("alpha: held ${held} for 0+0")]);
        gateway.close().await;
    }
}

#[tokio::test]
async fn an_endpoint_that_says_it_reasons_may_hide_it_where_nobody_asked() {
    let gateway = TestGateway::with(
        r#"
        [[models]]
        id = "test/thinking"
        [[models.endpoints]]
        provider = "alpha"
        upstream_model = "thinking"
        context_length = 8192
        max_completion_tokens = 1000
        prompt_overhead_tokens = 16
        supported_parameters = ["tools", "reasoning"]
        pricing = { prompt = "0.000001", completion = "0.000002" }
        "#,
    )
    .await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    gateway.upstream.on("thinking", Behaviour::new().usage(Usage::Absent));
    let rows = both(&gateway, &key, "test/thinking", 400).await;
    assert_eq!(rows, ["alpha: held $0.000863 for 0+0"; 2]);
    gateway.close().await;
}

#[tokio::test]
async fn a_reported_zero_is_a_zero() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    gateway.upstream.on("small", Behaviour::new().prompt_tokens(0).completion_tokens(0));
    let rows = both(&gateway, &key, "test/small", 400).await;
    assert_eq!(rows, ["alpha: reported $0 for 0+0"; 2]);
    gateway.close().await;
}

#[tokio::test]
async fn an_answer_without_completion_is_free_only_where_its_endpoint_says_so() {
    let gateway = TestGateway::with(
        r#"
        [[models]]
        id = "test/billed"
        context_length = 8192
        endpoints = [{ provider = "alpha", pricing = { prompt = "0.000001", completion = "0.000002" } }]
        [[models]]
        id = "test/unbilled"
        context_length = 8192
        endpoints = [{ provider = "beta", zero_completion_free = true, pricing = { prompt = "0.000001", completion = "0.000002" } }]
        "#,
    )
    .await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    gateway.upstream.otherwise(Behaviour::new().completion_tokens(0));
    gateway.chat(&key, "test/billed", json!({})).await;
    gateway.chat(&key, "test/unbilled", json!({})).await;
    gateway.settled().await;
    assert_eq!(gateway.rows(), ["alpha: reported $0.000008 for 8+0", "beta: reported $0 for 8+0"]);
    gateway.close().await;
}

#[tokio::test]
async fn cached_written_and_reasoning_tokens_have_prices_of_their_own() {
    let gateway = TestGateway::with(
        r#"
        [[models]]
        id = "test/priced"
        context_length = 8192
        [[models.endpoints]]
        provider = "alpha"
        upstream_model = "priced"
        [models.endpoints.pricing]
        prompt = "0.000001"
        completion = "0.000002"
        input_cache_read = "0.0000001"
        input_cache_write = "0.00000125"
        internal_reasoning = "0.000003"
        request = "0.01"
        overrides = [{ min_prompt_tokens = 1000, prompt = "0.00001" }]
        "#,
    )
    .await;
    let key = gateway.key(json!({})).await;
    let usual = Behaviour::new().prompt_tokens(100).cached_tokens(40).cache_write_tokens(8);
    let usual = usual.completion_tokens(16).reasoning_tokens(6);
    let long = usual.clone().prompt_tokens(1000);
    gateway.upstream.then("priced", [usual, long]);
    // 52 x 1000 + 40 x 100 + 8 x 1250 + 10 x 2000 + 6 x 3000 + 10_000_000 nano-dollars.
    let answer = gateway.chat(&key, "test/priced", json!({})).await;
    assert_eq!(answer.exact("/usage/cost").as_deref(), Some("0.010104"));
    // 952 x 10_000 + what is cached, written and made as before.
    let answer = gateway.chat(&key, "test/priced", json!({})).await;
    assert_eq!(answer.exact("/usage/cost").as_deref(), Some("0.019572"));
    gateway.close().await;
}

/// A stream of these events' data.
fn stream_of(events: &[&str]) -> Behaviour {
    let events: String = events.iter().map(|data| format!("data: {data}\n\n")).collect();
    Behaviour::new().status(200, &events).content_type("text/event-stream")
}

#[tokio::test]
async fn a_stream_with_a_chunk_that_can_not_be_read_is_held_in_full_unless_a_usage_follows() {
    const TEXT: &str =
        r#"{"choices":[{"index":0,"delta":{"content":"One"},"finish_reason":null}]}"#;
    const END: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
    const USAGE: &str = r#"{"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":16}}"#;
    const ERROR: &str = r#"{"error":{"code":502,"message":"half way"}}"#;
    const HELD: &str = "held $0.000863 for 0+0";
    const REPORTED: &str = "reported $0.00004 for 8+16";
    let broken = &TEXT[..30];
    for (events, row) in [
        (&[broken, TEXT, END, "[DONE]"][..], HELD),
        (&[TEXT, broken, END, "[DONE]"], HELD),
        (&[broken, ERROR], HELD),
        (&[TEXT, broken, END, USAGE, "[DONE]"], REPORTED),
        (&[TEXT, END, "[DONE]"], "counted $0.000069 for 63+3"),
    ] {
        for (model, provider) in [("small", "alpha"), ("stopping", "gamma")] {
            let gateway = TestGateway::start().await;
            let key = gateway.key(json!({ "limit": 1 })).await;
            gateway.upstream.on(model, stream_of(events));
            let extras = json!({ "max_tokens": 400 });
            let stream = gateway.chat_stream(&key, &format!("test/{model}"), extras).await;
            if stream.is_stream() {
                stream.rest().await.unwrap();
            } else {
                assert_eq!((stream.into_answer().await.unwrap().status, events[0]), (502, broken));
            }
            gateway.settled().await;
            assert_eq!(gateway.rows(), [format!("{provider}: {row}")], "{events:?}");
            gateway.close().await;
        }
    }
}

#[tokio::test]
async fn an_error_beside_choices_is_charged_and_one_alone_is_a_refusal() {
    const ERROR: &str = r#""error":{"code":502,"message":"half way"}"#;
    const WORDS: &str = r#""choices":[{"index":0,"message":{"role":"assistant","content":"One"}}]"#;
    const USAGE: &str = r#""usage":{"prompt_tokens":8,"completion_tokens":16}"#;
    for (body, rows) in [
        (format!("{{{ERROR},{WORDS}}}"), &["alpha: counted $0.000069 for 63+3"][..]),
        (format!("{{{WORDS},{USAGE},{ERROR}}}"), &["alpha: reported $0.00004 for 8+16"]),
        (format!("{{{ERROR},{USAGE}}}"), &["alpha: reported $0.00004 for 8+16"]),
        (format!(r#"{{{ERROR},"choices":[]}}"#), &[]),
        (format!("{{{ERROR}}}"), &[]),
    ] {
        let gateway = TestGateway::start().await;
        let key = gateway.key(json!({ "limit": 1 })).await;
        gateway.upstream.on("small", Behaviour::new().status(200, &body));
        let answer = gateway.chat(&key, "test/small", json!({})).await;
        assert_eq!(answer.status, 502, "{body}");
        gateway.settled().await;
        assert_eq!(gateway.rows(), rows, "{body}");
        gateway.close().await;
    }
}
