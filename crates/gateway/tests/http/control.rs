//! What the command line asks of a running server.

use std::pin::pin;
use std::time::Duration;

use gateway::master_key::{MasterKey, MasterKeyId};
use insta::assert_snapshot;
use serde_json::json;
use tokio::time::timeout;

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

/// How long a request is watched that is to go on waiting.
const WATCHED: Duration = Duration::from_millis(200);

#[tokio::test]
async fn what_is_brought_while_the_master_key_is_replaced_is_kept_under_the_new_one() {
    let gateway = TestGateway::start().await;
    let body = json!({ "provider": "alpha", "key": "sk-brought-0123456789" });
    let bring = || gateway.ask(MANAGER, "POST /api/v1/byok", body.clone());
    assert_eq!(bring().await.status, 201);
    let old = gateway.core.credentials.master_key().unwrap().id();
    let new = MasterKey::parse(&"11".repeat(32)).unwrap();
    let rotation = json!({ "from": old.to_string(), "key": new.to_text().as_str() });

    // Who asks for it goes while it is being written.
    let stall = gateway.store.stall();
    let rotating = gateway.control("POST /secrets/rotate", &rotation);
    assert!(timeout(WATCHED, rotating).await.is_err());
    {
        let mut bringing = pin!(bring());
        assert!(timeout(WATCHED, &mut bringing).await.is_err());
        drop(stall);
        assert_eq!(bringing.await.status, 201);
    }

    let kept = store::Store::snapshot(&*gateway.store, ledger::Day::from_number(0)).unwrap();
    let keys = kept.credentials.iter().map(|record| MasterKeyId::of(&record.encrypted));
    assert_eq!(keys.collect::<Vec<_>>(), [Some(new.id()); 2]);
    assert_eq!(gateway.core.credentials.master_key().unwrap().id(), new.id());
    let again = gateway.control("POST /secrets/rotate", &rotation).await;
    assert_eq!((again.status, again.json()["credentials"].clone()), (200, json!(2)));
    let wrong = json!({ "from": old.to_string(), "key": "22".repeat(32) });
    assert_eq!(gateway.control("POST /secrets/rotate", wrong).await.status, 409);
    let wrong = json!({ "from": new.id().to_string(), "key": "22" });
    assert_eq!(gateway.control("POST /secrets/rotate", wrong).await.status, 400);
    gateway.close().await;
}
