//! Requests that are wrong, over raw sockets: each gets exactly the answer its table says, and
//! leaves nothing behind (DESIGN "Bad input").
//!
//! A table is data, one line a case: what is sent, ` -> `, what comes back. A heading says what the
//! lines below it leave out.
//!
//! | heading | a line is |
//! |---|---|
//! | `## POST /path as manager` | a body |
//! | `## target as manager` | a method and a target |
//! | `## POST /path as manager with` | header lines; after `⏎⏎` a body, whose length is then theirs to say |
//! | `## raw` | the whole request; its answer says whether the connection is then `open` or `closed` |
//!
//! An answer is a status; then nothing for an empty body, an error type and a message for an
//! envelope that says no more, `{…}` for any other whole body, `~ text` for a body that holds `text`.
//! `nothing` is the connection's end before any answer; several answers have ` & ` between them. In what is sent, `⏎` is CR LF, `␊` LF,
//! `␍` CR, `␉` a tab, `␀` a NUL; `⟨3*ab⟩` is `ababab`, `⟨x ff⟩` that byte; `⟨manager⟩`, `⟨key⟩` and
//! `⟨hash⟩` are a management key, an inference key and its hash.

mod case;
mod connection;
mod mutate;
mod random;

use case::{Case, cases};
use connection::{Connection, Received};

use serde_json::json;

use crate::support::{MANAGER, TestGateway, TestKey};

/// Sends every case of a table; panics with the lines that should stand there instead.
async fn holds(gateway: &TestGateway, key: &TestKey, table: &str) {
    let cases = cases(table, key);
    let mut wrong = String::new();
    for case in &cases {
        let received = answered(gateway, case).await;
        if !case.is_met_by(&received) {
            wrong.push_str(&format!("{} -> {received}\n", case.line));
        }
    }
    assert!(wrong.is_empty(), "these cases were answered otherwise:\n{wrong}");
    gateway.settled().await;
    let paid = cases.iter().filter(|case| case.is_paid()).count();
    assert_eq!(gateway.upstream.calls().len(), paid, "what is refused goes to no provider");
}

/// The same for a table of refusals, which leave nothing behind.
async fn refuses(table: &str) {
    // What is announced and does not come is given up soon.
    let gateway = TestGateway::with("[bounds]\nbody_ms_max = 300").await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    let before = left_behind(&gateway, &key).await;
    holds(&gateway, &key, table).await;
    assert_eq!(left_behind(&gateway, &key).await, before, "a refusal left something behind");
    gateway.close().await;
}

/// The same for requests about a credential, which a table calls `⟨credential⟩`.
async fn refuses_of_credential(table: &str) {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    let body =
        json!({ "provider": "alpha", "key": "sk-of-the-table-0123456789", "is_fallback": true });
    let made = gateway.ask(MANAGER, "POST /api/v1/byok", body).await;
    let id = made.json()["data"]["id"].as_str().unwrap().to_owned();
    let list = async || gateway.ask(MANAGER, "GET /api/v1/byok", "").await.text();
    let before = list().await;
    holds(&gateway, &key, &table.replace("⟨credential⟩", &id)).await;
    assert_eq!(list().await, before, "a refusal left something behind");
    gateway.close().await;
}

