//! Paid calls from the request to the row in the book.

mod away;
mod bounds;
mod budgets;
mod byok;
mod byok_spend;
mod fallback;
mod large;
mod learned;
mod limits;
mod models;
mod rates;
mod routing;
mod secrets;
mod several;
mod streams;
mod usage;
mod waiting;
mod whole;

use insta::assert_snapshot;
use serde_json::{Value, json};
use testkit::{Behaviour, Prices};

use crate::support::{MANAGER, TestGateway, shown};

/// What the provider of `test/small` charges, for its own book.
fn prices() -> Prices {
    Prices::new("0.000001", "0.000002")
}

/// What the provider was sent, as JSON.
fn sent(gateway: &TestGateway, call: usize) -> Value {
    serde_json::from_slice(&gateway.upstream.calls()[call].body).unwrap()
}

#[tokio::test]
async fn an_answer_is_metered_to_the_nano_dollar() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    let answer = gateway.chat(&key, "test/small", json!({})).await;
    assert_snapshot!(shown(&answer), @r#"
    200
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    cache-control: no-cache
    x-generation-id: gen-1795003200-0000byzS749KghVwfPKs
    {
      "id": "gen-1795003200-0000byzS749KghVwfPKs",
      "model": "test/small",
      "provider": "Alpha",
      "object": "chat.completion",
      "created": 1763769600,
      "system_fingerprint": null,
      "choices": [
        {
          "finish_reason": "stop",
          "index": 0,
          "logprobs": null,
          "message": {
            "content": "word0 word1 word2 word3 word4 word5 word6 word7 ",
            "refusal": null,
            "role": "assistant"
          }
        }
      ],
      "usage": {
        "prompt_tokens": 8,
        "completion_tokens": 16,
        "total_tokens": 24,
        "cost": 0.00004,
        "is_byok": false,
        "cost_details": {
          "upstream_inference_cost": null,
          "upstream_inference_prompt_cost": 0.000008,
          "upstream_inference_completions_cost": 0.000032
        },
        "prompt_tokens_details": {
          "cached_tokens": 0
        },
        "completion_tokens_details": {
          "reasoning_tokens": 0
        }
      }
    }
    "#);
    assert_eq!(gateway.fact(&key, "usage").await, "0.00004");
    gateway.close().await;
}

#[tokio::test]
async fn the_provider_gets_its_own_model_a_maximum_and_what_the_client_added() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    let extras = json!({
        "seed": 7, "unheard_of": [1, {"a": null}], "max_completion_tokens": 20, "max_tokens": 30,
        "user": "u", "metadata": {"a": "b"}, "stream": false, "n": 1,
    });
    gateway.chat(&key, "test/small", extras).await;
    assert_eq!(
        sent(&gateway, 0),
        json!({
            "model": "small", "stream": false, "max_tokens": 20, "seed": 7, "n": 1,
            "unheard_of": [1, {"a": null}],
            "messages": [{ "role": "user", "content": "Hello" }],
        })
    );
    gateway.close().await;
}

#[tokio::test]
async fn the_same_is_served_below_v1_and_with_a_trailing_slash() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    let body =
        json!({ "model": "test/small", "messages": [{ "role": "user", "content": "Hello" }] });
    for path in ["/v1/chat/completions", "/api/v1/chat/completions/", "/v1/chat/completions/"] {
        let answer = gateway.ask(key.text.as_str(), &format!("POST {path}"), &body).await;
        assert_eq!((answer.status, answer.exact("/usage/cost").as_deref()), (200, Some("0.00004")));
    }
    gateway.close().await;
}

