//! Made, listed, changed and deleted, by id and by slug.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{DEFAULT, ask, audited, refusal, workspace};
use crate::support::{TestGateway, shown};

/// Slugs as they are listed, and how many there are in all.
async fn listed(gateway: &TestGateway, query: &str) -> (Vec<String>, u64) {
    let answer = ask(gateway, &format!("GET /workspaces{query}"), "").await.json();
    let slug = |row: &Value| row["slug"].as_str().unwrap().to_owned();
    let slugs = answer["data"].as_array().unwrap().iter().map(slug).collect();
    (slugs, answer["total_count"].as_u64().unwrap())
}

#[tokio::test]
async fn the_default_workspace_is_there_from_the_start() {
    let gateway = TestGateway::start().await;
    let answer = ask(&gateway, "GET /workspaces", "").await;
    assert_snapshot!(shown(&answer), @r#"
    200
    {
      "data": [
        {
          "id": "5b0a4d0e-6c1e-5d8e-9f0a-7b6f1c2d3e4f",
          "slug": "default",
          "name": "Default",
          "description": null,
          "default_text_model": null,
          "default_image_model": null,
          "default_provider_sort": null,
          "is_observability_io_logging_enabled": false,
          "is_observability_broadcast_enabled": false,
          "is_data_discount_logging_enabled": false,
          "io_logging_sampling_rate": 1,
          "io_logging_api_key_ids": null,
          "disabled_server_tools": null,
          "include_byok_in_budgets": false,
          "default_guardrail_id": "fc831a0f-b5da-894d-b309-715ab346a69e",
          "created_at": "2026-11-18T12:00:00.000Z",
          "updated_at": null,
          "created_by": null
        }
      ],
      "total_count": 1
    }
    "#);
    for name in ["default", DEFAULT, &DEFAULT.to_uppercase()] {
        let one = ask(&gateway, &format!("GET /workspaces/{name}"), "").await;
        assert_eq!(one.json()["data"], answer.json()["data"][0], "{name}");
    }
    gateway.close().await;
}

#[tokio::test]
async fn a_workspace_is_made_with_all_that_may_be_said_of_it() {
    let gateway = TestGateway::start().await;
    let body = json!({
        "name": "Research & ✓", "slug": "research-2", "description": "what\nfor", "colour": "red",
        "default_text_model": "test/small", "default_image_model": "some/painter",
        "default_provider_sort": "throughput", "is_observability_io_logging_enabled": true,
        "is_observability_broadcast_enabled": true, "is_data_discount_logging_enabled": true,
        "io_logging_sampling_rate": 0.25, "io_logging_api_key_ids": [1, -7],
        "disabled_server_tools": ["web_search"],
    });
    let made = ask(&gateway, "POST /workspaces", &body).await;
    assert_snapshot!(shown(&made), @r#"
    201
    {
      "data": {
        "id": "ab6c88b4-70a8-4d8a-b40d-76406faa58c7",
        "slug": "research-2",
        "name": "Research & ✓",
        "description": "what\nfor",
        "default_text_model": "test/small",
        "default_image_model": "some/painter",
        "default_provider_sort": "throughput",
        "is_observability_io_logging_enabled": true,
        "is_observability_broadcast_enabled": true,
        "is_data_discount_logging_enabled": true,
        "io_logging_sampling_rate": 0.25,
        "io_logging_api_key_ids": [
          1,
          -7
        ],
        "disabled_server_tools": [
          "web_search"
        ],
        "include_byok_in_budgets": false,
        "default_guardrail_id": "3dad9d91-a4c5-83c8-8226-d36fbce78d19",
        "created_at": "2026-11-18T12:00:00.000Z",
        "updated_at": null,
        "created_by": "ci"
      }
    }
    "#);
    let id = made.json()["data"]["id"].as_str().unwrap().to_owned();
    for name in ["research-2", &id] {
        let one = ask(&gateway, &format!("GET /workspaces/{name}"), "").await;
        assert_eq!(one.text(), made.text(), "{name}");
    }
    let gateway = gateway.crash().await;
    assert_eq!(ask(&gateway, "GET /workspaces/research-2", "").await.text(), made.text());
    gateway.close().await;
}

#[tokio::test]
async fn they_are_listed_oldest_first_and_page_by_page() {
    let gateway = TestGateway::start().await;
    for (minute, slug) in ["c", "b", "a"].into_iter().enumerate() {
        gateway.clock.set(&format!("2026-11-18T12:0{}:00Z", minute + 1));
        workspace(&gateway, slug, json!({})).await;
    }
    for (query, expected) in [
        ("", &["default", "c", "b", "a"][..]),
        ("?offset=&limit=", &["default", "c", "b", "a"]),
        ("?limit=2", &["default", "c"]),
        ("?limit=2&offset=1", &["c", "b"]),
        ("?offset=4", &[]),
        ("?offset=18446744073709551615&limit=100", &[]),
    ] {
        let (slugs, total) = listed(&gateway, query).await;
        assert_eq!((slugs, total), (expected.iter().map(|slug| (*slug).to_owned()).collect(), 4));
    }
    gateway.close().await;
}

#[tokio::test]
async fn a_change_is_of_what_it_names_and_null_clears() {
    let gateway = TestGateway::start().await;
    let settings = json!({ "description": "old", "default_text_model": "test/small" });
    let id = workspace(&gateway, "old", settings).await;
    let before = ask(&gateway, "GET /workspaces/old", "").await.json()["data"].clone();
    gateway.clock.set("2026-11-18T12:30:00Z");
    let change = json!({ "slug": "new", "description": null, "io_logging_sampling_rate": 1e-4 });
    let changed = ask(&gateway, "PATCH /workspaces/old", change).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    let mut expected = before;
    expected["slug"] = json!("new");
    expected["description"] = Value::Null;
    expected["io_logging_sampling_rate"] = json!(0.0001);
    expected["updated_at"] = json!("2026-11-18T12:30:00.000Z");
    assert_eq!(changed.json()["data"], expected);
    assert_eq!(changed.exact("/data/io_logging_sampling_rate").unwrap(), "0.0001");
    assert_eq!(ask(&gateway, "GET /workspaces/old", "").await.status, 404);
    let by_id = ask(&gateway, &format!("GET /workspaces/{id}"), "").await;
    assert_eq!(by_id.text(), ask(&gateway, "GET /workspaces/new", "").await.text());
    // The slug that was given up is free, and its own is no other's.
    workspace(&gateway, "old", json!({})).await;
    let same = ask(&gateway, "PATCH /workspaces/new", r#"{"slug":"new","name":"New"}"#).await;
    assert_eq!(same.status, 200);
    gateway.close().await;
}

#[tokio::test]
async fn changes_at_once_are_all_made() {
    let gateway = TestGateway::start().await;
    workspace(&gateway, "busy", json!({})).await;
    let (a, b, c) = tokio::join!(
        ask(&gateway, "PATCH /workspaces/busy", r#"{"name":"Busy"}"#),
        ask(&gateway, "PATCH /workspaces/busy", r#"{"description":"very"}"#),
        ask(&gateway, "PUT /workspaces/busy/budgets/daily", r#"{"limit_usd":3}"#),
    );
    assert_eq!([a.status, b.status, c.status], [200; 3]);
    let now = ask(&gateway, "GET /workspaces/busy", "").await.json();
    assert_eq!(
        (&now["data"]["name"], &now["data"]["description"]),
        (&json!("Busy"), &json!("very"))
    );
    let budget = ask(&gateway, "GET /workspaces/busy/budgets/daily", "").await;
    assert_eq!(budget.json()["data"]["limit_usd"], 3);
    gateway.close().await;
}

#[tokio::test]
async fn a_slug_is_one_workspaces_and_a_race_for_it_has_one_winner() {
    let gateway = TestGateway::start().await;
    let body = r#"{"name":"x","slug":"team"}"#;
    let (a, b) = tokio::join!(
        ask(&gateway, "POST /workspaces", body),
        ask(&gateway, "POST /workspaces", body)
    );
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 400]);
    workspace(&gateway, "other", json!({})).await;
    let taken = "400 `slug` is taken: a workspace has the slug `team`; allowed: a slug that no other \
                 workspace has";
    assert_eq!(refusal(&ask(&gateway, "POST /workspaces", body).await), taken);
    assert_eq!(refusal(&ask(&gateway, "PATCH /workspaces/other", body).await), taken);
    assert_eq!(listed(&gateway, "").await.1, 3);
    gateway.close().await;
}

#[tokio::test]
async fn a_workspace_goes_once_and_with_its_budgets_when_no_key_is_in_it() {
    let gateway = TestGateway::start().await;
    let id = workspace(&gateway, "gone", json!({})).await;
    ask(&gateway, "PUT /workspaces/gone/budgets/daily", r#"{"limit_usd":1}"#).await;
    let key = gateway.key(json!({ "workspace_id": id })).await;
    assert_eq!(
        refusal(&ask(&gateway, "DELETE /workspaces/gone", "").await),
        "400 The workspace has keys; delete them or move them to another workspace first"
    );
    gateway.ask(crate::support::MANAGER, &format!("DELETE {}", key.path()), "").await;
    let deleted = ask(&gateway, &format!("DELETE /workspaces/{id}"), "").await;
    assert_eq!((deleted.status, deleted.text().as_str()), (200, r#"{"deleted":true}"#));
    for line in [
        "DELETE /workspaces/gone",
        "GET /workspaces/gone",
        "GET /workspaces/gone/budgets",
        "DELETE /workspaces/gone/budgets/daily",
    ] {
        assert_eq!(refusal(&ask(&gateway, line, "").await), "404 Resource not found", "{line}");
    }
    let name = json!({ "name": "x" });
    assert_eq!(ask(&gateway, &format!("PATCH /workspaces/{id}"), name).await.status, 404);
    // Its slug is free; the new one has nothing of it.
    workspace(&gateway, "gone", json!({})).await;
    let budgets = ask(&gateway, "GET /workspaces/gone/budgets", "").await;
    assert_eq!(budgets.text(), r#"{"data":[],"include_byok_in_budgets":false}"#);
    gateway.close().await;
}

#[tokio::test]
async fn the_default_workspace_stays_under_its_slug() {
    let gateway = TestGateway::start().await;
    for query in ["", "?confirm_default_workspace_deletion=true"] {
        for name in ["default", DEFAULT] {
            let answer = ask(&gateway, &format!("DELETE /workspaces/{name}{query}"), "").await;
            assert_eq!(refusal(&answer), "403 The default workspace can't be deleted");
        }
    }
    let renamed = ask(&gateway, "PATCH /workspaces/default", r#"{"slug":"main"}"#).await;
    assert_eq!(
        refusal(&renamed),
        "400 `slug` is the default workspace's, which is always the same; allowed: `default`"
    );
    let named = ask(&gateway, "PATCH /workspaces/default", r#"{"slug":"default","name":"Main"}"#);
    assert_eq!(named.await.json()["data"]["name"], "Main");
    let gateway = gateway.crash().await;
    let kept = ask(&gateway, "GET /workspaces/default", "").await;
    assert_eq!(kept.json()["data"]["name"], "Main");
    gateway.close().await;
}

#[tokio::test]
async fn every_change_is_in_the_audit_log_before_and_after() {
    let gateway = TestGateway::start().await;
    let id = workspace(&gateway, "one", json!({ "description": "a" })).await;
    ask(&gateway, "PATCH /workspaces/one", r#"{"slug":"two","description":"b"}"#).await;
    ask(&gateway, "DELETE /workspaces/two", "").await;
    // What did not happen has no row.
    ask(&gateway, "DELETE /workspaces/two", "").await;
    ask(&gateway, "DELETE /workspaces/default", "").await;
    let facts = |settings: &Option<Value>| {
        settings.as_ref().map(|it| format!("{} {}", it["slug"], it["description"]))
    };
    let rows = audited(&gateway, "workspace.");
    let told: Vec<_> = rows.iter().map(|(from, to)| (facts(from), facts(to))).collect();
    let [a, b] = [r#""one" "a""#, r#""two" "b""#].map(|text| Some(text.to_owned()));
    assert_eq!(told, [(b.clone(), None), (a.clone(), b), (None, a)]);
    let of_it = ask(&gateway, &format!("GET /audit-log?subject={id}"), "").await;
    assert_eq!(of_it.json()["total_count"], 3);
    gateway.close().await;
}
