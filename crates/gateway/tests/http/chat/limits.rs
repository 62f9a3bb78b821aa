//! Limits at admission: what is refused, in which words, and what a key may still do.

use insta::assert_snapshot;
use serde_json::json;
use testkit::Behaviour;

use super::sent;
use crate::support::{TestGateway, shown};

#[tokio::test]
async fn a_limit_that_is_spent_is_403_with_its_window() {
    let gateway = TestGateway::start().await;
    let key =
        gateway.key(json!({ "limit": 0, "limit_reset": "daily", "creator_user_id": "u1" })).await;
    let answer = gateway.chat(&key, "test/small", json!({})).await;
    assert_snapshot!(shown(&answer), @r#"
    403
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    {
      "error": {
        "code": 403,
        "message": "Key limit exceeded (daily limit). Manage it using https://gate.example/settings/keys",
        "metadata": {
          "error_type": "permission_denied",
          "held_usd": 0,
          "limit_source": "openrouter_key_limit",
          "limit_usd": 0,
          "remaining_usd": 0,
          "resets_at": "2026-11-19T00:00:00.000Z",
          "scope": "key_limit",
          "spend_usd": 0
        }
      },
      "user_id": "u1"
    }
    "#);
    for (reset, words) in [("weekly", "weekly limit"), ("monthly", "monthly limit")] {
        gateway.patch(&key, json!({ "limit_reset": reset })).await;
        let answer = gateway.chat(&key, "test/small", json!({})).await;
        assert!(
            answer.text().contains(&format!("Key limit exceeded ({words})")),
            "{}",
            answer.text()
        );
    }
    gateway.patch(&key, json!({ "limit_reset": null })).await;
    let lifetime = gateway.chat(&key, "test/small", json!({})).await;
    assert_snapshot!(shown(&lifetime), @r#"
    403
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    {
      "error": {
        "code": 403,
        "message": "Key limit exceeded (total limit). Manage it using https://gate.example/settings/keys",
        "metadata": {
          "error_type": "permission_denied",
          "held_usd": 0,
          "limit_source": "openrouter_key_limit",
          "limit_usd": 0,
          "remaining_usd": 0,
          "resets_at": null,
          "scope": "key_limit",
          "spend_usd": 0
        }
      },
      "user_id": "u1"
    }
    "#);
    assert_eq!(gateway.upstream.calls().len(), 0);
    gateway.close().await;
}

#[tokio::test]
async fn a_spent_limit_is_402_where_the_configuration_says_so() {
    let gateway = TestGateway::with("[api]\nlimit_spent_status = 402").await;
    let key = gateway.key(json!({ "limit": 0 })).await;
    let answer = gateway.chat(&key, "test/small", json!({})).await;
    assert_snapshot!(shown(&answer), @r#"
    402
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    {
      "error": {
        "code": 402,
        "message": "Key limit exceeded (total limit). Manage it using https://gate.example/settings/keys",
        "metadata": {
          "error_type": "payment_required",
          "held_usd": 0,
          "limit_source": "openrouter_key_limit",
          "limit_usd": 0,
          "remaining_usd": 0,
          "resets_at": null,
          "scope": "key_limit",
          "spend_usd": 0
        }
      },
      "user_id": null
    }
    "#);
    gateway.close().await;
}

#[tokio::test]
async fn a_model_that_costs_nothing_passes_a_spent_limit() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 0 })).await;
    let answer = gateway.chat(&key, "test/free", json!({})).await;
    assert_eq!((answer.status, answer.exact("/usage/cost").as_deref()), (200, Some("0")));
    gateway.close().await;
}

