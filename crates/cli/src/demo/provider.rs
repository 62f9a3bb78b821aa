//! The simulated provider of the demo: it speaks the OpenAI format, plain and streamed, and bills a
//! token a word.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Result;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use http::header;
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpListener;

const WORDS: [&str; 12] = [
    "Every", "cent", "is", "held", "before", "it", "is", "spent", "and", "counted", "after",
    "that.",
];

/// Starts it and gives its address; it serves until the process ends.
pub(super) async fn start() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let router = Router::new().route("/v1/chat/completions", post(answer));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

#[derive(Deserialize)]
struct Asked {
    messages: Vec<serde_json::Value>,
    #[serde(default)]
    stream: bool,
    max_tokens: Option<usize>,
}

async fn answer(Json(asked): Json<Asked>) -> Response {
    let prompt: usize = asked
        .messages
        .iter()
        .filter_map(|message| message["content"].as_str())
        .map(|content| content.split_whitespace().count() + 4)
        .sum();
    let length = asked.max_tokens.unwrap_or(WORDS.len()).max(1);
    let words: Vec<&str> = WORDS.iter().copied().cycle().take(length).collect();
    let usage = json!({
        "prompt_tokens": prompt,
        "completion_tokens": words.len(),
        "total_tokens": prompt + words.len(),
    });
    if asked.stream {
        return streamed(&words, &usage);
    }
    let body = json!({
        "id": "chatcmpl-demo",
        "object": "chat.completion",
        "created": 0,
        "model": "parrot",
        "choices": [{
            "index": 0,
            "message": { "role": "assistant", "content": words.join(" ") },
            "finish_reason": "length",
        }],
        "usage": usage,
    });
    Json(body).into_response()
}

fn streamed(words: &[&str], usage: &serde_json::Value) -> Response {
    let mut events = String::new();
    let mut event = |choices: serde_json::Value, usage: &serde_json::Value| {
        let chunk = json!({
            "id": "chatcmpl-demo",
            "object": "chat.completion.chunk",
            "created": 0,
            "model": "parrot",
            "choices": choices,
            "usage": usage,
        });
        events.push_str(&format!("data: {chunk}\n\n"));
    };
    // A few words an event, so that the demo's output stays readable.
    for part in words.chunks(8) {
        let delta = json!({ "role": "assistant", "content": format!("{} ", part.join(" ")) });
        event(json!([{ "index": 0, "delta": delta, "finish_reason": null }]), &json!(null));
    }
    event(json!([{ "index": 0, "delta": {}, "finish_reason": "length" }]), &json!(null));
    event(json!([]), usage);
    events.push_str("data: [DONE]\n\n");
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from(events)).into_response()
}
