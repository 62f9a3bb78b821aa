//! Requests that would fit but for what others hold: they wait a while, and no limit is overspent.

use insta::assert_snapshot;
use serde_json::json;
use testkit::Behaviour;

use super::{prices, sent};
use crate::support::{MANAGER, TestGateway, shown};

/// Room for one request of 400 completion tokens ($0.000863), not for two.
const ROOM_FOR_ONE: f64 = 0.001;
const LONG_WAIT: &str = "[bounds]\nhold_wait_ms = 30000";
const SHORT_WAIT: &str = "[bounds]\nhold_wait_ms = 30";

#[tokio::test]
async fn a_request_waits_for_anothers_hold_and_gets_in() {
    let gateway = TestGateway::with(LONG_WAIT).await;
    let key = gateway.key(json!({ "limit": ROOM_FOR_ONE })).await;
    let gate = gateway.upstream.hold_answers("small");
    let first = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
    gate.until_waiting(1).await;
    let second = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
    gateway.until_waiting(1).await;
    assert_eq!(gateway.upstream.calls().len(), 1, "it is not sent while it waits");
    gate.release();
    assert_eq!(first.await.unwrap().status, 200);
    assert_eq!(second.await.unwrap().status, 200);
    assert_eq!(gateway.upstream.in_flight_peak("small"), 1);
    gateway.close().await;
}

