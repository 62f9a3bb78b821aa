//! Servers that are slow, cut, busy, broken, or no such server at all.

use std::time::Duration;

use tollgate::{ChatRequest, CreateKey, Error, ListKeys, Message, Retries, Slice, UpdateKey};

use crate::server::{Script, Server, response};

const KEY: &str = include_str!("../key.json");

fn key() -> String {
    response(200, "", &format!(r#"{{"data":{KEY}}}"#))
}

fn say(text: impl Into<String>) -> Script {
    Script::Say(text.into())
}

fn hello() -> ChatRequest {
    ChatRequest::new("a/b").message(Message::user("Hello"))
}

/// The first of `scripts` and then a key; how often it was asked, and what came of it.
async fn get(scripts: Vec<Script>) -> (usize, Result<(), Error>) {
    let server = Server::start(scripts).await;
    let came = server.client().keys().get("h").await.map(|key| assert_eq!(key.hash, "h"));
    (server.asked().len(), came)
}

#[tokio::test]
async fn a_read_is_sent_again_whatever_went_wrong() {
    for fault in [
        "".to_owned(),
        "HTTP/1.1 200 x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{\"da"
            .to_owned(),
        response(500, "", "{}"),
        response(503, "retry-after: 0\r\n", "{}"),
        response(429, "retry-after-ms: 1\r\n", "{}"),
        response(408, "", "{}"),
    ] {
        let (asked, came) = get(vec![say(fault.as_str()), say(key())]).await;
        assert_eq!(asked, 2, "{fault:?}");
        came.unwrap();
    }
}

#[tokio::test]
async fn tries_end() {
    let (asked, came) =
        get(vec![say(response(502, "", r#"{"error":{"code":502,"message":"down"}}"#))]).await;
    let error = came.unwrap_err();
    assert_eq!((asked, error.status(), error.message()), (3, Some(502), Some("down")));
    assert_eq!(error.to_string(), "down (HTTP 502)");
}

#[tokio::test]
async fn what_may_have_been_made_is_not_made_again() {
    for fault in ["".to_owned(), response(500, "", "{}"), response(503, "retry-after: 0\r\n", "{}")]
    {
        let server = Server::start(vec![say(fault)]).await;
        server.client().keys().create(&CreateKey::new("n")).await.unwrap_err();
        server.client().chat().send(&hello()).await.unwrap_err();
        server.client().chat().stream(&hello()).await.unwrap_err();
        assert_eq!(server.asked().len(), 3);
    }
}

#[tokio::test]
async fn a_creation_with_an_idempotency_key_is_sent_again_under_the_same() {
    let made = response(201, "", &format!(r#"{{"data":{KEY},"key":"sk-or-v1-1"}}"#));
    let server = Server::start(vec![say(""), say(response(500, "", "{}")), say(made)]).await;
    let wanted = CreateKey::new("n").idempotency_key("creation-2026-11-26-0001");
    let made = server.client().keys().create(&wanted).await.unwrap();
    assert_eq!(made.key.expose(), "sk-or-v1-1");
    let keys: Vec<_> = server
        .asked()
        .iter()
        .map(|asked| asked.header("idempotency-key").unwrap().to_owned())
        .collect();
    assert_eq!(keys, ["creation-2026-11-26-0001"; 3]);
}

#[tokio::test]
async fn what_was_refused_for_now_is_sent_again_even_where_it_pays() {
    let busy = response(429, "retry-after: 0\r\n", "{}");
    let in_flight = response(402, "retry-after: 0\r\n", "{}");
    let answer = r#"{"id":"gen-1","model":"a/b","choices":[{"message":{"role":"assistant","content":"Hi"}}]}"#;
    let server =
        Server::start(vec![say(busy), say(in_flight), say(response(200, "", answer))]).await;
    assert_eq!(server.client().chat().send(&hello()).await.unwrap().text(), "Hi");
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test]
async fn a_wait_that_is_too_long_is_the_callers() {
    let server = Server::saying(429, "retry-after: 3600\r\nx-request-id: req-1\r\n", "{}").await;
    let error = server.client().keys().list(&ListKeys::new()).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    assert_eq!(error.request_id(), Some("req-1"));
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn nobody_there() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api/v1", listener.local_addr().unwrap());
    drop(listener);
    let client =
        tollgate::Client::builder().base_url(url).retries(Retries::none()).build().unwrap();
    let error = client.key().current().await.unwrap_err();
    assert!(error.is_connect() && error.status().is_none());
    assert_eq!(error.to_string(), "can't connect to the server");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_left() {
    let server = Server::start(vec![Script::Stall(String::new())]).await;
    let client = server.builder().timeout(Duration::from_millis(50)).retries(Retries::none());
    let error = client.build().unwrap().keys().get("h").await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    let client = server.builder().idle_timeout(Duration::from_millis(50));
    let error = client.build().unwrap().chat().stream(&hello()).await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn what_is_no_answer_of_this_api_says_so() {
    for (kind, body, problem) in [
        ("application/json", "{\"data\": [}", "expected value at line 1 column 11"),
        ("application/json", "{}", "missing field `data` at line 1 column 2"),
        ("application/json", "", "EOF while parsing a value at line 1 column 0"),
        ("text/html", "<html>", "its type is \"text/html\", not application/json"),
    ] {
        let server = Server::saying(200, &format!("content-type: {kind}\r\n"), body).await;
        let error = server.client().keys().get("h").await.unwrap_err();
        assert!(error.is_decode());
        assert_eq!(
            error.to_string(),
            format!("the answer is not what the API says: {problem} (HTTP 200)")
        );
        assert_eq!(server.asked().len(), 1, "a wrong answer does not get right by asking again");
    }
}

#[tokio::test]
async fn a_type_with_parameters_is_the_type() {
    let kind = "content-type: Application/JSON; charset=utf-8\r\n";
    let server = Server::saying(200, kind, &format!(r#"{{"data":{KEY}}}"#)).await;
    assert_eq!(server.client().keys().get("h").await.unwrap().name, "n");
}

#[tokio::test]
async fn a_redirect_is_not_followed_with_the_key() {
    let server = Server::saying(307, "location: http://127.0.0.1:9/\r\n", "{}").await;
    let error = server.client().keys().get("h").await.unwrap_err();
    assert_eq!((error.status(), server.asked().len()), (Some(307), 1));
}

#[tokio::test]
async fn a_limit_that_refuses_has_its_figures() {
    let body = r#"{"error":{"code":403,"message":"Key limit exceeded (daily limit). Manage it using https://x/settings/keys","metadata":{"limit_source":"openrouter_key_limit","scope":"key_limit","limit_usd":0.1,"spend_usd":0.100000001,"held_usd":0.002,"remaining_usd":-0.000000001,"resets_at":"2026-11-27T00:00:00.000Z","error_type":"permission_denied"}},"user_id":null}"#;
    let server = Server::saying(403, "", body).await;
    let error = server.client().chat().send(&hello()).await.unwrap_err();
    assert!(error.is_over_limit());
    let limit = error.limit().unwrap();
    assert_eq!(limit.source.as_deref(), Some("openrouter_key_limit"));
    assert_eq!(limit.limit.unwrap().to_string(), "0.1");
    assert_eq!(limit.spent.unwrap().to_string(), "0.100000001");
    assert_eq!(limit.held.unwrap().to_string(), "0.002");
    assert_eq!(limit.remaining.unwrap().to_string(), "-0.000000001");
    assert_eq!(limit.resets_at.unwrap().to_string(), "2026-11-27T00:00:00Z");
    assert_eq!(error.error_type().as_deref(), Some("permission_denied"));
    assert_eq!(server.asked().len(), 1);
    let forbidden =
        r#"{"error":{"code":403,"message":"Only management keys can perform this operation"}}"#;
    let error =
        Server::saying(403, "", forbidden).await.client().keys().get("h").await.unwrap_err();
    assert!(!error.is_over_limit() && error.limit().is_none());
}

#[tokio::test]
async fn names_that_would_make_another_path_are_not_sent() {
    let server = Server::saying(200, "", "{}").await;
    for hash in ["", ".", ".."] {
        let error = server.client().keys().delete(hash).await.unwrap_err();
        assert_eq!(error.to_string(), format!("{hash:?} names nothing"));
    }
    assert!(server.asked().is_empty());
    server.client().keys().update("a/b?c", &UpdateKey::new()).await.unwrap_err();
    assert_eq!(server.asked()[0].line, "PATCH /api/v1/keys/a%2Fb%3Fc");
}

// Streams

fn events(text: &str) -> String {
    format!(
        "HTTP/1.1 200 x\r\ncontent-type: text/event-stream\r\nx-request-id: req-7\r\nconnection: close\r\n\r\n{text}"
    )
}

const PART: &str = r#"data: {"id":"gen-1","model":"a/b","choices":[{"delta":{"content":"Hel"}}]}"#;

/// The texts that came, and how it ended.
async fn stream(script: Script) -> (String, Result<(), Error>) {
    let server = Server::start(vec![script]).await;
    let client = server.builder().idle_timeout(Duration::from_millis(200)).build().unwrap();
    let mut parts = client.chat().stream(&hello()).await.unwrap();
    assert_eq!(parts.request_id(), Some("req-7"));
    let mut text = String::new();
    loop {
        match parts.next_chunk().await {
            Ok(Some(part)) => text.push_str(part.text()),
            Ok(None) => return (text, Ok(())),
            Err(error) => {
                assert!(parts.next_chunk().await.unwrap().is_none(), "an error is the last item");
                return (text, Err(error));
            }
        }
    }
}

#[tokio::test]
async fn a_stream_is_whole_where_it_says_so() {
    let whole = format!(
        ": OPENROUTER PROCESSING\n\n{PART}\n\n: x\n\n{}\r\n\r\ndata: [DONE]\n\ndata: more\n\n",
        PART.replace("Hel", "lo")
    );
    let (text, came) = stream(say(events(&whole))).await;
    came.unwrap();
    assert_eq!(text, "Hello");
}

#[tokio::test]
async fn a_stream_that_ends_before_it_says_so_is_cut() {
    let (text, came) = stream(say(events(&format!("{PART}\n\n")))).await;
    assert_eq!(text, "Hel");
    assert_eq!(came.unwrap_err().to_string(), "the answer broke off");
}

#[tokio::test]
async fn a_stream_that_falls_silent_is_left() {
    let (text, came) = stream(Script::Stall(events(&format!("{PART}\n\n")))).await;
    assert_eq!(text, "Hel");
    assert!(came.unwrap_err().is_timeout());
}

#[tokio::test]
async fn an_error_within_a_stream_is_the_error() {
    let failed = r#"data: {"id":"gen-1","model":"a/b","error":{"code":502,"message":"Provider disconnected","metadata":{"error_type":"provider_unavailable"}},"choices":[{"delta":{"content":""},"finish_reason":"error"}]}"#;
    let (text, came) =
        stream(say(events(&format!("{PART}\n\n{failed}\n\ndata: [DONE]\n\n")))).await;
    let error = came.unwrap_err();
    assert_eq!(text, "Hel");
    assert_eq!((error.status(), error.message()), (Some(502), Some("Provider disconnected")));
    assert_eq!(error.error_type().as_deref(), Some("provider_unavailable"));
}

#[tokio::test]
async fn a_part_that_is_none_says_so() {
    let (_, came) = stream(say(events("data: {\"id\": 7}\n\n"))).await;
    assert!(came.unwrap_err().is_decode());
}

#[tokio::test]
async fn an_answer_in_one_piece_is_no_stream() {
    let server = Server::saying(200, "", "{}").await;
    let error = server.client().chat().stream(&hello()).await.unwrap_err();
    assert!(error.is_decode());
}

#[tokio::test]
async fn a_dropped_stream_ends_the_request() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api/v1", listener.local_addr().unwrap());
    let client = tollgate::Client::builder().base_url(url).build().unwrap();
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        assert!(stream.read(&mut request).await.unwrap() > 0);
        stream.write_all(events(&format!("{PART}\n\n")).as_bytes()).await.unwrap();
        // The client's end of the connection, whichever way it closes it.
        matches!(stream.read(&mut request).await, Ok(0) | Err(_))
    });
    let mut parts = client.chat().stream(&hello()).await.unwrap();
    parts.next_chunk().await.unwrap().unwrap();
    drop(parts);
    assert!(served.await.unwrap());
}

#[tokio::test]
async fn a_list_that_knows_no_offset_ends_with_an_error() {
    use futures_util::TryStreamExt as _;
    let server = Server::saying(200, "", &format!(r#"{{"data":[{KEY}]}}"#)).await;
    let all = server.client().keys().list_all(ListKeys::new()).try_collect::<Vec<_>>().await;
    assert!(all.unwrap_err().is_decode());
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn a_list_is_asked_for_page_by_page() {
    use futures_util::TryStreamExt as _;
    let page = |hashes: &[&str]| {
        let keys: Vec<_> =
            hashes.iter().map(|hash| KEY.replace("\"h\"", &format!("{hash:?}"))).collect();
        say(response(200, "", &format!(r#"{{"data":[{}]}}"#, keys.join(","))))
    };
    let server = Server::start(vec![page(&["a", "b"]), page(&["c"]), page(&[])]).await;
    let all = server.client().keys().list_all(ListKeys::new().include_disabled(true));
    let hashes: Vec<_> = all.map_ok(|key| key.hash).try_collect().await.unwrap();
    assert_eq!(hashes, ["a", "b", "c"]);
    let lines: Vec<_> = server.asked().into_iter().map(|asked| asked.line).collect();
    assert_eq!(
        lines,
        [
            "GET /api/v1/keys?include_disabled=true",
            "GET /api/v1/keys?offset=2&include_disabled=true",
            "GET /api/v1/keys?offset=3&include_disabled=true",
        ]
    );
}

#[tokio::test]
async fn a_list_begins_at_its_slice_and_ends_where_its_total_says_so() {
    use futures_util::TryStreamExt as _;
    let page = |ids: &[&str]| {
        let member = |id: &&str| format!(r#"{{"id":"{id}","email":"e","role":"org:member"}}"#);
        let members: Vec<_> = ids.iter().map(member).collect();
        let body = format!(r#"{{"data":[{}],"total_count":4}}"#, members.join(","));
        say(response(200, "", &body))
    };
    let server = Server::start(vec![page(&["b", "c"]), page(&["d"])]).await;
    let all = server.client().organization().members_all(Slice::new().offset(1).limit(2));
    let ids: Vec<_> = all.map_ok(|member| member.id).try_collect().await.unwrap();
    assert_eq!(ids, ["b", "c", "d"]);
    let lines: Vec<_> = server.asked().into_iter().map(|asked| asked.line).collect();
    let path = "GET /api/v1/organization/members";
    assert_eq!(lines, [1, 3].map(|offset| format!("{path}?offset={offset}&limit=2")));
}
