//! A model at several endpoints: what makes the next one be tried, and what it costs.
//! Which is the first is asked for, so that chance has no say.

use insta::assert_snapshot;
use serde_json::{Value, json};
use testkit::{Behaviour, Cut};

use crate::support::{TestGateway, TestKey, shown};

const ERROR: &str = r#"{"error":{"message":"no: sk-alpha0123456789abcdef and alpha-credential-0123456789","type":"x"}}"#;

/// A request whose endpoint at `alpha` is tried first.
fn alpha_first() -> Value {
    json!({ "provider": { "order": ["alpha"] } })
}

/// The same, with a completion of 400 tokens at most.
fn alpha_first_400() -> Value {
    json!({ "provider": { "order": ["alpha"] }, "max_tokens": 400 })
}

async fn limited(gateway: &TestGateway) -> TestKey {
    gateway.key(json!({ "limit": 1 })).await
}

#[tokio::test]
async fn a_refusal_is_tried_at_the_next_endpoint_under_the_same_hold() {
    for status in [401, 402, 403, 404, 408, 429, 500, 502, 503, 529, 302] {
        let gateway = TestGateway::start().await;
        // Room for one worst case and no more.
        let key = gateway.key(json!({ "limit": 0.000863 })).await;
        gateway.upstream.on("pair-a", Behaviour::new().status(status, ERROR));
        for is_stream in [false, true] {
            if is_stream {
                gateway.patch(&key, json!({ "limit": 0.000903 })).await;
                gateway.clock.set("2026-11-18T13:00:00Z");
                let stream = gateway.chat_stream(&key, "test/pair", alpha_first_400());
                assert_eq!(stream.await.rest().await.unwrap().last(), Some(&testkit::Event::Done));
            } else {
                let answer = gateway.chat(&key, "test/pair", alpha_first_400()).await;
                assert_eq!(
                    (answer.status, answer.json()["provider"].clone()),
                    (200, json!("Beta"))
                );
            }
        }
        gateway.settled().await;
        assert_eq!(gateway.rows(), ["beta: reported $0.00004 for 8+16"; 2], "{status}");
        gateway.close().await;
    }
}

