//! A small HTTP client for tests that holds every answer against the contract by itself.
//! One connection a request: dropping what it returns closes it, and nothing is ever retried.

mod answer;
mod stream;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

pub use answer::Answer;
pub use stream::{ChatStream, Event};

/// The longest a test waits for a head, for a whole body, or for the next event of a stream.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// A client of one server, below one path.
///
/// Answers of the API that break its contract panic, as [`Client::request`] says. What fails on the
/// wire (refused, cut, not answered within a minute) is an [`io::Error`], for tests that expect it.
#[derive(Debug, Clone)]
pub struct Client {
    address: SocketAddr,
    base: String,
}

impl Client {
    /// A client of the API at that address, below `/api/v1`.
    pub fn new(address: SocketAddr) -> Client {
        Client { address, base: "/api/v1".to_owned() }
    }

    /// The same server below another path: `/v1`, or an empty one for `/health` and its like.
    pub fn below(&self, base: &str) -> Client {
        Client { address: self.address, base: base.to_owned() }
    }

    /// Gets `path` (below the base, with its query) as the holder of `key`.
    pub async fn get<'a>(&self, key: impl Into<Option<&'a str>>, path: &str) -> io::Result<Answer> {
        self.send(Method::GET, key.into(), path, None).await
    }

    /// Deletes `path`.
    pub async fn delete<'a>(
        &self,
        key: impl Into<Option<&'a str>>,
        path: &str,
    ) -> io::Result<Answer> {
        self.send(Method::DELETE, key.into(), path, None).await
    }

    /// Posts `body` to `path`.
    pub async fn post<'a>(
        &self,
        key: impl Into<Option<&'a str>>,
        path: &str,
        body: &Value,
    ) -> io::Result<Answer> {
        self.send(Method::POST, key.into(), path, Some(body)).await
    }

    /// Patches `path` with `body`.
    pub async fn patch<'a>(
        &self,
        key: impl Into<Option<&'a str>>,
        path: &str,
        body: &Value,
    ) -> io::Result<Answer> {
        self.send(Method::PATCH, key.into(), path, Some(body)).await
    }

    /// Puts `body` at `path`.
    pub async fn put<'a>(
        &self,
        key: impl Into<Option<&'a str>>,
        path: &str,
        body: &Value,
    ) -> io::Result<Answer> {
        self.send(Method::PUT, key.into(), path, Some(body)).await
    }

    /// One chat completion of `model` for the message "Hello", read to its last byte.
    ///
    /// The members of `extras`, an object, are added to the body and replace its own.
    pub async fn chat<'a>(
        &self,
        key: impl Into<Option<&'a str>>,
        model: &str,
        extras: &Value,
    ) -> io::Result<Answer> {
        self.post(key, "/chat/completions", &chat_body(model, extras)).await
    }

    /// The same as a stream, returned when its head is here.
    pub async fn chat_stream<'a>(
        &self,
        key: impl Into<Option<&'a str>>,
        model: &str,
        extras: &Value,
    ) -> io::Result<ChatStream> {
        let mut body = chat_body(model, extras);
        body["stream"] = Value::Bool(true);
        let request = self.prepare(Method::POST, key.into(), "/chat/completions", Some(&body));
        Ok(ChatStream::new(self.base.clone(), self.open(request).await?))
    }

    /// Embeddings of `input` by `model`, read to their last byte; `extras` as for a chat.
    pub async fn embeddings<'a>(
        &self,
        key: impl Into<Option<&'a str>>,
        model: &str,
        input: &Value,
        extras: &Value,
    ) -> io::Result<Answer> {
        let body = with_extras(json!({ "model": model, "input": input }), extras);
        self.post(key, "/embeddings", &body).await
    }

    /// Sends any request to the server, its path taken as it stands, and reads the whole answer.
    ///
    /// # Panics
    /// Where the path is below `/api/v1` or `/v1` and the answer breaks the contract: an operation
    /// of the document against its schema, any other path's errors against the envelope.
    pub async fn request(&self, request: Request<Full<Bytes>>) -> io::Result<Answer> {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self.open(request).await?;
        let answer = Answer::read(response).await?;
        answer.check(method.as_str(), &path);
        Ok(answer)
    }

    async fn send(
        &self,
        method: Method,
        key: Option<&str>,
        path: &str,
        body: Option<&Value>,
    ) -> io::Result<Answer> {
        self.request(self.prepare(method, key, path, body)).await
    }

    fn prepare(
        &self,
        method: Method,
        key: Option<&str>,
        path: &str,
        body: Option<&Value>,
    ) -> Request<Full<Bytes>> {
        let text = body.map_or(String::new(), Value::to_string);
        let mut request = Request::new(Full::new(Bytes::from(text)));
        *request.method_mut() = method;
        *request.uri_mut() = format!("{}{path}", self.base).parse().expect("a path");
        if body.is_some() {
            let json = HeaderValue::from_static("application/json");
            request.headers_mut().insert(CONTENT_TYPE, json);
        }
        if let Some(key) = key {
            let bearer = HeaderValue::try_from(format!("Bearer {key}")).expect("a key's text");
            request.headers_mut().insert(AUTHORIZATION, bearer);
        }
        request
    }

    /// Sends the request on a connection of its own, which lives as long as the answer's body.
    async fn open(&self, mut request: Request<Full<Bytes>>) -> io::Result<Response<Incoming>> {
        let host = HeaderValue::try_from(self.address.to_string()).expect("an address");
        request.headers_mut().entry(HOST).or_insert(host);
        let answered = async {
            let stream = TcpStream::connect(self.address).await?;
            let handshake = http1::handshake(TokioIo::new(stream)).await;
            let (mut sender, connection) = handshake.map_err(io::Error::other)?;
            // It ends with the body or with an error that the body or the sender reports.
            tokio::spawn(connection);
            sender.send_request(request).await.map_err(io::Error::other)
        };
        within(answered).await
    }
}

fn chat_body(model: &str, extras: &Value) -> Value {
    let body = json!({ "model": model, "messages": [{ "role": "user", "content": "Hello" }] });
    with_extras(body, extras)
}

fn with_extras(mut body: Value, extras: &Value) -> Value {
    for (name, value) in extras.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    body
}

async fn within<T>(answered: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(ANSWER_WITHIN, answered).await.map_err(io::Error::from)?
}

async fn collect(body: Incoming) -> io::Result<Bytes> {
    within(async { Ok(body.collect().await.map_err(io::Error::other)?.to_bytes()) }).await
}
