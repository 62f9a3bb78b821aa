//! Keys in workspaces: made in one, listed with it, moved to another; their spend stays where it was
//! admitted.

use serde_json::{Value, json};

use super::{DEFAULT, ask, refusal, workspace};
use crate::support::{MANAGER, TestGateway, TestKey};

/// How many keys a workspace lists.
async fn listed(gateway: &TestGateway, query: &str) -> usize {
    let answer = ask(gateway, &format!("GET /keys{query}"), "").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["data"].as_array().unwrap().len()
}

async fn key_of(gateway: &TestGateway, key: &TestKey) -> Value {
    gateway.ask(MANAGER, &format!("GET {}", key.path()), "").await.json()["data"].clone()
}

async fn chat(gateway: &TestGateway, key: &TestKey) {
    let answer = gateway.chat(key, "test/small", json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// What was used on the days before this, as `workspace usage requests`.
async fn activity(gateway: &TestGateway, query: &str) -> Vec<String> {
    let answer = ask(gateway, &format!("GET /activity?group_by=workspace{query}"), "").await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    let count = answer.json()["data"].as_array().unwrap().len();
    let row = |at: usize| {
        let fact = |name: &str| answer.exact(&format!("/data/{at}/{name}")).unwrap();
        ["workspace_id", "usage", "requests"].map(fact).join(" ").replace('"', "")
    };
    (0..count).map(row).collect()
}

#[tokio::test]
async fn a_key_is_made_in_a_workspace_and_listed_there_alone() {
    let gateway = TestGateway::start().await;
    let team = workspace(&gateway, "team", json!({})).await;
    let inside = gateway.key(json!({ "workspace_id": team })).await;
    gateway.key(json!({})).await;
    gateway.key(json!({ "workspace_id": DEFAULT })).await;
    assert_eq!(key_of(&gateway, &inside).await["workspace_id"], json!(team));
    assert_eq!(listed(&gateway, "").await, 2);
    assert_eq!(listed(&gateway, &format!("?workspace_id={DEFAULT}")).await, 2);
    assert_eq!(listed(&gateway, &format!("?workspace_id={team}")).await, 1);
    let nobody = "00000000-0000-4000-8000-000000000000";
    let unknown = ask(&gateway, &format!("GET /keys?workspace_id={nobody}"), "").await;
    assert_eq!(refusal(&unknown), "404 Resource not found");
    let body = json!({ "name": "x", "workspace_id": nobody });
    assert_eq!(
        refusal(&ask(&gateway, "POST /keys", body).await),
        "400 `workspace_id` is not a workspace; allowed: the id of one"
    );
    let facts = gateway.ask(inside.text.as_str(), "GET /api/v1/key", "").await;
    assert_eq!(facts.json()["data"]["workspace_id"], json!(team));
    gateway.close().await;
}

#[tokio::test]
async fn a_key_that_moves_takes_its_figures_along_and_leaves_its_spend() {
    let gateway = TestGateway::start().await;
    let [from, to] =
        [workspace(&gateway, "from", json!({})).await, workspace(&gateway, "to", json!({})).await];
    let key = gateway.key(json!({ "workspace_id": from, "limit": 1 })).await;
    chat(&gateway, &key).await;
    gateway.patch(&key, json!({ "workspace_id": to })).await;
    let moved = key_of(&gateway, &key).await;
    assert_eq!((&moved["workspace_id"], &moved["usage"]), (&json!(to), &json!(0.000_04)));
    assert_eq!(moved["limit_remaining"], json!(0.999_96));
    chat(&gateway, &key).await;
    chat(&gateway, &key).await;
    assert_eq!(listed(&gateway, &format!("?workspace_id={from}")).await, 0);
    assert_eq!(listed(&gateway, &format!("?workspace_id={to}")).await, 1);
    // Each workspace's budget counts what was admitted in it.
    for (slug, spent) in [("from", 0.000_04), ("to", 0.000_08)] {
        let body = json!({ "limit_usd": spent });
        ask(&gateway, &format!("PUT /workspaces/{slug}/budgets/lifetime"), body).await;
    }
    let other = gateway.key(json!({ "workspace_id": from })).await;
    for (key, spent) in [(&key, "$0.00008"), (&other, "$0.00004")] {
        let refused = refusal(&gateway.chat(key, "test/small", json!({})).await);
        let expected = format!("403 Workspace lifetime budget of {spent} exceeded.");
        assert!(refused.starts_with(&expected), "{refused}");
    }
    // What was spent stays with its workspace when that is gone, too.
    for key in [&key, &other] {
        gateway.ask(MANAGER, &format!("DELETE {}", key.path()), "").await;
    }
    assert_eq!(ask(&gateway, "DELETE /workspaces/from", "").await.status, 200);
    gateway.clock.set("2026-11-19T12:00:00Z");
    let rows = [format!("{to} 0.00008 2"), format!("{from} 0.00004 1")];
    assert_eq!(activity(&gateway, "").await, rows);
    assert_eq!(activity(&gateway, &format!("&workspace_id={from}")).await, rows[1..]);
    assert_eq!(activity(&gateway, &format!("&workspace_id={DEFAULT}")).await, Vec::<String>::new());
    let of_key = format!("&api_key_hash={}", key.hash);
    assert_eq!(activity(&gateway, &of_key).await, rows);
    let gateway = gateway.crash().await;
    assert_eq!(activity(&gateway, "").await, rows);
    gateway.close().await;
}

/// A request in flight settles where it was admitted, wherever its key has gone since.
#[tokio::test]
async fn what_is_in_flight_while_its_key_moves_counts_where_it_was_admitted() {
    let gateway = TestGateway::start().await;
    let [from, to] =
        [workspace(&gateway, "from", json!({})).await, workspace(&gateway, "to", json!({})).await];
    let key = gateway.key(json!({ "workspace_id": from })).await;
    let gate = gateway.upstream.hold_answers("small");
    let chat = gateway.begin_chat(&key, "test/small", json!({}));
    gate.until_waiting(1).await;
    gateway.patch(&key, json!({ "workspace_id": to })).await;
    gate.release();
    assert_eq!(chat.await.unwrap().status, 200);
    gateway.clock.set("2026-11-19T12:00:00Z");
    assert_eq!(activity(&gateway, "").await, [format!("{from} 0.00004 1")]);
    gateway.close().await;
}

#[tokio::test]
async fn a_key_moves_only_to_a_workspace_that_is_there() {
    let gateway = TestGateway::start().await;
    let team = workspace(&gateway, "team", json!({})).await;
    let key = gateway.key(json!({})).await;
    ask(&gateway, "DELETE /workspaces/team", "").await;
    let line = format!("PATCH {}", key.path());
    for id in [&*team, "00000000-0000-4000-8000-000000000000"] {
        let body = json!({ "workspace_id": id, "name": "moved" });
        let answer = gateway.ask(MANAGER, &line, body).await;
        assert_eq!(refusal(&answer), "404 Resource not found");
    }
    let unmoved = key_of(&gateway, &key).await;
    assert_eq!((&unmoved["workspace_id"], &unmoved["name"]), (&json!(DEFAULT), &json!("test")));
    gateway.close().await;
}
