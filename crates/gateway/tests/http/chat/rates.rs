//! How fast a key may go: what is let in, what is told to come back and when, and that no place is
//! left taken, whatever becomes of a call.

use insta::assert_snapshot;
use serde_json::{Value, json};
use testkit::{Behaviour, Cut, Event, Usage};

use super::sent;
use crate::support::{TestGateway, TestKey, shown};

/// What a call is answered with.
async fn status(gateway: &TestGateway, key: &TestKey, extras: Value) -> u16 {
    gateway.chat(key, "test/small", extras).await.status
}

/// Requests, tokens and requests at once, as they count now.
fn pace(gateway: &TestGateway, key: &TestKey) -> (u64, u64, u64) {
    let known = gateway.core.directory.key(&gateway::http::hash(&key.text)).unwrap();
    let figures = known.account().pace(gateway.clock.time());
    (figures.requests, figures.tokens, figures.concurrent)
}

#[tokio::test]
async fn requests_of_any_minute_are_counted_and_the_next_is_told_when_to_come() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "requests_per_minute": 2, "creator_user_id": "u1" })).await;
    gateway.clock.set("2026-11-18T12:00:50Z");
    assert_eq!(status(&gateway, &key, json!({})).await, 200);
    gateway.clock.set("2026-11-18T12:00:59.1234567Z");
    assert_eq!(status(&gateway, &key, json!({})).await, 200);
    let answer = gateway.chat(&key, "test/small", json!({})).await;
    assert_snapshot!(shown(&answer), @r#"
    429
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    retry-after: 51
    x-ratelimit-limit: 2
    x-ratelimit-remaining: 0
    x-ratelimit-reset: 1795003310000
    {
      "error": {
        "code": 429,
        "message": "Rate limit exceeded: this key may make 2 requests a minute (`requests_per_minute`). Try again in 51 seconds, at 2026-11-18T12:01:50.000Z.",
        "metadata": {
          "error_type": "rate_limit_exceeded",
          "headers": {
            "X-RateLimit-Limit": "2",
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": "1795003310000"
          },
          "rate_limit": "requests_per_minute",
          "resets_at": "2026-11-18T12:01:50.000Z"
        }
      },
      "user_id": "u1"
    }
    "#);
    // The clock's minute is over, and this one is not.
    gateway.clock.set("2026-11-18T12:01:49.999999999Z");
    let answer = gateway.chat(&key, "test/small", json!({})).await;
    assert_eq!((answer.status, answer.headers["retry-after"].to_str().unwrap()), (429, "1"));
    gateway.clock.set("2026-11-18T12:01:50Z");
    assert_eq!(status(&gateway, &key, json!({})).await, 200);
    let answer = gateway.chat(&key, "test/small", json!({})).await;
    // A part of a millisecond is rounded up: whoever comes back then is not too early.
    assert_eq!(answer.headers["x-ratelimit-reset"], "1795003319124");
    assert_eq!(gateway.upstream.calls().len(), 3);
    gateway.close().await;
}

#[tokio::test]
async fn what_is_refused_counts_nowhere() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "requests_per_minute": 1, "limit": 0.001 })).await;
    // Refused for money, for a model, for its form: none is a request of the minute.
    assert_eq!(status(&gateway, &key, json!({ "max_tokens": 900 })).await, 402);
    assert_eq!(gateway.chat(&key, "test/none", json!({})).await.status, 400);
    assert_eq!(status(&gateway, &key, json!({ "max_tokens": 0 })).await, 400);
    assert_eq!(pace(&gateway, &key), (0, 0, 0));
    assert_eq!(status(&gateway, &key, json!({ "max_tokens": 16 })).await, 200);
    for _ in 0..3 {
        assert_eq!(status(&gateway, &key, json!({ "max_tokens": 16 })).await, 429);
    }
    assert_eq!(gateway.held(&key), "0");
    assert_eq!(pace(&gateway, &key), (1, 24, 0));
    // Three refusals later it is free when the first said it would be.
    gateway.clock.set("2026-11-18T12:01:00Z");
    assert_eq!(status(&gateway, &key, json!({ "max_tokens": 16 })).await, 200);
    gateway.close().await;
}

