//! `GET /key`: the facts of the calling key, whole, for each kind of key.

use insta::assert_snapshot;
use ledger::Amounts;
use money::Money;
use serde_json::json;
use store::{Change, Entry, ExportLine, Store as _};

use crate::support::{MANAGER, TestGateway, TestKey, shown};

/// SEMANTICS 19.10.
#[tokio::test]
async fn a_limited_key_sees_its_limit_its_window_and_its_spend() {
    let gateway = TestGateway::start().await;
    let key = gateway
        .key(json!({
            "limit": 0.5, "limit_reset": "weekly", "include_byok_in_limit": true,
            "creator_user_id": "user_1", "expires_at": "2027-01-01T00:00:00Z",
            "allowed_models": ["test/*"], "requests_per_minute": 60,
            "tokens_per_minute": 100_000, "concurrent_requests": 5,
        }))
        .await;
    gateway.chat(&key, "test/small", json!({})).await;
    let answer = gateway.ask(key.text.as_str(), "GET /api/v1/key", "").await;
    assert_snapshot!(shown(&answer), @r#"
    200
    {
      "data": {
        "label": "sk-or-v1-ab6...79a7",
        "limit": 0.5,
        "limit_remaining": 0.49996,
        "limit_reset": "weekly",
        "include_byok_in_limit": true,
        "usage": 0.00004,
        "usage_daily": 0.00004,
        "usage_weekly": 0.00004,
        "usage_monthly": 0.00004,
        "byok_usage": 0,
        "byok_usage_daily": 0,
        "byok_usage_weekly": 0,
        "byok_usage_monthly": 0,
        "creator_user_id": "user_1",
        "organization_id": null,
        "workspace_id": "5b0a4d0e-6c1e-5d8e-9f0a-7b6f1c2d3e4f",
        "expires_at": "2027-01-01T00:00:00.000Z",
        "is_free_tier": false,
        "is_management_key": false,
        "is_provisioning_key": false,
        "rate_limit": {
          "requests": -1,
          "interval": "10s",
          "note": "This field is deprecated and safe to ignore."
        },
        "allowed_data_regions": [
          "global"
        ],
        "free_model_daily_requests": {
          "limit": 1000,
          "used": 0,
          "remaining": 1000
        },
        "budgets": [
          {
            "scope": "key_limit",
            "guardrail_id": null,
            "budget_id": null,
            "limit_usd": 0.5,
            "spend_usd": 0.00004,
            "remaining_usd": 0.49996,
            "reset_interval": "weekly",
            "resets_at": "2026-11-23T00:00:00.000Z",
            "include_byok": true
          }
        ],
        "effective_budget": {
          "scope": "key_limit",
          "guardrail_id": null,
          "budget_id": null,
          "limit_usd": 0.5,
          "spend_usd": 0.00004,
          "remaining_usd": 0.49996,
          "reset_interval": "weekly",
          "resets_at": "2026-11-23T00:00:00.000Z",
          "include_byok": true
        },
        "allowed_models": [
          "test/*"
        ],
        "requests_per_minute": 60,
        "tokens_per_minute": 100000,
        "concurrent_requests": 5
      }
    }
    "#);
    for line in ["GET /api/v1/auth/key", "GET /v1/key", "GET /api/v1/key/", "GET /v1/auth/key/"] {
        assert_eq!(gateway.ask(key.text.as_str(), line, "").await.body, answer.body, "{line}");
    }
    gateway.close().await;
}

#[tokio::test]
async fn a_management_key_sees_what_it_is() {
    let gateway = TestGateway::with("[api]\nfree_model_daily_requests = 50").await;
    let answer = gateway.ask(MANAGER, "GET /api/v1/key", "").await;
    assert_snapshot!(shown(&answer), @r#"
    200
    {
      "data": {
        "label": "sk-or-v1-aaa...aaaa",
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
        "creator_user_id": null,
        "organization_id": null,
        "workspace_id": null,
        "expires_at": null,
        "is_free_tier": false,
        "is_management_key": true,
        "is_provisioning_key": true,
        "rate_limit": {
          "requests": -1,
          "interval": "10s",
          "note": "This field is deprecated and safe to ignore."
        },
        "allowed_data_regions": [
          "global"
        ],
        "free_model_daily_requests": {
          "limit": 50,
          "used": 0,
          "remaining": 50
        },
        "budgets": [],
        "effective_budget": null,
        "allowed_models": null,
        "requests_per_minute": null,
        "tokens_per_minute": null,
        "concurrent_requests": null
      }
    }
    "#);
    gateway.close().await;
}

#[tokio::test]
async fn figures_of_the_day_the_week_and_the_month_end_with_them() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    // A Saturday, a Sunday, a Monday, and the first of the next month.
    for (at, figures) in [
        ("2026-11-28T23:59:59.999999Z", ["0.00004", "0.00004", "0.00004", "0.00004"]),
        ("2026-11-29T00:00:00Z", ["0.00008", "0.00004", "0.00008", "0.00008"]),
        ("2026-11-30T00:00:00Z", ["0.00012", "0.00004", "0.00004", "0.00012"]),
        ("2026-12-01T00:00:00Z", ["0.00016", "0.00004", "0.00008", "0.00004"]),
    ] {
        gateway.clock.set(at);
        gateway.chat(&key, "test/small", json!({})).await;
        let names = ["usage", "usage_daily", "usage_weekly", "usage_monthly"];
        for (name, figure) in names.iter().zip(figures) {
            assert_eq!(gateway.fact(&key, name).await, figure, "{name} at {at}");
        }
    }
    gateway.close().await;
}

/// SEMANTICS 19.9. No request is paid for by a key of its owner's own yet; the book knows such rows.
#[tokio::test]
async fn what_the_owners_own_provider_key_paid_is_in_the_limit_while_that_includes_it() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1, "limit_reset": "daily" })).await;
    gateway.chat(&key, "test/small", json!({})).await;
    let mut rows = Vec::new();
    let mut take = |line| {
        if let ExportLine::Entry(entry) = line {
            rows.push(*entry);
        }
        Ok(())
    };
    gateway.store.export(&mut take).unwrap();
    let cost = Amounts { credits: Money::ZERO, byok: Money::nanos(250_000_001) };
    let own = Entry { generation: "gen-own".to_owned(), cost, ..rows.remove(0) };
    gateway.store.commit(&[Change::Settle(Box::new(own))]).unwrap();
    let gateway = gateway.crash().await;

    let used = ["0.00004", "0.00004", "0.250000001", "0.250000001"];
    for (includes, remaining) in [(false, "0.99996"), (true, "0.749959999"), (false, "0.99996")] {
        gateway.patch(&key, json!({ "include_byok_in_limit": includes })).await;
        for (name, figure) in ["usage", "usage_daily", "byok_usage", "byok_usage_monthly"]
            .into_iter()
            .zip(used)
            .chain([("limit_remaining", remaining)])
        {
            assert_eq!(gateway.fact(&key, name).await, figure, "{name} {includes}");
            assert_eq!(managed_fact(&gateway, &key, name).await, figure, "{name} {includes}");
        }
    }
    gateway.close().await;
}

/// A fact of `key` as a manager reads it.
async fn managed_fact(gateway: &TestGateway, key: &TestKey, name: &str) -> String {
    let answer = gateway.ask(MANAGER, &format!("GET {}", key.path()), "").await;
    answer.exact(&format!("/data/{name}")).unwrap_or_else(|| panic!("{}", answer.text()))
}

#[tokio::test]
async fn what_is_in_flight_shows_in_no_figure() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    let before = gateway.ask(key.text.as_str(), "GET /api/v1/key", "").await;
    let gate = gateway.upstream.hold_answers("small");
    let chat = gateway.begin_chat(&key, "test/small", json!({}));
    gate.until_waiting(1).await;
    let during = gateway.ask(key.text.as_str(), "GET /api/v1/key", "").await;
    assert_eq!(during.text(), before.text());
    gate.release();
    chat.await.unwrap();
    gateway.close().await;
}
