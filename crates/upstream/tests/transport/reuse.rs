//! Which connection a request goes over, and that a dead one costs nothing.

use std::{
    io::{BufRead, BufReader, Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::mpsc,
    thread,
    time::Duration,
};

use upstream::transport::Settings;

use crate::provider::{
    AwaitClose, Event, Provider, Read, Step, Write, call, fetch, finish, origin, patient, send,
    transport,
};

const OK: Step = Write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");

#[tokio::test]
async fn an_answer_read_to_its_end_gives_its_connection_to_the_next_request() {
    let mut provider = Provider::start(&[&[Read, OK, Read, OK, Read, OK]]).await;
    let (transport, origin) = (transport(patient()), provider.origin());
    for _ in 0..3 {
        assert_eq!(fetch(&transport, &origin).await, "ok");
    }
    assert_eq!(provider.requests_so_far(), [0, 0, 0]);
}

#[tokio::test]
async fn the_last_bytes_are_the_end_where_the_length_is_known() {
    let mut provider = Provider::start(&[&[Read, OK, Read, OK], &[Read, OK]]).await;
    let (transport, origin) = (transport(patient()), provider.origin());
    let mut answer = send(&transport, &origin).await.unwrap();
    assert_eq!(answer.body.chunk().await.unwrap().unwrap(), "ok");
    drop(answer);
    fetch(&transport, &origin).await;
    assert_eq!(provider.requests_so_far(), [0, 0]);
}

#[tokio::test]
async fn an_answer_without_a_body_gives_its_connection_back_at_once() {
    let empty = &[Read, Write("HTTP/1.1 204 No Content\r\n\r\n"), Read, OK];
    let mut provider = Provider::start(&[empty, &[Read, OK]]).await;
    let (transport, origin) = (transport(patient()), provider.origin());
    drop(send(&transport, &origin).await.unwrap());
    fetch(&transport, &origin).await;
    assert_eq!(provider.requests_so_far(), [0, 0]);
}

#[tokio::test]
async fn an_answer_dropped_before_its_end_closes_its_connection() {
    let long = &[Read, Write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"), AwaitClose];
    let mut provider = Provider::start(&[long, &[Read, OK]]).await;
    let (transport, origin) = (transport(patient()), provider.origin());
    let mut answer = send(&transport, &origin).await.unwrap();
    assert_eq!(answer.body.chunk().await.unwrap().unwrap(), "half");
    drop(answer);
    provider.until(&Event::Closed(0)).await;
    fetch(&transport, &origin).await;
    assert_eq!(provider.request().await.0, 1);
}

#[tokio::test]
async fn a_send_given_up_closes_its_connection() {
    let mut provider = Provider::start(&[&[Read, AwaitClose], &[Read, OK]]).await;
    let (transport, origin) = (transport(patient()), provider.origin());
    tokio::select! {
        _ = send(&transport, &origin) => panic!("no answer was written"),
        _ = provider.request() => {}
    }
    provider.until(&Event::Closed(0)).await;
    fetch(&transport, &origin).await;
    assert_eq!(provider.request().await.0, 1);
}

#[tokio::test]
async fn an_answer_before_the_whole_request_does_not_give_its_connection_back() {
    // 8 MiB are more than the sockets between them hold, and they are read only once the answer is there.
    let early = &[
        Step::ReadHead,
        Write("HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\n\r\nbig"),
        AwaitClose,
    ];
    let mut provider = Provider::start(&[early, &[Read, OK]]).await;
    let (transport, origin) = (transport(patient()), provider.origin());
    let mut call = call(&origin);
    call.body = vec![vec![b'x'; 8 << 20].into()];
    let answer = transport.send(&ledger::Dispatched::for_test(), call).await.unwrap();
    assert_eq!(answer.status, 413);
    assert_eq!(finish(answer).await, "big");
    provider.until(&Event::Closed(0)).await;
    fetch(&transport, &origin).await;
    assert_eq!(provider.request().await.0, 1);
}

#[tokio::test]
async fn an_upload_ends_with_the_answer_that_came_before_its_end() {
    const BODY_BYTES: usize = 32 << 20;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (go_on, going_on) = mpsc::channel::<()>();
    let provider = tokio::task::spawn_blocking(move || {
        let mut stream = listener.accept().unwrap().0;
        read_head(&mut BufReader::new(stream.try_clone().unwrap()));
        stream
            .write_all(b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 3\r\n\r\nbig")
            .unwrap();
        going_on.recv().unwrap();
        std::io::copy(&mut stream, &mut std::io::sink()).unwrap_or(0)
    });
    let (transport, origin) = (transport(patient()), origin(&format!("http://127.0.0.1:{port}")));
    let mut call = call(&origin);
    call.body = vec![vec![b'x'; BODY_BYTES].into()];
    let answer = transport.send(&ledger::Dispatched::for_test(), call).await.unwrap();
    assert_eq!(finish(answer).await, "big");
    go_on.send(()).unwrap();
    let read_bytes = provider.await.unwrap();
    assert!(read_bytes < BODY_BYTES as u64 / 2, "{read_bytes} bytes were sent for nothing");
}

#[tokio::test]
async fn bytes_after_the_answer_end_the_connection() {
    for leftover in ["x", "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison"] {
        let text = format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok{leftover}");
        let script = Vec::leak(vec![Read, Write(String::leak(text)), AwaitClose]);
        let mut provider = Provider::start(&[script, &[Read, OK]]).await;
        let (transport, origin) = (transport(patient()), provider.origin());
        assert_eq!(fetch(&transport, &origin).await, "ok");
        assert_eq!(fetch(&transport, &origin).await, "ok");
        assert_eq!(provider.request().await.0, 0);
        assert_eq!(provider.request().await.0, 1);
    }
}

#[tokio::test]
async fn connection_close_is_obeyed() {
    let last = &[
        Read,
        Write("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"),
        AwaitClose,
    ];
    let mut provider = Provider::start(&[last, &[Read, OK]]).await;
    let (transport, origin) = (transport(patient()), provider.origin());
    assert_eq!(fetch(&transport, &origin).await, "ok");
    provider.until(&Event::Closed(0)).await;
    assert_eq!(fetch(&transport, &origin).await, "ok");
    assert_eq!(provider.request().await.0, 1);
}

#[tokio::test]
async fn a_kept_connection_that_the_provider_closed_is_replaced() {
    let mut provider = Provider::start(&[&[Read, OK], &[Read, OK]]).await;
    let (transport, origin) = (transport(patient()), provider.origin());
    fetch(&transport, &origin).await;
    provider.until(&Event::Finished(0)).await;
    assert_eq!(fetch(&transport, &origin).await, "ok");
    assert_eq!(provider.request().await.0, 1);
}

#[tokio::test]
async fn all_kept_connections_closed_at_once_cost_one_new_one() {
    let mut provider = Provider::start(&[&[Read, OK], &[Read, OK], &[Read, OK]]).await;
    let (transport, origin) = (transport(patient()), provider.origin());
    let first = send(&transport, &origin).await.unwrap();
    let second = send(&transport, &origin).await.unwrap();
    finish(first).await;
    finish(second).await;
    provider.until(&Event::Finished(0)).await;
    provider.until(&Event::Finished(1)).await;
    assert_eq!(fetch(&transport, &origin).await, "ok");
    assert_eq!(provider.request().await.0, 2);
}

/// The runtime has not looked at its sockets since: only the kernel knows that this one is closed.
#[tokio::test]
async fn a_close_that_a_busy_worker_has_not_seen_is_found_before_the_request_is_written() {
    let farewell = "HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n";
    for parting in ["", farewell] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (close, closing) = mpsc::channel::<()>();
        let (closed, seen) = mpsc::channel();
        let provider = thread::spawn(move || {
            let mut first = listener.accept().unwrap().0;
            serve(&mut first);
            closing.recv().unwrap();
            first.write_all(parting.as_bytes()).unwrap();
            first.shutdown(Shutdown::Write).unwrap();
            closed.send(()).unwrap();
            serve(&mut listener.accept().unwrap().0);
            // A reset is a close too.
            first.read(&mut [0; 64]).unwrap_or(0)
        });
        let (transport, origin) =
            (transport(patient()), origin(&format!("http://127.0.0.1:{port}")));
        assert_eq!(fetch(&transport, &origin).await, "ok");
        close.send(()).unwrap();
        // This blocks the whole runtime, as a busy worker does.
        seen.recv().unwrap();
        assert_eq!(fetch(&transport, &origin).await, "ok");
        assert_eq!(provider.join().unwrap(), 0, "bytes written to the closed connection");
    }
}

/// Reads the head of one request, and its body of 13 bytes, and answers.
fn serve(stream: &mut TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    read_head(&mut reader);
    reader.read_exact(&mut [0; 13]).unwrap();
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").unwrap();
}

fn read_head(reader: &mut BufReader<TcpStream>) {
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        reader.read_line(&mut line).unwrap();
    }
}

#[tokio::test]
async fn the_latest_used_connection_goes_first() {
    let script: &[Step] = &[Read, OK, Read, OK, Read, OK];
    let mut provider = Provider::start(&[script, script]).await;
    let (transport, origin) = (transport(patient()), provider.origin());
    let first = send(&transport, &origin).await.unwrap();
    let second = send(&transport, &origin).await.unwrap();
    finish(second).await;
    finish(first).await;
    fetch(&transport, &origin).await;
    fetch(&transport, &origin).await;
    assert_eq!(provider.requests_so_far(), [0, 1, 0, 0]);
}

#[tokio::test]
async fn a_connection_unused_for_too_long_is_not_used_again_but_closed() {
    let brief = Settings { idle_timeout: Duration::from_millis(20), ..patient() };
    let mut provider = Provider::start(&[&[Read, OK, AwaitClose], &[Read, OK]]).await;
    let (transport, origin) = (transport(brief), provider.origin());
    fetch(&transport, &origin).await;
    // Nobody sends meanwhile.
    provider.until(&Event::Closed(0)).await;
    fetch(&transport, &origin).await;
    assert_eq!(provider.request().await.0, 1);
}

#[tokio::test]
async fn a_connection_unused_for_too_long_is_not_used_though_nobody_has_closed_it_yet() {
    let brief = Settings { idle_timeout: Duration::from_millis(20), ..patient() };
    let mut provider = Provider::start(&[&[Read, OK, Read, OK], &[Read, OK]]).await;
    let (transport, origin) = (transport(brief), provider.origin());
    fetch(&transport, &origin).await;
    // This blocks the whole runtime, the task that would have closed it included.
    thread::sleep(Duration::from_millis(21));
    fetch(&transport, &origin).await;
    assert_eq!(provider.requests_so_far(), [0, 1]);
}

#[tokio::test]
async fn the_bound_on_unused_connections_closes_the_longest_unused() {
    let one = Settings { idle_connections_max: 1, ..patient() };
    let script: &[Step] = &[Read, OK, AwaitClose];
    let mut provider = Provider::start(&[script, &[Read, OK, Read, OK]]).await;
    let (transport, origin) = (transport(one), provider.origin());
    let first = send(&transport, &origin).await.unwrap();
    let second = send(&transport, &origin).await.unwrap();
    finish(first).await;
    finish(second).await;
    provider.until(&Event::Closed(0)).await;
    fetch(&transport, &origin).await;
    assert_eq!(provider.request().await.0, 1);
}

#[tokio::test]
async fn none_are_kept_where_none_may_be() {
    let none = Settings { idle_connections_max: 0, ..patient() };
    let mut provider = Provider::start(&[&[Read, OK, AwaitClose]]).await;
    fetch(&transport(none), &provider.origin()).await;
    provider.until(&Event::Closed(0)).await;
}

#[tokio::test]
async fn origins_do_not_share_connections() {
    let mut provider = Provider::start(&[&[Read, OK, Read], &[Read, OK]]).await;
    let transport = transport(patient());
    let by_address = provider.origin();
    let by_name = origin(&by_address.to_string().replace("127.0.0.1", "localhost"));
    fetch(&transport, &by_address).await;
    fetch(&transport, &by_name).await;
    assert_eq!(provider.requests_so_far(), [0, 1]);
}

#[test]
fn a_transport_may_be_used_from_tasks_that_move() {
    fn movable<T: Send>(_: &T) {}
    let transport = transport(patient());
    let proof = ledger::Dispatched::for_test();
    movable(&transport);
    movable(&transport.send(&proof, call(&origin("http://localhost"))));
}