#[tokio::test]
async fn tokens_are_held_at_worst_and_settled_as_they_came_out() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "tokens_per_minute": 1000 })).await;
    let gate = gateway.upstream.hold_answers("small");
    let first = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
    gate.until_waiting(1).await;
    assert_eq!(pace(&gateway, &key), (1, 463, 1));
    let answer = gateway.chat(&key, "test/small", json!({ "max_tokens": 500 })).await;
    assert_snapshot!(shown(&answer), @r#"
    429
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    retry-after: 60
    x-ratelimit-limit: 1000
    x-ratelimit-remaining: 537
    x-ratelimit-reset: 1795003260000
    {
      "error": {
        "code": 429,
        "message": "Rate limit exceeded: this key may use 1000 tokens a minute, of which 537 are free (`tokens_per_minute`). Try again in 60 seconds, at 2026-11-18T12:01:00.000Z, or now with `max_tokens` of at most 474.",
        "metadata": {
          "error_type": "rate_limit_exceeded",
          "headers": {
            "X-RateLimit-Limit": "1000",
            "X-RateLimit-Remaining": "537",
            "X-RateLimit-Reset": "1795003260000"
          },
          "rate_limit": "tokens_per_minute",
          "resets_at": "2026-11-18T12:01:00.000Z"
        }
      },
      "user_id": null
    }
    "#);
    let second = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 474 }));
    gate.until_waiting(2).await;
    let full = gateway.chat(&key, "test/small", json!({ "max_tokens": 1 })).await;
    assert_eq!(full.status, 429);
    let text = full.text();
    assert!(text.contains("of which 0 are free"), "{text}");
    gate.release();
    assert_eq!((first.await.unwrap().status, second.await.unwrap().status), (200, 200));
    // 8 and 16 tokens each.
    assert_eq!(pace(&gateway, &key), (2, 48, 0));
    assert_eq!(status(&gateway, &key, json!({ "max_tokens": 889 })).await, 200);
    gateway.close().await;
}

#[tokio::test]
async fn a_request_that_could_never_fit_is_400_with_what_would() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "tokens_per_minute": 500 })).await;
    let named = gateway.chat(&key, "test/small", json!({ "max_tokens": 438 })).await;
    assert_snapshot!(shown(&named), @r#"
    400
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    {
      "error": {
        "code": 400,
        "message": "This request could use 501 tokens, and this key may use 500 a minute (`tokens_per_minute`). Set `max_tokens` to at most 437.",
        "metadata": {
          "error_type": "token_limit_exceeded",
          "rate_limit": "tokens_per_minute",
          "remedy_hint": "lower_max_tokens"
        }
      },
      "user_id": null
    }
    "#);
    assert_eq!(status(&gateway, &key, json!({ "max_tokens": 437 })).await, 200);
    let messages = json!([{ "role": "user", "content": "x".repeat(600) }]);
    let long = gateway.chat(&key, "test/small", json!({ "messages": messages })).await;
    assert_snapshot!(shown(&long), @r#"
    400
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    {
      "error": {
        "code": 400,
        "message": "This request could use 674 tokens, and this key may use 500 a minute (`tokens_per_minute`). Shorten the prompt.",
        "metadata": {
          "error_type": "token_limit_exceeded",
          "rate_limit": "tokens_per_minute",
          "remedy_hint": "shorten_prompt"
        }
      },
      "user_id": null
    }
    "#);
    assert_eq!(gateway.upstream.calls().len(), 1);
    gateway.close().await;
}

#[tokio::test]
async fn without_a_named_maximum_the_completion_is_capped_at_what_is_free() {
    let gateway = TestGateway::start().await;
    gateway.upstream.on("small", Behaviour::new().prompt_tokens(63).completion_tokens(400));
    let key = gateway.key(json!({ "tokens_per_minute": 1000 })).await;
    assert_eq!(status(&gateway, &key, json!({})).await, 200);
    assert_eq!(sent(&gateway, 0)["max_tokens"], 937);
    // 463 are used.
    assert_eq!(status(&gateway, &key, json!({})).await, 200);
    assert_eq!(sent(&gateway, 1)["max_tokens"], 474);
    // 74 are left, fewer than the prompt and the floor of 16.
    let answer = gateway.chat(&key, "test/small", json!({})).await;
    assert_eq!(answer.status, 429);
    assert!(answer.text().contains("or now with `max_tokens` of at most 11."), "{}", answer.text());
    gateway.clock.set("2026-11-18T12:01:00Z");
    assert_eq!(status(&gateway, &key, json!({})).await, 200);
    gateway.close().await;
}

#[tokio::test]
async fn reasoning_beyond_the_maximum_is_in_the_worst_case() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "tokens_per_minute": 600 })).await;
    let gate = gateway.upstream.hold_answers("reasoning");
    let chat = gateway.begin_chat(&key, "test/reasoning", json!({ "max_tokens": 37 }));
    gate.until_waiting(1).await;
    assert_eq!(pace(&gateway, &key), (1, 600, 1));
    gate.release();
    assert_eq!(chat.await.unwrap().status, 200);
    gateway.close().await;
}

