//! An expiry that is changed: extended, shortened, taken away, set into the past.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{MANAGER, TestGateway, TestKey};

/// What a call with the key is answered with at that time of the day.
async fn at(gateway: &TestGateway, key: &TestKey, time: &str) -> u16 {
    gateway.clock.set(&format!("2026-11-18T{time}Z"));
    gateway.chat(key, "test/small", json!({})).await.status
}

async fn change(gateway: &TestGateway, key: &TestKey, expires_at: Value) -> Value {
    let body = json!({ "expires_at": expires_at });
    let answer = gateway.ask(MANAGER, &format!("PATCH {}", key.path()), body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["data"]["expires_at"].clone()
}

#[tokio::test]
async fn an_expiry_is_extended_shortened_and_taken_away() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "expires_at": "2026-11-18T13:00:00Z" })).await;
    assert_eq!(at(&gateway, &key, "12:59:59.999999").await, 200);
    assert_eq!(at(&gateway, &key, "13:00:00").await, 401);

    let extended = change(&gateway, &key, json!("2026-11-18T14:00:00.5+00:00")).await;
    assert_eq!(extended, "2026-11-18T14:00:00.500Z");
    assert_eq!(at(&gateway, &key, "13:00:00").await, 200);
    assert_eq!(at(&gateway, &key, "14:00:00.499999").await, 200);

    change(&gateway, &key, json!("2026-11-18T13:30:00Z")).await;
    assert_eq!(at(&gateway, &key, "14:00:00.499999").await, 401);
    assert_eq!(at(&gateway, &key, "13:29:59.999999").await, 200);

    assert_eq!(change(&gateway, &key, json!(null)).await, json!(null));
    assert_eq!(at(&gateway, &key, "23:59:59").await, 200);

    // A past moment is taken, as when a key is made: it is simply expired.
    change(&gateway, &key, json!("2020-01-01T00:00:00Z")).await;
    assert_eq!(at(&gateway, &key, "23:59:59").await, 401);
    assert_eq!(gateway.ask(key.text.as_str(), "GET /api/v1/key", "").await.status, 401);
    let facts = gateway.ask(key.text.as_str(), "GET /api/v1/key", "").await;
    assert_eq!(facts.status, 401);
    gateway.close().await;
}

#[tokio::test]
async fn the_list_follows_the_expiry_as_it_stands() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "expires_at": "2026-11-18T11:00:00Z" })).await;
    let listed = async || {
        let list = gateway.ask(MANAGER, "GET /api/v1/keys", "").await.json();
        list["data"].as_array().unwrap().len()
    };
    assert_eq!(listed().await, 0);
    change(&gateway, &key, json!("2026-11-18T12:00:00.001Z")).await;
    assert_eq!(listed().await, 1);
    change(&gateway, &key, json!("2026-11-18T12:00:00Z")).await;
    assert_eq!(listed().await, 0);
    change(&gateway, &key, json!(null)).await;
    assert_eq!(listed().await, 1);
    gateway.close().await;
}

#[tokio::test]
async fn an_edit_of_something_else_leaves_the_expiry_alone() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "expires_at": "2026-11-18T13:00:00Z" })).await;
    gateway.patch(&key, json!({ "name": "other", "limit": 1 })).await;
    let shown = gateway.ask(MANAGER, &format!("GET {}", key.path()), "").await.json();
    assert_eq!(shown["data"]["expires_at"], "2026-11-18T13:00:00.000Z");
    let rows = store::Store::audit_log(&*gateway.store, &store::AuditPage::newest(1)).unwrap().rows;
    change(&gateway, &key, json!("2026-11-18T14:00:00Z")).await;
    let changed =
        store::Store::audit_log(&*gateway.store, &store::AuditPage::newest(1)).unwrap().rows;
    assert_eq!(changed[0].before, rows[0].after);
    assert!(changed[0].before.as_ref().unwrap().contains(r#""expires_at":"2026-11-18T13:00:00Z""#));
    assert!(changed[0].after.as_ref().unwrap().contains(r#""expires_at":"2026-11-18T14:00:00Z""#));
    gateway.close().await;
}

#[tokio::test]
async fn an_expiry_is_taken_in_the_form_a_new_keys_is() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "expires_at": "2026-11-18T13:00:00Z" })).await;
    let mut answers = String::new();
    for expires_at in [
        r#""2027-01-01T00:00:00+02:00""#,
        r#""2027-01-01T00:00:00""#,
        r#""2027-01-01T00:00Z""#,
        r#""2027-01-01 00:00:00Z""#,
        r#""2027-02-29T00:00:00Z""#,
        r#""""#,
        "1798761600",
        "false",
    ] {
        let body = format!(r#"{{"expires_at":{expires_at}}}"#);
        let answer = gateway.ask(MANAGER, &format!("PATCH {}", key.path()), body).await;
        assert_eq!(answer.status, 400, "{expires_at}");
        let json = answer.json();
        let message = json["error"]["message"].as_str().unwrap();
        answers.push_str(message.split_once("; allowed: a time in UTC with seconds").unwrap().0);
        answers.push('\n');
    }
    assert_snapshot!(answers, @r#"
    `expires_at` is not in UTC
    `expires_at` has no offset
    `expires_at` has no seconds
    `expires_at` has a space where `T` belongs
    `expires_at` is not a moment from year 0 to the end of 9999-12-30
    `expires_at` is not a date and time
    `expires_at` is a number
    `expires_at` is a boolean
    "#);
    assert_eq!(at(&gateway, &key, "12:59:59").await, 200);
    assert_eq!(at(&gateway, &key, "13:00:00").await, 401);
    gateway.close().await;
}

/// The key is looked at again, under the lock that admits, when the wait is over.
#[tokio::test]
async fn who_waits_for_room_is_refused_once_the_expiry_is_shortened() {
    let gateway = TestGateway::with("[bounds]\nhold_wait_ms = 30000").await;
    let key = gateway.key(json!({ "limit": 0.001, "expires_at": "2026-11-18T13:00:00Z" })).await;
    let gate = gateway.upstream.hold_answers("small");
    let first = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
    gate.until_waiting(1).await;
    let second = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
    gateway.until_waiting(1).await;
    change(&gateway, &key, json!("2026-11-18T12:00:00Z")).await;
    assert_eq!(second.await.unwrap().status, 401);
    gate.release();
    assert_eq!(first.await.unwrap().status, 200, "what was admitted before runs to its end");
    gateway.close().await;
}