#[tokio::test]
async fn what_is_wrong_with_the_request_is_not_tried_again() {
    for status in [400, 413, 422] {
        let gateway = TestGateway::start().await;
        let key = limited(&gateway).await;
        gateway.upstream.on("pair-a", Behaviour::new().status(status, ERROR));
        let answer = gateway.chat(&key, "test/pair", alpha_first()).await;
        if status == 400 {
            assert_snapshot!(shown(&answer), @r#"
            400
            access-control-allow-origin: *
            access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
            x-generation-id: gen-1795003200-0000byzS749KghVwfPKs
            {
              "error": {
                "code": 400,
                "message": "no: [redacted] and [redacted]",
                "metadata": {
                  "error_type": "invalid_request",
                  "provider_code": "400",
                  "provider_name": "Alpha",
                  "raw": "{\"error\":{\"message\":\"no: [redacted] and [redacted]\",\"type\":\"x\"}}"
                }
              }
            }
            "#);
        }
        assert_eq!(answer.status, if status == 413 { 413 } else { 400 });
        assert_eq!(gateway.upstream.calls().len(), 1);
        assert_eq!(gateway.fact(&key, "usage").await, "0");
        gateway.close().await;
    }
}

#[tokio::test]
async fn the_last_refusal_is_the_clients_with_a_status_that_is_right_for_it() {
    let mut answers = String::new();
    for status in [302, 402, 404, 408, 418, 429, 500, 502, 503, 504, 524, 529] {
        let gateway = TestGateway::start().await;
        let key = limited(&gateway).await;
        gateway
            .upstream
            .on("small", Behaviour::new().status(status, "<html>odd</html>").retry_after(7));
        let answer = gateway.chat(&key, "test/small", json!({})).await;
        let after = answer.headers.get("retry-after").map(|after| after.to_str().unwrap());
        answers.push_str(&format!("{status} -> {} {after:?} {}\n", answer.status, answer.text()));
        assert_eq!(answer.headers["x-generation-id"].len(), 35);
        assert_eq!(gateway.fact(&key, "usage").await, "0");
        gateway.close().await;
    }
    assert_snapshot!(answers, @r#"
    302 -> 404 None {"error":{"code":404,"message":"No endpoints found: the provider does not serve this model where it is asked for","metadata":{"error_type":"not_found","provider_code":"302","provider_name":"Alpha","raw":"<html>odd</html>"},"availability":{"code":"model_unavailable_upstream","retryable":false,"requested_models":["test/small"],"docs_url":"https://github.com/tollgate/tollgate/blob/main/docs/errors.md#model_unavailable_upstream","affected_providers":["alpha"]}}}
    402 -> 502 None {"error":{"code":502,"message":"Provider returned error","metadata":{"error_type":"provider_unavailable","provider_code":"402","provider_name":"Alpha"}}}
    404 -> 404 None {"error":{"code":404,"message":"No endpoints found: the provider does not serve this model where it is asked for","metadata":{"error_type":"not_found","provider_code":"404","provider_name":"Alpha","raw":"<html>odd</html>"},"availability":{"code":"model_unavailable_upstream","retryable":false,"requested_models":["test/small"],"docs_url":"https://github.com/tollgate/tollgate/blob/main/docs/errors.md#model_unavailable_upstream","affected_providers":["alpha"]}}}
    408 -> 504 None {"error":{"code":504,"message":"Request timed out at the provider","metadata":{"error_type":"timeout","provider_code":"408","provider_name":"Alpha","raw":"<html>odd</html>"}}}
    418 -> 400 None {"error":{"code":400,"message":"Provider returned error","metadata":{"error_type":"invalid_request","provider_code":"418","provider_name":"Alpha","raw":"<html>odd</html>"}}}
    429 -> 429 Some("7") {"error":{"code":429,"message":"Rate limit exceeded at the provider","metadata":{"error_type":"rate_limit_exceeded","provider_code":"429","provider_name":"Alpha","raw":"<html>odd</html>"},"availability":{"code":"capacity_exhausted","retryable":true,"requested_models":["test/small"],"docs_url":"https://github.com/tollgate/tollgate/blob/main/docs/errors.md#capacity_exhausted","retry_after":7,"affected_providers":["alpha"]}}}
    500 -> 502 None {"error":{"code":502,"message":"Provider returned error","metadata":{"error_type":"provider_unavailable","provider_code":"500","provider_name":"Alpha","raw":"<html>odd</html>"}}}
    502 -> 502 None {"error":{"code":502,"message":"Provider returned error","metadata":{"error_type":"provider_unavailable","provider_code":"502","provider_name":"Alpha","raw":"<html>odd</html>"}}}
    503 -> 503 Some("7") {"error":{"code":503,"message":"Provider returned error","metadata":{"error_type":"provider_overloaded","provider_code":"503","provider_name":"Alpha","raw":"<html>odd</html>"},"availability":{"code":"temporarily_unavailable","retryable":true,"requested_models":["test/small"],"docs_url":"https://github.com/tollgate/tollgate/blob/main/docs/errors.md#temporarily_unavailable","retry_after":7,"affected_providers":["alpha"]}}}
    504 -> 504 None {"error":{"code":504,"message":"Request timed out at the provider","metadata":{"error_type":"timeout","provider_code":"504","provider_name":"Alpha","raw":"<html>odd</html>"}}}
    524 -> 504 None {"error":{"code":504,"message":"Request timed out at the provider","metadata":{"error_type":"timeout","provider_code":"524","provider_name":"Alpha","raw":"<html>odd</html>"}}}
    529 -> 503 Some("7") {"error":{"code":503,"message":"Provider returned error","metadata":{"error_type":"provider_overloaded","provider_code":"529","provider_name":"Alpha","raw":"<html>odd</html>"},"availability":{"code":"temporarily_unavailable","retryable":true,"requested_models":["test/small"],"docs_url":"https://github.com/tollgate/tollgate/blob/main/docs/errors.md#temporarily_unavailable","retry_after":7,"affected_providers":["alpha"]}}}
    "#);
}

#[tokio::test]
async fn refused_everywhere_for_its_rate_is_429_with_the_smallest_hint() {
    let gateway = TestGateway::start().await;
    let key = limited(&gateway).await;
    for (first, second) in [(5, 30), (30, 5)] {
        gateway.upstream.on("pair-a", Behaviour::new().status(429, "{}").retry_after(first));
        gateway.upstream.on("pair-b", Behaviour::new().status(429, "{}").retry_after(second));
        let answer = gateway.chat(&key, "test/pair", alpha_first()).await;
        assert_eq!((answer.status, answer.headers["retry-after"].to_str().unwrap()), (429, "5"));
    }
    gateway.close().await;
}

#[tokio::test]
async fn a_refused_credential_rests_a_minute_and_is_then_tried_again() {
    let gateway = TestGateway::start().await;
    let key = limited(&gateway).await;
    gateway.upstream.then("small", [Behaviour::new().status(401, ERROR), Behaviour::new()]);
    let refused = gateway.chat(&key, "test/small", json!({})).await;
    assert_snapshot!(shown(&refused), @r#"
    502
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    x-generation-id: gen-1795003200-0000byzS749KghVwfPKs
    {
      "error": {
        "code": 502,
        "message": "Provider returned error",
        "metadata": {
          "error_type": "provider_unavailable",
          "provider_code": "401",
          "provider_name": "Alpha"
        }
      }
    }
    "#);
    let resting = gateway.chat(&key, "test/small", json!({})).await;
    assert_snapshot!(shown(&resting), @r#"
    404
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    {
      "error": {
        "code": 404,
        "message": "No endpoints found that can serve test/small at present",
        "metadata": {
          "error_type": "not_found",
          "failed_routing_step": "Filter by Health"
        },
        "availability": {
          "code": "no_endpoints",
          "retryable": false,
          "requested_models": [
            "test/small"
          ],
          "docs_url": "https://github.com/tollgate/tollgate/blob/main/docs/errors.md#no_endpoints",
          "affected_providers": [
            "alpha"
          ]
        }
      }
    }
    "#);
    gateway.clock.set("2026-11-18T12:00:59.999999Z");
    assert_eq!(gateway.chat(&key, "test/small", json!({})).await.status, 404);
    assert_eq!(gateway.upstream.calls().len(), 1);
    gateway.clock.set("2026-11-18T12:01:00Z");
    assert_eq!(gateway.chat(&key, "test/small", json!({})).await.status, 200);
    gateway.close().await;
}

#[tokio::test]
async fn an_unclear_attempt_keeps_its_hold_and_the_next_takes_its_own() {
    for cut in [Cut::BeforeHead, Cut::InHead, Cut::HalfBody] {
        let gateway = TestGateway::start().await;
        let key = limited(&gateway).await;
        gateway.upstream.on("pair-a", Behaviour::new().cut(cut));
        let answer = gateway.chat(&key, "test/pair", alpha_first_400()).await;
        assert_eq!((answer.status, answer.json()["provider"].clone()), (200, json!("Beta")));
        gateway.settled().await;
        assert_eq!(
            gateway.rows(),
            ["alpha: held $0.000863 for 0+0", "beta: reported $0.00004 for 8+16"],
            "{cut:?}"
        );
        assert_eq!(gateway.fact(&key, "usage").await, "0.000903");
        gateway.close().await;
    }
}

#[tokio::test]
async fn without_room_for_a_fresh_hold_there_is_no_next_attempt() {
    let gateway = TestGateway::with("[bounds]\nhold_wait_ms = 10").await;
    let key = gateway.key(json!({ "limit": 0.001 })).await;
    gateway.upstream.on("pair-a", Behaviour::new().cut(Cut::BeforeHead));
    let answer = gateway.chat(&key, "test/pair", alpha_first_400()).await;
    assert_snapshot!(shown(&answer), @r#"
    502
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    x-generation-id: gen-1795003200-0000byzS749KghVwfPKs
    {
      "error": {
        "code": 502,
        "message": "Provider returned error",
        "metadata": {
          "error_type": "provider_unavailable",
          "provider_name": "Alpha"
        }
      }
    }
    "#);
    gateway.settled().await;
    assert_eq!(gateway.rows(), ["alpha: held $0.000863 for 0+0"]);
    assert_eq!(gateway.upstream.calls().len(), 1);
    gateway.close().await;
}

#[tokio::test]
async fn an_error_answer_that_is_cut_is_no_refusal() {
    let gateway = TestGateway::start().await;
    let key = limited(&gateway).await;
    gateway.upstream.on("small", Behaviour::new().status(500, ERROR).cut(Cut::HalfBody));
    let answer = gateway.chat(&key, "test/small", json!({ "max_tokens": 400 })).await;
    assert_eq!(answer.status, 502);
    gateway.settled().await;
    assert_eq!(gateway.rows(), ["alpha: held $0.000863 for 0+0"]);
    gateway.close().await;
}

#[tokio::test]
async fn an_error_answer_with_a_usage_was_billed() {
    let gateway = TestGateway::start().await;
    let key = limited(&gateway).await;
    let body = r#"{"error":{"message":"late"},"usage":{"prompt_tokens":8,"completion_tokens":3}}"#;
    gateway.upstream.on("pair-a", Behaviour::new().status(500, body));
    let answer = gateway.chat(&key, "test/pair", alpha_first()).await;
    assert_eq!(answer.status, 502);
    gateway.settled().await;
    assert_eq!(gateway.rows(), ["alpha: reported $0.000014 for 8+3"]);
    let model = gateway.core.catalogue().model("test/pair").cloned().unwrap();
    let report = model.endpoints[0].learned.health.report(gateway.clock.time());
    assert_eq!(report.uptime, [Some(0); 3], "it has failed all the same");
    gateway.close().await;
}

#[tokio::test]
async fn an_error_answer_is_read_up_to_its_bound_and_not_waited_for() {
    let gateway = TestGateway::start().await;
    let key = limited(&gateway).await;
    // Of 256 KiB it sends half, and keeps the connection open.
    let endless = Behaviour::new().status(500, &"x".repeat(256 << 10)).stall_at(2);
    gateway.upstream.on("small", endless);
    let chat = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
    assert_eq!(chat.await.unwrap().status, 502);
    gateway.settled().await;
    assert_eq!(gateway.rows().len(), 0);
    gateway.close().await;
}

#[tokio::test]
async fn what_was_admitted_is_tried_under_its_hold_though_the_limit_was_lowered() {
    let gateway = TestGateway::start().await;
    let key = limited(&gateway).await;
    gateway.upstream.on("pair-a", Behaviour::new().status(500, ERROR));
    let gate = gateway.upstream.hold_answers("pair-a");
    let chat = gateway.begin_chat(&key, "test/pair", alpha_first_400());
    gate.until_waiting(1).await;
    gateway.patch(&key, json!({ "limit": 0 })).await;
    gate.release();
    let answer = chat.await.unwrap();
    assert_eq!((answer.status, answer.json()["provider"].clone()), (200, json!("Beta")));
    assert_eq!(gateway.chat(&key, "test/pair", alpha_first_400()).await.status, 403);
    gateway.close().await;
}

#[tokio::test]
async fn an_error_under_status_200_is_a_refusal() {
    let gateway = TestGateway::start().await;
    let key = limited(&gateway).await;
    gateway.upstream.on("pair-a", Behaviour::new().error_with_status_200());
    let answer = gateway.chat(&key, "test/pair", alpha_first()).await;
    assert_eq!((answer.status, answer.json()["provider"].clone()), (200, json!("Beta")));
    gateway.upstream.on("small", Behaviour::new().error_with_status_200());
    let answer = gateway.chat(&key, "test/small", json!({})).await;
    assert_snapshot!(shown(&answer), @r#"
    502
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    x-generation-id: gen-1795003200-0000mPtP0S8jrTgxPrIe
    {
      "error": {
        "code": 502,
        "message": "Provider returned error",
        "metadata": {
          "error_type": "provider_unavailable",
          "provider_code": "500",
          "provider_name": "Alpha",
          "raw": "{\"error\":{\"code\":500,\"message\":\"the upstream failed\"}}"
        }
      }
    }
    "#);
    let streamed = gateway.chat_stream(&key, "test/small", json!({})).await;
    assert_eq!(streamed.into_answer().await.unwrap().status, 502);
    gateway.settled().await;
    assert_eq!(gateway.rows(), ["beta: reported $0.00004 for 8+16"]);
    gateway.close().await;
}

#[tokio::test]
async fn a_provider_that_can_not_be_reached_is_passed_over_at_no_cost() {
    let gateway = TestGateway::with(
        r#"
        providers = [
            { slug = "nowhere", base_url = "http://127.0.0.1:1" },
            { slug = "beta", base_url = "URL" },
        ]
        [[models]]
        id = "test/moved"
        context_length = 8192
        endpoints = [{ provider = "nowhere", free = true }, { provider = "beta", free = true }]
        [[models]]
        id = "test/gone"
        context_length = 8192
        endpoints = [{ provider = "nowhere", pricing = { prompt = "1", completion = "1" } }]
        "#,
    )
    .await;
    let key = gateway.key(json!({})).await;
    assert_eq!(
        gateway
            .chat(&key, "test/moved", json!({ "provider": { "order": ["nowhere"] } }))
            .await
            .status,
        200
    );
    assert_eq!(gateway.chat(&key, "test/gone", json!({})).await.status, 502);
    gateway.settled().await;
    assert_eq!(gateway.rows(), ["beta: reported $0 for 8+16"]);
    gateway.close().await;
}

#[tokio::test]
async fn a_provider_that_says_nothing_in_time_is_504_and_held() {
    let gateway = TestGateway::with("[bounds]\nprovider_first_byte_ms = 30").await;
    let key = limited(&gateway).await;
    let gate = gateway.upstream.hold_answers("small");
    let answer = gateway.chat(&key, "test/small", json!({ "max_tokens": 400 })).await;
    assert_eq!(answer.status, 504);
    gate.release();
    gateway.settled().await;
    assert_eq!(gateway.rows(), ["alpha: held $0.000863 for 0+0"]);
    gateway.close().await;
}
