//! `GET /keys`: pages, what is left out, and bad queries.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{MANAGER, TestGateway};

async fn names(gateway: &TestGateway, query: &str) -> Vec<String> {
    let answer = gateway.ask(MANAGER, &format!("GET /api/v1/keys{query}"), "").await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    let json = answer.json();
    let keys = json["data"].as_array().unwrap().iter();
    keys.map(|key| key["name"].as_str().unwrap().to_owned()).collect()
}

/// SEMANTICS 19.5.
#[tokio::test]
async fn pages_are_a_hundred_keys_newest_first() {
    let gateway = TestGateway::start().await;
    for number in 0..101 {
        gateway.clock.set(&format!("2026-11-18T12:{:02}:{:02}Z", number / 60, number % 60));
        gateway.key(json!({ "name": format!("k{number}") })).await;
    }
    let newest_first: Vec<String> = (0..101).rev().map(|number| format!("k{number}")).collect();
    assert_eq!(names(&gateway, "").await, newest_first[..100]);
    assert_eq!(names(&gateway, "?offset=").await, newest_first[..100]);
    assert_eq!(names(&gateway, "?offset=100").await, newest_first[100..]);
    assert_eq!(names(&gateway, "?offset=101").await, [""; 0]);
    assert_eq!(names(&gateway, "?offset=18446744073709551615").await, [""; 0]);
    gateway.close().await;
}

#[tokio::test]
async fn disabled_and_expired_keys_are_left_out_unless_asked_for() {
    let gateway = TestGateway::start().await;
    gateway.key(json!({ "name": "live" })).await;
    gateway.clock.set("2026-11-18T12:00:01Z");
    let disabled = gateway.key(json!({ "name": "disabled" })).await;
    gateway.patch(&disabled, json!({ "disabled": true })).await;
    gateway.clock.set("2026-11-18T12:00:02Z");
    gateway.key(json!({ "name": "expired", "expires_at": "2026-11-18T12:00:02Z" })).await;
    gateway.clock.set("2026-11-18T12:00:03Z");
    let deleted = gateway.key(json!({ "name": "deleted" })).await;
    gateway.ask(MANAGER, &format!("DELETE {}", deleted.path()), "").await;
    for (query, expected) in [
        ("", &["live"][..]),
        ("?include_disabled=false&include_expired=0", &["live"]),
        ("?include_disabled=true", &["disabled", "live"]),
        ("?include_expired=1", &["expired", "live"]),
        ("?include_expired=true&include_disabled=1", &["expired", "disabled", "live"]),
        ("?workspace_id=5b0a4d0e-6c1e-5d8e-9f0a-7b6f1c2d3e4f&x=y", &["live"]),
    ] {
        assert_eq!(names(&gateway, query).await, expected, "{query}");
    }
    gateway.close().await;
}

#[tokio::test]
async fn a_bad_query_is_400_and_an_unknown_workspace_404() {
    let gateway = TestGateway::start().await;
    let mut answers = String::new();
    for query in [
        "offset=-1",
        "offset=x",
        "offset=1.5",
        "offset=99999999999999999999",
        "offset=1&offset=2",
        "include_disabled=yes",
        "include_disabled=",
        "include_expired=2",
        "workspace_id=x",
        "workspace_id=",
    ] {
        let answer = gateway.ask(MANAGER, &format!("GET /api/v1/keys?{query}"), "").await;
        assert_eq!(answer.status, 400, "{query}");
        answers.push_str(answer.json()["error"]["message"].as_str().unwrap());
        answers.push('\n');
    }
    assert_snapshot!(answers, @r#"
    `offset` is not such a number; allowed: a whole number from 0 to 18446744073709551615
    `offset` is not such a number; allowed: a whole number from 0 to 18446744073709551615
    `offset` is not such a number; allowed: a whole number from 0 to 18446744073709551615
    `offset` is not such a number; allowed: a whole number from 0 to 18446744073709551615
    `offset` is given twice; allowed: each name once
    `include_disabled` is another word; allowed: true, false, 1 or 0
    `include_disabled` is another word; allowed: true, false, 1 or 0
    `include_expired` is another word; allowed: true, false, 1 or 0
    `workspace_id` is not a UUID; allowed: a UUID
    `workspace_id` is not a UUID; allowed: a UUID
    "#);
    let unknown = "GET /api/v1/keys?workspace_id=00000000-0000-4000-8000-000000000000";
    assert_eq!(gateway.ask(MANAGER, unknown, "").await.status, 404);
    gateway.close().await;
}
