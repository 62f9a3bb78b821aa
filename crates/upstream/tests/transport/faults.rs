//! What goes wrong, told apart by whether the provider may have read the request.
//! The provider counts: whatever happens, it never sees one twice.

use std::{error::Error, net::TcpListener, time::Duration};

use http::StatusCode;
use upstream::transport::{BodyError, SendError, Settings};

use crate::provider::{
    AwaitClose, Event, Provider, Read, Step, Write, origin, patient, read, send, transport,
};

const SHORT: Duration = Duration::from_millis(30);

/// Sends to a provider that plays the script, a second connection ready, and gives the error.
async fn failure(settings: Settings, script: &'static [Step]) -> SendError {
    let mut provider = Provider::start(&[script, &[Read, Read]]).await;
    let error = send(&transport(settings), &provider.origin()).await.map(|_| ()).unwrap_err();
    provider.until(&Event::Finished(0)).await;
    error
}

/// Like [`failure`], for one that may have been billed: whether it timed out.
async fn unclear(settings: Settings, script: &'static [Step]) -> bool {
    match failure(settings, script).await {
        SendError::Unclear { timeout, .. } => timeout,
        error => panic!("{error:?}"),
    }
}

/// The body that came and how it ended, twice asked.
async fn body(settings: Settings, script: &'static [Step]) -> (String, Result<(), BodyError>) {
    let mut provider = Provider::start(&[script, &[Read]]).await;
    let mut answer = send(&transport(settings), &provider.origin()).await.unwrap();
    let (text, end) = read(&mut answer.body).await;
    assert_eq!(answer.body.chunk().await.map(|_| ()), end, "an end is an end");
    provider.until(&Event::Finished(0)).await;
    (text, end)
}

#[tokio::test]
async fn a_refused_connection_sent_nothing() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nobody = origin(&format!("http://127.0.0.1:{port}"));
    let error = send(&transport(patient()), &nobody).await.map(|_| ()).unwrap_err();
    assert!(matches!(error, SendError::NotSent { .. }), "{error:?}");
    assert_eq!(error.to_string(), "the request was not sent to the provider");
    assert!(error.source().unwrap().to_string().contains("refused"));
}

#[tokio::test]
async fn a_name_that_does_not_exist_sent_nothing() {
    let error = send(&transport(patient()), &origin("http://provider.invalid")).await;
    assert!(matches!(error.map(|_| ()), Err(SendError::NotSent { .. })));
}

#[tokio::test]
async fn a_connection_that_takes_too_long_sent_nothing() {
    // The kernel accepts; nobody ever answers the TLS hello.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = origin(&format!("https://localhost:{}", listener.local_addr().unwrap().port()));
    let hurried = Settings { connect_timeout: SHORT, ..patient() };
    let error = send(&transport(hurried), &silent).await.map(|_| ()).unwrap_err();
    assert!(matches!(error, SendError::NotSent { .. }), "{error:?}");
    let cause = error.source().unwrap().to_string();
    assert_eq!(cause, format!("no connection to {silent} within 30 ms"));
}

