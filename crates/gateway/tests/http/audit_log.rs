//! `GET /audit-log`: who changed what, from what to what, newest first and a page at a time.

use insta::assert_snapshot;
use serde_json::{Value, json};
use testkit::Answer;

use crate::support::{MANAGER, TestGateway, shown};

async fn log(gateway: &TestGateway, query: &str) -> Answer {
    gateway.ask(MANAGER, &format!("GET /api/v1/audit-log{query}"), "").await
}

/// Each row in a line, and how many there are on all pages.
async fn told(gateway: &TestGateway, query: &str) -> (Vec<String>, u64) {
    let answer = log(gateway, query).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let line = |row: &Value| {
        format!("{} {} {}", &text(&row["at"])[11..19], text(&row["actor"]), text(&row["action"]))
    };
    let answer = answer.json();
    let rows = answer["data"].as_array().unwrap().iter().map(line).collect();
    (rows, answer["total_count"].as_u64().unwrap())
}

/// A key that was made, changed and deleted, a minute each, and a second management key that was
/// made by hand.
async fn busy() -> (TestGateway, String) {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1.5 })).await;
    gateway.clock.set("2026-11-18T12:01:00Z");
    gateway.patch(&key, json!({ "limit": 2, "limit_reset": "daily" })).await;
    gateway.clock.set("2026-11-18T12:02:00.5Z");
    gateway.ask(MANAGER, &format!("DELETE {}", key.path()), "").await;
    gateway.clock.set("2026-11-18T12:03:00Z");
    let made = gateway.control("POST /management-keys", r#"{"name":"audit & co"}"#).await;
    assert_eq!(made.status, 201);
    (gateway, key.hash)
}

