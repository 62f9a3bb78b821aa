//! A workspace's budgets beside a key's own limit: what each refusal says, who waits for whom, and
//! what a key is told of every layer (SEMANTICS 7.6, 7.7).

use insta::assert_snapshot;
use serde_json::{Value, json};
use testkit::Behaviour;

use crate::support::{MANAGER, TestGateway, TestKey, shown};

impl TestGateway {
    /// Sets a budget of a workspace.
    async fn budget(&self, workspace: &str, interval: &str, body: Value) {
        let line = format!("PUT /api/v1/workspaces/{workspace}/budgets/{interval}");
        let answer = self.ask(MANAGER, &line, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// The layers that a key is told of: scope, window, limit and spend of each.
    async fn layers(&self, key: &TestKey) -> Vec<String> {
        let answer = self.ask(key.text.as_str(), "GET /api/v1/key", "").await;
        let fact = |layer: usize, name: &str| {
            let fact = answer.exact(&format!("/data/budgets/{layer}/{name}"));
            fact.unwrap_or_default().trim_matches('"').to_owned()
        };
        let count = answer.json()["data"]["budgets"].as_array().unwrap().len();
        let effective = answer.exact("/data/effective_budget/limit_usd").unwrap_or_default();
        let shown = |layer: usize| {
            let limit = fact(layer, "limit_usd");
            let mark = if limit == effective { " <" } else { "" };
            let (scope, spend) = (fact(layer, "scope"), fact(layer, "spend_usd"));
            format!("{scope} {}: {spend} of {limit}{mark}", fact(layer, "reset_interval"))
        };
        (0..count).map(shown).collect()
    }
}

/// 43 tokens of prompt and 20 of completion: $0.000083.
fn quick() -> Behaviour {
    Behaviour::new().prompt_tokens(43).completion_tokens(20)
}

#[tokio::test]
async fn every_layer_is_listed_in_its_order_and_the_refusing_one_is_effective() {
    let gateway = TestGateway::start().await;
    gateway.upstream.on("small", quick());
    let key = gateway.key(json!({ "limit": 0.5, "limit_reset": "daily" })).await;
    assert_eq!(gateway.layers(&key).await, ["key_limit daily: 0 of 0.5 <"]);
    for (interval, limit) in [("daily", 0.01), ("weekly", 0.02), ("lifetime", 1.0)] {
        gateway.budget("default", interval, json!({ "limit_usd": limit })).await;
    }
    gateway.budget("default", "monthly", json!({ "limit_usd": 0.1 })).await;
    assert_eq!(gateway.chat(&key, "test/small", json!({})).await.status, 200);
    assert_eq!(
        gateway.layers(&key).await,
        [
            "workspace null: 0.000083 of 1",
            "workspace monthly: 0.000083 of 0.1",
            "workspace weekly: 0.000083 of 0.02",
            "workspace daily: 0.000083 of 0.01 <",
            "key_limit daily: 0.000083 of 0.5",
        ]
    );
    gateway.patch(&key, json!({ "limit": 0.00005 })).await;
    assert_eq!(gateway.layers(&key).await[4], "key_limit daily: 0.000083 of 0.00005 <");
    let answer = gateway.ask(key.text.as_str(), "GET /api/v1/key", "").await;
    let listed = gateway.ask(MANAGER, "GET /api/v1/workspaces/default/budgets", "").await;
    let ids: Vec<Value> = listed.json()["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|budget| budget["id"].clone())
        .collect();
    for layer in 0..4 {
        let id = answer.json()["data"]["budgets"][layer]["budget_id"].clone();
        assert!(ids.contains(&id), "{id} is none of {ids:?}");
    }
    assert_eq!(answer.json()["data"]["budgets"][4]["budget_id"], Value::Null);
    gateway.close().await;
}

#[tokio::test]
async fn a_spent_budget_refuses_every_key_and_the_broadest_one_is_named() {
    let gateway = TestGateway::start().await;
    gateway.upstream.on("small", quick());
    let first = gateway.key(json!({})).await;
    let second = gateway.key(json!({ "limit": 0 })).await;
    assert_eq!(gateway.chat(&first, "test/small", json!({})).await.status, 200);
    // What was spent before there was a budget counts.
    gateway.budget("default", "daily", json!({ "limit_usd": 0.00005 })).await;
    let refused = gateway.chat(&second, "test/small", json!({})).await;
    assert_snapshot!(shown(&refused), @r#"
    403
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    {
      "error": {
        "code": 403,
        "message": "Workspace daily budget of $0.00005 exceeded. Contact your org admin.",
        "metadata": {
          "error_type": "permission_denied",
          "held_usd": 0,
          "limit_source": "openrouter_workspace_budget",
          "limit_usd": 0.00005,
          "remaining_usd": -0.000033,
          "resets_at": "2026-11-19T00:00:00.000Z",
          "scope": "workspace",
          "spend_usd": 0.000083
        }
      },
      "user_id": null
    }
    "#);
    gateway.budget("default", "monthly", json!({ "limit_usd": 0.000083 })).await;
    let refused = gateway.chat(&first, "test/small", json!({})).await;
    assert!(refused.text().contains("Workspace monthly budget of $0.000083 exceeded."));
    gateway.budget("default", "lifetime", json!({ "limit_usd": 25.5 })).await;
    assert_eq!(
        gateway.chat(&first, "test/free", json!({})).await.status,
        200,
        "what is free passes"
    );
    // The next day's is another, the month's is not.
    gateway.clock.set("2026-11-19T00:00:00Z");
    let refused = gateway.chat(&first, "test/small", json!({})).await;
    assert!(refused.text().contains("monthly budget"), "{}", refused.text());
    gateway.clock.set("2026-12-01T00:00:00Z");
    assert_eq!(gateway.chat(&first, "test/small", json!({ "max_tokens": 1 })).await.status, 402);
    gateway.close().await;
}

#[tokio::test]
async fn one_that_does_not_fit_a_budget_is_told_what_would() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    gateway.budget("default", "weekly", json!({ "limit_usd": 0.0005 })).await;
    let refused = gateway.chat(&key, "test/small", json!({ "max_tokens": 400 })).await;
    assert_snapshot!(shown(&refused), @r#"
    402
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    {
      "error": {
        "code": 402,
        "message": "This request requires more credits, or fewer max_tokens. You requested up to 400 tokens, but can only afford 218. To increase, ask your org admin to raise the workspace's weekly budget of $0.0005",
        "metadata": {
          "error_type": "payment_required",
          "held_usd": 0,
          "limit_source": "openrouter_workspace_budget",
          "limit_usd": 0.0005,
          "provider_name": null,
          "remaining_usd": 0.0005,
          "remedy_hint": "lower_max_tokens",
          "resets_at": "2026-11-23T00:00:00.000Z",
          "scope": "workspace",
          "spend_usd": 0
        }
      },
      "user_id": null
    }
    "#);
    assert!(gateway.upstream.calls().is_empty());
    gateway.close().await;
}

#[tokio::test]
async fn a_request_waits_for_what_other_keys_of_its_workspace_hold() {
    let gateway = TestGateway::with("[bounds]\nhold_wait_ms = 30000").await;
    gateway.budget("default", "daily", json!({ "limit_usd": 0.001 })).await;
    let (first, second) = (gateway.key(json!({})).await, gateway.key(json!({})).await);
    let gate = gateway.upstream.hold_answers("small");
    let one = gateway.begin_chat(&first, "test/small", json!({ "max_tokens": 400 }));
    gate.until_waiting(1).await;
    let other = gateway.begin_chat(&second, "test/small", json!({ "max_tokens": 400 }));
    gateway.until_waiting(1).await;
    gate.release();
    assert_eq!((one.await.unwrap().status, other.await.unwrap().status), (200, 200));
    assert_eq!(gateway.upstream.in_flight_peak("small"), 1);
    gateway.close().await;
}

#[tokio::test]
async fn a_wait_for_a_budget_in_vain_names_it_and_its_queue_is_bounded() {
    let bounds = "[bounds]\nhold_wait_ms = 50\nwaiting_per_limit_max = 1";
    let gateway = TestGateway::with(bounds).await;
    gateway.budget("default", "daily", json!({ "limit_usd": 0.001 })).await;
    let keys = [gateway.key(json!({})).await, gateway.key(json!({})).await];
    let gate = gateway.upstream.hold_answers("small");
    let first = gateway.begin_chat(&keys[0], "test/small", json!({ "max_tokens": 400 }));
    gate.until_waiting(1).await;
    let refused = gateway.chat(&keys[1], "test/small", json!({ "max_tokens": 400 })).await;
    assert_snapshot!(shown(&refused), @r#"
    402
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    retry-after: 1
    {
      "error": {
        "code": 402,
        "message": "Workspace daily budget of $0.001 is held by other requests in flight: $0.001 left, $0.000863 of it held. Please try again.",
        "metadata": {
          "error_type": "payment_required",
          "held_usd": 0.000863,
          "limit_source": "openrouter_workspace_budget",
          "limit_usd": 0.001,
          "reason": "in_flight_budget_exhausted",
          "remaining_usd": 0.001,
          "resets_at": "2026-11-19T00:00:00.000Z",
          "scope": "workspace",
          "spend_usd": 0
        }
      },
      "user_id": null
    }
    "#);
    assert_eq!(gateway.core.waiting.requests(), 0);
    gate.release();
    assert_eq!(first.await.unwrap().status, 200);
    gateway.close().await;
}

#[tokio::test]
async fn a_key_that_moves_takes_its_figures_along_and_leaves_the_spend_where_it_was() {
    let gateway = TestGateway::start().await;
    gateway.upstream.on("small", quick());
    let key = gateway.key(json!({ "limit": 1 })).await;
    let gate = gateway.upstream.hold_answers("small");
    let in_flight = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
    gate.until_waiting(1).await;
    let made = json!({ "name": "Team", "slug": "team" });
    let team = gateway.ask(MANAGER, "POST /api/v1/workspaces", made).await;
    assert_eq!(team.status, 201, "{}", team.text());
    let team = team.json()["data"]["id"].as_str().unwrap().to_owned();
    gateway.patch(&key, json!({ "workspace_id": team })).await;
    for workspace in ["default", "team"] {
        gateway.budget(workspace, "daily", json!({ "limit_usd": 0.5 })).await;
    }
    gate.release();
    assert_eq!(in_flight.await.unwrap().status, 200);
    assert_eq!(
        gateway.layers(&key).await,
        ["workspace daily: 0 of 0.5 <", "key_limit null: 0.000083 of 1"]
    );
    let stayed = gateway.key(json!({})).await;
    assert_eq!(gateway.layers(&stayed).await, ["workspace daily: 0.000083 of 0.5 <"]);
    assert_eq!(gateway.chat(&key, "test/small", json!({})).await.status, 200);
    assert_eq!(gateway.layers(&key).await[0], "workspace daily: 0.000083 of 0.5 <");
    assert_eq!(gateway.layers(&stayed).await, ["workspace daily: 0.000083 of 0.5 <"]);
    // Another process finds the same.
    let gateway = gateway.crash().await;
    assert_eq!(
        gateway.layers(&key).await,
        ["workspace daily: 0.000083 of 0.5 <", "key_limit null: 0.000166 of 1"]
    );
    assert_eq!(gateway.layers(&stayed).await, ["workspace daily: 0.000083 of 0.5 <"]);
    gateway.close().await;
}
