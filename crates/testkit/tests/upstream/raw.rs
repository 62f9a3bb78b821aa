//! Requests written to a socket by hand, and every byte that comes back.
//! What a broken answer looks like cannot be seen through an HTTP library.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A connection on which a chat request has been sent.
pub(crate) struct Exchange {
    stream: TcpStream,
}

/// The body of a request for `model`, its own members added.
pub(crate) fn body(model: &str, extras: &Value) -> Value {
    let mut body = json!({ "model": model, "messages": [{ "role": "user", "content": "Hello" }] });
    for (name, value) in extras.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    body
}

/// The extras of a request for a stream with its usage.
pub(crate) fn stream() -> Value {
    json!({ "stream": true, "stream_options": { "include_usage": true } })
}

impl Exchange {
    pub(crate) async fn send(address: SocketAddr, body: &Value) -> Exchange {
        Exchange::post(address, "/v1/chat/completions", body).await
    }

    pub(crate) async fn post(address: SocketAddr, path: &str, body: &Value) -> Exchange {
        let body = body.to_string();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: fake\r\nx-mark: 7\r\n\
             connection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        Exchange::open(address, &format!("{head}{body}")).await
    }

    pub(crate) async fn get(address: SocketAddr, path: &str) -> Exchange {
        let head = format!("GET {path} HTTP/1.1\r\nhost: fake\r\nconnection: close\r\n\r\n");
        Exchange::open(address, &head).await
    }

    async fn open(address: SocketAddr, request: &str) -> Exchange {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        stream.write_all(request.as_bytes()).await.expect("a request sent");
        Exchange { stream }
    }

    /// All bytes until the connection closes; a reset is a close.
    pub(crate) async fn read(mut self) -> String {
        let mut bytes = Vec::new();
        let _ = self.stream.read_to_end(&mut bytes).await;
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The bytes up to and with `end`.
    pub(crate) async fn read_until(&mut self, end: &str) -> String {
        let mut bytes = Vec::new();
        while !bytes.ends_with(end.as_bytes()) {
            bytes.push(self.stream.read_u8().await.expect("more of the answer"));
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Sends a request and reads all that comes back.
pub(crate) async fn exchange(address: SocketAddr, model: &str, extras: &Value) -> String {
    Exchange::send(address, &body(model, extras)).await.read().await
}

/// What follows the head of an answer.
pub(crate) fn content(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").expect("a head").1
}
