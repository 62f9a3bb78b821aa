//! Out through a proxy: what it is told, what it is not, and what its refusal means.

use std::error::Error;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
};
use upstream::transport::{Proxy, SendError, Tls, Transport};

use crate::provider::{Provider, Read, Step, Write, fetch, origin, patient, send};
use crate::tls::{certificate, trusting};

const OK: Step = Write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
const JOINED: &str = "HTTP/1.1 200 Connection established\r\nvia: a proxy\r\n\r\n";

/// A proxy that answers each CONNECT so, joins what it then gets to the same port of this machine,
/// and reports each head.
async fn proxy(answer: &'static str) -> (u16, UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (report, heads) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let report = report.clone();
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(client.read_u8().await.unwrap());
                }
                let head = String::from_utf8(head).unwrap();
                let to = head.split([' ', ':']).nth(2).unwrap().parse::<u16>().unwrap();
                report.send(head).unwrap();
                client.write_all(answer.as_bytes()).await.unwrap();
                if answer == JOINED {
                    let mut provider = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
                    let _ = copy_bidirectional(&mut client, &mut provider).await;
                }
            });
        }
    });
    (port, heads)
}

fn through(transport: Transport, user: &str, port: u16) -> Transport {
    let proxy = Proxy::parse(&format!("http://{user}127.0.0.1:{port}"), &[]).unwrap();
    transport.through(proxy)
}

fn plain() -> Transport {
    Transport::new(patient(), Tls::new(None).unwrap())
}

#[tokio::test]
async fn a_provider_is_reached_by_its_name_through_a_tunnel_that_is_kept() {
    let mut provider = Provider::start(&[&[Read, OK, Read, OK]]).await;
    let (port, mut heads) = proxy(JOINED).await;
    let transport = through(plain(), "me:secret@", port);
    let to = format!("provider.test:{}", provider.port());
    let origin = origin(&format!("http://{to}/v1"));
    assert_eq!(fetch(&transport, &origin).await, "ok");
    assert_eq!(fetch(&transport, &origin).await, "ok");
    let head = heads.recv().await.unwrap();
    assert_eq!(
        head,
        format!(
            "CONNECT {to} HTTP/1.1\r\nHost: {to}\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n"
        )
    );
    assert!(heads.try_recv().is_err(), "one tunnel served both");
    let (_, request) = provider.request().await;
    assert!(!request.to_lowercase().contains("proxy-authorization"), "{request}");
    assert!(request.to_lowercase().contains(&format!("host: {to}")), "{request}");
}

#[tokio::test]
async fn tls_is_agreed_on_with_the_provider_and_not_with_the_proxy() {
    let (pem, acceptor) = certificate("provider.test", "http/1.1");
    let provider = Provider::start_tls(&[&[Read, OK]], acceptor).await;
    let (port, mut heads) = proxy(JOINED).await;
    let transport = through(trusting(&pem), "", port);
    let to = format!("provider.test:{}", provider.port());
    assert_eq!(fetch(&transport, &origin(&format!("https://{to}/v1"))).await, "ok");
    let head = heads.recv().await.unwrap();
    assert_eq!(head, format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n\r\n"));
}

#[tokio::test]
async fn a_proxy_that_refuses_means_that_nothing_was_sent() {
    for (answer, problem) in [
        ("HTTP/1.1 407 Who are you\r\n\r\n", "the proxy wants a user name and password (407)"),
        ("HTTP/1.1 403 No\r\n\r\n", "the proxy refused the connection with 403"),
        ("SSH-2.0-x\r\n\r\n", "the proxy's answer is not HTTP"),
        ("HTTP/1.1 200 OK\r\n", "the proxy closed the connection"),
    ] {
        let (port, _heads) = proxy(answer).await;
        let transport = through(plain(), "", port);
        let refused = send(&transport, &origin("http://provider.test:81/v1")).await.map(|_| ());
        let error = refused.unwrap_err();
        assert!(matches!(error, SendError::NotSent { .. }), "{error:?}");
        assert_eq!(error.source().unwrap().to_string(), problem);
    }
}

#[tokio::test]
async fn what_is_on_this_machine_is_reached_directly() {
    let provider = Provider::start(&[&[Read, OK]]).await;
    let (port, mut heads) = proxy(JOINED).await;
    assert_eq!(fetch(&through(plain(), "", port), &provider.origin()).await, "ok");
    assert!(heads.try_recv().is_err());
}
