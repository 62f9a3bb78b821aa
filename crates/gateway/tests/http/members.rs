//! `/organization/members` and `/workspaces/{id}/members`: who keys are made for, and where.

use insta::assert_snapshot;
use serde_json::{Value, json};
use testkit::Answer;

use crate::support::{MANAGER, TestGateway, shown};

const USERS: &str = "/organization/members";

async fn ask(gateway: &TestGateway, line: &str, body: impl ToString) -> Answer {
    let (method, path) = line.split_once(' ').unwrap();
    gateway.ask(MANAGER, &format!("{method} /api/v1{path}"), body).await
}

async fn add_user(gateway: &TestGateway, id: &str) {
    let body = json!({ "id": id, "email": format!("{id}@added.example") });
    let answer = ask(gateway, &format!("POST {USERS}"), body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
}

async fn workspace(gateway: &TestGateway, slug: &str) -> String {
    let body = json!({ "name": slug, "slug": slug });
    let answer = ask(gateway, "POST /workspaces", body).await;
    answer.json()["data"]["id"].as_str().unwrap().to_owned()
}

/// A list, each row by that member of it, and how long it is on all pages.
async fn listed(gateway: &TestGateway, path: &str, name: &str) -> (Vec<String>, u64) {
    let answer = ask(gateway, &format!("GET {path}"), "").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = answer.json();
    let text = |row: &Value| row[name].as_str().unwrap().to_owned();
    let rows = answer["data"].as_array().unwrap().iter().map(text).collect();
    (rows, answer["total_count"].as_u64().unwrap())
}

async fn users(gateway: &TestGateway) -> Vec<String> {
    listed(gateway, USERS, "id").await.0
}

async fn members(gateway: &TestGateway, workspace: &str) -> Vec<String> {
    listed(gateway, &format!("/workspaces/{workspace}/members"), "user_id").await.0
}

/// Adds or removes members of the workspace `team`; gives how many those were, or the refusal.
async fn change(gateway: &TestGateway, what: &str, ids: &[&str]) -> Result<u64, String> {
    let body = json!({ "user_ids": ids });
    let answer = ask(gateway, &format!("POST /workspaces/team/members/{what}"), body).await;
    let json = answer.json();
    match answer.status {
        200 => Ok(json["added_count"].as_u64().or(json["removed_count"].as_u64()).unwrap()),
        status => Err(format!("{status} {}", json["error"]["message"].as_str().unwrap())),
    }
}

#[tokio::test]
async fn an_installation_of_one_has_its_operator() {
    let gateway = TestGateway::with("users = []").await;
    assert_snapshot!(shown(&ask(&gateway, &format!("GET {USERS}"), "").await), @r#"
    200
    {
      "data": [
        {
          "id": "operator",
          "email": "operator@localhost",
          "first_name": null,
          "last_name": null,
          "role": "org:admin"
        }
      ],
      "total_count": 1
    }
    "#);
    let members = ask(&gateway, "GET /workspaces/default/members", "").await;
    assert_snapshot!(shown(&members), @r#"
    200
    {
      "data": [
        {
          "id": "aff3099c-0c85-8d21-8bac-1799afa2b87e",
          "workspace_id": "5b0a4d0e-6c1e-5d8e-9f0a-7b6f1c2d3e4f",
          "user_id": "operator",
          "role": "admin",
          "created_at": "2026-11-18T12:00:00.000Z"
        }
      ],
      "total_count": 1
    }
    "#);
    let key = gateway.key(json!({ "creator_user_id": "operator" })).await;
    assert_eq!(gateway.fact(&key, "creator_user_id").await, r#""operator""#);
    gateway.close().await;
}

#[tokio::test]
async fn the_operator_the_configured_and_the_added_are_listed_in_that_order() {
    let gateway = TestGateway::start().await;
    let body = json!({
        "id": "eve", "email": "eve@example.com", "first_name": "Eve", "last_name": null,
        "role": "org:admin", "colour": "red",
    });
    let made = ask(&gateway, &format!("POST {USERS}"), body).await;
    assert_snapshot!(shown(&made), @r#"
    201
    {
      "data": {
        "id": "eve",
        "email": "eve@example.com",
        "first_name": "Eve",
        "last_name": null,
        "role": "org:admin"
      }
    }
    "#);
    gateway.clock.set("2026-11-18T12:01:00Z");
    add_user(&gateway, "bob").await;
    let all = ["operator", "user_1", "u1", "eve", "bob"];
    assert_eq!(users(&gateway).await, all);
    assert_eq!(members(&gateway, "default").await, all);
    let (page, total) = listed(&gateway, &format!("{USERS}?limit=2&offset=2"), "id").await;
    assert_eq!((page, total), (vec!["u1".to_owned(), "eve".to_owned()], 5));
    let roles = listed(&gateway, "/workspaces/default/members", "role").await.0;
    assert_eq!(roles, ["admin", "admin", "member", "admin", "member"]);
    let gateway = gateway.crash().await;
    assert_eq!(users(&gateway).await, all);
    assert_eq!(
        ask(&gateway, &format!("DELETE {USERS}/eve"), "").await.text(),
        r#"{"deleted":true}"#
    );
    assert_eq!(ask(&gateway, &format!("DELETE {USERS}/eve"), "").await.status, 404);
    assert_eq!(users(&gateway).await, ["operator", "user_1", "u1", "bob"]);
    gateway.close().await;
}

/// Those in the configuration are there for as long as they stand there.
#[tokio::test]
async fn a_reload_changes_the_configured_and_leaves_keys_alone() {
    let gateway = TestGateway::start().await;
    workspace(&gateway, "team").await;
    assert_eq!(change(&gateway, "add", &["u1", "user_1"]).await, Ok(2));
    let key = gateway.key(json!({ "creator_user_id": "u1" })).await;
    gateway.reload("users = [{ id = \"user_1\", email = \"one@example.com\" }]");
    assert_eq!(users(&gateway).await, ["operator", "user_1"]);
    assert_eq!(members(&gateway, "team").await, ["user_1"]);
    // A key of someone who is no more works, is shown and can be changed.
    assert_eq!(gateway.chat(&key, "test/small", json!({})).await.status, 200);
    gateway.patch(&key, json!({ "name": "still" })).await;
    assert_eq!(gateway.fact(&key, "creator_user_id").await, r#""u1""#);
    let body = json!({ "name": "x", "creator_user_id": "u1" });
    assert_eq!(ask(&gateway, "POST /keys", body).await.status, 400);
    // A membership that outlived its user can be ended, and comes back with the user otherwise.
    gateway.reload("");
    assert_eq!(members(&gateway, "team").await, ["u1", "user_1"]);
    gateway.reload("users = []");
    assert_eq!(change(&gateway, "remove", &["u1"]).await, Ok(1));
    gateway.reload("");
    assert_eq!(members(&gateway, "team").await, ["user_1"]);
    gateway.close().await;
}

#[tokio::test]
async fn members_come_and_go_and_who_is_there_or_not_is_skipped() {
    let gateway = TestGateway::start().await;
    let id = workspace(&gateway, "team").await;
    assert_eq!(members(&gateway, "team").await, [""; 0]);
    let body = json!({ "user_ids": ["user_1", "u1", "user_1"] });
    let added = ask(&gateway, &format!("POST /workspaces/{id}/members/add"), body).await;
    assert_snapshot!(shown(&added), @r#"
    200
    {
      "data": [
        {
          "id": "cc642b67-7888-4dfd-b1c5-6eba666fe917",
          "workspace_id": "ab6c88b4-70a8-4d8a-b40d-76406faa58c7",
          "user_id": "user_1",
          "role": "admin",
          "created_at": "2026-11-18T12:00:00.000Z"
        },
        {
          "id": "0bd11dbb-00d1-45fa-9a7c-21edca5a2428",
          "workspace_id": "ab6c88b4-70a8-4d8a-b40d-76406faa58c7",
          "user_id": "u1",
          "role": "member",
          "created_at": "2026-11-18T12:00:00.000Z"
        }
      ],
      "added_count": 2
    }
    "#);
    gateway.clock.set("2026-11-18T12:01:00Z");
    add_user(&gateway, "bob").await;
    assert_eq!(change(&gateway, "add", &["u1", "bob", "operator"]).await, Ok(2));
    assert_eq!(change(&gateway, "add", &["u1", "bob"]).await, Ok(0));
    let all = ["u1", "user_1", "bob", "operator"];
    let gateway = gateway.crash().await;
    assert_eq!(members(&gateway, "team").await, all);
    let (page, total) =
        listed(&gateway, "/workspaces/team/members?limit=1&offset=2", "user_id").await;
    assert_eq!((page, total), (vec!["bob".to_owned()], 4));
    assert_eq!(change(&gateway, "remove", &["u1", "operator"]).await, Ok(2));
    assert_eq!(change(&gateway, "remove", &["u1", "bob"]).await, Ok(1));
    assert_eq!(members(&gateway, "team").await, ["user_1"]);
    assert_eq!(ask(&gateway, "DELETE /workspaces/team", "").await.status, 200);
    workspace(&gateway, "team").await;
    assert_eq!(members(&gateway, "team").await, [""; 0]);
    gateway.close().await;
}

#[tokio::test]
async fn who_owns_live_keys_stays() {
    let gateway = TestGateway::start().await;
    let id = workspace(&gateway, "team").await;
    add_user(&gateway, "bob").await;
    change(&gateway, "add", &["bob", "u1"]).await.unwrap();
    let key = gateway.key(json!({ "creator_user_id": "bob", "workspace_id": id })).await;
    let held = "400 A member who owns keys in the workspace can't be removed; delete the keys or move \
                them to another workspace first";
    assert_eq!(change(&gateway, "remove", &["u1", "bob"]).await, Err(held.to_owned()));
    assert_eq!(members(&gateway, "team").await, ["bob", "u1"]);
    let user = ask(&gateway, &format!("DELETE {USERS}/bob"), "").await;
    assert_eq!(
        (user.status, user.json()["error"]["message"].as_str().unwrap()),
        (400, "A user who owns keys can't be removed; delete the keys first")
    );
    // Moved away, the key holds its owner in the installation alone.
    gateway.patch(&key, json!({ "workspace_id": "5b0a4d0e-6c1e-5d8e-9f0a-7b6f1c2d3e4f" })).await;
    assert_eq!(change(&gateway, "remove", &["bob"]).await, Ok(1));
    assert_eq!(ask(&gateway, &format!("DELETE {USERS}/bob"), "").await.status, 400);
    gateway.ask(MANAGER, &format!("DELETE {}", key.path()), "").await;
    assert_eq!(ask(&gateway, &format!("DELETE {USERS}/bob"), "").await.status, 200);
    gateway.close().await;
}

/// With its user a membership ends, in memory as in the book.
#[tokio::test]
async fn a_removed_user_leaves_every_workspace_for_good() {
    let gateway = TestGateway::start().await;
    workspace(&gateway, "team").await;
    add_user(&gateway, "bob").await;
    change(&gateway, "add", &["bob"]).await.unwrap();
    ask(&gateway, &format!("DELETE {USERS}/bob"), "").await;
    add_user(&gateway, "bob").await;
    assert_eq!(members(&gateway, "team").await, [""; 0]);
    ask(&gateway, "PATCH /workspaces/team", r#"{"name":"Team"}"#).await;
    let gateway = gateway.crash().await;
    assert_eq!(members(&gateway, "team").await, [""; 0]);
    gateway.close().await;
}

#[tokio::test]
async fn changes_at_once_are_all_made() {
    let gateway = TestGateway::start().await;
    workspace(&gateway, "team").await;
    let (a, b, c) = tokio::join!(
        change(&gateway, "add", &["u1"]),
        change(&gateway, "add", &["u1", "user_1"]),
        change(&gateway, "add", &["operator"]),
    );
    assert_eq!(a.unwrap() + b.unwrap() + c.unwrap(), 3);
    let mut all = members(&gateway, "team").await;
    all.sort();
    assert_eq!(all, ["operator", "u1", "user_1"]);
    let body = |id: &str| json!({ "id": id, "email": "same@example.com" });
    let line = format!("POST {USERS}");
    let (a, b) = tokio::join!(ask(&gateway, &line, body("a")), ask(&gateway, &line, body("b")));
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    gateway.close().await;
}

#[tokio::test]
async fn every_change_is_in_the_audit_log_before_and_after() {
    let gateway = TestGateway::start().await;
    let id = workspace(&gateway, "team").await;
    add_user(&gateway, "bob").await;
    change(&gateway, "add", &["u1", "bob"]).await.unwrap();
    change(&gateway, "remove", &["u1", "user_1"]).await.unwrap();
    change(&gateway, "remove", &["u1"]).await.unwrap();
    ask(&gateway, &format!("DELETE {USERS}/bob"), "").await;
    let rows = |action: &'static str| {
        let gateway = &gateway;
        async move {
            let log = ask(gateway, &format!("GET /audit-log?action={action}"), "").await.json();
            let row =
                |row: &Value| (row["subject"].clone(), row["before"].clone(), row["after"].clone());
            log["data"].as_array().unwrap().iter().map(row).collect::<Vec<_>>()
        }
    };
    let users = |ids: &[&str]| json!({ "user_ids": ids });
    assert_eq!(
        rows("member.").await,
        [(json!(id), users(&["u1"]), Value::Null), (json!(id), Value::Null, users(&["u1", "bob"])),]
    );
    let bob = json!({
        "email": "bob@added.example", "first_name": null, "last_name": null, "role": "org:member",
    });
    assert_eq!(
        rows("user.").await,
        [(json!("bob"), bob.clone(), Value::Null), (json!("bob"), Value::Null, bob)]
    );
    gateway.close().await;
}

#[tokio::test]
async fn the_command_line_adds_and_removes_them_too() {
    let gateway = TestGateway::start().await;
    let made = gateway.control("POST /users", r#"{"id":"a/b","email":"ab@example.com"}"#).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert_snapshot!(shown(&gateway.control("GET /users", "").await), @r#"
    200
    [
      {
        "id": "operator",
        "email": "operator@localhost",
        "first_name": null,
        "last_name": null,
        "role": "org:admin",
        "origin": "operator",
        "created_at": "2026-11-18T12:00:00Z"
      },
      {
        "id": "user_1",
        "email": "one@example.com",
        "first_name": "Ada",
        "last_name": null,
        "role": "org:admin",
        "origin": "configured",
        "created_at": "2026-11-18T12:00:00Z"
      },
      {
        "id": "u1",
        "email": "u1@example.com",
        "first_name": null,
        "last_name": null,
        "role": "org:member",
        "origin": "configured",
        "created_at": "2026-11-18T12:00:00Z"
      },
      {
        "id": "a/b",
        "email": "ab@example.com",
        "first_name": null,
        "last_name": null,
        "role": "org:member",
        "origin": "added",
        "created_at": "2026-11-18T12:00:00Z"
      }
    ]
    "#);
    for (line, body, status) in [
        ("POST /users", r#"{"id":"a/b","email":"x@example.com"}"#, 409),
        ("POST /users", r#"{"id":"c"}"#, 400),
        ("DELETE /users/u1", "", 403),
        ("DELETE /users/operator", "", 403),
        ("DELETE /users/nobody", "", 404),
        ("DELETE /users/a%2Fb", "", 200),
        ("DELETE /users/a%2Fb", "", 404),
    ] {
        assert_eq!(gateway.control(line, body).await.status, status, "{line}");
    }
    assert_eq!(users(&gateway).await, ["operator", "user_1", "u1"]);
    gateway.close().await;
}

#[tokio::test]
async fn a_restart_leaves_it_as_it_was_since_when_members_are_members() {
    let gateway = TestGateway::start().await;
    gateway.clock.set("2026-11-18T12:01:00Z");
    workspace(&gateway, "later").await;
    let line = "GET /workspaces/default/members";
    let before = ask(&gateway, line, "").await;
    gateway.clock.set("2026-11-18T12:02:00Z");
    let gateway = gateway.crash().await;
    assert_eq!(ask(&gateway, line, "").await.text(), before.text());
    gateway.close().await;
}
