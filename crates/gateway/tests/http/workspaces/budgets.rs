//! Budgets: put, shown, taken away, and what they do to requests.

use insta::assert_snapshot;
use serde_json::{Value, json};
use testkit::Answer;

use super::{ask, audited, refusal, workspace};
use crate::support::{TestGateway, shown};

async fn put(gateway: &TestGateway, interval: &str, body: Value) -> Answer {
    ask(gateway, &format!("PUT /workspaces/team/budgets/{interval}"), body).await
}

/// What there is, as `interval limit`.
async fn budgets(gateway: &TestGateway) -> Vec<String> {
    let answer = ask(gateway, "GET /workspaces/team/budgets", "").await;
    let count = answer.json()["data"].as_array().unwrap().len();
    let fact = |at: usize, name: &str| answer.exact(&format!("/data/{at}/{name}")).unwrap();
    (0..count)
        .map(|at| format!("{} {}", fact(at, "reset_interval"), fact(at, "limit_usd")))
        .collect()
}

#[tokio::test]
async fn a_workspace_has_one_budget_of_each_interval_and_putting_replaces_it() {
    let gateway = TestGateway::start().await;
    workspace(&gateway, "team", json!({})).await;
    let fresh = ask(&gateway, "GET /workspaces/team/budgets", "").await;
    assert_eq!((fresh.status, budgets(&gateway).await), (200, vec![]));
    let absent = ask(&gateway, "GET /workspaces/team/budgets/monthly", "").await;
    assert_eq!(refusal(&absent), "404 Resource not found");
    let made = put(&gateway, "monthly", json!({ "limit_usd": 500.5 })).await;
    assert_snapshot!(shown(&made), @r#"
    200
    {
      "data": {
        "id": "0bd11dbb-00d1-45fa-9a7c-21edca5a2428",
        "workspace_id": "ab6c88b4-70a8-4d8a-b40d-76406faa58c7",
        "limit_usd": 500.5,
        "reset_interval": "monthly",
        "created_at": "2026-11-18T12:00:00.000Z",
        "updated_at": "2026-11-18T12:00:00.000Z"
      },
      "include_byok_in_budgets": false
    }
    "#);
    gateway.clock.set("2026-11-18T12:30:00Z");
    let body = json!({ "limit_usd": 0.000_000_001_9, "include_byok_in_budgets": true, "x": 1 });
    let replaced = put(&gateway, "monthly", body).await;
    assert_snapshot!(shown(&replaced), @r#"
    200
    {
      "data": {
        "id": "0bd11dbb-00d1-45fa-9a7c-21edca5a2428",
        "workspace_id": "ab6c88b4-70a8-4d8a-b40d-76406faa58c7",
        "limit_usd": 0.000000001,
        "reset_interval": "monthly",
        "created_at": "2026-11-18T12:00:00.000Z",
        "updated_at": "2026-11-18T12:30:00.000Z"
      },
      "include_byok_in_budgets": true
    }
    "#);
    let one = ask(&gateway, "GET /workspaces/team/budgets/monthly", "").await;
    assert_eq!(one.text(), replaced.text());
    // Of the workspace, and left as it is where nothing is said of it.
    let lifetime = put(&gateway, "lifetime", json!({ "limit_usd": 7 })).await;
    assert_eq!(lifetime.json()["include_byok_in_budgets"], true);
    let workspace = ask(&gateway, "GET /workspaces/team", "").await;
    assert_eq!(workspace.json()["data"]["include_byok_in_budgets"], true);
    assert_eq!(budgets(&gateway).await, ["null 7", r#""monthly" 0.000000001"#]);
    let gateway = gateway.crash().await;
    assert_eq!(budgets(&gateway).await, ["null 7", r#""monthly" 0.000000001"#]);
    gateway.close().await;
}

#[tokio::test]
async fn limits_get_smaller_with_their_windows() {
    let gateway = TestGateway::start().await;
    workspace(&gateway, "team", json!({})).await;
    for (interval, limit, expected) in [
        ("weekly", json!(600), None),
        (
            "monthly",
            json!(500),
            Some("monthly limit ($500) must be greater than the weekly limit ($600)"),
        ),
        (
            "monthly",
            json!(600),
            Some("monthly limit ($600) must be greater than the weekly limit ($600)"),
        ),
        ("monthly", json!(600.000_000_001), None),
        (
            "daily",
            json!(600),
            Some("weekly limit ($600) must be greater than the daily limit ($600)"),
        ),
        ("daily", json!(0.5), None),
        (
            "lifetime",
            json!(0.25),
            Some("lifetime limit ($0.25) must be greater than the monthly limit ($600.000000001)"),
        ),
        (
            "weekly",
            json!(0.5),
            Some("weekly limit ($0.5) must be greater than the daily limit ($0.5)"),
        ),
        (
            "weekly",
            json!(601),
            Some("monthly limit ($600.000000001) must be greater than the weekly limit ($601)"),
        ),
        ("weekly", json!(1), None),
        ("lifetime", json!(1000), None),
    ] {
        let answer = put(&gateway, interval, json!({ "limit_usd": limit })).await;
        match expected {
            None => assert_eq!(answer.status, 200, "{interval} {limit}: {}", answer.text()),
            Some(expected) => assert_eq!(
                refusal(&answer),
                format!(
                    "400 Budget limits must be strictly decreasing from lifetime to daily: the {expected}"
                )
            ),
        }
    }
    let all = ["null 1000", r#""monthly" 600.000000001"#, r#""weekly" 1"#, r#""daily" 0.5"#];
    assert_eq!(budgets(&gateway).await, all);
    // With the one between them gone, its neighbours are compared.
    ask(&gateway, "DELETE /workspaces/team/budgets/weekly", "").await;
    let answer = put(&gateway, "daily", json!({ "limit_usd": 700 })).await;
    assert!(refusal(&answer).contains("the monthly limit ($600.000000001) must"));
    gateway.close().await;
}

#[tokio::test]
async fn a_budget_is_taken_away_once_or_twice() {
    let gateway = TestGateway::start().await;
    workspace(&gateway, "team", json!({})).await;
    put(&gateway, "daily", json!({ "limit_usd": 1 })).await;
    for _ in 0..2 {
        let deleted = ask(&gateway, "DELETE /workspaces/team/budgets/daily", "").await;
        assert_eq!((deleted.status, deleted.text().as_str()), (200, r#"{"deleted":true}"#));
        assert_eq!(budgets(&gateway).await, Vec::<String>::new());
    }
    assert_eq!(audited(&gateway, "budget.delete").len(), 1);
    gateway.close().await;
}

#[tokio::test]
async fn every_change_is_in_the_audit_log_before_and_after() {
    let gateway = TestGateway::start().await;
    workspace(&gateway, "team", json!({})).await;
    put(&gateway, "daily", json!({ "limit_usd": 1.5 })).await;
    put(&gateway, "daily", json!({ "limit_usd": 2, "include_byok_in_budgets": true })).await;
    put(&gateway, "weekly", json!({ "limit_usd": 2 })).await;
    ask(&gateway, "DELETE /workspaces/team/budgets/daily", "").await;
    let row = |limit: &str, byok: bool| {
        Some(json!({ "interval": "daily", "limit": limit, "include_byok_in_budgets": byok }))
    };
    let expected =
        [(row("2", true), None), (row("1.5", false), row("2", true)), (None, row("1.5", false))];
    assert_eq!(audited(&gateway, "budget."), expected);
    gateway.close().await;
}

/// Both spellings of a workspace's name lead to its budgets, and no other word to an interval.
#[tokio::test]
async fn a_path_names_a_workspace_and_an_interval() {
    let gateway = TestGateway::start().await;
    let id = workspace(&gateway, "team", json!({})).await;
    let line = format!("PUT /workspaces/{id}/budgets/daily");
    assert_eq!(ask(&gateway, &line, r#"{"limit_usd":1}"#).await.status, 200);
    assert_eq!(budgets(&gateway).await.len(), 1);
    let word = "400 `interval` is another word; allowed: daily, weekly, monthly or lifetime";
    for (line, expected) in [
        ("GET /workspaces/nobody/budgets", "404 Resource not found"),
        ("GET /workspaces/nobody/budgets/daily", "404 Resource not found"),
        ("GET /workspaces/team/budgets/yearly", word),
        ("DELETE /workspaces/team/budgets/DAILY", word),
        ("GET /workspaces/team/budgets/%ff", "404 Resource not found"),
    ] {
        assert_eq!(refusal(&ask(&gateway, line, "").await), expected, "{line}");
    }
    gateway.close().await;
}

/// What was spent before a budget was put is in its window, whoever spent it (SEMANTICS 7.7).
#[tokio::test]
async fn a_budget_binds_every_key_of_its_workspace_from_the_next_request_on() {
    let gateway = TestGateway::start().await;
    let id = workspace(&gateway, "team", json!({})).await;
    let [one, two] = [
        gateway.key(json!({ "workspace_id": id })).await,
        gateway.key(json!({ "workspace_id": id })).await,
    ];
    let elsewhere = gateway.key(json!({})).await;
    for key in [&one, &two] {
        assert_eq!(gateway.chat(key, "test/small", json!({})).await.status, 200);
    }
    put(&gateway, "monthly", json!({ "limit_usd": 0.000_08 })).await;
    for key in [&one, &two] {
        let refused = gateway.chat(key, "test/small", json!({})).await;
        let message = "403 Workspace monthly budget of $0.00008 exceeded. Contact your org admin.";
        assert_eq!(refusal(&refused), message);
    }
    assert_eq!(gateway.chat(&elsewhere, "test/small", json!({})).await.status, 200);
    put(&gateway, "monthly", json!({ "limit_usd": 0.01 })).await;
    assert_eq!(gateway.chat(&one, "test/small", json!({ "max_tokens": 16 })).await.status, 200);
    put(&gateway, "daily", json!({ "limit_usd": 0.000_1 })).await;
    let refused = gateway.chat(&two, "test/small", json!({})).await;
    assert!(refusal(&refused).starts_with("403 Workspace daily budget of $0.0001 exceeded."));
    gateway.clock.set("2026-11-19T00:00:00Z");
    ask(&gateway, "DELETE /workspaces/team/budgets/daily", "").await;
    assert_eq!(gateway.chat(&two, "test/small", json!({ "max_tokens": 16 })).await.status, 200);
    gateway.close().await;
}
