//! What a key may have beyond the contract: set, shown, changed, refused, and kept.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{MANAGER, TestGateway, TestKey};

const NAMES: [&str; 4] =
    ["allowed_models", "requests_per_minute", "tokens_per_minute", "concurrent_requests"];

fn all() -> Value {
    json!({
        "allowed_models": ["test/small", "test/*"], "requests_per_minute": 60,
        "tokens_per_minute": 1_000_000_000, "concurrent_requests": 1,
    })
}

/// The extras among the members of a key.
fn extras(key: &Value) -> Value {
    NAMES.iter().map(|name| ((*name).to_owned(), key[*name].clone())).collect()
}

async fn shown(gateway: &TestGateway, key: &TestKey) -> Value {
    let answer = gateway.ask(MANAGER, &format!("GET {}", key.path()), "").await;
    extras(&answer.json()["data"])
}

#[tokio::test]
async fn every_answer_that_shows_a_key_shows_them() {
    let gateway = TestGateway::start().await;
    let mut body = all();
    body["name"] = json!("ci");
    let made = gateway.ask(MANAGER, "POST /api/v1/keys", body).await.json();
    assert_eq!(extras(&made["data"]), all());
    let text = made["key"].as_str().unwrap();
    let key = TestKey { text: text.into(), hash: made["data"]["hash"].as_str().unwrap().into() };
    assert_eq!(shown(&gateway, &key).await, all());
    let list = gateway.ask(MANAGER, "GET /api/v1/keys", "").await.json();
    assert_eq!(extras(&list["data"][0]), all());
    let own = gateway.ask(text, "GET /api/v1/key", "").await.json();
    assert_eq!(extras(&own["data"]), all());
    let line = format!("PATCH {}", key.path());
    let patched = gateway.ask(MANAGER, &line, r#"{"name":"other"}"#).await.json();
    assert_eq!(extras(&patched["data"]), all());
    gateway.close().await;
}

#[tokio::test]
async fn what_is_omitted_stays_and_null_clears() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(all()).await;
    for name in NAMES {
        let mut expected = all();
        expected[name] = json!(null);
        gateway.patch(&key, json!({ name: null })).await;
        assert_eq!(shown(&gateway, &key).await, expected, "{name}");
        gateway.patch(&key, json!({ name: all()[name] })).await;
        assert_eq!(shown(&gateway, &key).await, all(), "{name}");
    }
    // What older clients send, which know nothing of them.
    gateway.patch(&key, json!({ "disabled": true, "limit": null })).await;
    assert_eq!(shown(&gateway, &key).await, all());
    for (body, message) in [
        ("{}", "No update fields provided"),
        (r#"{"foo":1}"#, "No update fields provided"),
        (
            r#"{"name":null,"requests_per_minute":null}"#,
            "`name` is null; allowed: a string of 1 to 255 characters, not blank, no control characters",
        ),
    ] {
        let answer = gateway.ask(MANAGER, &format!("PATCH {}", key.path()), body).await;
        assert_eq!((answer.status, &answer.json()["error"]["message"]), (400, &json!(message)));
    }
    assert_eq!(shown(&gateway, &key).await, all());
    gateway.close().await;
}

#[tokio::test]
async fn a_bad_extra_is_400_on_both_requests_and_nothing_is_changed() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(all()).await;
    let mut answers = String::new();
    for member in [
        r#""requests_per_minute":0"#,
        r#""tokens_per_minute":-1"#,
        r#""concurrent_requests":1.5"#,
        r#""concurrent_requests":"5""#,
        r#""tokens_per_minute":1000000001"#,
        r#""allowed_models":[]"#,
        r#""allowed_models":"test/small""#,
        r#""allowed_models":["test/small","test/smal"]"#,
        r#""allowed_models":["TEST/SMALL"]"#,
        r#""allowed_models":["tset/*"]"#,
        r#""allowed_models":["*"]"#,
        r#""allowed_models":["a\u001bb"]"#,
        r#""allowed_models":["test/*","test/*"]"#,
    ] {
        let body = format!(r#"{{"name":"n",{member}}}"#);
        let update = gateway.ask(MANAGER, &format!("PATCH {}", key.path()), &body).await;
        let create = gateway.ask(MANAGER, "POST /api/v1/keys", &body).await;
        assert_eq!((update.status, create.status), (400, 400), "{member}");
        assert_eq!(update.body, create.body);
        answers.push_str(create.json()["error"]["message"].as_str().unwrap());
        answers.push('\n');
    }
    assert_snapshot!(answers, @r#"
    `requests_per_minute` is zero; allowed: a whole number from 1 to 1000000000 (to refuse every request, use `disabled`), or null
    `tokens_per_minute` is negative; allowed: a whole number from 1 to 1000000000 (to refuse every request, use `disabled`), or null
    `concurrent_requests` is not a whole number; allowed: a whole number from 1 to 1000000000 (to refuse every request, use `disabled`), or null
    `concurrent_requests` is a string; allowed: a whole number from 1 to 1000000000 (to refuse every request, use `disabled`), or null
    `tokens_per_minute` is too large; allowed: a whole number from 1 to 1000000000 (to refuse every request, use `disabled`), or null
    `allowed_models` is empty; allowed: an array of 1 to 100 entries, each the id of a model or `author/*` (to refuse every request, use `disabled`), or null
    `allowed_models` is a string; allowed: an array of 1 to 100 entries, each the id of a model or `author/*` (to refuse every request, use `disabled`), or null
    `allowed_models[1]` means no model there is: test/smal; allowed: the id of a configured model, or `author/*` of one; the nearest is `test/small`
    `allowed_models[0]` means no model there is: TEST/SMALL; allowed: the id of a configured model, or `author/*` of one; the nearest is `test/small`
    `allowed_models[0]` means no model there is: tset/*; allowed: the id of a configured model, or `author/*` of one; the nearest is `test/*`
    `allowed_models[0]` has a `*` that does not stand for all models of one author; allowed: the id of a model, or `author/*`, each once
    `allowed_models[0]` has a control character; allowed: a string of 1 to 255 characters, not blank, no control characters
    `allowed_models[1]` is given twice; allowed: the id of a model, or `author/*`, each once
    "#);
    assert_eq!(shown(&gateway, &key).await, all());
    gateway.close().await;
}

const WITH_OTHERS: &str = r#"
    [[models]]
    id = "other/one"
    context_length = 8192
    endpoints = [{ provider = "alpha", free = true }]
"#;

/// A reload may take a model away: what the list says stands, and binds again once it is back.
#[tokio::test]
async fn an_entry_whose_model_is_gone_may_stay_and_not_be_added() {
    let gateway = TestGateway::with(WITH_OTHERS).await;
    let key = gateway.key(json!({ "allowed_models": ["other/one", "other/*"] })).await;
    gateway.reload("");
    let line = format!("PATCH {}", key.path());
    let kept = json!({ "allowed_models": ["test/small", "other/one"] });
    assert_eq!(gateway.ask(MANAGER, &line, kept).await.status, 200);
    let added = json!({ "allowed_models": ["test/small", "other/two"] });
    assert_eq!(gateway.ask(MANAGER, &line, added).await.status, 400);
    // It stood there before the last change, not now.
    let given_up = json!({ "allowed_models": ["other/*"] });
    assert_eq!(gateway.ask(MANAGER, &line, given_up).await.status, 400);
    let made = json!({ "name": "n", "allowed_models": ["other/one"] });
    assert_eq!(gateway.ask(MANAGER, "POST /api/v1/keys", made).await.status, 400);
    gateway.reload(WITH_OTHERS);
    assert_eq!(gateway.chat(&key, "other/one", json!({})).await.status, 200);
    gateway.close().await;
}

#[tokio::test]
async fn they_are_in_the_audit_log_before_and_after_and_survive_a_restart() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "requests_per_minute": 5 })).await;
    gateway.patch(&key, all()).await;
    let row = store::Store::audit_log(&*gateway.store, &store::AuditPage::newest(1))
        .unwrap()
        .rows
        .remove(0);
    let told = [row.before, row.after]
        .map(|settings| extras(&serde_json::from_str(&settings.unwrap()).unwrap()));
    let before = json!({
        "allowed_models": null, "requests_per_minute": 5, "tokens_per_minute": null,
        "concurrent_requests": null,
    });
    assert_eq!(told, [before, all()]);

    let gateway = gateway.crash().await;
    assert_eq!(shown(&gateway, &key).await, all());
    gateway.close().await;
}
