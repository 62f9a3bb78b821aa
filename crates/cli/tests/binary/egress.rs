//! Providers behind a proxy: what the server is told to go through, it goes through.

use serde_json::json;
use testkit::FakeUpstream;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::unbounded_channel;

use crate::world::{Form, World, builder, model, provider};

#[tokio::test]
async fn a_provider_that_only_the_proxy_knows_is_reached_through_it() {
    let upstream = FakeUpstream::start().await;
    let known = upstream.address();
    let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = proxy.local_addr().unwrap();
    let (report, mut heads) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = proxy.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(client.read_u8().await.unwrap());
            }
            report.send(String::from_utf8(head).unwrap()).unwrap();
            tokio::spawn(async move {
                client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                let mut provider = TcpStream::connect(known).await.unwrap();
                let _ = copy_bidirectional(&mut client, &mut provider).await;
            });
        }
    });
    let named = provider(&upstream, "").replace("127.0.0.1", "provider.test");
    let tollgate = builder()
        .env("TOLLGATE_EGRESS__PROXY", format!("http://me:secret@{address}"))
        .config(&named)
        .config(&model("small"))
        .start()
        .await;
    let world = World { upstream, tollgate };
    let key = world.key(json!({})).await;
    world.ask(&key, "small", Form::Json, None).await.unwrap().paid();
    let head = heads.recv().await.unwrap();
    let first = format!("CONNECT provider.test:{} HTTP/1.1\r\n", known.port());
    assert!(head.starts_with(&first) && head.contains("Basic bWU6c2VjcmV0\r\n"), "{head}");
    let log = world.tollgate.log();
    assert!(!log.contains("secret") && !log.contains("bWU6c2VjcmV0"), "{log}");
    world.audit().await;
}
