//! Thousands of requests that are wrong by chance: no panic, no answer of the 5xx kind, every
//! refusal in the envelope, and the book as it should be afterwards.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use tokio::task::JoinSet;

use super::connection::{Answer, Connection};
use super::mutate::{Chance, Parts, wrong};
use crate::support::{MANAGER, TestGateway};

/// Requests sent at a time.
const AT_ONCE: usize = 32;
/// Keys that may be changed and deleted.
const VICTIMS: usize = 40;

const CHAT: &str = r#"{"model":"test/free","messages":[{"role":"system","content":"be brief"},{"role":"user","content":[{"type":"text","text":"hi \u00e9 😀"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}],"max_tokens":16,"stream":false,"temperature":0.5,"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],"session_id":"s","user":"u","stop":["x"]}"#;
const STREAM: &str = r#"{"model":"test/small","messages":[{"role":"user","content":"hi"}],"max_completion_tokens":5,"stream":true,"n":1,"plugins":[{"id":"auto-router"}],"models":["test/free"]}"#;
const CREATE: &str = r#"{"name":"ci","limit":25.5,"limit_reset":"daily","include_byok_in_limit":false,"expires_at":"2027-01-01T00:00:00Z","creator_user_id":"u1","workspace_id":"5b0a4d0e-6c1e-5d8e-9f0a-7b6f1c2d3e4f","external":{"user":"e","api_key":"partner-0123456789abcdefghijklmnop"}}"#;
const UPDATE: &str = r#"{"name":"b","disabled":false,"limit":7,"limit_reset":null,"include_byok_in_limit":true,"workspace_id":"5b0a4d0e-6c1e-5d8e-9f0a-7b6f1c2d3e4f"}"#;

/// Good requests, each of which may change or delete one of the `victims` and nothing else.
fn good(key: &str, victims: &[String], chance: &mut Chance) -> Parts {
    let victim = &victims[chance.below(victims.len())];
    let (line, caller, body) = match chance.below(16) {
        0..=4 => ("POST /api/v1/chat/completions".to_owned(), key, CHAT),
        5..=7 => ("POST /v1/chat/completions/".to_owned(), key, STREAM),
        8..=10 => ("POST /api/v1/keys".to_owned(), MANAGER, CREATE),
        11 | 12 => (format!("PATCH /api/v1/keys/{victim}"), MANAGER, UPDATE),
        13 => {
            let query = "?offset=0&include_disabled=true&include_expired=1";
            (format!("GET /api/v1/keys{query}"), MANAGER, "")
        }
        14 if chance.below(8) == 0 => (format!("DELETE /api/v1/keys/{victim}"), MANAGER, ""),
        14 => (format!("GET /api/v1/keys/{victim}"), MANAGER, ""),
        _ => ("GET /api/v1/generation?id=gen-1795003200-x".to_owned(), key, ""),
    };
    let (method, target) = line.split_once(' ').unwrap();
    let lines = ["host: gate", "content-type: application/json", "connection: close"];
    let mut lines: Vec<String> = lines.map(str::to_owned).to_vec();
    lines.push(format!("authorization: Bearer {caller}"));
    Parts { method: method.to_owned(), target: target.to_owned(), lines, body: body.to_owned() }
}

/// Panics where a gateway that works would not have answered so.
fn is_fair(answer: &Answer) -> Result<(), String> {
    let Answer { status, body, .. } = answer;
    let is_empty = body.is_empty();
    match status {
        100 | 200 | 201 => Ok(()),
        // The HTTP library's, or to a HEAD.
        400..=499 if is_empty => Ok(()),
        400..=499 => {
            let envelope: serde_json::Value =
                serde_json::from_str(body).map_err(|error| format!("{status} {error}: {body}"))?;
            let message = envelope["error"]["message"].as_str().unwrap_or_default();
            let is_right = envelope["error"]["code"] == *status && !message.is_empty();
            is_right.then_some(()).ok_or_else(|| format!("{status}: {body}"))
        }
        _ => Err(format!("{status}: {body}")),
    }
}