#[tokio::test]
async fn a_named_maximum_that_does_not_fit_is_402_with_the_one_that_would() {
    let gateway = TestGateway::start().await;
    // 63 prompt tokens are $0.000063, which leaves 468 completion tokens and half of one.
    let key = gateway.key(json!({ "limit": 0.001, "limit_reset": "daily" })).await;
    let answer = gateway.chat(&key, "test/small", json!({ "max_tokens": 469 })).await;
    assert_snapshot!(shown(&answer), @r#"
    402
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    {
      "error": {
        "code": 402,
        "message": "This request requires more credits, or fewer max_tokens. You requested up to 469 tokens, but can only afford 468. To increase, visit https://gate.example/settings/keys and create a key with a higher daily limit",
        "metadata": {
          "error_type": "payment_required",
          "held_usd": 0,
          "limit_source": "openrouter_key_limit",
          "limit_usd": 0.001,
          "provider_name": null,
          "remaining_usd": 0.001,
          "remedy_hint": "lower_max_tokens",
          "resets_at": "2026-11-19T00:00:00.000Z",
          "scope": "key_limit",
          "spend_usd": 0
        }
      },
      "user_id": null
    }
    "#);
    assert_eq!(gateway.upstream.calls().len(), 0);
    let fits = gateway.chat(&key, "test/small", json!({ "max_tokens": 468 })).await;
    assert_eq!(fits.status, 200);
    gateway.close().await;
}

#[tokio::test]
async fn a_prompt_that_does_not_fit_is_402_with_the_length_that_would() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 0.00002 })).await;
    let answer = gateway.chat(&key, "test/small", json!({})).await;
    assert_snapshot!(shown(&answer), @r#"
    402
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    {
      "error": {
        "code": 402,
        "message": "Prompt tokens limit exceeded: 63 > 20. To increase, visit https://gate.example/settings/keys and create a key with a higher total limit",
        "metadata": {
          "error_type": "payment_required",
          "held_usd": 0,
          "limit_source": "openrouter_key_limit",
          "limit_usd": 0.00002,
          "provider_name": null,
          "remaining_usd": 0.00002,
          "remedy_hint": "shorten_prompt",
          "resets_at": null,
          "scope": "key_limit",
          "spend_usd": 0
        }
      },
      "user_id": null
    }
    "#);
    gateway.close().await;
}

#[tokio::test]
async fn without_a_named_maximum_the_completion_is_capped_at_what_is_affordable() {
    let gateway = TestGateway::start().await;
    gateway.upstream.on("small", Behaviour::new().prompt_tokens(63).completion_all_allowed());
    let key = gateway.key(json!({ "limit": 0.001 })).await;
    let answer = gateway.chat(&key, "test/small", json!({})).await;
    assert_eq!(answer.status, 200);
    assert_eq!(sent(&gateway, 0)["max_tokens"], 468);
    assert_eq!(gateway.fact(&key, "limit_remaining").await, "0.000001");
    // Below the floor of 16 tokens a request is refused.
    gateway.patch(&key, json!({ "limit": 0.001092 })).await;
    let refused = gateway.chat(&key, "test/small", json!({})).await;
    assert_eq!(refused.status, 402);
    assert!(
        refused.text().contains("up to 1000 tokens, but can only afford 15."),
        "{}",
        refused.text()
    );
    gateway.patch(&key, json!({ "limit": 0.001094 })).await;
    assert_eq!(gateway.chat(&key, "test/small", json!({})).await.status, 200);
    assert_eq!(sent(&gateway, 1)["max_tokens"], 16);
    gateway.close().await;
}

#[tokio::test]
async fn a_key_without_a_limit_gets_the_endpoints_maximum() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    gateway.chat(&key, "test/small", json!({})).await;
    assert_eq!(sent(&gateway, 0)["max_tokens"], 1000);
    gateway.chat(&key, "test/small", json!({ "max_tokens": 5000 })).await;
    assert_eq!(sent(&gateway, 1)["max_tokens"], 1000);
    gateway.close().await;
}

/// SEMANTICS 19.7.
#[tokio::test]
async fn a_limit_lowered_below_its_spend_binds_until_the_day_ends() {
    let gateway = TestGateway::start().await;
    // Ten calls of $0.0009: the contract's example, a hundredth of it.
    gateway.upstream.on("small", Behaviour::new().prompt_tokens(50).completion_tokens(425));
    let key = gateway.key(json!({ "limit": 0.01, "limit_reset": "daily" })).await;
    for _ in 0..10 {
        gateway.chat(&key, "test/small", json!({ "max_tokens": 425 })).await;
    }
    assert_eq!(gateway.fact(&key, "limit_remaining").await, "0.001");
    gateway.patch(&key, json!({ "limit": 0.005 })).await;
    assert_eq!(gateway.fact(&key, "limit_remaining").await, "-0.004");
    let refused = gateway.chat(&key, "test/small", json!({})).await;
    assert_eq!(refused.status, 403);
    assert!(refused.text().contains("(daily limit)"));
    gateway.patch(&key, json!({ "limit": 0.02 })).await;
    assert_eq!(gateway.fact(&key, "limit_remaining").await, "0.011");
    gateway.patch(&key, json!({ "limit": 0.005 })).await;
    gateway.clock.set("2026-11-18T23:59:59.999999Z");
    assert_eq!(gateway.fact(&key, "limit_remaining").await, "-0.004");
    gateway.clock.set("2026-11-19T00:00:00Z");
    assert_eq!(gateway.fact(&key, "limit_remaining").await, "0.005");
    assert_eq!(gateway.chat(&key, "test/small", json!({})).await.status, 200);
    gateway.close().await;
}

