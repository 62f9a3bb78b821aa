//! Models to fall back to: tried in turn on any error, each under a hold of its own.

use insta::assert_snapshot;
use serde_json::json;
use testkit::{Behaviour, Cut};

use super::sent;
use crate::support::{TestGateway, TestKey, shown};

/// `test/dear` costs ten times what `test/small` does, at another provider.
const DEAR: &str = r#"
    [[models]]
    id = "test/small"
    context_length = 8192
    endpoints = [{ provider = "alpha", upstream_model = "small", max_completion_tokens = 1000, prompt_overhead_tokens = 16, pricing = { prompt = "0.000001", completion = "0.000002" } }]
    [[models]]
    id = "test/twin"
    context_length = 8192
    endpoints = [{ provider = "alpha", upstream_model = "twin", max_completion_tokens = 1000, prompt_overhead_tokens = 16, pricing = { prompt = "0.000001", completion = "0.000002" } }]
    [[models]]
    id = "test/dear"
    context_length = 100000
    endpoints = [{ provider = "beta", upstream_model = "dear", max_completion_tokens = 1000, prompt_overhead_tokens = 16, pricing = { prompt = "0.00001", completion = "0.00002" } }]
"#;

async fn start(limit: f64) -> (TestGateway, TestKey) {
    let gateway = TestGateway::with(DEAR).await;
    let key = gateway.key(json!({ "limit": limit })).await;
    (gateway, key)
}

/// The provider's models that were asked, in that order.
fn asked(gateway: &TestGateway) -> Vec<String> {
    gateway.upstream.calls().into_iter().map(|call| call.model).collect()
}

