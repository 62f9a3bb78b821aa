//! What goes to the provider and what comes back of it.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, header};
use ledger::Dispatched;

use crate::provider::{
    Event, Provider, Read, Write, call, fetch, patient, read, send, transport, within,
};

#[tokio::test]
async fn a_request_is_the_callers_headers_and_segments_with_the_transports_own_framing() {
    let ok = &[Read, Write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")];
    let mut provider = Provider::start(&[ok]).await;
    let origin = provider.origin();
    let mut call = call(&origin);
    call.headers.insert(header::HOST, HeaderValue::from_static("elsewhere"));
    call.headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("3"));
    call.headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    call.headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
    call.body.insert(1, Bytes::new());
    transport(patient()).send(&Dispatched::for_test(), call).await.unwrap();

    let (_, text) = provider.request().await;
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let (line, fields) = head.split_once("\r\n").unwrap();
    let mut fields: Vec<&str> = fields.split("\r\n").collect();
    fields.sort_unstable();
    let host = format!("host: {}", origin.to_string().strip_prefix("http://").unwrap());
    assert_eq!(line, "POST /v1/chat/completions HTTP/1.1");
    assert_eq!(
        fields,
        ["accept-encoding: identity", "authorization: Bearer k", "content-length: 13", &host]
    );
    assert_eq!(body, r#"{"model":"m"}"#);
}

#[tokio::test]
async fn a_call_without_a_body_says_so() {
    let ok = &[Read, Write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")];
    let mut provider = Provider::start(&[ok]).await;
    let mut call = call(&provider.origin());
    call.body = Vec::new();
    transport(patient()).send(&Dispatched::for_test(), call).await.unwrap();
    assert!(provider.request().await.1.contains("content-length: 0\r\n"));
}

#[tokio::test]
async fn a_body_of_many_segments_and_megabytes_arrives_whole() {
    let ok = &[Read, Write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")];
    let mut provider = Provider::start(&[ok]).await;
    let mut call = call(&provider.origin());
    call.body = (0..100).map(|n| Bytes::from(format!("{n:02}").repeat(20_000))).collect();
    let whole: Vec<u8> = call.body.concat();
    let transport = transport(patient());
    let proof = Dispatched::for_test();
    let (answer, (_, text)) =
        within(async { tokio::join!(transport.send(&proof, call), provider.request()) }).await;
    assert_eq!(answer.unwrap().status, 200);
    let body = text.split_once("\r\n\r\n").unwrap().1;
    // Compared by hand: a failure would print megabytes.
    assert!(body.as_bytes() == whole, "{} of {} bytes", body.len(), whole.len());
}

#[tokio::test]
async fn the_head_is_status_type_and_wait_and_the_body_follows() {
    let busy = &[
        Read,
        Write("HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\n"),
        Write("retry-after: 2\r\nset-cookie: a=b\r\ncontent-length: 4\r\n\r\nbusy"),
    ];
    let provider = Provider::start(&[busy]).await;
    let mut answer = send(&transport(patient()), &provider.origin()).await.unwrap();
    assert_eq!(answer.status, 429);
    assert_eq!(answer.content_type.unwrap(), "application/json");
    assert_eq!(answer.retry_after, Some(Duration::from_secs(2)));
    assert_eq!(read(&mut answer.body).await, ("busy".to_owned(), Ok(())));
    assert_eq!(answer.body.chunk().await, Ok(None));
}

#[tokio::test]
async fn chunks_are_put_together_and_trailers_dropped() {
    let chunked = &[
        Read,
        Write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n1"),
        Write("\r\n \r\n5;ext=1\r\nworld\r\n0\r\nx-usage: 1\r\n\r\n"),
        Read,
        Write("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nagain"),
    ];
    let mut provider = Provider::start(&[chunked]).await;
    let (transport, origin) = (transport(patient()), provider.origin());
    assert_eq!(fetch(&transport, &origin).await, "hello world");
    assert_eq!(fetch(&transport, &origin).await, "again");
    assert_eq!(provider.requests_so_far(), [0, 0]);
}

#[tokio::test]
async fn a_body_without_a_length_ends_with_its_connection() {
    let provider = Provider::start(&[&[Read, Write("HTTP/1.1 200 OK\r\n\r\nto the end")]]).await;
    assert_eq!(fetch(&transport(patient()), &provider.origin()).await, "to the end");
}

#[tokio::test]
async fn informational_answers_are_not_the_answer() {
    let noisy = &[
        Read,
        Write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"),
        Write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"),
    ];
    let provider = Provider::start(&[noisy]).await;
    assert_eq!(fetch(&transport(patient()), &provider.origin()).await, "ok");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let moved = &[
        Read,
        Write("HTTP/1.1 302 Found\r\nlocation: /v2/elsewhere\r\ncontent-length: 0\r\n\r\n"),
        Read,
    ];
    let mut provider = Provider::start(&[moved, moved]).await;
    let transport = transport(patient());
    let answer = send(&transport, &provider.origin()).await.unwrap();
    assert_eq!(answer.status, 302);
    drop((answer, transport));
    provider.until(&Event::Finished(0)).await;
    assert!(provider.requests_so_far().is_empty());
}
