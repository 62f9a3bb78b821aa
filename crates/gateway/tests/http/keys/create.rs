//! `POST /keys`: the answer whole, every bad field with its message, and repeats.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{MANAGER, TestGateway, shown};

const LINE: &str = "POST /api/v1/keys";

/// SEMANTICS 19.1.
#[tokio::test]
async fn a_new_key_is_201_with_its_text_shown_once() {
    let gateway = TestGateway::start().await;
    let plain = gateway.ask(MANAGER, LINE, r#"{"name":"ci"}"#).await;
    assert_snapshot!(shown(&plain), @r#"
    201
    cache-control: no-store
    {
      "data": {
        "hash": "44a30ab767c928ece2abe103468d11b59a4ff026f5f3606c5487886c7be75662",
        "name": "ci",
        "label": "sk-or-v1-ab6...79a7",
        "disabled": false,
        "limit": null,
        "limit_remaining": null,
        "limit_reset": null,
        "include_byok_in_limit": false,
        "usage": 0,
        "usage_daily": 0,
        "usage_weekly": 0,
        "usage_monthly": 0,
        "byok_usage": 0,
        "byok_usage_daily": 0,
        "byok_usage_weekly": 0,
        "byok_usage_monthly": 0,
        "created_at": "2026-11-18T12:00:00.000Z",
        "updated_at": null,
        "expires_at": null,
        "creator_user_id": null,
        "workspace_id": "5b0a4d0e-6c1e-5d8e-9f0a-7b6f1c2d3e4f",
        "external_user": null,
        "last_used_at": null,
        "allowed_models": null,
        "requests_per_minute": null,
        "tokens_per_minute": null,
        "concurrent_requests": null,
        "key": "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"
      },
      "key": "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"
    }
    "#);
    let json = plain.json();
    let hash = gateway::http::hash(json["key"].as_str().unwrap());
    assert_eq!(json["data"]["hash"], hash.to_string());
    let listed = gateway.ask(MANAGER, "GET /api/v1/keys", "").await.text();
    assert!(!listed.contains(json["key"].as_str().unwrap()));
    gateway.close().await;
}

#[tokio::test]
async fn every_setting_of_a_new_key_is_kept() {
    let gateway = TestGateway::start().await;
    let body = json!({
        "name": " Ünï ", "limit": 25.5000000019, "limit_reset": "monthly",
        "include_byok_in_limit": true, "expires_at": "2027-01-01T00:00:00.25+00:00",
        "creator_user_id": "user_1", "workspace_id": "5b0a4d0e-6c1e-5d8e-9f0a-7b6f1c2d3e4f",
        "external": { "user": "end-user" }, "unknown": { "is": "ignored" },
    });
    let made = gateway.ask(MANAGER, "POST /api/v1/keys/", body).await;
    assert_snapshot!(shown(&made), @r#"
    201
    cache-control: no-store
    {
      "data": {
        "hash": "44a30ab767c928ece2abe103468d11b59a4ff026f5f3606c5487886c7be75662",
        "name": " Ünï ",
        "label": "sk-or-v1-ab6...79a7",
        "disabled": false,
        "limit": 25.500000001,
        "limit_remaining": 25.500000001,
        "limit_reset": "monthly",
        "include_byok_in_limit": true,
        "usage": 0,
        "usage_daily": 0,
        "usage_weekly": 0,
        "usage_monthly": 0,
        "byok_usage": 0,
        "byok_usage_daily": 0,
        "byok_usage_weekly": 0,
        "byok_usage_monthly": 0,
        "created_at": "2026-11-18T12:00:00.000Z",
        "updated_at": null,
        "expires_at": "2027-01-01T00:00:00.250Z",
        "creator_user_id": "user_1",
        "workspace_id": "5b0a4d0e-6c1e-5d8e-9f0a-7b6f1c2d3e4f",
        "external_user": "end-user",
        "last_used_at": null,
        "allowed_models": null,
        "requests_per_minute": null,
        "tokens_per_minute": null,
        "concurrent_requests": null,
        "key": "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"
      },
      "key": "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"
    }
    "#);
    let mut shown_once = made.json()["data"].clone();
    let path = format!("GET /v1/keys/{}", shown_once["hash"].as_str().unwrap());
    assert_eq!(shown_once.as_object_mut().unwrap().remove("key"), Some(made.json()["key"].clone()));
    assert_eq!(gateway.ask(MANAGER, &path, "").await.json()["data"], shown_once);
    gateway.close().await;
}

#[tokio::test]
async fn null_is_absent_where_it_may_be() {
    let gateway = TestGateway::start().await;
    let body =
        r#"{"name":"ci","limit":null,"limit_reset":null,"expires_at":null,"creator_user_id":null}"#;
    assert_eq!(gateway.ask(MANAGER, LINE, body).await.status, 201);
    gateway.close().await;
}

#[tokio::test]
async fn a_bad_field_is_400_with_its_name_its_fault_and_what_is_allowed() {
    let gateway = TestGateway::start().await;
    let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(256));
    let mut answers = String::new();
    for body in [
        "",
        "{",
        "null",
        "[]",
        r#"{"name":"a","name":"b"}"#,
        "{}",
        r#"{"name":null}"#,
        r#"{"name":""}"#,
        r#"{"name":"  "}"#,
        r#"{"name":"a\u0000b"}"#,
        r#"{"name":7}"#,
        &long,
        r#"{"name":"a","limit":-0.5}"#,
        r#"{"name":"a","limit":"1"}"#,
        r#"{"name":"a","limit":1e300}"#,
        r#"{"name":"a","limit":NaN}"#,
        r#"{"name":"a","limit_reset":"yearly"}"#,
        r#"{"name":"a","limit_reset":1}"#,
        r#"{"name":"a","include_byok_in_limit":null}"#,
        r#"{"name":"a","include_byok_in_limit":"yes"}"#,
        r#"{"name":"a","expires_at":"2027-01-01T00:00:00+02:00"}"#,
        r#"{"name":"a","expires_at":"2027-01-01T00:00:00"}"#,
        r#"{"name":"a","expires_at":"2027-01-01T00:00Z"}"#,
        r#"{"name":"a","expires_at":"2027-01-01 00:00:00Z"}"#,
        r#"{"name":"a","expires_at":"2027-02-29T00:00:00Z"}"#,
        r#"{"name":"a","expires_at":1798761600}"#,
        r#"{"name":"a","creator_user_id":""}"#,
        r#"{"name":"a","workspace_id":"not-a-uuid"}"#,
        r#"{"name":"a","workspace_id":"00000000-0000-4000-8000-000000000000"}"#,
        r#"{"name":"a","external":{}}"#,
        r#"{"name":"a","external":{"user":"u","api_key":"short"}}"#,
        r#"{"name":"a","external":{"user":"u","api_key":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}}"#,
    ] {
        let answer = gateway.ask(MANAGER, LINE, body).await;
        assert_eq!(answer.status, 400, "{body}");
        answers.push_str(answer.json()["error"]["message"].as_str().unwrap());
        answers.push('\n');
    }
    assert_snapshot!(answers, @r#"
    `body` is malformed JSON at line 1 column 0; allowed: a JSON object
    `body` is malformed JSON at line 1 column 1; allowed: a JSON object
    `body` is not a JSON object; allowed: a JSON object
    `body` is not a JSON object; allowed: a JSON object
    `name` is given twice; allowed: each name once
    `name` is missing; allowed: a string of 1 to 255 characters, not blank, no control characters
    `name` is null; allowed: a string of 1 to 255 characters, not blank, no control characters
    `name` is blank; allowed: a string of 1 to 255 characters, not blank, no control characters
    `name` is blank; allowed: a string of 1 to 255 characters, not blank, no control characters
    `name` has a control character; allowed: a string of 1 to 255 characters, not blank, no control characters
    `name` is a number; allowed: a string of 1 to 255 characters, not blank, no control characters
    `name` is too long; allowed: a string of 1 to 255 characters, not blank, no control characters
    `limit` is negative; allowed: a number of US dollars from 0 to 9223372036.854775807, or null
    `limit` is a string; allowed: a number of US dollars from 0 to 9223372036.854775807, or null
    `limit` is too large; allowed: a number of US dollars from 0 to 9223372036.854775807, or null
    `limit` is malformed JSON at line 1 column 21; allowed: a JSON value
    `limit_reset` is none of the windows there are; allowed: `daily`, `weekly` or `monthly`, or null
    `limit_reset` is a number; allowed: `daily`, `weekly` or `monthly`, or null
    `include_byok_in_limit` is null; allowed: true or false
    `include_byok_in_limit` is a string; allowed: true or false
    `expires_at` is not in UTC; allowed: a time in UTC with seconds that ends in `Z`, such as `2026-11-21T22:50:00Z`, or null
    `expires_at` has no offset; allowed: a time in UTC with seconds that ends in `Z`, such as `2026-11-21T22:50:00Z`, or null
    `expires_at` has no seconds; allowed: a time in UTC with seconds that ends in `Z`, such as `2026-11-21T22:50:00Z`, or null
    `expires_at` has a space where `T` belongs; allowed: a time in UTC with seconds that ends in `Z`, such as `2026-11-21T22:50:00Z`, or null
    `expires_at` is not a moment from year 0 to the end of 9999-12-30; allowed: a time in UTC with seconds that ends in `Z`, such as `2026-11-21T22:50:00Z`, or null
    `expires_at` is a number; allowed: a time in UTC with seconds that ends in `Z`, such as `2026-11-21T22:50:00Z`, or null
    `creator_user_id` is blank; allowed: a string of 1 to 255 characters, not blank, no control characters, or null
    `workspace_id` is not a UUID; allowed: a UUID, such as `123e4567-e89b-42d3-a456-426614174000`
    `workspace_id` is not a workspace; allowed: the id of one
    `external.user` is missing; allowed: a string of 1 to 255 characters, not blank, no control characters
    `external.api_key` is too short; allowed: a secret of 32 to 512 visible ASCII characters, at least 16 of them different
    `external.api_key` is too easily guessed; allowed: a secret of 32 to 512 visible ASCII characters, at least 16 of them different
    "#);
    let listed = gateway.ask(MANAGER, "GET /api/v1/keys", "").await;
    assert_eq!(listed.text(), r#"{"data":[]}"#);
    gateway.close().await;
}

#[tokio::test]
async fn a_partners_secret_can_stand_for_one_key_only() {
    let gateway = TestGateway::start().await;
    let body =
        r#"{"name":"a","external":{"user":"u","api_key":"partner-0123456789abcdefghijklmnop"}}"#;
    assert_eq!(gateway.ask(MANAGER, LINE, body).await.status, 201);
    let again = gateway.ask(MANAGER, LINE, body).await;
    assert_snapshot!(shown(&again), @r#"
    409
    {
      "error": {
        "code": 409,
        "message": "`external.api_key` is in use by another key",
        "metadata": {
          "error_type": "invalid_request"
        }
      }
    }
    "#);
    gateway.close().await;
}

#[tokio::test]
async fn a_body_of_more_than_a_mebibyte_is_413() {
    let gateway = TestGateway::start().await;
    let body = format!(r#"{{"name":"a","pad":"{}"}}"#, "x".repeat(1 << 20));
    assert_eq!(gateway.ask(MANAGER, LINE, body).await.status, 413);
    gateway.close().await;
}

const REPEAT: [(&str, &str); 1] = [("idempotency-key", "0123456789-0123456789")];

#[tokio::test]
async fn a_repeat_within_a_day_gets_the_same_key_and_a_later_one_a_new_key() {
    let gateway = TestGateway::start().await;
    let first = gateway.ask_with(MANAGER, LINE, r#"{"name":"a"}"#, &REPEAT).await;
    let again = gateway.ask_with(MANAGER, LINE, r#"{"name":"a"}"#, &REPEAT).await;
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(again.text(), first.text());
    assert_eq!(again.headers["cache-control"], "no-store");

    let gateway = gateway.crash().await;
    gateway.clock.set("2026-11-19T11:59:59Z");
    let restarted = gateway.ask_with(MANAGER, LINE, r#"{"name":"a"}"#, &REPEAT).await;
    assert_eq!(restarted.text(), first.text());
    let listed = gateway.ask(MANAGER, "GET /api/v1/keys", "").await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);

    gateway.clock.set("2026-11-19T12:00:00Z");
    let later = gateway.ask_with(MANAGER, LINE, r#"{"name":"a"}"#, &REPEAT).await;
    assert_ne!(later.json()["key"], first.json()["key"]);
    gateway.close().await;
}

#[tokio::test]
async fn a_repeat_with_another_body_is_409_and_a_weak_idempotency_key_400() {
    let gateway = TestGateway::start().await;
    gateway.ask_with(MANAGER, LINE, r#"{"name":"a"}"#, &REPEAT).await;
    let other = gateway.ask_with(MANAGER, LINE, r#"{"name":"b"}"#, &REPEAT).await;
    assert_snapshot!(shown(&other), @r#"
    409
    {
      "error": {
        "code": 409,
        "message": "`Idempotency-Key` was used for a request with another body",
        "metadata": {
          "error_type": "invalid_request"
        }
      }
    }
    "#);
    for weak in ["0123456789-01234567", "", &"x".repeat(256)] {
        let headers = [("idempotency-key", weak)];
        let answer = gateway.ask_with(MANAGER, LINE, r#"{"name":"a"}"#, &headers).await;
        assert_eq!(answer.status, 400);
        assert!(answer.text().contains("20 to 255 visible ASCII"), "{}", answer.text());
    }
    gateway.close().await;
}

#[tokio::test]
async fn repeats_at_once_make_one_key() {
    let gateway = TestGateway::start().await;
    let body = r#"{"name":"a"}"#;
    let stall = gateway.store.stall();
    let all = async {
        tokio::join!(
            gateway.ask_with(MANAGER, LINE, body, &REPEAT),
            gateway.ask_with(MANAGER, LINE, body, &REPEAT),
            gateway.ask_with(MANAGER, LINE, body, &REPEAT),
            async {
                // They have found nothing and queued by then, or come later; either will do.
                gateway.until(|core| core.connections.count() >= 3).await;
                drop(stall);
            }
        )
    };
    let (first, second, third, ()) = all.await;
    assert_eq!(first.status, 201);
    assert_eq!((second.text(), third.text()), (first.text(), first.text()));
    let listed = gateway.ask(MANAGER, "GET /api/v1/keys", "").await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    gateway.close().await;
}

#[tokio::test]
async fn the_store_alone_can_not_read_a_kept_answer() {
    let gateway = TestGateway::start().await;
    let made = gateway.ask_with(MANAGER, LINE, r#"{"name":"a"}"#, &REPEAT).await;
    let text = made.json()["key"].as_str().unwrap().to_owned();
    let kept = format!("{:?}", gateway.store);
    let as_bytes = format!("{:?}", text.as_bytes());
    assert!(!kept.contains(&text) && !kept.contains(as_bytes.trim_matches(['[', ']'])));
    assert!(!kept.contains("0123456789-0123456789"));
    gateway.close().await;
}