#[tokio::test]
async fn windows_end_with_the_day_the_week_and_the_month() {
    let gateway = TestGateway::start().await;
    for (reset, at, before, after) in [
        (
            "daily",
            "2026-11-19T00:00:00Z",
            "2026-11-18T23:59:59.999999Z",
            "2026-11-19T00:00:00.000001Z",
        ),
        ("weekly", "2026-11-23T00:00:00Z", "2026-11-22T23:59:59.999999Z", "2026-11-23T00:00:00Z"),
        ("monthly", "2026-12-01T00:00:00Z", "2026-11-30T23:59:59.999999Z", "2026-12-01T00:00:00Z"),
    ] {
        gateway.clock.set("2026-11-18T12:00:00Z");
        let key = gateway.key(json!({ "limit": 0.0001, "limit_reset": reset })).await;
        gateway.chat(&key, "test/small", json!({ "max_tokens": 16 })).await;
        gateway.clock.set(before);
        assert_eq!(gateway.fact(&key, "limit_remaining").await, "0.00006", "{reset}");
        assert_eq!(
            gateway.fact(&key, "budgets/0/resets_at").await,
            format!("\"{}\"", at.replace('Z', ".000Z"))
        );
        assert_eq!(gateway.chat(&key, "test/small", json!({ "max_tokens": 16 })).await.status, 402);
        gateway.clock.set(after);
        assert_eq!(gateway.fact(&key, "limit_remaining").await, "0.0001", "{reset}");
        assert_eq!(gateway.fact(&key, "usage").await, "0.00004");
        assert_eq!(gateway.chat(&key, "test/small", json!({ "max_tokens": 16 })).await.status, 200);
    }
    gateway.close().await;
}

#[tokio::test]
async fn a_request_belongs_to_the_window_it_was_admitted_in() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 0.001, "limit_reset": "daily" })).await;
    let gate = gateway.upstream.hold_answers("small");
    gateway.clock.set("2026-11-18T23:59:59Z");
    let chat = gateway.begin_chat(&key, "test/small", json!({}));
    gate.until_waiting(1).await;
    gateway.clock.set("2026-11-19T00:00:01Z");
    gate.release();
    assert_eq!(chat.await.unwrap().status, 200);
    assert_eq!(gateway.fact(&key, "usage_daily").await, "0");
    assert_eq!(gateway.fact(&key, "limit_remaining").await, "0.001");
    assert_eq!(gateway.fact(&key, "usage_weekly").await, "0.00004");
    gateway.close().await;
}

#[tokio::test]
async fn a_key_expires_at_its_instant_and_not_before() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "expires_at": "2026-11-18T12:00:01Z" })).await;
    gateway.clock.set("2026-11-18T12:00:00.999999Z");
    assert_eq!(gateway.chat(&key, "test/small", json!({})).await.status, 200);
    let gate = gateway.upstream.hold_answers("small");
    let running = gateway.begin_chat(&key, "test/small", json!({}));
    gate.until_waiting(1).await;
    gateway.clock.set("2026-11-18T12:00:01Z");
    assert_eq!(gateway.chat(&key, "test/small", json!({})).await.status, 401);
    gate.release();
    assert_eq!(running.await.unwrap().status, 200, "what was admitted before runs to its end");
    gateway.close().await;
}

#[tokio::test]
async fn what_is_in_flight_ends_though_its_key_is_disabled_or_deleted() {
    let gateway = TestGateway::start().await;
    let (disabled, deleted) = (gateway.key(json!({})).await, gateway.key(json!({})).await);
    let gate = gateway.upstream.hold_answers("small");
    let first = gateway.begin_chat(&disabled, "test/small", json!({}));
    let second = gateway.begin_chat(&deleted, "test/small", json!({}));
    gate.until_waiting(2).await;
    gateway.patch(&disabled, json!({ "disabled": true })).await;
    gateway.ask(crate::support::MANAGER, &format!("DELETE {}", deleted.path()), "").await;
    gate.release();
    assert_eq!(first.await.unwrap().status, 200);
    assert_eq!(second.await.unwrap().status, 200);
    gateway.settled().await;
    assert_eq!(gateway.rows(), ["alpha: reported $0.00004 for 8+16"; 2]);
    gateway.close().await;
}