#[tokio::test]
async fn tokens_are_counted_where_bytes_alone_would_refuse() {
    let gateway = TestGateway::with(
        r#"
        [[models]]
        id = "test/counted"
        context_length = 8192
        endpoints = [{ provider = "alpha", tokenizer = "o200k_base", prompt_overhead_tokens = 16, free = true }]
        [[models]]
        id = "test/uncounted"
        context_length = 8192
        endpoints = [{ provider = "alpha", prompt_overhead_tokens = 16, free = true }]
        [[models]]
        id = "test/other"
        context_length = 8192
        endpoints = [{ provider = "alpha", free = true }]
        "#,
    )
    .await;
    // 3,000 bytes of text are 500 tokens.
    let key = gateway.key(json!({ "tokens_per_minute": 600 })).await;
    let messages = json!([{ "role": "user", "content": " hello".repeat(500) }]);
    let extras = json!({ "messages": messages, "max_tokens": 16 });
    assert_eq!(gateway.chat(&key, "test/uncounted", extras.clone()).await.status, 400);
    assert_eq!(gateway.chat(&key, "test/counted", extras.clone()).await.status, 200);
    // The same where they fit the limit, and not what is free of it.
    let key = gateway.key(json!({ "tokens_per_minute": 4000 })).await;
    let long = Behaviour::new().prompt_tokens(1500).completion_tokens(1);
    gateway.upstream.on("test/other", long);
    let short = json!({ "max_tokens": 1 });
    assert_eq!(gateway.chat(&key, "test/other", short).await.status, 200);
    assert_eq!(gateway.chat(&key, "test/uncounted", extras.clone()).await.status, 429);
    assert_eq!(gateway.chat(&key, "test/counted", extras).await.status, 200);
    gateway.close().await;
}

#[tokio::test]
async fn a_request_that_is_refused_whatever_its_length_is_not_counted_first() {
    let gateway = TestGateway::with(
        r#"
        [[models]]
        id = "test/counted"
        context_length = 8192
        endpoints = [{ provider = "alpha", tokenizer = "o200k_base", free = true }]
        "#,
    )
    .await;
    let key = gateway.key(json!({ "requests_per_minute": 1 })).await;
    assert_eq!(gateway.chat(&key, "test/counted", json!({})).await.status, 200);
    gateway.settled().await;
    let turns = gateway.core.counting.available_permits().try_into().unwrap();
    let all = gateway.core.counting.acquire_many(turns).await.unwrap();
    let refused = gateway.begin_chat(&key, "test/counted", json!({}));
    gateway.until(|_| refused.is_finished()).await;
    drop(all);
    assert_eq!(refused.await.unwrap().status, 429);
    gateway.close().await;
}

#[tokio::test]
async fn an_endpoint_with_too_many_tokens_is_left_out() {
    let gateway = TestGateway::with(
        r#"
        [[models]]
        id = "test/two"
        context_length = 8192
        endpoints = [
            { provider = "alpha", prompt_overhead_tokens = 1000, free = true },
            { provider = "beta", prompt_overhead_tokens = 16, pricing = { prompt = "0.000001", completion = "0.000002" } },
        ]
        "#,
    )
    .await;
    let key = gateway.key(json!({ "tokens_per_minute": 500, "limit": 1 })).await;
    let answer = gateway.chat(&key, "test/two", json!({ "max_tokens": 100 })).await;
    assert_eq!((answer.status, answer.json()["provider"].clone()), (200, json!("Beta")));
    gateway.close().await;
}

