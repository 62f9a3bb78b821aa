//! Old rows are sealed: their particulars go, and no figure with them.

use std::sync::Arc;

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{MANAGER, TestGateway, TestKey};

/// What a key, the reports and the audit say.
async fn figures(gateway: &TestGateway, key: &TestKey) -> Vec<String> {
    let mut figures = Vec::new();
    let path = key.path();
    for asked in [path.as_str(), "/api/v1/activity", "/api/v1/credits"] {
        let shown = gateway.ask(MANAGER, &format!("GET {asked}"), "").await;
        assert_eq!(shown.status, 200, "{asked}");
        figures.push(shown.text());
    }
    figures.push(gateway.ask(key.text.as_str(), "GET /api/v1/key", "").await.text());
    figures.push(format!("{:?}", store::Store::audit(&*gateway.store).unwrap()));
    figures
}

async fn seal(gateway: &TestGateway, body: &str) -> String {
    gateway.control("POST /retention", body).await.text()
}

/// A generation that is forty days and a bit old, and its id.
async fn with_an_old_generation() -> (TestGateway, TestKey, String) {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    let answer = gateway.chat(&key, "test/small", json!({})).await;
    let generation = answer.json()["id"].as_str().unwrap().to_owned();
    gateway.clock.set("2026-12-29T12:00:00Z");
    gateway.chat(&key, "test/small", json!({})).await;
    (gateway, key, generation)
}

#[tokio::test]
async fn a_sealed_generation_is_gone_and_no_figure_with_it() {
    let (gateway, key, generation) = with_an_old_generation().await;
    let before = figures(&gateway, &key).await;
    let lookup = format!("GET /api/v1/generation?id={generation}");

    let told = seal(&gateway, r#"{"older_than_days":40,"dry_run":true}"#).await;
    assert_snapshot!(told, @r#"{"dry_run":true,"before":"2026-11-19","generations":1,"rows":1,"spared":0}"#);
    assert_eq!(gateway.ask(key.text.as_str(), &lookup, "").await.status, 200);

    let told = seal(&gateway, r#"{"older_than_days":40,"dry_run":false}"#).await;
    assert_snapshot!(told, @r#"{"dry_run":false,"before":"2026-11-19","generations":1,"rows":1,"spared":0}"#);
    assert_eq!(gateway.ask(key.text.as_str(), &lookup, "").await.status, 404);
    assert_eq!(gateway.ask(MANAGER, &lookup, "").await.status, 404);
    assert_eq!(gateway.rows().len(), 1);
    assert_eq!(figures(&gateway, &key).await, before);
    let log = store::Store::audit_log(&*gateway.store, &store::AuditPage::newest(1))
        .unwrap()
        .rows
        .remove(0);
    assert_eq!(
        [log.actor, log.action, log.subject],
        ["command line", "retention.run", "before 2026-11-19"]
    );

    let gateway = gateway.crash().await;
    assert_eq!(figures(&gateway, &key).await, before, "a start reads the same");
    gateway.close().await;
}

#[tokio::test]
async fn the_record_of_a_sealed_hold_that_comes_back_is_not_charged_again() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    let gate = gateway.upstream.hold_answers("small");
    let chat = gateway.begin_chat(&key, "test/small", json!({}));
    gate.until_waiting(1).await;
    let record = std::fs::read(gateway.journal()).unwrap();
    gate.release();
    assert_eq!(chat.await.unwrap().status, 200);
    gateway.settled().await;
    gateway.clock.set("2026-12-29T12:00:00Z");
    let before = figures(&gateway, &key).await;
    seal(&gateway, r#"{"older_than_days":40,"dry_run":false}"#).await;
    assert_eq!(gateway.rows().len(), 0);

    // As after a power cut that lost the clearing of its slot, or from a copy of the file.
    std::fs::write(gateway.journal(), record).unwrap();
    let gateway = gateway.crash().await;
    assert_eq!(gateway.rows().len(), 0);
    assert_eq!(figures(&gateway, &key).await, before);
    gateway.close().await;
}

#[tokio::test]
async fn a_retention_that_is_too_short_or_not_given_is_refused() {
    let gateway = TestGateway::start().await;
    for (body, problem) in [
        (r#"{"older_than_days":39,"dry_run":true}"#, "`older_than_days` must be at least 40"),
        (r#"{"dry_run":false}"#, "`store.retention_days` is not set"),
    ] {
        let refused = gateway.control("POST /retention", body).await;
        assert_eq!(refused.status, 400);
        assert!(refused.text().contains(problem), "{}", refused.text());
    }
    gateway.close().await;
}

#[tokio::test]
async fn a_configured_retention_is_kept_by_itself() {
    let gateway = TestGateway::with("store.retention_days = 45").await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    for _ in 0..3 {
        gateway.chat(&key, "test/small", json!({})).await;
    }
    gateway.clock.set("2027-01-02T23:59:59Z");
    gateway.chat(&key, "test/small", json!({})).await;
    assert_snapshot!(seal(&gateway, r#"{"dry_run":false}"#).await, @r#"{"dry_run":false,"before":"2026-11-18","generations":0,"rows":0,"spared":0}"#);

    gateway.clock.set("2027-01-03T00:00:00Z");
    let before = figures(&gateway, &key).await;
    let keeping = tokio::spawn(gateway::retention::keep(Arc::clone(&gateway.core)));
    gateway.until(|_| gateway.rows().len() == 1).await;
    keeping.abort();
    assert_eq!(figures(&gateway, &key).await, before);
    let log = store::Store::audit_log(&*gateway.store, &store::AuditPage::newest(1))
        .unwrap()
        .rows
        .remove(0);
    assert_eq!([log.actor, log.action], ["system", "retention.run"]);
    gateway.close().await;
}