#[tokio::test]
async fn a_wait_in_vain_is_402_with_retry_after() {
    let gateway = TestGateway::with(SHORT_WAIT).await;
    let key = gateway.key(json!({ "limit": ROOM_FOR_ONE, "limit_reset": "daily" })).await;
    let gate = gateway.upstream.hold_answers("small");
    let first = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
    gate.until_waiting(1).await;
    let answer = gateway.chat(&key, "test/small", json!({ "max_tokens": 400 })).await;
    assert_snapshot!(shown(&answer), @r#"
    402
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    retry-after: 1
    {
      "error": {
        "code": 402,
        "message": "Key limit (daily) is held by other requests in flight: $0.001 left, $0.000863 of it held. Please try again.",
        "metadata": {
          "error_type": "payment_required",
          "held_usd": 0.000863,
          "limit_source": "openrouter_key_limit",
          "limit_usd": 0.001,
          "reason": "in_flight_budget_exhausted",
          "remaining_usd": 0.001,
          "resets_at": "2026-11-19T00:00:00.000Z",
          "scope": "key_limit",
          "spend_usd": 0
        }
      },
      "user_id": null
    }
    "#);
    gate.release();
    assert_eq!(first.await.unwrap().status, 200);
    gateway.close().await;
}

#[tokio::test]
async fn one_that_named_no_maximum_takes_what_is_free_when_its_wait_is_over() {
    let gateway = TestGateway::with(SHORT_WAIT).await;
    let key = gateway.key(json!({ "limit": ROOM_FOR_ONE })).await;
    let gate = gateway.upstream.hold_answers("small");
    let first = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
    gate.until_waiting(1).await;
    // $0.000137 are free: the prompt and 37 tokens.
    let second = gateway.begin_chat(&key, "test/small", json!({}));
    gate.until_waiting(2).await;
    assert_eq!(sent(&gateway, 1)["max_tokens"], 37);
    gate.release();
    assert_eq!((first.await.unwrap().status, second.await.unwrap().status), (200, 200));
    gateway.close().await;
}

#[tokio::test]
async fn a_full_queue_of_one_limit_refuses_at_once() {
    let gateway =
        TestGateway::with("[bounds]\nhold_wait_ms = 30000\nwaiting_per_limit_max = 1").await;
    let key = gateway.key(json!({ "limit": ROOM_FOR_ONE })).await;
    let gate = gateway.upstream.hold_answers("small");
    let first = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
    gate.until_waiting(1).await;
    let second = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
    gateway.until_waiting(1).await;
    let third = gateway.chat(&key, "test/small", json!({ "max_tokens": 400 })).await;
    assert_eq!((third.status, third.headers["retry-after"].to_str().unwrap()), (402, "1"));
    gate.release();
    assert_eq!((first.await.unwrap().status, second.await.unwrap().status), (200, 200));
    gateway.close().await;
}

#[tokio::test]
async fn a_full_queue_of_all_limits_is_503() {
    let mut answers = Vec::new();
    for bound in ["waiting_max = 0", "waiting_bodies_bytes_max = 10"] {
        let gateway = TestGateway::with(&format!("{LONG_WAIT}\n{bound}")).await;
        let key = gateway.key(json!({ "limit": ROOM_FOR_ONE })).await;
        let gate = gateway.upstream.hold_answers("small");
        let first = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
        gate.until_waiting(1).await;
        let second = gateway.chat(&key, "test/small", json!({ "max_tokens": 400 })).await;
        answers.push(shown(&second));
        gate.release();
        assert_eq!(first.await.unwrap().status, 200);
        assert_eq!(gateway.core.waiting.requests(), 0);
        gateway.close().await;
    }
    assert_eq!(answers[0], answers[1]);
    assert_snapshot!(answers[0], @r#"
        503
        access-control-allow-origin: *
        access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
        retry-after: 1
        {
          "error": {
            "code": 503,
            "message": "Too many requests are waiting for limits to free.",
            "metadata": {
              "error_type": "provider_overloaded"
            }
          }
        }
        "#);
}

#[tokio::test]
async fn as_many_wait_as_the_bounds_say_and_no_more() {
    let body = json!({
        "model": "test/small",
        "messages": [{ "role": "user", "content": "Hello" }],
        "max_tokens": 400,
    })
    .to_string();
    let bytes = format!("waiting_bodies_bytes_max = {}", body.len());
    for bound in ["waiting_max = 1", &bytes] {
        let gateway = TestGateway::with(&format!("{LONG_WAIT}\n{bound}")).await;
        let key = gateway.key(json!({ "limit": ROOM_FOR_ONE })).await;
        let gate = gateway.upstream.hold_answers("small");
        let first = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
        gate.until_waiting(1).await;
        let request = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: gate\r\nconnection: close\r\n\
             authorization: Bearer {}\r\ncontent-length: {}\r\n\r\n{body}",
            key.text,
            body.len()
        );
        let second = gateway.send(&request).await;
        gateway.until_waiting(1).await;
        let third = gateway.raw(&request).await;
        assert!(third.starts_with("HTTP/1.1 503 "), "{bound}: {third}");
        gate.release();
        assert_eq!(first.await.unwrap().status, 200);
        let second = TestGateway::rest(second).await;
        assert!(second.starts_with("HTTP/1.1 200 "), "{bound}: {second}");
        gateway.close().await;
    }
}

#[tokio::test]
async fn a_key_disabled_deleted_or_expired_while_it_waits_is_refused() {
    for way in ["disable", "delete", "expire"] {
        // Nothing tells the waiting that time has passed: they look when their wait is over.
        let wait = if way == "expire" { "[bounds]\nhold_wait_ms = 500" } else { LONG_WAIT };
        let gateway = TestGateway::with(wait).await;
        let expires_at = "2026-11-18T12:30:00Z";
        let key = gateway.key(json!({ "limit": ROOM_FOR_ONE, "expires_at": expires_at })).await;
        let gate = gateway.upstream.hold_answers("small");
        let first = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
        gate.until_waiting(1).await;
        let second = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
        gateway.until_waiting(1).await;
        match way {
            "disable" => gateway.patch(&key, json!({ "disabled": true })).await,
            "delete" => {
                gateway.ask(MANAGER, &format!("DELETE {}", key.path()), "").await;
            }
            _ => gateway.clock.set(expires_at),
        }
        assert_eq!(second.await.unwrap().status, 401, "{way}");
        gate.release();
        assert_eq!(first.await.unwrap().status, 200, "{way}");
        assert_eq!(gateway.upstream.calls().len(), 1, "{way}");
        gateway.close().await;
    }
}

#[tokio::test]
async fn a_raised_limit_lets_the_waiting_in() {
    let gateway = TestGateway::with(LONG_WAIT).await;
    let key = gateway.key(json!({ "limit": ROOM_FOR_ONE })).await;
    let gate = gateway.upstream.hold_answers("small");
    let first = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
    gate.until_waiting(1).await;
    let second = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
    gateway.until_waiting(1).await;
    gateway.patch(&key, json!({ "limit": 1 })).await;
    gate.until_waiting(2).await;
    gate.release();
    assert_eq!((first.await.unwrap().status, second.await.unwrap().status), (200, 200));
    gateway.close().await;
}

#[tokio::test]
async fn a_new_limit_sees_what_was_admitted_without_one() {
    let gateway = TestGateway::with(SHORT_WAIT).await;
    let key = gateway.key(json!({})).await;
    let gate = gateway.upstream.hold_answers("small");
    let first = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
    gate.until_waiting(1).await;
    gateway.patch(&key, json!({ "limit": ROOM_FOR_ONE })).await;
    let second = gateway.chat(&key, "test/small", json!({ "max_tokens": 400 })).await;
    assert_eq!(second.status, 402);
    gate.release();
    assert_eq!(first.await.unwrap().status, 200);
    gateway.close().await;
}

/// SEMANTICS 19.8.
#[tokio::test]
async fn fifty_at_once_never_hold_or_spend_more_than_the_limit() {
    let gateway = TestGateway::with(LONG_WAIT).await;
    // Every one takes all it is allowed, so the limit is worth ten of them: $0.000863 each.
    gateway.upstream.on("small", Behaviour::new().prompt_tokens(63).completion_all_allowed());
    let key = gateway.key(json!({ "limit": 0.00863 })).await;
    let gate = gateway.upstream.hold_answers("small");
    let chats: Vec<_> = (0..50)
        .map(|_| gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 })))
        .collect();
    gate.until_waiting(10).await;
    gateway.until_waiting(40).await;
    assert_eq!(gateway.upstream.calls().len(), 10);
    gate.release();
    let mut statuses = std::collections::BTreeMap::new();
    for chat in chats {
        *statuses.entry(chat.await.unwrap().status).or_insert(0) += 1;
    }
    assert_eq!(statuses.into_iter().collect::<Vec<_>>(), [(200, 10), (403, 40)]);
    assert_eq!(gateway.upstream.in_flight_peak("small"), 10);
    assert_eq!(gateway.upstream.charged(&prices()).to_string(), "0.00863");
    assert_eq!(gateway.fact(&key, "usage").await, "0.00863");
    gateway.close().await;
}

#[tokio::test]
async fn a_client_that_leaves_its_wait_leaves_nothing_behind() {
    let gateway = TestGateway::with(LONG_WAIT).await;
    let key = gateway.key(json!({ "limit": ROOM_FOR_ONE })).await;
    let gate = gateway.upstream.hold_answers("small");
    let first = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
    gate.until_waiting(1).await;
    let second = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
    gateway.until_waiting(1).await;
    second.abort();
    gateway.until_waiting(0).await;
    gate.release();
    assert_eq!(first.await.unwrap().status, 200);
    assert_eq!(gateway.upstream.calls().len(), 1);
    gateway.close().await;
}