#[tokio::test]
async fn a_cut_before_or_within_the_head_is_unclear_and_no_second_request_is_made() {
    for script in [
        &[Read][..],
        &[Read, Write("HTTP/1.1 20")],
        &[Read, Write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n")],
        &[Read, Write("HTTP/1.1 100 Continue\r\n\r\n")],
    ] {
        let mut provider = Provider::start(&[script, &[Read]]).await;
        let transport = transport(patient());
        let error = send(&transport, &provider.origin()).await.map(|_| ()).unwrap_err();
        assert!(
            matches!(error, SendError::Unclear { timeout: false, .. }),
            "{script:?}: {error:?}"
        );
        provider.until(&Event::Finished(0)).await;
        assert!(provider.requests_so_far().is_empty(), "{script:?}");
    }
}

#[tokio::test]
async fn what_is_not_http_is_unclear() {
    assert!(!unclear(patient(), &[Read, Write("SSH-2.0-x\r\n\r\n"), AwaitClose]).await);
}

#[tokio::test]
async fn a_head_without_end_is_unclear_and_read_no_further_than_its_bound() {
    let padding: &'static str = Box::leak("x".repeat(64 * 1024).into_boxed_str());
    let script: &'static [Step] =
        Vec::leak(vec![Read, Write("HTTP/1.1 200 OK\r\nx-pad: "), Write(padding), AwaitClose]);
    assert!(!unclear(patient(), script).await);
}

#[tokio::test]
async fn more_header_fields_than_a_hundred_are_unclear() {
    let fields: &'static str = Box::leak("a: b\r\n".repeat(101).into_boxed_str());
    let script: &'static [Step] =
        Vec::leak(vec![Read, Write("HTTP/1.1 200 OK\r\n"), Write(fields), AwaitClose]);
    assert!(!unclear(patient(), script).await);
}

#[tokio::test]
async fn no_first_byte_in_time_is_unclear_and_closes_the_connection() {
    let hurried = Settings { first_byte_timeout: SHORT, ..patient() };
    assert!(unclear(hurried, &[Read, AwaitClose]).await);
    assert!(unclear(hurried, &[Read, Write("HTTP/1.1 200 OK\r\n"), AwaitClose]).await);
    assert!(unclear(hurried, &[Read, Write("HTTP/1.1 100 Continue\r\n\r\n"), AwaitClose]).await);
}

#[tokio::test]
async fn a_compressed_success_is_unclear_and_a_compressed_error_an_answer() {
    let compressed = &[
        Read,
        Write("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n\x1f\x08"),
    ];
    assert!(!unclear(patient(), compressed).await);
    let refused = &[
        Read,
        Write("HTTP/1.1 500 Oh\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n\x1f\x08"),
    ];
    let provider = Provider::start(&[refused]).await;
    let answer = send(&transport(patient()), &provider.origin()).await.unwrap();
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn a_body_shorter_than_it_said_is_cut() {
    let short = &[Read, Write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf")];
    assert_eq!(body(patient(), short).await, ("half".to_owned(), Err(BodyError::Cut)));
}

#[tokio::test]
async fn a_chunked_body_without_its_last_chunk_is_cut() {
    for script in [
        &[Read, Write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n")][..],
        &[Read, Write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\nhalf")],
        &[Read, Write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n")],
        &[Read, Write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n")],
    ] {
        assert_eq!(body(patient(), script).await, ("half".to_owned(), Err(BodyError::Cut)));
    }
}

#[tokio::test]
async fn no_bytes_for_too_long_is_a_time_out_and_closes_the_connection() {
    let hurried = Settings { between_bytes_timeout: SHORT, ..patient() };
    let stalled = &[Read, Write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"), AwaitClose];
    assert_eq!(body(hurried, stalled).await, ("half".to_owned(), Err(BodyError::TimedOut)));
    let bare = &[Read, Write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"), AwaitClose];
    assert_eq!(body(hurried, bare).await, (String::new(), Err(BodyError::TimedOut)));
}

#[tokio::test]
async fn asking_again_and_again_does_not_put_the_time_out_off() {
    let hurried = Settings { between_bytes_timeout: SHORT, ..patient() };
    let stalled = &[Read, Write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"), AwaitClose];
    let provider = Provider::start(&[stalled]).await;
    let mut answer = send(&transport(hurried), &provider.origin()).await.unwrap();
    let mut end = None;
    for _ in 0..30 {
        // As a caller does that has other things to wait for as well.
        end = tokio::time::timeout(SHORT / 3, answer.body.chunk()).await.ok();
        if end.is_some() {
            break;
        }
    }
    assert_eq!(end, Some(Err(BodyError::TimedOut)));
}

#[tokio::test]
async fn a_body_that_keeps_coming_may_take_longer_than_the_time_between_bytes() {
    const PAUSE: Step = Step::Pause(Duration::from_millis(50));
    let unhurried = Settings { between_bytes_timeout: Duration::from_millis(250), ..patient() };
    let steady = &[
        Read,
        Write("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n"),
        PAUSE,
        Write("a"),
        PAUSE,
        Write("b"),
        PAUSE,
        Write("c"),
        PAUSE,
        Write("d"),
        PAUSE,
        Write("e"),
        PAUSE,
        Write("f"),
    ];
    assert_eq!(body(unhurried, steady).await, ("abcdef".to_owned(), Ok(())));
}