#[tokio::test]
async fn requests_at_once_are_refused_past_the_limit_and_let_in_when_one_has_ended() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "concurrent_requests": 2 })).await;
    let gate = gateway.upstream.hold_answers("small");
    let first = gateway.begin_chat(&key, "test/small", json!({}));
    let second = gateway.begin_chat(&key, "test/small", json!({}));
    gate.until_waiting(2).await;
    let answer = gateway.chat(&key, "test/small", json!({})).await;
    assert_snapshot!(shown(&answer), @r#"
    429
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    retry-after: 1
    x-ratelimit-limit: 2
    x-ratelimit-remaining: 0
    x-ratelimit-reset: 1795003201000
    {
      "error": {
        "code": 429,
        "message": "Rate limit exceeded: this key may have 2 requests in flight at once (`concurrent_requests`). Try again in 1 second, at 2026-11-18T12:00:01.000Z, or when one of them has ended.",
        "metadata": {
          "error_type": "rate_limit_exceeded",
          "headers": {
            "X-RateLimit-Limit": "2",
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": "1795003201000"
          },
          "rate_limit": "concurrent_requests",
          "resets_at": "2026-11-18T12:00:01.000Z"
        }
      },
      "user_id": null
    }
    "#);
    assert_eq!(gateway.chat(&key, "test/free", json!({})).await.status, 429);
    // Another key has its own places.
    let other = gateway.key(json!({ "concurrent_requests": 1 })).await;
    assert_eq!(gateway.chat(&other, "test/free", json!({})).await.status, 200);
    gate.release_one();
    gateway.until(|_| pace(&gateway, &key).2 == 1).await;
    let third = gateway.begin_chat(&key, "test/small", json!({}));
    gate.until_waiting(2).await;
    gate.release();
    for chat in [first, second, third] {
        assert_eq!(chat.await.unwrap().status, 200);
    }
    assert_eq!(gateway.upstream.in_flight_peak("small"), 2);
    gateway.close().await;
}

/// The place is given back before the last byte: whoever has a whole answer can ask again.
#[tokio::test]
async fn one_at_a_time_is_never_refused() {
    for settings in ["", "[store]\nlast_byte_waits = false"] {
        let gateway = TestGateway::with(settings).await;
        let key = gateway.key(json!({ "concurrent_requests": 1 })).await;
        for n in 0..40 {
            if n % 2 == 0 {
                assert_eq!(status(&gateway, &key, json!({})).await, 200, "{n}");
            } else {
                let stream = gateway.chat_stream(&key, "test/small", json!({})).await;
                let events = stream.rest().await.unwrap();
                assert_eq!(events.last(), Some(&Event::Done), "{n}");
            }
        }
        // Without the wait, the last settlement may be on its way.
        gateway.until(|_| gateway.held(&key) == "0").await;
        gateway.close().await;
    }
}

#[tokio::test]
async fn a_call_whose_client_has_left_keeps_its_place_until_it_has_ended() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "concurrent_requests": 1 })).await;
    let gate = gateway.upstream.hold_answers("small");
    let chat = gateway.begin_chat(&key, "test/small", json!({}));
    gate.until_waiting(1).await;
    chat.abort();
    assert!(chat.await.is_err());
    assert_eq!(status(&gateway, &key, json!({})).await, 429);
    gate.release();
    gateway.settled().await;
    assert_eq!(status(&gateway, &key, json!({})).await, 200);
    gateway.close().await;
}

#[tokio::test]
async fn a_place_is_free_however_a_call_ends() {
    let error = r#"{"error":{"message":"no","type":"x"}}"#;
    let billed = r#"{"error":{"message":"no"},"usage":{"prompt_tokens":1,"completion_tokens":1}}"#;
    let ends = [
        Behaviour::new().status(400, error),
        Behaviour::new().status(401, error),
        Behaviour::new().status(500, error),
        Behaviour::new().status(500, billed),
        Behaviour::new().redirect("http://127.0.0.1:1/"),
        Behaviour::new().error_with_status_200(),
        Behaviour::new().malformed_json(),
        Behaviour::new().cut(Cut::BeforeHead),
        Behaviour::new().cut(Cut::InHead),
        Behaviour::new().cut(Cut::HalfBody),
        Behaviour::new().error_event(0),
        Behaviour::new().error_event(2),
        Behaviour::new().usage(Usage::Absent),
        Behaviour::new().usage(Usage::Nonsense("-1".to_owned())),
        Behaviour::new().without_done(),
        Behaviour::new().content_type("application/json"),
        Behaviour::new().huge(1),
    ];
    for model in ["test/small", "test/stopping"] {
        for (number, behaviour) in ends.iter().enumerate() {
            for is_stream in [false, true] {
                let gateway = TestGateway::start().await;
                gateway.upstream.otherwise(behaviour.clone());
                let key = gateway.key(json!({ "concurrent_requests": 1 })).await;
                if is_stream {
                    // How it ends is other tests' business.
                    let stream = gateway.chat_stream(&key, model, json!({})).await;
                    if stream.is_stream() {
                        drop(stream.rest().await);
                    }
                } else {
                    let client = gateway.client.below("/api/v1");
                    drop(client.chat(key.text.as_str(), model, &json!({})).await);
                }
                let (_, _, concurrent) = pace(&gateway, &key);
                assert_eq!(concurrent, 0, "{model} {number} {is_stream}");
                gateway.upstream.otherwise(Behaviour::new());
                let again = gateway.chat(&key, "test/free", json!({})).await;
                // A provider that refused the credential rests.
                assert!([200, 404].contains(&again.status), "{number}: {}", again.text());
                gateway.close().await;
            }
        }
    }
}