#[tokio::test]
async fn any_error_leads_to_the_next_model_which_is_charged_at_its_own_price() {
    for status in [400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 503] {
        let (gateway, key) = start(1.0).await;
        gateway.upstream.on("small", Behaviour::new().status(status, "{}"));
        let extras = json!({ "models": ["test/dear", "test/small"], "max_tokens": 400 });
        let answer = gateway.chat(&key, "test/small", extras.clone()).await;
        let json = answer.json();
        assert_eq!((answer.status, &json["model"]), (200, &json!("test/dear")), "{status}");
        assert_eq!(answer.exact("/usage/cost").as_deref(), Some("0.0004"));
        let events = gateway.chat_stream(&key, "test/small", extras).await.rest().await.unwrap();
        let testkit::Event::Chunk(chunk) = &events[0] else { panic!("{events:?}") };
        assert!(chunk.contains(r#""model":"test/dear""#), "{chunk}");
        gateway.settled().await;
        assert_eq!(gateway.rows(), ["beta: reported $0.0004 for 8+16"; 2]);
        let id = json["id"].as_str().unwrap();
        let line = format!("GET /api/v1/generation?id={id}");
        let data = gateway.ask(key.text.as_str(), &line, "").await.json()["data"].take();
        let tried = |at: usize, name: &str| data["provider_responses"][at][name].clone();
        assert_eq!((&data["model"], tried(0, "status")), (&json!("test/dear"), json!(status)));
        assert_eq!(tried(0, "model_permaslug"), "test/small");
        assert_eq!(tried(1, "model_permaslug"), "test/dear");
        gateway.close().await;
    }
}

#[tokio::test]
async fn where_all_fail_the_last_error_is_the_clients() {
    let (gateway, key) = start(1.0).await;
    gateway.upstream.on("small", Behaviour::new().status(500, "{}"));
    gateway.upstream.on("twin", Behaviour::new().status(400, r#"{"error":{"message":"odd"}}"#));
    gateway.upstream.on("dear", Behaviour::new().status(429, "{}").retry_after(9));
    let extras = json!({ "models": ["test/small", "test/dear", "test/twin"] });
    let answer = gateway.chat(&key, "test/small", extras).await;
    assert_eq!(asked(&gateway), ["small", "dear", "twin"]);
    assert_eq!((answer.status, &answer.json()["error"]["message"]), (400, &json!("odd")));
    let extras = json!({ "models": ["test/twin", "test/dear"] });
    let answer = gateway.chat(&key, "test/small", extras).await;
    assert_snapshot!(shown(&answer), @r#"
    429
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    retry-after: 9
    x-generation-id: gen-1795003200-0000mPtP0S8jrTgxPrIe
    {
      "error": {
        "code": 429,
        "message": "Rate limit exceeded at the provider",
        "metadata": {
          "error_type": "rate_limit_exceeded",
          "provider_code": "429",
          "provider_name": "Beta",
          "raw": "{}"
        },
        "availability": {
          "code": "capacity_exhausted",
          "retryable": true,
          "requested_models": [
            "test/small",
            "test/twin",
            "test/dear"
          ],
          "docs_url": "https://github.com/tollgate/tollgate/blob/main/docs/errors.md#capacity_exhausted",
          "retry_after": 9,
          "affected_providers": [
            "alpha",
            "beta"
          ]
        }
      }
    }
    "#);
    assert_eq!(gateway.fact(&key, "usage").await, "0");
    gateway.close().await;
}

#[tokio::test]
async fn a_model_that_is_not_there_or_may_not_serve_is_left_out() {
    let (gateway, key) = start(1.0).await;
    let extras =
        json!({ "models": ["nobody/none", "test/dear"], "provider": { "only": ["beta"] } });
    let answer = gateway.chat(&key, "test/small", extras).await;
    assert_eq!((answer.status, &answer.json()["model"]), (200, &json!("test/dear")));
    let answer = gateway.chat(&key, "nobody/none", json!({ "models": ["nobody/else"] })).await;
    let error = answer.json()["error"].take();
    assert_eq!(error["message"], "nobody/else is not a valid model ID");
    assert_eq!(error["availability"]["requested_models"], json!(["nobody/none", "nobody/else"]));
    // The reason of the last model is told.
    let extras = json!({ "models": ["test/dear"], "provider": { "ignore": ["alpha", "beta"] } });
    let error = gateway.chat(&key, "test/small", extras).await.json()["error"].take();
    assert_eq!(error["metadata"]["available_providers"], json!(["beta"]));
    let body =
        json!({ "models": ["test/twin"], "messages": [{ "role": "user", "content": "Hi" }] });
    let answer = gateway.ask(key.text.as_str(), "POST /api/v1/chat/completions", body).await;
    assert_eq!((answer.status, &answer.json()["model"]), (200, &json!("test/twin")));
    gateway.close().await;
}

#[tokio::test]
async fn a_dear_model_to_fall_back_to_changes_nothing_for_a_cheap_one() {
    // Room for the whole of the cheap one, and for a little of the dear one.
    let (gateway, key) = start(0.0021).await;
    let gate = gateway.upstream.hold_answers("small");
    let chat = gateway.begin_chat(&key, "test/small", json!({ "models": ["test/dear"] }));
    gate.until_waiting(1).await;
    assert_eq!(gateway.held(&key), "0.002063");
    gateway.upstream.on("small", Behaviour::new().status(500, "{}"));
    gate.release();
    assert_eq!(chat.await.unwrap().status, 200);
    assert_eq!(sent(&gateway, 0)["max_tokens"], 1000);
    gateway.upstream.on("small", Behaviour::new().status(500, "{}"));
    gateway.clock.set("2026-11-18T12:05:00Z");
    gateway.settled().await;
    gateway.close().await;
}

#[tokio::test]
async fn the_next_model_takes_a_hold_of_its_own_or_is_not_tried() {
    let (gateway, key) = start(0.0021).await;
    gateway.upstream.on("small", Behaviour::new().status(500, "{}"));
    let gate = gateway.upstream.hold_answers("dear");
    let chat = gateway.begin_chat(&key, "test/small", json!({ "models": ["test/dear"] }));
    gate.until_waiting(1).await;
    // Capped at what is left: 63 prompt tokens and 73 of completion.
    assert_eq!(
        (gateway.held(&key).as_str(), sent(&gateway, 1)["max_tokens"].clone()),
        ("0.00209", json!(73))
    );
    gate.release();
    assert_eq!(chat.await.unwrap().json()["model"], "test/dear");
    // What is left now pays for none of it, and the first model's error stands.
    let named = json!({ "models": ["test/dear"], "max_tokens": 400 });
    let answer = gateway.chat(&key, "test/small", named).await;
    assert_eq!(
        (answer.status, asked(&gateway)),
        (502, vec!["small".into(), "dear".into(), "small".into()])
    );
    gateway.close().await;
}

#[tokio::test]
async fn a_model_that_can_not_be_paid_is_left_out() {
    let (gateway, key) = start(0.001).await;
    let extras = json!({ "models": ["test/small"], "max_tokens": 400 });
    let answer = gateway.chat(&key, "test/dear", extras).await;
    assert_eq!((answer.status, &answer.json()["model"]), (200, &json!("test/small")));
    let answer = gateway.chat(&key, "test/dear", json!({ "max_tokens": 400 })).await;
    assert_eq!(answer.status, 402);
    gateway.close().await;
}

#[tokio::test]
async fn a_model_is_counted_before_another_is_taken_in_its_place() {
    let counted = DEAR.replace(
        r#"upstream_model = "small","#,
        r#"upstream_model = "small", tokenizer = "o200k_base","#,
    );
    let free = r#"
        [[models]]
        id = "test/free"
        context_length = 8192
        endpoints = [{ provider = "beta", free = true }]
    "#;
    let gateway = TestGateway::with(&format!("{counted}{free}")).await;
    // 3,000 bytes of text are 500 tokens; what is left pays for 1,000, or for a free model.
    let key = gateway.key(json!({ "limit": 0.001 })).await;
    let messages = json!([{ "role": "user", "content": " hello".repeat(500) }]);
    let extras = json!({ "messages": messages, "models": ["test/free"], "max_tokens": 16 });
    let answer = gateway.chat(&key, "test/small", extras.clone()).await;
    assert_eq!((answer.status, &answer.json()["model"]), (200, &json!("test/small")));
    // Where counting does not help, it is.
    let key = gateway.key(json!({ "limit": 0.0001 })).await;
    let answer = gateway.chat(&key, "test/small", extras).await;
    assert_eq!((answer.status, &answer.json()["model"]), (200, &json!("test/free")));
    gateway.close().await;
}

#[tokio::test]
async fn a_request_that_comes_too_fast_is_told_so_whatever_else_it_could_fall_back_to() {
    let gateway = TestGateway::with(DEAR).await;
    let key = gateway.key(json!({ "limit": 0.001, "requests_per_minute": 1 })).await;
    let extras = json!({ "models": ["test/dear"], "max_tokens": 400 });
    assert_eq!(gateway.chat(&key, "test/small", extras.clone()).await.status, 200);
    let answer = gateway.chat(&key, "test/small", extras).await;
    assert_eq!(answer.status, 429, "{}", answer.text());
    gateway.close().await;
}

#[tokio::test]
async fn while_others_hold_what_one_model_needs_another_is_taken() {
    let (gateway, key) = start(0.01).await;
    let gate = gateway.upstream.hold_answers("dear");
    let first = gateway.begin_chat(&key, "test/dear", json!({ "max_tokens": 400 }));
    gate.until_waiting(1).await;
    let extras = json!({ "models": ["test/small"], "max_tokens": 400 });
    let second = gateway.chat(&key, "test/dear", extras).await;
    assert_eq!(second.json()["model"], "test/small");
    gate.release();
    assert_eq!(first.await.unwrap().json()["model"], "test/dear");
    gateway.close().await;
}

#[tokio::test]
async fn what_may_have_been_billed_keeps_its_row_when_the_next_model_answers() {
    let (gateway, key) = start(1.0).await;
    gateway.upstream.on("small", Behaviour::new().cut(Cut::HalfBody));
    let extras = json!({ "models": ["test/dear"], "max_tokens": 400 });
    assert_eq!(gateway.chat(&key, "test/small", extras).await.json()["model"], "test/dear");
    gateway.settled().await;
    assert_eq!(
        gateway.rows(),
        ["alpha: held $0.000863 for 0+0", "beta: reported $0.0004 for 8+16"]
    );
    gateway.close().await;
}

#[tokio::test]
async fn a_refused_credential_is_tried_for_no_other_model() {
    let (gateway, key) = start(1.0).await;
    gateway.upstream.on("small", Behaviour::new().status(401, "{}"));
    let extras = json!({ "models": ["test/twin", "test/dear"] });
    assert_eq!(gateway.chat(&key, "test/small", extras).await.json()["model"], "test/dear");
    assert_eq!(asked(&gateway), ["small", "dear"]);
    gateway.close().await;
}

#[tokio::test]
async fn a_prompt_that_is_too_long_goes_where_there_is_more_context() {
    let gateway = TestGateway::with(
        r#"
        [[models]]
        id = "test/sized"
        context_length = 8192
        [[models.endpoints]]
        provider = "alpha"
        upstream_model = "short"
        free = true
        [[models.endpoints]]
        provider = "beta"
        upstream_model = "as-short"
        free = true
        [[models.endpoints]]
        provider = "gamma"
        upstream_model = "long"
        context_length = 100000
        free = true
        "#,
    )
    .await;
    let key = gateway.key(json!({})).await;
    let too_long = r#"{"error":{"message":"too long","code":"context_length_exceeded"}}"#;
    for name in ["short", "as-short", "long"] {
        gateway.upstream.on(name, Behaviour::new().status(400, too_long));
    }
    let order = json!({ "provider": { "order": ["alpha", "beta", "gamma"] } });
    let answer = gateway.chat(&key, "test/sized", order).await;
    assert_eq!(asked(&gateway), ["short", "long"]);
    let error = &answer.json()["error"];
    assert_eq!((answer.status, &error["message"]), (400, &json!("too long")));
    assert_eq!(error["metadata"]["error_type"], "context_length_exceeded");
    gateway.close().await;
}

#[tokio::test]
async fn a_request_is_tried_so_often_and_not_more_often() {
    let gateway = TestGateway::with(&format!("[bounds]\nattempts_max = 2\n{DEAR}")).await;
    let key = gateway.key(json!({})).await;
    for name in ["small", "twin", "dear"] {
        gateway.upstream.on(name, Behaviour::new().status(500, "{}"));
    }
    let extras = json!({ "models": ["test/twin", "test/dear"] });
    assert_eq!(gateway.chat(&key, "test/small", extras).await.status, 502);
    assert_eq!(asked(&gateway), ["small", "twin"]);
    gateway.close().await;
}

#[tokio::test]
async fn a_call_keeps_its_place_among_those_in_flight_from_one_model_to_the_next() {
    let gateway = TestGateway::with(DEAR).await;
    let key = gateway.key(json!({ "concurrent_requests": 1 })).await;
    gateway.upstream.on("small", Behaviour::new().status(500, "{}"));
    let gate = gateway.upstream.hold_answers("dear");
    let chat = gateway.begin_chat(&key, "test/small", json!({ "models": ["test/dear"] }));
    gate.until_waiting(1).await;
    assert_eq!(gateway.chat(&key, "test/twin", json!({})).await.status, 429);
    gate.release();
    assert_eq!(chat.await.unwrap().status, 200);
    assert_eq!(gateway.chat(&key, "test/twin", json!({})).await.status, 200);
    gateway.close().await;
}
