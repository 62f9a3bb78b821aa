//! What the command line asks of a running server.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{MANAGER, TestGateway};

#[tokio::test]
async fn a_management_key_is_made_used_listed_and_revoked_for_good() {
    let gateway = TestGateway::start().await;
    let made = gateway.control("POST /management-keys", r#"{"name":"second"}"#).await;
    assert_eq!((made.status, &made.json()["name"]), (201, &serde_json::json!("second")));
    let text = made.json()["key"].as_str().unwrap().to_owned();
    assert_eq!(gateway.ask(text.as_str(), "GET /api/v1/keys", "").await.status, 200);

    let revoked = gateway.control("DELETE /management-keys/second", "").await;
    assert_eq!(revoked.text(), r#"{"revoked":"second"}"#);
    assert_eq!(gateway.ask(text.as_str(), "GET /api/v1/keys", "").await.status, 401);
    assert_eq!(gateway.ask(MANAGER, "GET /api/v1/keys", "").await.status, 200);
    assert_eq!(gateway.control("DELETE /management-keys/second", "").await.status, 404);
    assert_snapshot!(gateway.control("GET /management-keys", "").await.text(), @r#"[{"hash":"55a725dc556604b3a881af4585cacc198e767f22dda7b43e668d06d6a08d334a","name":"ci","label":"sk-or-v1-aaa...aaaa","created_at":"2026-11-18T12:00:00Z","revoked_at":null},{"hash":"3a83ea601271b5ef28d17270e146c2d25b0c550ca518c0af6e06570815186bd9","name":"second","label":"sk-or-v1-58c...37cd","created_at":"2026-11-18T12:00:00Z","revoked_at":"2026-11-18T12:00:00Z"}]"#);

    let gateway = gateway.crash().await;
    assert_eq!(gateway.ask(text.as_str(), "GET /api/v1/keys", "").await.status, 401);
    gateway.close().await;
}

#[tokio::test]
async fn a_name_that_two_management_keys_have_revokes_neither() {
    let gateway = TestGateway::start().await;
    let made = gateway.control("POST /management-keys", r#"{"name":"ci"}"#).await;
    let refused = gateway.control("DELETE /management-keys/ci", "").await;
    assert_eq!(refused.status, 409);
    assert!(refused.text().contains("2 management keys are named ci"), "{}", refused.text());
    let hash = gateway::http::hash(made.json()["key"].as_str().unwrap());
    let revoked = gateway.control(&format!("DELETE /management-keys/{hash}"), "").await;
    assert_eq!(revoked.status, 200);
    gateway.close().await;
}

#[tokio::test]
async fn a_name_that_is_no_name_is_refused() {
    let gateway = TestGateway::start().await;
    for name in ["", "  ", "a\\nb", &"x".repeat(256)] {
        let body = format!(r#"{{"name":"{name}"}}"#);
        assert_eq!(gateway.control("POST /management-keys", body).await.status, 400);
    }
    gateway.close().await;
}

#[tokio::test]
async fn a_reload_that_fails_says_why() {
    let gateway = TestGateway::start().await;
    let answer = gateway.control("POST /reload", "").await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("there is no file"), "{}", answer.text());
    gateway.close().await;
}

#[tokio::test]
async fn a_charge_that_was_seen_to_its_end_is_not_corrected() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    let answer = gateway.chat(&key, "test/small", json!({})).await;
    let generation = answer.json()["id"].as_str().unwrap().to_owned();
    let spent = gateway.fact(&key, "usage").await;
    assert_ne!(spent, "0");
    let path = format!("POST /holds/{generation}/0");
    let refused = gateway.control(&path, r#"{"cost":"0"}"#).await;
    assert_eq!(refused.status, 409);
    assert!(refused.text().contains("only a charge whose end was not seen"), "{}", refused.text());
    assert_eq!(gateway.fact(&key, "usage").await, spent);
    gateway.close().await;
}
