//! `/workspaces`: made, listed, changed and deleted; their budgets; the keys in them; what they say
//! of requests.

mod budgets;
mod defaults;
mod edit;
mod keys;

use serde_json::Value;
use testkit::Answer;

use crate::support::{MANAGER, TestGateway};

/// The id of the workspace that is always there.
const DEFAULT: &str = "5b0a4d0e-6c1e-5d8e-9f0a-7b6f1c2d3e4f";

/// Asks `line`, below the API's path, as a manager.
async fn ask(gateway: &TestGateway, line: &str, body: impl ToString) -> Answer {
    let (method, path) = line.split_once(' ').unwrap();
    gateway.ask(MANAGER, &format!("{method} /api/v1{path}"), body).await
}

/// Makes a workspace; gives its id.
async fn workspace(gateway: &TestGateway, slug: &str, settings: Value) -> String {
    let mut body = serde_json::json!({ "name": slug, "slug": slug });
    body.as_object_mut().unwrap().extend(settings.as_object().cloned().unwrap_or_default());
    let answer = ask(gateway, "POST /workspaces", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["data"]["id"].as_str().unwrap().to_owned()
}

/// Its status and the message of an error.
fn refusal(answer: &Answer) -> String {
    let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
    format!("{} {message}", answer.status)
}

/// The actions in the audit log, newest first, with what they were done to.
fn audited(gateway: &TestGateway, action: &str) -> Vec<(Option<Value>, Option<Value>)> {
    let page = store::AuditPage {
        action: Some(action.to_owned()),
        actor: Some("ci".to_owned()),
        ..store::AuditPage::newest(99)
    };
    let rows = store::Store::audit_log(&*gateway.store, &page).unwrap().rows;
    let json = |text: Option<String>| text.map(|text| serde_json::from_str(&text).unwrap());
    rows.into_iter().map(|row| (json(row.before), json(row.after))).collect()
}