/// The first endpoint costs ten times what the second does, the last nothing.
const THREE: &str = r#"
    [[models]]
    id = "test/three"
    context_length = 8192
    endpoints = [
        { provider = "alpha", upstream_model = "dear", max_completion_tokens = 1000, prompt_overhead_tokens = 16, pricing = { prompt = "0.00001", completion = "0.00002" } },
        { provider = "beta", upstream_model = "cheap", max_completion_tokens = 1000, prompt_overhead_tokens = 16, pricing = { prompt = "0.000001", completion = "0.000002" } },
        { provider = "gamma", upstream_model = "free", free = true },
    ]
"#;

#[tokio::test]
async fn endpoints_that_do_not_fit_are_left_out() {
    let gateway = TestGateway::with(THREE).await;
    for (limit, provider) in [(1.0, "Alpha"), (0.001, "Beta"), (0.00001, "Gamma"), (0.0, "Gamma")] {
        let key = gateway.key(json!({ "limit": limit })).await;
        let order = json!({ "order": ["alpha", "beta", "gamma"] });
        let extras = json!({ "max_tokens": 400, "provider": order });
        let answer = gateway.chat(&key, "test/three", extras).await;
        assert_eq!((answer.status, answer.json()["provider"].clone()), (200, json!(provider)));
    }
    gateway.close().await;
}

#[tokio::test]
async fn tokens_are_counted_where_bytes_alone_would_refuse() {
    let gateway = TestGateway::with(
        r#"
        [[models]]
        id = "test/counted"
        context_length = 8192
        endpoints = [{ provider = "alpha", tokenizer = "o200k_base", prompt_overhead_tokens = 16, pricing = { prompt = "0.000001", completion = "0.000002" } }]
        [[models]]
        id = "test/uncounted"
        context_length = 8192
        endpoints = [{ provider = "alpha", prompt_overhead_tokens = 16, pricing = { prompt = "0.000001", completion = "0.000002" } }]
        "#,
    )
    .await;
    // 3,000 bytes of text are 500 tokens; what is left pays for 1,000.
    let key = gateway.key(json!({ "limit": 0.001 })).await;
    let messages = json!([{ "role": "user", "content": " hello".repeat(500) }]);
    let extras = json!({ "messages": messages, "max_tokens": 16 });
    assert_eq!(gateway.chat(&key, "test/uncounted", extras.clone()).await.status, 402);
    assert_eq!(gateway.chat(&key, "test/counted", extras).await.status, 200);
    gateway.close().await;
}

/// A tokenizer that reads six words where there is one letter.
const TALKATIVE: &str = r#"{
  "version": "1.0",
  "truncation": null,
  "padding": null,
  "added_tokens": [],
  "normalizer": {"type": "Replace", "pattern": {"String": "a"}, "content": "a a a a a a "},
  "pre_tokenizer": {"type": "Whitespace"},
  "post_processor": null,
  "decoder": null,
  "model": {"type": "WordLevel", "vocab": {"?": 0, "a": 1}, "unk_token": "?"}
}"#;

#[tokio::test]
async fn a_tokenizer_that_counts_more_than_there_are_bytes_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokenizer.json");
    std::fs::write(&file, TALKATIVE).unwrap();
    let endpoint = r#"prompt_overhead_tokens = 16, pricing = { prompt = "0.000001", completion = "0.000002" }"#;
    let gateway = TestGateway::with(&format!(
        r#"
        [[models]]
        id = "test/counted"
        context_length = 8192
        endpoints = [{{ provider = "alpha", tokenizer = "{}", {endpoint} }}]
        [[models]]
        id = "test/uncounted"
        context_length = 8192
        endpoints = [{{ provider = "alpha", {endpoint} }}]
        "#,
        file.display()
    ))
    .await;
    let key = gateway.key(json!({ "limit": 0.0001 })).await;
    let messages = json!([{ "role": "user", "content": "a".repeat(500) }]);
    let extras = json!({ "messages": messages, "max_tokens": 16 });
    let by_bytes = gateway.chat(&key, "test/uncounted", extras.clone()).await;
    let by_tokens = gateway.chat(&key, "test/counted", extras).await;
    assert_eq!((by_bytes.status, by_tokens.status), (402, 402));
    assert_eq!(by_tokens.text(), by_bytes.text());
    gateway.close().await;
}