/// A fallback goes on in its call's place: it is the same request.
#[tokio::test]
async fn a_further_attempt_is_no_further_request() {
    let gateway = TestGateway::start().await;
    gateway.upstream.on("pair-a", Behaviour::new().cut(Cut::BeforeHead));
    let limits = json!({ "concurrent_requests": 1, "requests_per_minute": 1 });
    let key = gateway.key(limits).await;
    let gate = gateway.upstream.hold_answers("pair-b");
    let chat = gateway.begin_chat(&key, "test/pair", json!({}));
    gate.until_waiting(1).await;
    // The first attempt's tokens are not known, and count at worst.
    assert_eq!(pace(&gateway, &key), (1, 2 * 1063, 1));
    assert_eq!(gateway.chat(&key, "test/free", json!({})).await.status, 429);
    gate.release();
    let answer = chat.await.unwrap();
    assert_eq!((answer.status, answer.json()["provider"].clone()), (200, json!("Beta")));
    assert_eq!(pace(&gateway, &key), (1, 1063 + 24, 0));
    gateway.close().await;
}

#[tokio::test]
async fn a_further_attempt_that_has_too_many_tokens_is_not_made() {
    let gateway = TestGateway::start().await;
    gateway.upstream.on("pair-a", Behaviour::new().cut(Cut::BeforeHead));
    let key = gateway.key(json!({ "tokens_per_minute": 900 })).await;
    let answer = gateway.chat(&key, "test/pair", json!({ "max_tokens": 400 })).await;
    assert_eq!(answer.status, 502);
    assert_eq!(gateway.upstream.calls().len(), 1);
    assert_eq!(pace(&gateway, &key), (1, 463, 0));
    gateway.close().await;
}

#[tokio::test]
async fn what_is_charged_in_full_counts_at_worst_and_what_was_not_billed_not_at_all() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "tokens_per_minute": 1000 })).await;
    gateway.upstream.on("small", Behaviour::new().cut(Cut::HalfBody));
    assert_eq!(status(&gateway, &key, json!({ "max_tokens": 400 })).await, 502);
    assert_eq!(pace(&gateway, &key), (1, 463, 0));
    gateway.upstream.on("small", Behaviour::new().status(500, "{}"));
    assert_eq!(status(&gateway, &key, json!({ "max_tokens": 400 })).await, 502);
    assert_eq!(pace(&gateway, &key), (2, 463, 0));
    gateway.upstream.on("small", Behaviour::new().usage(Usage::Absent).completion_tokens(2));
    assert_eq!(status(&gateway, &key, json!({ "max_tokens": 400 })).await, 200);
    let (requests, tokens, _) = pace(&gateway, &key);
    assert!((3, 463 + 63) < (requests, tokens) && tokens < 2 * 463, "{tokens} were counted");
    gateway.close().await;
}

#[tokio::test]
async fn a_spent_limit_and_a_request_too_dear_come_before_a_pace() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "requests_per_minute": 1, "limit": 0.001 })).await;
    assert_eq!(status(&gateway, &key, json!({ "max_tokens": 16 })).await, 200);
    assert_eq!(status(&gateway, &key, json!({ "max_tokens": 900 })).await, 402);
    assert_eq!(status(&gateway, &key, json!({ "max_tokens": 16 })).await, 429);
    gateway.patch(&key, json!({ "limit": 0 })).await;
    assert_eq!(status(&gateway, &key, json!({ "max_tokens": 16 })).await, 403);
    gateway.patch(&key, json!({ "disabled": true })).await;
    assert_eq!(status(&gateway, &key, json!({ "max_tokens": 16 })).await, 401);
    gateway.close().await;
}

