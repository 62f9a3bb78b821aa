//! What a workspace says of requests that do not say it themselves.

use serde_json::{Value, json};
use testkit::Answer;

use super::{ask, refusal, workspace};
use crate::support::{TestGateway, TestKey};

/// A plain model and two at two endpoints each, of one of which the first is dearer; and one of
/// embeddings.
const MODELS: &str = r#"
    [[models]]
    id = "test/small"
    context_length = 8192
    endpoints = [{ provider = "alpha", upstream_model = "small", pricing = { prompt = "0.000001", completion = "0.000002" } }]
    [[models]]
    id = "test/pair"
    context_length = 8192
    endpoints = [
        { provider = "alpha", upstream_model = "pair-a", pricing = { prompt = "0.000001", completion = "0.000001" } },
        { provider = "beta", upstream_model = "pair-b", pricing = { prompt = "0.000001", completion = "0.000001" } },
    ]
    [[models]]
    id = "test/several"
    context_length = 8192
    endpoints = [
        { provider = "alpha", upstream_model = "dear", pricing = { prompt = "0.000009", completion = "0.000009" } },
        { provider = "beta", upstream_model = "cheap", pricing = { prompt = "0.000001", completion = "0.000001" } },
    ]
    [[models]]
    id = "test/embed"
    context_length = 8192
    output_modalities = ["embeddings"]
    endpoints = [{ provider = "alpha", upstream_model = "embed", pricing = { prompt = "0.000001", completion = "0" } }]
"#;

async fn chat(gateway: &TestGateway, key: &TestKey, mut body: Value) -> Answer {
    body["messages"] = json!([{ "role": "user", "content": "Hello" }]);
    body["max_tokens"] = json!(16);
    gateway.ask(key.text.as_str(), "POST /api/v1/chat/completions", body).await
}

/// Who answered, and with which model.
fn served(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = answer.json();
    format!("{} {}", answer["model"].as_str().unwrap(), answer["provider"].as_str().unwrap())
}

#[tokio::test]
async fn a_chat_that_names_no_model_goes_to_its_workspaces() {
    let gateway = TestGateway::with(MODELS).await;
    let id = workspace(&gateway, "team", json!({ "default_text_model": "test/small" })).await;
    let key = gateway.key(json!({ "workspace_id": id })).await;
    assert_eq!(served(&chat(&gateway, &key, json!({})).await), "test/small Alpha");
    assert_eq!(gateway.upstream.calls()[0].model, "small");
    assert_eq!(served(&chat(&gateway, &key, json!({ "model": null })).await), "test/small Alpha");
    let named = json!({ "model": "test/pair" });
    assert!(served(&chat(&gateway, &key, named).await).starts_with("test/pair "));
    let listed = json!({ "models": ["test/pair"] });
    assert!(served(&chat(&gateway, &key, listed).await).starts_with("test/pair "));
    // Not for embeddings, and not for keys of other workspaces.
    let embeddings = json!({ "input": "Hello" });
    let answer = gateway.ask(key.text.as_str(), "POST /api/v1/embeddings", embeddings).await;
    let missing = "400 model is missing; allowed is the id of a model, as GET /models lists them";
    assert_eq!(refusal(&answer), missing);
    let elsewhere = gateway.key(json!({})).await;
    assert_eq!(refusal(&chat(&gateway, &elsewhere, json!({})).await), missing);
    // The key's own list of models holds for it as for any other.
    gateway.patch(&key, json!({ "allowed_models": ["test/pair"] })).await;
    assert_eq!(chat(&gateway, &key, json!({})).await.status, 404);
    ask(&gateway, "PATCH /workspaces/team", r#"{"default_text_model":"test/pair:floor"}"#).await;
    assert!(served(&chat(&gateway, &key, json!({})).await).starts_with("test/pair "));
    ask(&gateway, "PATCH /workspaces/team", r#"{"default_text_model":null}"#).await;
    assert_eq!(refusal(&chat(&gateway, &key, json!({})).await), missing);
    gateway.close().await;
}

#[tokio::test]
async fn a_default_model_is_one_that_chats() {
    let gateway = TestGateway::with(MODELS).await;
    for model in ["test/smal", "test/embed", "test/\u{7f}"] {
        let body = json!({ "name": "x", "slug": "x", "default_text_model": model });
        let answer = ask(&gateway, "POST /workspaces", body).await;
        assert_eq!(answer.status, 400, "{model}");
        if model == "test/smal" {
            assert_eq!(
                refusal(&answer),
                "400 `default_text_model` means no model for chats: test/smal; allowed: the id of a \
                 configured model, or null; the nearest is `test/small`"
            );
        }
    }
    let settings = json!({ "default_text_model": "test/several" });
    let id = workspace(&gateway, "team", settings).await;
    let key = gateway.key(json!({ "workspace_id": id })).await;
    // A model that a reload takes away may stay, and the workspace be changed otherwise.
    gateway.reload("");
    let body = json!({ "default_text_model": "test/several", "description": "x" });
    assert_eq!(ask(&gateway, "PATCH /workspaces/team", body).await.status, 200);
    assert_eq!(chat(&gateway, &key, json!({})).await.status, 400);
    gateway.close().await;
}

#[tokio::test]
async fn providers_are_sorted_as_the_workspace_says_where_the_request_does_not() {
    let gateway = TestGateway::with(MODELS).await;
    let id = workspace(&gateway, "team", json!({ "default_provider_sort": "exacto" })).await;
    let key = gateway.key(json!({ "workspace_id": id })).await;
    let model = |provider: Value| json!({ "model": "test/several", "provider": provider });
    let [dear, cheap] = ["test/several Alpha", "test/several Beta"];
    assert_eq!(served(&chat(&gateway, &key, model(Value::Null)).await), dear);
    assert_eq!(served(&chat(&gateway, &key, model(json!({}))).await), dear);
    let sorted = model(json!({ "sort": "price" }));
    assert_eq!(served(&chat(&gateway, &key, sorted).await), cheap);
    let floor = json!({ "model": "test/several:floor" });
    assert_eq!(served(&chat(&gateway, &key, floor).await), cheap);
    ask(&gateway, "PATCH /workspaces/team", r#"{"default_provider_sort":"price"}"#).await;
    assert_eq!(served(&chat(&gateway, &key, model(Value::Null)).await), cheap);
    // A key that moves is under what its new workspace says.
    let other = workspace(&gateway, "other", json!({ "default_provider_sort": "exacto" })).await;
    gateway.patch(&key, json!({ "workspace_id": other })).await;
    assert_eq!(served(&chat(&gateway, &key, model(Value::Null)).await), dear);
    let gateway = gateway.crash().await;
    assert_eq!(served(&chat(&gateway, &key, model(Value::Null)).await), dear);
    gateway.close().await;
}