async fn answered(gateway: &TestGateway, case: &Case) -> Received {
    let mut connection = Connection::open(gateway.address()).await;
    connection.send(&case.bytes).await;
    let mut answers = Vec::new();
    // Without the right number of them, the connection's end tells how many there are.
    while answers.len() < case.answers() {
        let Some(answer) = connection.answer().await else { break };
        if !answer.body.is_empty() {
            answer.is_the_apis();
        }
        answers.push(answer);
    }
    if !case.is_raw {
        assert!(connection.is_at_end().await, "{}: more answers came", case.line);
        return Received::new(answers, None);
    }
    connection.send(b"GET /health HTTP/1.1\r\nhost: gate\r\n\r\n").await;
    let next = connection.answer().await;
    let is_open = next.is_some_and(|next| {
        assert_eq!(next.body, r#"{"status":"ok"}"#, "{}: answered what was no request", case.line);
        true
    });
    Received::new(answers, Some(is_open))
}

/// All that a request could leave in the book or in a key.
async fn left_behind(gateway: &TestGateway, key: &TestKey) -> String {
    let listed = gateway.ask(MANAGER, "GET /api/v1/keys?include_disabled=1", "").await.text();
    let workspaces = gateway.ask(MANAGER, "GET /api/v1/workspaces", "").await.text();
    let budgets = gateway.ask(MANAGER, "GET /api/v1/workspaces/default/budgets", "").await.text();
    let held = gateway.held(key);
    format!("{listed} {workspaces} {budgets} {:?} held {held}", gateway.rows())
}

#[tokio::test]
async fn a_key_is_made_of_nothing_but_a_good_body() {
    refuses(include_str!("keys_create.txt")).await;
}

#[tokio::test]
async fn a_key_is_changed_by_nothing_but_a_good_body() {
    refuses(include_str!("keys_update.txt")).await;
}

#[tokio::test]
async fn a_workspace_is_made_of_nothing_but_a_good_body() {
    refuses(include_str!("workspaces_create.txt")).await;
}

#[tokio::test]
async fn a_workspace_is_changed_by_nothing_but_a_good_body() {
    refuses(include_str!("workspaces_update.txt")).await;
}

#[tokio::test]
async fn a_budget_is_put_by_nothing_but_a_good_body() {
    refuses(include_str!("budgets_put.txt")).await;
}

#[tokio::test]
async fn a_credential_is_made_of_nothing_but_a_good_body() {
    refuses_of_credential(include_str!("byok_create.txt")).await;
}

#[tokio::test]
async fn a_credential_is_changed_by_nothing_but_a_good_body() {
    refuses_of_credential(include_str!("byok_update.txt")).await;
}

#[tokio::test]
async fn a_member_is_named_by_nothing_but_a_good_body() {
    refuses(include_str!("members.txt")).await;
}

#[tokio::test]
async fn a_chat_request_is_read_strictly_and_refused_with_the_field_at_fault() {
    refuses(include_str!("chat.txt")).await;
}

#[tokio::test]
async fn a_target_is_one_of_the_apis_to_the_letter_or_an_envelope() {
    refuses(include_str!("targets.txt")).await;
}

#[tokio::test]
async fn a_head_that_says_what_is_not_served_is_refused() {
    refuses(include_str!("heads.txt")).await;
}

#[tokio::test]
async fn what_is_not_http_is_refused_and_never_taken_for_two_requests() {
    refuses(include_str!("wire.txt")).await;
}

#[tokio::test]
async fn what_looks_odd_and_is_right_is_taken() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    holds(&gateway, &key, include_str!("taken.txt")).await;
    gateway.close().await;
}

/// A client that reads nothing until all is sent, as most do, still gets its answer: the connection
/// is not reset under it.
#[tokio::test]
async fn a_client_that_sends_on_after_its_refusal_can_still_read_it() {
    let gateway = TestGateway::with("[bounds]\nbody_bytes_max = 1000").await;
    let key = gateway.key(json!({})).await;
    let length = 4 << 20;
    let lines = format!("content-length: {length}⏎⏎⟨{length}*x⟩ -> ");
    let bodies = [
        ("POST /api/v1/chat/completions as key with", "413"),
        ("POST /api/v1/keys as manager with", "413"),
        ("POST /api/v1/keys as nobody with", "401"),
        ("DELETE /api/v1/unknown as nobody with", "404"),
    ];
    for (heading, status) in bodies {
        let case = cases(&format!("## {heading}\n{lines}{status}"), &key).remove(0);
        let mut connection = Connection::open(gateway.address()).await;
        connection.send_unheard(&case.bytes).await;
        let answer = connection.answer().await.expect(heading);
        assert_eq!(answer.status.to_string(), status, "{heading}");
        assert!(connection.is_at_end().await, "{heading}");
    }
    gateway.close().await;
}
