//! A server that says what a test wrote down, byte by byte, and keeps what it was asked.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tollgate::{Client, ClientBuilder, Retries};

/// What the server does with one request.
#[derive(Clone)]
pub(crate) enum Script {
    /// It says this and closes the connection.
    Say(String),
    /// It says this and then nothing more, ever.
    Stall(String),
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// `METHOD /path?query`.
    pub(crate) line: String,
    /// The headers, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut named = self.headers.iter().filter(|(known, _)| known == name);
        named.next().map(|(_, value)| value.as_str())
    }
}

#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// A server that answers its first request by the first script, and so on; the last one
    /// answers all that follow.
    pub(crate) async fn start(scripts: Vec<Script>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/api/v1", listener.local_addr().unwrap());
        let server = Server { url, asked: Arc::default() };
        let asked = Arc::clone(&server.asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (asked, scripts) = (Arc::clone(&asked), scripts.clone());
                tokio::spawn(async move { answer(stream, &asked, &scripts).await });
            }
        });
        server
    }

    /// One that answers every request with that status, those headers and that body.
    pub(crate) async fn saying(status: u16, headers: &str, body: &str) -> Server {
        Server::start(vec![Script::Say(response(status, headers, body))]).await
    }

    /// A client of it that waits a millisecond between tries.
    pub(crate) fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        let soon = Retries::default().wait_first(std::time::Duration::from_millis(1));
        Client::builder().base_url(&self.url).api_key("sk-or-v1-test").retries(soon)
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

/// A whole answer.
pub(crate) fn response(status: u16, headers: &str, body: &str) -> String {
    let kind =
        if headers.contains("content-type") { "" } else { "content-type: application/json\r\n" };
    let length = body.len();
    format!(
        "HTTP/1.1 {status} x\r\n{kind}{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

async fn answer(mut stream: TcpStream, asked: &Mutex<Vec<Asked>>, scripts: &[Script]) {
    let Some(request) = read(&mut stream).await else { return };
    let number = {
        let mut asked = asked.lock().unwrap();
        asked.push(request);
        asked.len() - 1
    };
    let (text, is_stalled) = match &scripts[number.min(scripts.len() - 1)] {
        Script::Say(text) => (text, false),
        Script::Stall(text) => (text, true),
    };
    let _ = stream.write_all(text.as_bytes()).await;
    if is_stalled {
        // Until the client goes away.
        let _ = stream.read(&mut [0]).await;
    }
}

async fn read(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let mut lines = head.split("\r\n");
            let line = lines.next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
            let headers: Vec<(String, String)> = lines
                .map(|line| line.split_once(": ").unwrap())
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect();
            let asked = Asked { line, headers, body: String::new() };
            let length = asked.header("content-length").map_or(0, |length| length.parse().unwrap());
            while bytes.len() < end + 4 + length {
                if stream.read_buf(&mut bytes).await.ok()? == 0 {
                    return None;
                }
            }
            let body = String::from_utf8(bytes[end + 4..].to_vec()).unwrap();
            return Some(Asked { body, ..asked });
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