/// Sends a request and returns every answer that comes.
async fn answers(gateway: &TestGateway, bytes: &[u8]) -> Vec<Answer> {
    let mut connection = Connection::open(gateway.address()).await;
    connection.send(bytes).await;
    let mut answers = Vec::new();
    // Only whole heads are answered; what is missing of a body is soon given up.
    let mut is_heard = has_whole_head(bytes);
    loop {
        if !is_heard {
            connection.send_no_more().await;
        }
        let Some(answer) = connection.answer().await else { return answers };
        is_heard = answer.status == 100;
        answers.push(answer);
    }
}

/// Whether the server has all of a head, right or wrong.
fn has_whole_head(bytes: &[u8]) -> bool {
    let start = bytes.iter().position(|byte| !b"\r\n".contains(byte)).unwrap_or(bytes.len());
    let has = |end: &[u8]| bytes[start..].windows(end.len()).any(|part| part == end);
    has(b"\n\r\n") || has(b"\n\n")
}

/// Counts the panics of threads that serve, from now on.
fn panics() -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let (counted, before) = (Arc::clone(&count), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |info| {
        let thread = std::thread::current();
        let is_serving = |name: &str| name.starts_with("worker-") || name == "writer";
        if thread.name().is_some_and(is_serving) {
            counted.fetch_add(1, Ordering::Relaxed);
        }
        before(info);
    }));
    count
}

async fn wrong_requests_do_no_harm(seed: u64, count: usize) {
    let panics = panics();
    let gateway = Arc::new(TestGateway::with("[bounds]\nbody_ms_max = 150").await);
    let key = gateway.key(json!({})).await;
    let mut victims = Vec::new();
    for _ in 0..VICTIMS {
        victims.push(gateway.key(json!({})).await.hash);
    }
    let mut chance = Chance::new(seed);
    let mut asking = JoinSet::new();
    let (mut answered, mut refused, mut unfair) = (0, 0, String::new());
    for number in 0..count + AT_ONCE {
        if number < count {
            let bytes = wrong(&good(&key.text, &victims, &mut chance), &mut chance);
            let gateway = Arc::clone(&gateway);
            asking.spawn(async move { (number, answers(&gateway, &bytes).await, bytes) });
        }
        if number < AT_ONCE {
            continue;
        }
        let Some(done) = asking.join_next().await else { break };
        let (number, answers, bytes) = done.expect("answers that can be read");
        answered += usize::from(!answers.is_empty());
        for answer in &answers {
            refused += usize::from(answer.status >= 400);
            if let Err(fault) = is_fair(answer) {
                let shown = String::from_utf8_lossy(&bytes).escape_debug().to_string();
                unfair.push_str(&format!("seed {seed}, request {number}: {fault}\n  {shown}\n"));
            }
        }
    }
    assert!(unfair.is_empty(), "{unfair}");
    assert_eq!(panics.load(Ordering::Relaxed), 0, "seed {seed}: a thread that serves panicked");
    // Most are whole requests, and most of these are wrong.
    assert!(answered > count * 3 / 4, "seed {seed}: {answered} were answered");
    assert!(refused > count / 2, "seed {seed}: {refused} were refused");
    assert_eq!(gateway.ask(None, "GET /health", "").await.status, 200);
    let gateway = Arc::into_inner(gateway).expect("nobody asks");
    gateway.close().await;
}

#[tokio::test]
async fn five_thousand_wrong_requests_do_no_harm() {
    wrong_requests_do_no_harm(1, 5_000).await;
}

#[tokio::test]
#[ignore = "a quarter of a million requests take minutes; nightly"]
async fn a_quarter_of_a_million_wrong_requests_do_no_harm() {
    for seed in 2..52 {
        wrong_requests_do_no_harm(seed, 5_000).await;
    }
}
