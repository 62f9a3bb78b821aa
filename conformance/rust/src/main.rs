//! The community's Rust client, `openrouter-rs`, unmodified: a call a line on standard input, and
//! on standard output a line for each with what the client made of the answer.
//!
//! `{"call", "base_url", "key", "arguments"}` is answered with `{"value"}` or
//! `{"error": {"status", "message"}}`, as conformance/python/test_rust_client.py has it.

use std::error::Error;
use std::io::{BufRead, stdin};

use futures_util::TryStreamExt as _;
use openrouter_rs::OpenRouterClient;
use openrouter_rs::api::chat::{ChatCompletionRequest, Message};
use openrouter_rs::error::OpenRouterError;
use openrouter_rs::types::{PaginationOptions, Role};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for line in stdin().lock().lines() {
        let asked: Value = serde_json::from_str(&line?)?;
        let reply = match runtime.block_on(made(&asked)) {
            Ok(value) => json!({ "value": value }),
            Err(OpenRouterError::Api(error)) => {
                json!({ "error": { "status": error.status.as_u16(), "message": error.message } })
            }
            Err(error) => json!({ "error": { "status": null, "message": error.to_string() } }),
        };
        println!("{reply}");
    }
    Ok(())
}

async fn made(asked: &Value) -> Result<Value, OpenRouterError> {
    let (key, given) = (text(&asked["key"]), &asked["arguments"]);
    let client = OpenRouterClient::builder()
        .base_url(text(&asked["base_url"]))
        .api_key(key)
        .management_key(key)
        .build()?;
    let manage = client.management();
    let hash = text(&given["hash"]);
    let value = match text(&asked["call"]) {
        "keys.create" => {
            json!(manage.create_api_key(text(&given["name"]), given["limit"].as_f64()).await?)
        }
        "keys.get" => json!(manage.get_api_key(hash).await?),
        "keys.list" => {
            let offset = given["offset"].as_u64().unwrap_or_default() as u32;
            let page = PaginationOptions::with_offset(offset);
            json!(manage.list_api_keys(Some(page), given["include_disabled"].as_bool()).await?)
        }
        "keys.update" => {
            let name = given["name"].as_str().map(str::to_owned);
            let (disabled, limit) = (given["disabled"].as_bool(), given["limit"].as_f64());
            json!(manage.update_api_key(hash, name, disabled, limit).await?)
        }
        "keys.delete" => json!(manage.delete_api_key(hash).await?),
        "key" => json!(manage.get_current_api_key_info().await?),
        "credits" => json!(manage.get_credits().await?),
        "models" => json!(client.models().list().await?),
        "chat" => json!(client.chat().create(&chat(given)?).await?),
        "chat.stream" => {
            let chunks: Vec<_> = client.chat().stream(&chat(given)?).await?.try_collect().await?;
            json!(chunks)
        }
        other => return Err(OpenRouterError::Unknown(format!("no call {other:?}"))),
    };
    Ok(value)
}

fn chat(given: &Value) -> Result<ChatCompletionRequest, OpenRouterError> {
    ChatCompletionRequest::builder()
        .model(text(&given["model"]))
        .messages(vec![Message::new(Role::User, text(&given["content"]))])
        .build()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
