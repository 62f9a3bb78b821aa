//! `/byok`: credentials that people bring are made, listed, changed and deleted; their secrets come
//! out nowhere.

use insta::assert_snapshot;
use serde_json::{Value, json};
use store::{AuditPage, DEFAULT_WORKSPACE, ExportLine, Store as _};
use uuid::Uuid;

use crate::support::{MANAGER, TestGateway, TestKey, shown};

const SECRET: &str = "sk-proj-nobody-reads-this-AbCd";
const OTHER_SECRET: &str = "sk-proj-nobody-reads-that-EfGh";
const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

/// Makes a credential of `alpha` with these settings, and gives what is shown of it.
async fn made(gateway: &TestGateway, settings: Value) -> Value {
    let mut body = json!({ "provider": "alpha", "key": SECRET });
    body.as_object_mut().unwrap().extend(settings.as_object().cloned().unwrap());
    let answer = gateway.ask(MANAGER, "POST /api/v1/byok", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["data"].clone()
}

/// The path of what was made, with a method before it.
fn line(method: &str, credential: &Value) -> String {
    format!("{method} /api/v1/byok/{}", credential["id"].as_str().unwrap())
}

/// The names of those listed, and how many there are in all.
async fn listed(gateway: &TestGateway, query: &str) -> (Vec<String>, u64) {
    let answer = gateway.ask(MANAGER, &format!("GET /api/v1/byok{query}"), "").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let list = answer.json();
    let names = list["data"].as_array().unwrap().iter();
    let names = names.map(|one| one["name"].as_str().unwrap().to_owned());
    (names.collect(), list["total_count"].as_u64().unwrap())
}

/// The refusal of a creation for `alpha` with these members besides.
async fn refused(gateway: &TestGateway, settings: Value) -> String {
    let mut body = json!({ "provider": "alpha", "key": SECRET });
    body.as_object_mut().unwrap().extend(settings.as_object().cloned().unwrap());
    let answer = gateway.ask(MANAGER, "POST /api/v1/byok", body).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    answer.json()["error"]["message"].as_str().unwrap().to_owned()
}

async fn workspace(gateway: &TestGateway) -> Uuid {
    let body = json!({ "name": "other", "slug": "other" });
    let answer = gateway.ask(MANAGER, "POST /api/v1/workspaces", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["data"]["id"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_credential_is_made_with_every_setting_and_its_secret_is_not_said_back() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    let body = json!({
        "provider": "alpha", "key": SECRET, "name": "ours", "disabled": true, "is_required": true,
        "is_byok_only": true, "sort_order": 7, "allowed_models": ["test/*", "test/small"],
        "allowed_api_key_hashes": [key.hash], "allowed_user_ids": ["user_1"],
        "declared_region": "europe", "declared_zdr": true, "unknown": 1,
    });
    let answer = gateway.ask(MANAGER, "POST /api/v1/byok", body).await;
    assert_snapshot!(shown(&answer), @r#"
    201
    {
      "data": {
        "id": "f1c56eba-666f-4917-8bd1-1dbb00d1b5fa",
        "provider": "alpha",
        "workspace_id": "5b0a4d0e-6c1e-5d8e-9f0a-7b6f1c2d3e4f",
        "name": "ours",
        "label": "sk-...AbCd",
        "disabled": true,
        "is_fallback": false,
        "is_required": true,
        "is_byok_only": true,
        "sort_order": 7,
        "allowed_models": [
          "test/*",
          "test/small"
        ],
        "allowed_api_key_hashes": [
          "44a30ab767c928ece2abe103468d11b59a4ff026f5f3606c5487886c7be75662"
        ],
        "allowed_user_ids": [
          "user_1"
        ],
        "declared_region": "europe",
        "declared_zdr": true,
        "created_at": "2026-11-18T12:00:00.000Z"
      }
    }
    "#);
    let made = answer.json()["data"].clone();
    let read = gateway.ask(MANAGER, &line("GET", &made), "").await;
    assert_eq!((read.status, &read.body), (200, &answer.body));
    gateway.close().await;
}

#[tokio::test]
async fn what_is_left_out_restricts_nothing_and_the_place_is_the_last_of_its_provider() {
    let gateway = TestGateway::start().await;
    let first = made(&gateway, json!({})).await;
    let expected = json!({
        "id": first["id"], "provider": "alpha", "workspace_id": DEFAULT_WORKSPACE.to_string(),
        "name": null, "label": "sk-...AbCd", "disabled": false, "is_fallback": false,
        "is_required": false, "is_byok_only": false, "sort_order": 0, "allowed_models": null,
        "allowed_api_key_hashes": null, "allowed_user_ids": null, "declared_region": null,
        "declared_zdr": null, "created_at": "2026-11-18T12:00:00.000Z",
    });
    assert_eq!(first, expected);
    assert_eq!(made(&gateway, json!({})).await["sort_order"], 1);
    assert_eq!(made(&gateway, json!({ "sort_order": 40 })).await["sort_order"], 40);
    assert_eq!(made(&gateway, json!({ "is_fallback": true })).await["sort_order"], 41);
    assert_eq!(made(&gateway, json!({ "provider": "beta" })).await["sort_order"], 0);
    assert_eq!(made(&gateway, json!({ "workspace_id": null })).await["workspace_id"], json!(null));
    assert_eq!(made(&gateway, json!({ "key": "short" })).await["label"], "...");
    gateway.close().await;
}

#[tokio::test]
async fn a_list_is_of_one_workspace_in_the_order_they_are_tried_and_in_pages() {
    let gateway = TestGateway::start().await;
    let other = workspace(&gateway).await;
    for settings in [
        json!({ "name": "fallback", "is_fallback": true, "sort_order": 0 }),
        json!({ "name": "second", "sort_order": 2 }),
        json!({ "name": "of all", "workspace_id": null, "sort_order": 3 }),
        json!({ "name": "first", "sort_order": 1 }),
        json!({ "name": "of beta", "provider": "beta" }),
        json!({ "name": "elsewhere", "workspace_id": other }),
    ] {
        made(&gateway, settings).await;
    }
    let all = ["first", "second", "of all", "fallback", "of beta"];
    assert_eq!(listed(&gateway, "").await, (all.map(str::to_owned).to_vec(), 5));
    let (names, count) = listed(&gateway, &format!("?workspace_id={other}")).await;
    assert_eq!((names.join(), count), ("of all, elsewhere".to_owned(), 2));
    let (names, count) = listed(&gateway, "?provider=beta&limit=100").await;
    assert_eq!((names.join(), count), ("of beta".to_owned(), 1));
    assert_eq!(listed(&gateway, "?provider=unknown").await, (vec![], 0));
    let mut pages = Vec::new();
    for offset in [0, 2, 4, 6] {
        let (names, count) = listed(&gateway, &format!("?limit=2&offset={offset}")).await;
        assert_eq!(count, 5);
        pages.push(names.join());
    }
    assert_eq!(pages, ["first, second", "of all, fallback", "of beta", ""]);
    for query in
        ["workspace_id=x", "workspace_id=", "limit=0", "limit=101", "offset=-1", "provider="]
    {
        let answer = gateway.ask(MANAGER, &format!("GET /api/v1/byok?{query}"), "").await;
        assert_eq!(answer.status, 400, "{query}: {}", answer.text());
    }
    let answer =
        gateway.ask(MANAGER, &format!("GET /api/v1/byok?workspace_id={UNKNOWN}"), "").await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("`workspace_id` is not a workspace"), "{}", answer.text());
    gateway.close().await;
}

trait Joined {
    fn join(&self) -> String;
}

impl Joined for Vec<String> {
    fn join(&self) -> String {
        self.as_slice().join(", ")
    }
}

#[tokio::test]
async fn a_change_leaves_what_is_omitted_and_null_clears() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    let before = made(
        &gateway,
        json!({ "name": "ours", "allowed_models": ["test/small"],
            "allowed_api_key_hashes": [key.hash], "allowed_user_ids": ["user_1"],
            "declared_region": "us", "declared_zdr": false }),
    )
    .await;
    let change = async |body: Value| {
        let answer = gateway.ask(MANAGER, &line("PATCH", &before), body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["data"].clone()
    };
    let with = |changes: Value| {
        let mut after = before.clone();
        after.as_object_mut().unwrap().extend(changes.as_object().cloned().unwrap());
        after
    };
    let flags =
        json!({ "disabled": true, "is_fallback": true, "is_required": true, "sort_order": 9 });
    assert_eq!(change(flags.clone()).await, with(flags.clone()));
    let mut after = flags.as_object().cloned().unwrap();
    let cleared = json!({
        "name": null, "allowed_models": null, "allowed_api_key_hashes": null,
        "allowed_user_ids": null, "declared_region": null, "declared_zdr": null,
    });
    after.extend(cleared.as_object().cloned().unwrap());
    assert_eq!(change(cleared).await, with(Value::Object(after.clone())));
    after.insert("label".to_owned(), json!("sk-...EfGh"));
    // What a credential is for is fixed, and what is not known is passed over.
    let rotated = json!({ "key": OTHER_SECRET, "provider": "beta", "workspace_id": null, "id": 1 });
    assert_eq!(change(rotated).await, with(Value::Object(after.clone())));
    let read = gateway.ask(MANAGER, &line("GET", &before), "").await;
    assert_eq!(read.json()["data"], with(Value::Object(after)));
    let known = gateway.core.credentials.current();
    assert_eq!(known.all()[0].text(), OTHER_SECRET);
    for body in ["{}", r#"{"provider":"beta"}"#] {
        let answer = gateway.ask(MANAGER, &line("PATCH", &before), body).await;
        assert_eq!(answer.status, 400);
        assert!(answer.text().contains(r#""message":"No update fields provided""#));
    }
    gateway.close().await;
}

#[tokio::test]
async fn a_deleted_credential_is_gone_and_its_secret_with_it() {
    let gateway = TestGateway::start().await;
    let credential = made(&gateway, json!({ "name": "ours" })).await;
    let kept = gateway.store.snapshot(ledger::Day::of(gateway.clock.time())).unwrap().credentials;
    assert!(!kept[0].encrypted.0.is_empty());
    let answer = gateway.ask(MANAGER, &line("DELETE", &credential), "").await;
    assert_eq!((answer.status, answer.text().as_str()), (200, r#"{"deleted":true}"#));
    for (method, body) in [("GET", ""), ("PATCH", r#"{"name":"x"}"#), ("DELETE", "")] {
        let answer = gateway.ask(MANAGER, &line(method, &credential), body).await;
        assert_eq!(answer.status, 404, "{method}");
        assert!(answer.text().contains("Resource not found"), "{}", answer.text());
    }
    assert_eq!(listed(&gateway, "").await, (vec![], 0));
    let left = gateway.store.snapshot(ledger::Day::of(gateway.clock.time())).unwrap().credentials;
    assert_eq!(left, []);
    gateway.close().await;
}

#[tokio::test]
async fn a_workspace_that_is_deleted_takes_its_credentials_along() {
    let gateway = TestGateway::start().await;
    let other = workspace(&gateway).await;
    let gone = made(&gateway, json!({ "name": "gone", "workspace_id": other })).await;
    made(&gateway, json!({ "name": "of all", "workspace_id": null })).await;
    let answer = gateway.ask(MANAGER, "DELETE /api/v1/workspaces/other", "").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(gateway.ask(MANAGER, &line("GET", &gone), "").await.status, 404);
    let message = refused(&gateway, json!({ "workspace_id": other })).await;
    assert!(message.starts_with("`workspace_id` is not a workspace"), "{message}");
    let gateway = gateway.crash().await;
    assert_eq!(listed(&gateway, "").await, (vec!["of all".to_owned()], 1));
    gateway.close().await;
}

#[tokio::test]
async fn a_restart_finds_what_was_made_and_changed() {
    let gateway = TestGateway::start().await;
    let credential = made(&gateway, json!({ "name": "ours" })).await;
    gateway.ask(MANAGER, &line("PATCH", &credential), r#"{"name":"changed"}"#).await;
    let before = gateway.ask(MANAGER, &line("GET", &credential), "").await;
    let gateway = gateway.crash().await;
    let after = gateway.ask(MANAGER, &line("GET", &credential), "").await;
    assert_eq!(after.body, before.body);
    assert_eq!(gateway.core.credentials.current().all()[0].text(), SECRET);
    gateway.close().await;
}

#[tokio::test]
async fn what_contradicts_itself_or_names_what_is_not_there_is_refused() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    let gone = gateway.key(json!({})).await;
    gateway.ask(MANAGER, &format!("DELETE {}", gone.path()), "").await;
    let unknown = "0".repeat(64);
    for (settings, problem) in [
        (
            json!({ "provider": "alhpa" }),
            "`provider` is no provider of this gateway: alhpa; allowed: `alpha`, `beta`, `gamma`",
        ),
        (json!({ "workspace_id": UNKNOWN }), "`workspace_id` is not a workspace; allowed: "),
        (json!({ "key": "[{\"api_key\": \"k\"}]" }), "`key` is a JSON document, as clouds with"),
        (json!({ "key": " {\"type\":\"service_account\"}" }), "`key` is a JSON document, as"),
        (json!({ "key": format!("{SECRET}\n") }), "`key` has a blank or another character"),
        (json!({ "key": "sk-\u{2011}x" }), "`key` has a blank or another character"),
        (json!({ "key": "k".repeat(4097) }), "`key` is too long; allowed: the API key"),
        (
            json!({ "allowed_models": ["test/small", "test/smal"] }),
            "`allowed_models[1]` means no model there is: test/smal; allowed: ",
        ),
        (
            json!({ "allowed_api_key_hashes": [key.hash, unknown] }),
            "`allowed_api_key_hashes[1]` is no key of this gateway; allowed: ",
        ),
        (
            json!({ "allowed_api_key_hashes": [gone.hash] }),
            "`allowed_api_key_hashes[0]` is no key of this gateway; allowed: ",
        ),
        (
            json!({ "is_byok_only": true, "is_fallback": true }),
            "`is_byok_only` is true for a fallback, which is tried after the operator's own \
             credential; allowed: true only where `is_fallback` is false",
        ),
    ] {
        let message = refused(&gateway, settings.clone()).await;
        assert!(message.starts_with(problem), "{settings}: {message}");
        assert!(!message.contains(SECRET), "{message}");
    }
    assert_eq!(listed(&gateway, "").await, (vec![], 0), "nothing was half-made");
    gateway.close().await;
}

#[tokio::test]
async fn a_change_that_would_contradict_what_stands_is_refused() {
    let gateway = TestGateway::start().await;
    let gone = gateway.key(json!({})).await;
    let fallback = made(&gateway, json!({ "is_fallback": true })).await;
    let only = json!({ "is_byok_only": true, "allowed_api_key_hashes": [gone.hash] });
    let only = made(&gateway, only).await;
    gateway.ask(MANAGER, &format!("DELETE {}", gone.path()), "").await;
    for (credential, body, problem) in [
        (&fallback, json!({ "is_byok_only": true }), "`is_byok_only` is true for a fallback"),
        (&only, json!({ "is_fallback": true }), "`is_byok_only` is true for a fallback"),
        (&only, json!({ "key": "two words" }), "`key` has a blank or another character"),
        (
            &only,
            json!({ "allowed_api_key_hashes": [gone.hash] }),
            "`allowed_api_key_hashes[0]` is no key of this gateway",
        ),
    ] {
        let answer = gateway.ask(MANAGER, &line("PATCH", credential), &body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.text().contains(problem), "{body}: {}", answer.text());
        let after = gateway.ask(MANAGER, &line("GET", credential), "").await;
        assert_eq!(after.json()["data"], *credential, "nothing was half-changed");
    }
    // A key that was deleted since stays in the list, where it means nobody.
    let answer = gateway.ask(MANAGER, &line("PATCH", &only), r#"{"name":"x"}"#).await;
    assert_eq!(answer.json()["data"]["allowed_api_key_hashes"], json!([gone.hash]));
    gateway.close().await;
}

#[tokio::test]
async fn only_management_keys_have_anything_to_do_with_credentials() {
    let gateway = TestGateway::start().await;
    let credential = made(&gateway, json!({})).await;
    let key: TestKey = gateway.key(json!({})).await;
    for line in [
        "GET /api/v1/byok".to_owned(),
        "POST /api/v1/byok".to_owned(),
        line("GET", &credential),
        line("PATCH", &credential),
        line("DELETE", &credential),
    ] {
        assert_eq!(gateway.ask(None, &line, "{}").await.status, 401, "{line}");
        let answer = gateway.ask(key.text.as_str(), &line, "{}").await;
        assert_eq!(answer.status, 403, "{line}");
        assert!(answer.text().contains("Only management keys"), "{}", answer.text());
    }
    let put = gateway.ask(MANAGER, &line("PUT", &credential), "{}").await;
    assert_eq!(put.status, 405);
    gateway.close().await;
}

#[tokio::test]
async fn without_a_master_key_none_is_made_and_the_refusal_says_what_to_do() {
    let gateway = TestGateway::without_master_key().await;
    let message = refused(&gateway, json!({})).await;
    assert!(message.contains("no master key") && message.contains("tollgate secrets init"));
    assert_eq!(listed(&gateway, "").await, (vec![], 0));
    gateway.close().await;
}

#[tokio::test]
async fn changes_at_once_are_all_made() {
    let gateway = TestGateway::start().await;
    let credential = made(&gateway, json!({})).await;
    let line = line("PATCH", &credential);
    let bodies = [
        r#"{"name":"a"}"#,
        r#"{"disabled":true}"#,
        r#"{"is_required":true}"#,
        r#"{"sort_order":3}"#,
        r#"{"declared_zdr":true}"#,
        r#"{"allowed_models":["test/*"]}"#,
    ];
    let ask = |body: &'static str| gateway.ask(MANAGER, &line, body);
    let [a, b, c, d, e, f] = bodies.map(ask);
    let (a, b, c, d, e, f) = tokio::join!(a, b, c, d, e, f);
    assert_eq!([a, b, c, d, e, f].map(|answer| answer.status), [200; 6]);
    let gateway = gateway.crash().await;
    let after = gateway.ask(MANAGER, &line.replace("PATCH", "GET"), "").await.json();
    let after = after["data"].as_object().cloned().unwrap();
    for (name, value) in [
        ("name", json!("a")),
        ("disabled", json!(true)),
        ("is_required", json!(true)),
        ("sort_order", json!(3)),
        ("declared_zdr", json!(true)),
        ("allowed_models", json!(["test/*"])),
    ] {
        assert_eq!(after[name], value, "{name}");
    }
    gateway.close().await;
}

#[tokio::test]
async fn the_audit_log_and_the_export_show_a_change_and_no_secret() {
    let gateway = TestGateway::start().await;
    let credential = made(&gateway, json!({ "name": "ours" })).await;
    gateway.ask(MANAGER, &line("PATCH", &credential), json!({ "key": OTHER_SECRET })).await;
    gateway.ask(MANAGER, &line("PATCH", &credential), r#"{"name":"renamed"}"#).await;
    gateway.ask(MANAGER, &line("DELETE", &credential), "").await;
    let rows = gateway.store.audit_log(&AuditPage::newest(4)).unwrap().rows;
    let actions: Vec<&str> = rows.iter().rev().map(|row| row.action.as_str()).collect();
    assert_eq!(actions, ["byok.create", "byok.update", "byok.update", "byok.delete"]);
    assert!(rows.iter().all(|row| row.actor == "ci" && *row.subject == credential["id"]));
    let settings = |text: &Option<String>| {
        text.as_ref().map(|text| serde_json::from_str::<Value>(text).unwrap())
    };
    let [deleted, renamed, rotated, created] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(created.before, None);
    let [before, after] = [&rotated.before, &rotated.after].map(|text| settings(text).unwrap());
    assert_eq!((&before["label"], &after["label"]), (&json!("sk-...AbCd"), &json!("sk-...EfGh")));
    assert_eq!((&before["key"], &after["key"]), (&Value::Null, &json!("replaced")));
    assert_eq!(settings(&renamed.after).unwrap()["name"], "renamed");
    assert_eq!(settings(&renamed.after).unwrap()["key"], Value::Null);
    assert_eq!(deleted.after, None);

    let mut printed = format!("{rows:?}");
    let mut take = |line: ExportLine| {
        printed.push_str(&format!("{line:?}"));
        Ok(())
    };
    gateway.store.export(&mut take).unwrap();
    printed.push_str(&format!("{:?}", gateway.core.credentials));
    assert!(printed.contains("sk-...EfGh"));
    for secret in [SECRET, OTHER_SECRET] {
        assert!(!printed.contains(secret) && !printed.contains(&secret[8..20]), "{printed}");
    }
    gateway.close().await;
}