#[tokio::test]
async fn a_request_that_is_not_understood_reaches_no_provider() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    let mut answers = String::new();
    for body in [
        "",
        "{",
        "[]",
        r#"{"model":"test/small"}"#,
        r#"{"messages":[{"role":"user","content":"x"}]}"#,
        r#"{"model":"test/small","messages":[]}"#,
        r#"{"model":"test/small","messages":"x"}"#,
        r#"{"model":"nobody/nothing\n","messages":[{"role":"user","content":"x"}]}"#,
        r#"{"model":"test/small","messages":[{"role":"user","content":"x"}],"n":2}"#,
        r#"{"model":"test/small","messages":[{"role":"user","content":"x"}],"max_tokens":0}"#,
        r#"{"model":"test/small","messages":[{"role":"user","content":"x"}],"max_tokens":-1}"#,
        r#"{"model":"test/small","messages":[{"role":"user","content":"x"}],"max_tokens":1.5}"#,
        r#"{"model":"test/small","messages":[{"role":"user","content":"x"}],"max_tokens":"9"}"#,
        r#"{"model":"test/small","messages":[{"role":"user","content":"x"}],"stream":1}"#,
        r#"{"model":"test/small","model":"test/free","messages":[{"role":"user","content":"x"}]}"#,
        r#"{"model":"test/small","messages":[{"role":"user","content":"x"}],"max_tokens":9,"MAX_TO\u212AENS":999999}"#,
        r#"{"model":"test/small","messages":[{"role":"user","content":"x"}],"service_tier":"priority"}"#,
        r#"{"model":"test/small","messages":[{"role":"user","content":"x"}],"best_of":2}"#,
        r#"{"model":"test/small","messages":[{"role":"user","content":"x"}],"prediction":{"type":"content"}}"#,
        r#"{"model":"test/small","messages":[{"role":"user","content":"x"}],"modalities":["text","audio"]}"#,
        r#"{"model":"test/small","messages":[{"role":"user","content":"x"}],"audio":{"voice":"a"}}"#,
        r#"{"model":"test/small","messages":[{"role":"user","content":"x"}],"web_search_options":{}}"#,
        r#"{"model":"test/small","messages":[{"role":"user","content":"x"}],"tools":[{"type":"web_search"}]}"#,
    ] {
        let answer = gateway.ask(key.text.as_str(), "POST /api/v1/chat/completions", body).await;
        assert_eq!(answer.exact("/error/metadata/error_type").unwrap(), r#""invalid_request""#);
        let json = answer.json();
        let message = json["error"]["message"].as_str().unwrap();
        answers.push_str(&format!("{} {message}\n", answer.status));
    }
    assert_snapshot!(answers, @r#"
    400 body is missing; allowed is a JSON object
    400 body cannot be read as JSON: EOF while parsing an object at line 1 column 1
    400 body is an array; allowed is a JSON object
    400 messages is missing; allowed is a non-empty array of messages
    400 model is missing; allowed is the id of a model, as GET /models lists them
    400 messages is empty; allowed is a non-empty array of messages
    400 messages is a string; allowed is a non-empty array of messages
    400 model has a control character; allowed is a string without, or null
    400 n is not supported above 1; allowed is 1 or null
    400 max_tokens is not a positive integer; allowed is a whole number from 1, or null
    400 max_tokens is not a positive integer; allowed is a whole number from 1, or null
    400 max_tokens is not a positive integer; allowed is a whole number from 1, or null
    400 max_tokens is a string; allowed is a positive integer or null
    400 stream is a number; allowed is true, false or null
    400 model is given twice; a name may stand once, however it is spelled
    400 max_tokens is given twice; a name may stand once, however it is spelled
    400 service_tier changes the price, and no endpoint of test/small says how; leave it out
    400 best_of changes the price, and no endpoint of test/small says how; leave it out
    400 prediction changes the price, and no endpoint of test/small says how; leave it out
    400 modalities changes the price, and no endpoint of test/small says how; leave it out
    400 audio changes the price, and no endpoint of test/small says how; leave it out
    400 web_search_options changes the price, and no endpoint of test/small says how; leave it out
    400 tools changes the price, and no endpoint of test/small says how; leave it out
    "#);
    assert_eq!(gateway.upstream.calls().len(), 0);
    gateway.close().await;
}

#[tokio::test]
async fn what_a_key_has_spent_is_what_its_provider_charged() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    gateway.upstream.then(
        "small",
        (0..10).map(|n| {
            Behaviour::new().prompt_tokens(7 + n).completion_tokens(n * 3).reasoning_tokens(n)
        }),
    );
    for n in 0..10 {
        if n % 2 == 0 {
            gateway.chat(&key, "test/small", json!({})).await;
        } else {
            gateway.chat_stream(&key, "test/small", json!({})).await.rest().await.unwrap();
        }
    }
    let charged = gateway.upstream.charged(&prices());
    assert_eq!(charged.to_string(), "0.000385");
    assert_eq!(gateway.fact(&key, "usage").await, "0.000385");
    assert_eq!(gateway.fact(&key, "limit_remaining").await, "0.999615");
    gateway.close().await;
}

