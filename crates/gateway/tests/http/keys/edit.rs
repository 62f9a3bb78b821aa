//! `GET`, `PATCH` and `DELETE /keys/{hash}`: what changes, what is refused, what is gone.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{MANAGER, TestGateway, shown};

#[tokio::test]
async fn a_change_is_answered_with_the_key_as_it_is_then() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    gateway.chat(&key, "test/small", json!({})).await;
    gateway.clock.set("2026-11-18T13:00:00Z");
    let body = json!({
        "name": "renamed", "disabled": true, "limit": 2, "limit_reset": "daily",
        "include_byok_in_limit": true, "workspace_id": "5b0a4d0e-6c1e-5d8e-9f0a-7b6f1c2d3e4f",
    });
    let answer = gateway.ask(MANAGER, &format!("PATCH {}", key.path()), body).await;
    assert_snapshot!(shown(&answer), @r#"
    200
    {
      "data": {
        "hash": "44a30ab767c928ece2abe103468d11b59a4ff026f5f3606c5487886c7be75662",
        "name": "renamed",
        "label": "sk-or-v1-ab6...79a7",
        "disabled": true,
        "limit": 2,
        "limit_remaining": 1.99996,
        "limit_reset": "daily",
        "include_byok_in_limit": true,
        "usage": 0.00004,
        "usage_daily": 0.00004,
        "usage_weekly": 0.00004,
        "usage_monthly": 0.00004,
        "byok_usage": 0,
        "byok_usage_daily": 0,
        "byok_usage_weekly": 0,
        "byok_usage_monthly": 0,
        "created_at": "2026-11-18T12:00:00.000Z",
        "updated_at": "2026-11-18T13:00:00.000Z",
        "expires_at": null,
        "creator_user_id": null,
        "workspace_id": "5b0a4d0e-6c1e-5d8e-9f0a-7b6f1c2d3e4f",
        "external_user": null,
        "last_used_at": "2026-11-18T12:00:00.000Z",
        "allowed_models": null,
        "requests_per_minute": null,
        "tokens_per_minute": null,
        "concurrent_requests": null
      }
    }
    "#);
    assert_eq!(gateway.ask(MANAGER, &format!("GET {}", key.path()), "").await.body, answer.body);
    gateway.close().await;
}