#[tokio::test]
async fn a_pace_refuses_at_once_where_money_alone_would_wait() {
    let gateway = TestGateway::with("[bounds]\nhold_wait_ms = 30000").await;
    // Room for one worst case of 400 tokens.
    let limits = json!({ "limit": 0.001, "requests_per_minute": 2 });
    let key = gateway.key(limits).await;
    let gate = gateway.upstream.hold_answers("small");
    let first = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
    gate.until_waiting(1).await;
    let waiting = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
    gateway.until_waiting(1).await;
    // Waiting takes no place; what comes in between takes the last.
    assert_eq!(pace(&gateway, &key), (1, 463, 1));
    assert_eq!(gateway.chat(&key, "test/free", json!({})).await.status, 200);
    assert_eq!(status(&gateway, &key, json!({ "max_tokens": 400 })).await, 429);
    gate.release();
    assert_eq!(first.await.unwrap().status, 200);
    assert_eq!(waiting.await.unwrap().status, 429);
    assert_eq!(gateway.upstream.calls().len(), 2);
    gateway.close().await;
}

#[tokio::test]
async fn an_edit_binds_the_next_request() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "requests_per_minute": 2 })).await;
    assert_eq!(gateway.chat(&key, "test/free", json!({})).await.status, 200);
    gateway.patch(&key, json!({ "requests_per_minute": 1 })).await;
    assert_eq!(gateway.chat(&key, "test/free", json!({})).await.status, 429);
    gateway.patch(&key, json!({ "requests_per_minute": 2 })).await;
    assert_eq!(gateway.chat(&key, "test/free", json!({})).await.status, 200);
    gateway.patch(&key, json!({ "requests_per_minute": null })).await;
    assert_eq!(gateway.chat(&key, "test/free", json!({})).await.status, 200);
    gateway.patch(&key, json!({ "tokens_per_minute": 48 })).await;
    assert_eq!(gateway.chat(&key, "test/free", json!({ "max_tokens": 1 })).await.status, 400);
    gateway.patch(&key, json!({ "tokens_per_minute": null, "concurrent_requests": 1 })).await;
    let gate = gateway.upstream.hold_answers("free");
    let running = gateway.begin_chat(&key, "test/free", json!({}));
    gate.until_waiting(1).await;
    assert_eq!(gateway.chat(&key, "test/free", json!({})).await.status, 429);
    gateway.patch(&key, json!({ "concurrent_requests": 2 })).await;
    let second = gateway.begin_chat(&key, "test/free", json!({}));
    gate.until_waiting(2).await;
    gate.release();
    assert_eq!((running.await.unwrap().status, second.await.unwrap().status), (200, 200));
    gateway.close().await;
}

/// What counts of the last minute is kept in memory alone.
#[tokio::test]
async fn a_restart_starts_afresh() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "requests_per_minute": 1 })).await;
    assert_eq!(gateway.chat(&key, "test/free", json!({})).await.status, 200);
    assert_eq!(gateway.chat(&key, "test/free", json!({})).await.status, 429);
    let gateway = gateway.crash().await;
    assert_eq!(gateway.chat(&key, "test/free", json!({})).await.status, 200);
    assert_eq!(gateway.chat(&key, "test/free", json!({})).await.status, 429);
    gateway.close().await;
}

#[tokio::test]
async fn two_hundred_at_once_share_ten_places_and_leave_none_taken() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "concurrent_requests": 10, "limit": 1 })).await;
    let gate = gateway.upstream.hold_answers("small");
    let chats: Vec<_> =
        (0..200).map(|_| gateway.begin_chat(&key, "test/small", json!({}))).collect();
    gate.until_waiting(10).await;
    let mut answers = tokio::task::JoinSet::new();
    for chat in chats {
        answers.spawn(async move { chat.await.unwrap().status });
    }
    for _ in 0..190 {
        assert_eq!(answers.join_next().await.unwrap().unwrap(), 429);
    }
    assert_eq!(gateway.upstream.calls().len(), 10);
    gate.release();
    assert_eq!(answers.join_all().await, [200; 10]);
    assert_eq!(gateway.upstream.in_flight_peak("small"), 10);
    gateway.close().await;
}