#[tokio::test]
async fn every_change_is_listed_from_what_to_what() {
    let (gateway, hash) = busy().await;
    let answer = log(&gateway, &format!("?subject={hash}&action=key.update")).await;
    assert_snapshot!(shown(&answer), @r#"
    200
    {
      "data": [
        {
          "at": "2026-11-18T12:01:00.000Z",
          "actor": "ci",
          "action": "key.update",
          "subject": "44a30ab767c928ece2abe103468d11b59a4ff026f5f3606c5487886c7be75662",
          "before": {
            "allowed_models": null,
            "concurrent_requests": null,
            "creator_user_id": null,
            "disabled": false,
            "expires_at": null,
            "external_user": null,
            "include_byok_in_limit": false,
            "limit": "1.5",
            "limit_reset": null,
            "name": "test",
            "requests_per_minute": null,
            "tokens_per_minute": null,
            "workspace_id": "5b0a4d0e-6c1e-5d8e-9f0a-7b6f1c2d3e4f"
          },
          "after": {
            "allowed_models": null,
            "concurrent_requests": null,
            "creator_user_id": null,
            "disabled": false,
            "expires_at": null,
            "external_user": null,
            "include_byok_in_limit": false,
            "limit": "2",
            "limit_reset": "daily",
            "name": "test",
            "requests_per_minute": null,
            "tokens_per_minute": null,
            "workspace_id": "5b0a4d0e-6c1e-5d8e-9f0a-7b6f1c2d3e4f"
          }
        }
      ],
      "total_count": 1
    }
    "#);
    let answer = log(&gateway, "?limit=1").await;
    assert_snapshot!(shown(&answer), @r#"
    200
    {
      "data": [
        {
          "at": "2026-11-18T12:03:00.000Z",
          "actor": "command line",
          "action": "management_key.create",
          "subject": "8aa46614cf79d3e0bf4289125eb624e0fa7753aeb683a929b7930aab0fe58982",
          "before": null,
          "after": "audit & co"
        }
      ],
      "total_count": 6
    }
    "#);
    let (rows, total) = told(&gateway, "").await;
    assert_eq!(
        (rows.iter().map(String::as_str).collect::<Vec<_>>(), total),
        (
            vec![
                "12:03:00 command line management_key.create",
                "12:02:00 ci key.delete",
                "12:01:00 ci key.update",
                "12:00:00 ci key.create",
                "12:00:00 command line management_key.create",
                "12:00:00 system workspace.create",
            ],
            6
        )
    );
    gateway.close().await;
}

#[tokio::test]
async fn only_what_was_asked_for_is_listed() {
    let (gateway, hash) = busy().await;
    for (query, expected) in [
        ("actor=ci".to_owned(), &["12:02", "12:01", "12:00"][..]),
        ("actor=command+line".to_owned(), &["12:03", "12:00"]),
        ("actor=nobody".to_owned(), &[]),
        ("action=key.update".to_owned(), &["12:01"]),
        ("action=key.".to_owned(), &["12:02", "12:01", "12:00"]),
        ("action=key".to_owned(), &[]),
        (format!("subject={hash}"), &["12:02", "12:01", "12:00"]),
        ("since=2026-11-18T12:02:00.5Z".to_owned(), &["12:03", "12:02"]),
        ("until=2026-11-18T12:01:00Z".to_owned(), &["12:00", "12:00", "12:00"]),
        ("since=2026-11-18T12:01:00Z&until=2026-11-18T12:03:00Z".to_owned(), &["12:02", "12:01"]),
        ("since=2026-11-18T12:01:00Z&until=2026-11-18T12:01:00Z".to_owned(), &[]),
        (format!("subject={hash}&since=2026-11-18T12:01:00%2B00:00&utm=x"), &["12:02", "12:01"]),
    ] {
        let (rows, total) = told(&gateway, &format!("?{query}")).await;
        let minutes: Vec<&str> = rows.iter().map(|row| &row[..5]).collect();
        assert_eq!((&minutes[..], total), (expected, expected.len() as u64), "{query}");
    }
    gateway.close().await;
}

#[tokio::test]
async fn pages_make_up_the_whole_list_and_new_rows_do_not_shift_what_has_an_end() {
    let (gateway, _) = busy().await;
    let (whole, total) = told(&gateway, "").await;
    let end = "until=2026-11-18T12:03:00.001Z";
    let mut pages = Vec::new();
    for offset in (0..).step_by(2) {
        let query = format!("?limit=2&offset={offset}&{end}");
        let (rows, count) = told(&gateway, &query).await;
        assert_eq!(count, total, "{query}");
        if rows.is_empty() {
            break;
        }
        pages.extend(rows);
        gateway.clock.set("2026-11-18T12:04:00Z");
        gateway.key(json!({})).await;
    }
    assert_eq!(pages, whole);
    assert_eq!(told(&gateway, "").await.1, total + 3);
    // What SDKs send for "from the start", and a place past the end.
    assert_eq!(told(&gateway, "?offset=&limit=").await.0.len(), 9);
    assert_eq!(told(&gateway, "?offset=18446744073709551615").await, (vec![], total + 3));
    gateway.close().await;
}

/// A page is 50 rows long, or what was asked for up to 100.
#[tokio::test]
async fn a_page_is_bounded() {
    let gateway = TestGateway::start().await;
    for _ in 0..101 {
        gateway.key(json!({})).await;
    }
    for (query, length) in [("", 50), ("?limit=100", 100), ("?limit=100&offset=100", 3)] {
        assert_eq!(told(&gateway, query).await.0.len(), length, "{query}");
        assert_eq!(told(&gateway, query).await.1, 103, "{query}");
    }
    gateway.close().await;
}

#[tokio::test]
async fn what_was_changed_is_for_management_keys() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    assert_eq!(gateway.ask(key.text.as_str(), "GET /api/v1/audit-log", "").await.status, 403);
    assert_eq!(gateway.ask(None, "GET /v1/audit-log", "").await.status, 401);
    let all = log(&gateway, "").await.text();
    assert!(!all.contains(&key.text) && !all.contains(MANAGER), "{all}");
    gateway.close().await;
}

/// DESIGN I8.
#[tokio::test]
async fn reading_it_does_not_wait_for_the_writer() {
    let (gateway, _) = busy().await;
    let stall = gateway.store.stall();
    assert_eq!(told(&gateway, "").await.1, 6);
    drop(stall);
    gateway.close().await;
}