#[tokio::test]
async fn a_key_whose_creator_has_the_longest_name_there_is_can_call() {
    let gateway = TestGateway::start().await;
    // 255 characters of four bytes each: the record of its hold must take them.
    let creator = "\u{1d11e}".repeat(255);
    let user = json!({ "id": creator, "email": "long@example.com" });
    let added = gateway.ask(MANAGER, "POST /api/v1/organization/members", user).await;
    assert_eq!(added.status, 201, "{}", added.text());
    let key = gateway.key(json!({ "creator_user_id": creator })).await;
    assert_eq!(gateway.chat(&key, "test/small", json!({})).await.status, 200);
    gateway.close().await;
}

#[tokio::test]
async fn neither_sides_headers_cross() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    gateway.upstream.on("small", Behaviour::new().odd_headers());
    let body = json!({ "model": "test/small", "messages": [{ "role": "user", "content": "Hi" }] });
    let headers = [
        ("cookie", "session=client"),
        ("x-api-key", "of the client"),
        ("x-forwarded-for", "192.0.2.1"),
        ("openai-organization", "org-client"),
        ("http-referer", "https://app.example"),
        ("x-own", "of the client"),
        ("accept-encoding", "gzip"),
    ];
    let line = "POST /api/v1/chat/completions";
    let answer = gateway.ask_with(key.text.as_str(), line, &body, &headers).await;
    let mut back: Vec<_> = answer.headers.keys().map(http::HeaderName::as_str).collect();
    back.sort_unstable();
    assert_eq!(
        back,
        [
            "access-control-allow-origin",
            "access-control-expose-headers",
            "cache-control",
            "content-length",
            "content-type",
            "date",
            "x-generation-id",
            "x-request-id"
        ]
    );
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
    assert!(answer.headers["x-request-id"].to_str().unwrap().starts_with("req-"));
    assert_ne!(answer.headers["x-request-id"], "req-upstream");

    let call = &gateway.upstream.calls()[0];
    let mut sent: Vec<_> = call.headers.keys().map(http::HeaderName::as_str).collect();
    sent.sort_unstable();
    assert_eq!(
        sent,
        [
            "accept",
            "accept-encoding",
            "authorization",
            "content-length",
            "content-type",
            "host",
            "x-own"
        ]
    );
    assert_eq!(call.headers["authorization"], "Bearer alpha-credential-0123456789");
    assert_eq!(call.headers["x-own"], "of alpha");
    assert_eq!(call.headers["accept-encoding"], "identity");
    gateway.close().await;
}

#[tokio::test]
async fn the_client_is_named_to_a_provider_that_is_told_no_other_name() {
    let gateway = TestGateway::with(
        r#"
        [[providers]]
        slug = "alpha"
        base_url = "URL"
        [[providers]]
        slug = "beta"
        base_url = "URL"
        headers = { user-agent = "of beta" }
        [[models]]
        id = "test/unnamed"
        context_length = 8192
        endpoints = [{ provider = "alpha", free = true }]
        [[models]]
        id = "test/named"
        context_length = 8192
        endpoints = [{ provider = "beta", free = true }]
        "#,
    )
    .await;
    let key = gateway.key(json!({})).await;
    let line = "POST /api/v1/chat/completions";
    for (model, name) in [("test/unnamed", "app/1.0"), ("test/named", "of beta")] {
        let body = json!({ "model": model, "messages": [{ "role": "user", "content": "Hi" }] });
        let headers = [("user-agent", "app/1.0")];
        let answer = gateway.ask_with(key.text.as_str(), line, &body, &headers).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(gateway.upstream.calls().last().unwrap().headers["user-agent"], name);
    }
    gateway.close().await;
}
