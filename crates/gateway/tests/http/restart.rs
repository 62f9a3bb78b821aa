//! A process that ends without a word, and what the next one makes of what it left.

use gateway::journal::OpenHolds;
use insta::assert_snapshot;
use jiff::ToSpan as _;
use serde_json::json;

use crate::support::TestGateway;

#[tokio::test]
async fn what_was_in_flight_is_charged_in_full_until_it_is_corrected() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    assert_eq!(gateway.chat(&key, "test/small", json!({})).await.status, 200);
    let gate = gateway.upstream.hold_answers("small");
    let (client, text) = (gateway.client.below("/api/v1"), key.text.clone());
    let chat = tokio::spawn(async move {
        client.chat(text.as_str(), "test/small", &json!({ "max_tokens": 400 })).await
    });
    gate.until_waiting(1).await;
    let gateway = gateway.crash().await;
    assert!(chat.await.unwrap().is_err());
    gate.release();

    gateway.settled().await;
    let rows = ["alpha: reported $0.00004 for 8+16", "alpha: interrupted $0.000863 for 0+0"];
    let mut found = gateway.rows();
    found.sort_by_key(|row| !row.contains("reported"));
    assert_eq!(found, rows);
    assert_eq!(gateway.fact(&key, "usage").await, "0.000903");

    let gateway = gateway.crash().await;
    assert_eq!(gateway.rows().len(), 2, "another restart charges nothing again");
    assert_eq!(gateway.fact(&key, "usage").await, "0.000903");

    let holds = gateway.control("GET /holds", "").await;
    assert_snapshot!(holds.text().replace(&key.hash, "HASH"), @r#"[{"generation":"gen-1795003200-0000mPtP0S8jrTgxPrIe","attempt":0,"source":"interrupted","key":"HASH","model":"test/small","provider":"alpha","admitted_at":"2026-11-18T12:00:00Z","charged":"0.000863"}]"#);
    let hold = holds.json()[0].clone();
    let path = format!("POST /holds/{}/0", hold["generation"].as_str().unwrap());
    let answer = gateway.control(&path, r#"{"cost":"0.000063"}"#).await;
    assert_eq!(answer.text(), r#"{"difference":"-0.0008"}"#);
    assert_eq!(gateway.fact(&key, "usage").await, "0.000103");
    assert_eq!(gateway.control("GET /holds", "").await.text(), "[]");
    let again = gateway.control(&path, r#"{"cost":"0.000163"}"#).await;
    assert_eq!(again.text(), r#"{"difference":"0.0001"}"#);
    let back = gateway.control(&path, r#"{"cost":"0.000063"}"#).await;
    assert_eq!(back.text(), r#"{"difference":"-0.0001"}"#);
    assert_eq!(gateway.fact(&key, "usage").await, "0.000103");
    let log =
        store::Store::audit_log(&*gateway.store, &store::AuditPage::newest(100)).unwrap().rows;
    let mut corrections: Vec<_> = log
        .iter()
        .filter(|row| row.action == "hold.correct")
        .map(|row| [&row.before, &row.after].map(|cost| cost.clone().unwrap()))
        .collect();
    corrections.sort();
    assert_eq!(
        corrections,
        [
            [r#""0.000063""#, r#""0.000163""#],
            [r#""0.000163""#, r#""0.000063""#],
            [r#""0.000863""#, r#""0.000063""#]
        ],
        "what each charge stood at before"
    );
    assert_eq!(gateway.control(&path, r#"{"cost":"-1"}"#).await.status, 400);
    assert_eq!(gateway.control("POST /holds/gen-1-none/0", r#"{"cost":"0"}"#).await.status, 404);
    let gateway = gateway.crash().await;
    assert_eq!(gateway.fact(&key, "usage").await, "0.000103");
    gateway.close().await;
}

#[tokio::test]
async fn what_every_provider_refused_is_charged_by_no_later_process() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    gateway.upstream.otherwise(testkit::Behaviour::new().status(500, "{}"));
    for model in ["test/small", "test/pair"] {
        assert_eq!(gateway.chat(&key, model, json!({ "max_tokens": 400 })).await.status, 502);
    }
    gateway.settled().await;
    assert_eq!(gateway.core.journal.open_holds(), OpenHolds::default());
    let gateway = gateway.crash().await;
    assert_eq!(gateway.rows(), [""; 0]);
    assert_eq!(gateway.fact(&key, "usage").await, "0");
    gateway.close().await;
}

#[tokio::test]
async fn what_a_key_is_may_spend_and_has_spent_outlives_the_process() {
    let gateway = TestGateway::start().await;
    let limits =
        json!({ "limit": 0.0001, "limit_reset": "weekly", "expires_at": "2027-01-01T00:00:00Z" });
    let key = gateway.key(limits).await;
    gateway.chat(&key, "test/small", json!({ "max_tokens": 16 })).await;
    let before = gateway.ask(key.text.as_str(), "GET /api/v1/key", "").await;
    gateway.settled().await;
    let gateway = gateway.crash().await;
    let after = gateway.ask(key.text.as_str(), "GET /api/v1/key", "").await;
    assert_eq!(after.text(), before.text());
    assert_eq!(gateway.chat(&key, "test/small", json!({ "max_tokens": 16 })).await.status, 402);
    gateway.close().await;
}

#[tokio::test]
async fn a_start_under_a_clock_far_ahead_forgets_no_spend() {
    let gateway = TestGateway::start().await;
    let mut keys = Vec::new();
    for reset in ["daily", "weekly", "monthly"] {
        let key = gateway.key(json!({ "limit": 0.0001, "limit_reset": reset })).await;
        gateway.chat(&key, "test/small", json!({ "max_tokens": 16 })).await;
        keys.push(key);
    }
    let other = gateway.key(json!({})).await;
    gateway.clock.set("2027-11-18T12:00:00Z");
    let gateway = gateway.crash().await;
    for key in &keys {
        assert_eq!(gateway.fact(key, "usage_monthly").await, "0", "a year later");
    }
    assert_eq!(gateway.chat(&other, "test/small", json!({})).await.status, 200);
    gateway.clock.set("2026-11-18T13:00:00Z");
    for key in &keys {
        for figure in ["usage_daily", "usage_weekly", "usage_monthly", "usage"] {
            assert_eq!(gateway.fact(key, figure).await, "0.00004", "{figure}");
        }
        assert_eq!(gateway.fact(key, "limit_remaining").await, "0.00006");
        let answer = gateway.chat(key, "test/small", json!({ "max_tokens": 16 })).await;
        assert_eq!(answer.status, 402, "{}", answer.text());
    }
    gateway.settled().await;
    // The newest rows are of a day that has not come, and the days before it are known all the same.
    let gateway = gateway.crash().await;
    for key in &keys {
        assert_eq!(gateway.fact(key, "usage_daily").await, "0.00004");
    }
    gateway.close().await;
}

#[tokio::test]
async fn a_start_after_months_under_a_clock_far_ahead_forgets_no_spend_either() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 0.0001, "limit_reset": "daily" })).await;
    let other = gateway.key(json!({})).await;
    gateway.chat(&key, "test/small", json!({ "max_tokens": 16 })).await;
    // As many days with rows as are loaded one by one, all of them yet to come.
    let start = gateway.clock.time();
    for day in 1..=64 {
        gateway.clock.set(&(start + day * 24.hours()).to_string());
        gateway.chat(&other, "test/small", json!({ "max_tokens": 16 })).await;
    }
    gateway.settled().await;
    gateway.clock.set(&start.to_string());
    let gateway = gateway.crash().await;
    assert_eq!(gateway.fact(&key, "usage_daily").await, "0.00004");
    let answer = gateway.chat(&key, "test/small", json!({ "max_tokens": 16 })).await;
    assert_eq!(answer.status, 402, "{}", answer.text());
    gateway.close().await;
}

/// A record as another version would leave it, of another generation. It is length, checksum,
/// version and the rest, which begins with the generation's id.
fn of_another_version(record: &[u8]) -> Vec<u8> {
    let length = usize::try_from(u32::from_le_bytes(record[..4].try_into().unwrap())).unwrap();
    let mut body = record[8..8 + length].to_vec();
    body[0] = 250;
    let id = body.windows(4).position(|part| part == b"gen-").unwrap();
    body[id + 4] = b'0';
    [&record[..4], &crc32fast::hash(&body).to_le_bytes(), &body].concat()
}

#[tokio::test]
async fn records_that_can_not_be_read_are_set_aside_and_the_others_charged() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    let gate = gateway.upstream.hold_answers("small");
    let (client, text) = (gateway.client.below("/api/v1"), key.text.clone());
    let chat = tokio::spawn(async move {
        client.chat(text.as_str(), "test/small", &json!({ "max_tokens": 400 })).await
    });
    gate.until_waiting(1).await;
    let path = gateway.journal();
    let mut journal = std::fs::read(&path).unwrap();
    let record = journal.clone();
    for unreadable in [&record[..record.len() / 2], &of_another_version(&record)] {
        journal.resize(journal.len().next_multiple_of(2_048), 0);
        journal.extend_from_slice(unreadable);
    }
    std::fs::write(&path, &journal).unwrap();
    let gateway = gateway.crash().await;
    assert!(chat.await.unwrap().is_err());
    gate.release();
    let aside = path.with_extension("unreadable");
    assert_eq!(std::fs::read(&aside).unwrap(), journal);
    assert_eq!(gateway.rows(), ["alpha: interrupted $0.000863 for 0+0"]);
    assert_eq!(gateway.chat(&key, "test/small", json!({})).await.status, 200);
    std::fs::remove_file(&aside).unwrap();
    let gateway = gateway.crash().await;
    assert!(!aside.exists(), "nothing is set aside where everything could be read");
    gateway.close().await;
}