/// SEMANTICS 19.4.
#[tokio::test]
async fn what_is_omitted_stays_null_clears_the_limit_and_is_refused_elsewhere() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 5, "limit_reset": "daily" })).await;
    let line = format!("PATCH {}", key.path());
    let before = gateway.ask(MANAGER, &format!("GET {}", key.path()), "").await;
    let mut answers = String::new();
    for body in [
        "{}",
        r#"{"foo":1}"#,
        r#"{"name":null,"disabled":true,"limit":null}"#,
        r#"{"name":""}"#,
        r#"{"disabled":null}"#,
        r#"{"disabled":1}"#,
        r#"{"include_byok_in_limit":null}"#,
        r#"{"limit":-1}"#,
        r#"{"limit":"2"}"#,
        r#"{"limit_reset":"hourly"}"#,
        r#"{"workspace_id":null}"#,
        r#"{"workspace_id":"x"}"#,
        "{",
    ] {
        let answer = gateway.ask(MANAGER, &line, body).await;
        assert_eq!(answer.status, 400, "{body}");
        answers.push_str(answer.json()["error"]["message"].as_str().unwrap());
        answers.push('\n');
    }
    assert_snapshot!(answers, @r#"
    No update fields provided
    No update fields provided
    `name` is null; allowed: a string of 1 to 255 characters, not blank, no control characters
    `name` is blank; allowed: a string of 1 to 255 characters, not blank, no control characters
    `disabled` is null; allowed: true or false
    `disabled` is a number; allowed: true or false
    `include_byok_in_limit` is null; allowed: true or false
    `limit` is negative; allowed: a number of US dollars from 0 to 9223372036.854775807, or null
    `limit` is a string; allowed: a number of US dollars from 0 to 9223372036.854775807, or null
    `limit_reset` is none of the windows there are; allowed: `daily`, `weekly` or `monthly`, or null
    `workspace_id` is null; allowed: a UUID, such as `123e4567-e89b-42d3-a456-426614174000`
    `workspace_id` is not a UUID; allowed: a UUID, such as `123e4567-e89b-42d3-a456-426614174000`
    `body` is malformed JSON at line 1 column 1; allowed: a JSON object
    "#);
    let unknown = r#"{"workspace_id":"00000000-0000-4000-8000-000000000000"}"#;
    assert_eq!(gateway.ask(MANAGER, &line, unknown).await.status, 404);
    let unchanged = gateway.ask(MANAGER, &format!("GET {}", key.path()), "").await;
    assert_eq!(unchanged.body, before.body);

    let cleared = gateway.ask(MANAGER, &line, r#"{"limit":null}"#).await.json();
    assert_eq!(
        (
            &cleared["data"]["limit"],
            &cleared["data"]["limit_remaining"],
            &cleared["data"]["limit_reset"]
        ),
        (&json!(null), &json!(null), &json!("daily"))
    );
    gateway.close().await;
}

#[tokio::test]
async fn a_deleted_key_is_gone_and_its_spend_stays_in_the_book() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    gateway.chat(&key, "test/small", json!({})).await;
    let deleted = gateway.ask(MANAGER, &format!("DELETE {}", key.path()), "").await;
    assert_eq!((deleted.status, deleted.text().as_str()), (200, r#"{"deleted":true}"#));
    for line in ["DELETE", "GET", "PATCH"] {
        let answer = gateway.ask(MANAGER, &format!("{line} {}", key.path()), "").await;
        assert_eq!(answer.status, 404, "{line}");
    }
    gateway.settled().await;
    assert_eq!(gateway.rows(), ["alpha: reported $0.00004 for 8+16"]);
    gateway.close().await;
}

#[tokio::test]
async fn what_is_no_hash_of_a_key_is_404() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    let manager = gateway::http::hash(MANAGER).to_string();
    let mut answers = Vec::new();
    for hash in
        [&key.hash.to_uppercase(), &key.hash[1..], "x", "%20", "%ff", &"0".repeat(64), &manager]
    {
        for method in ["GET", "PATCH", "DELETE"] {
            let line = format!("{method} /api/v1/keys/{hash}");
            let answer = gateway.ask(MANAGER, &line, r#"{"disabled":true}"#).await;
            assert_eq!(answer.status, 404, "{line}");
            answers.push(shown(&answer));
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
    assert_snapshot!(answers[0], @r#"
    404
    {
      "error": {
        "code": 404,
        "message": "Resource not found",
        "metadata": {
          "error_type": "not_found"
        }
      }
    }
    "#);
    gateway.close().await;
}

#[tokio::test]
async fn disabled_and_expired_keys_can_still_be_read_and_deleted() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "expires_at": "2020-01-01T00:00:00Z" })).await;
    gateway.patch(&key, json!({ "disabled": true })).await;
    assert_eq!(gateway.ask(MANAGER, &format!("GET {}", key.path()), "").await.status, 200);
    assert_eq!(gateway.ask(MANAGER, &format!("DELETE {}", key.path()), "").await.status, 200);
    gateway.close().await;
}

#[tokio::test]
async fn changes_at_once_are_all_made() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    let line = format!("PATCH {}", key.path());
    let (a, b, c) = tokio::join!(
        gateway.ask(MANAGER, &line, r#"{"name":"new"}"#),
        gateway.ask(MANAGER, &line, r#"{"limit":3}"#),
        gateway.ask(MANAGER, &line, r#"{"limit_reset":"weekly"}"#),
    );
    assert_eq!([a.status, b.status, c.status], [200; 3]);
    let now = gateway.ask(MANAGER, &format!("GET {}", key.path()), "").await.json();
    assert_eq!(
        (&now["data"]["name"], &now["data"]["limit"], &now["data"]["limit_reset"]),
        (&json!("new"), &json!(3), &json!("weekly"))
    );
    gateway.close().await;
}

#[tokio::test]
async fn every_change_is_in_the_audit_log_before_and_after() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    gateway.patch(&key, json!({ "limit": 2 })).await;
    gateway.ask(MANAGER, &format!("DELETE {}", key.path()), "").await;
    let rows =
        store::Store::audit_log(&*gateway.store, &store::AuditPage::newest(10)).unwrap().rows;
    let limit = |settings: &Option<String>| {
        let settings: serde_json::Value = serde_json::from_str(settings.as_ref()?).unwrap();
        Some(settings["limit"].as_str().unwrap().to_owned())
    };
    let mut told: Vec<_> = rows
        .iter()
        .filter(|row| row.subject == key.hash)
        .map(|row| {
            format!("{} {} {:?} {:?}", row.actor, row.action, limit(&row.before), limit(&row.after))
        })
        .collect();
    told.sort();
    assert_eq!(
        told,
        [
            r#"ci key.create None Some("1")"#,
            r#"ci key.delete Some("2") None"#,
            r#"ci key.update Some("1") Some("2")"#,
        ]
    );
    assert!(!format!("{rows:?}").contains(&key.text));
    gateway.close().await;
}
