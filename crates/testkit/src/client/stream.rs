//! A chat stream, event by event, each chunk held against the contract as it comes.
//! Dropping it closes the connection: that is how a test's client leaves midway.

use std::io;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::answer::{Answer, exact, violated};
use super::within;
use crate::contract;

/// One event of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// `data:` with this JSON.
    Chunk(String),
    /// `data: [DONE]`.
    Done,
    /// A comment, as kept-alive streams have them.
    Comment(String),
}

/// An answer to a streaming request whose head is here.
#[derive(Debug)]
pub struct ChatStream {
    /// Its status code.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    base: String,
    body: Incoming,
    unread: Vec<u8>,
}

impl Event {
    /// The JSON text at a pointer of a chunk, exactly as it was sent; of no other event.
    pub fn exact(&self, pointer: &str) -> Option<String> {
        match self {
            Event::Chunk(data) => exact(data, pointer),
            Event::Done | Event::Comment(_) => None,
        }
    }
}

impl ChatStream {
    pub(super) fn new(base: String, response: Response<Incoming>) -> ChatStream {
        let (head, body) = response.into_parts();
        let (status, headers) = (head.status.as_u16(), head.headers);
        ChatStream { status, headers, base, body, unread: Vec::new() }
    }

    /// Whether this is a stream at all; else it is an [`Answer`](ChatStream::into_answer).
    pub fn is_stream(&self) -> bool {
        let content_type = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        content_type.is_some_and(|value| value.starts_with("text/event-stream"))
    }

    /// The next event, `None` at the end of the body.
    ///
    /// A body that ends within an event is [`io::ErrorKind::UnexpectedEof`].
    ///
    /// # Panics
    /// Where the event breaks the contract, or this is no stream.
    pub async fn next(&mut self) -> io::Result<Option<Event>> {
        assert!(self.is_stream(), "status {} is no stream", self.status);
        loop {
            if let Some(end) = self.unread.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.unread.drain(..end + 2).collect();
                return Ok(Some(read(&block)));
            }
            let frame =
                within(async { self.body.frame().await.transpose().map_err(io::Error::other) });
            match frame.await? {
                Some(frame) => {
                    let data = frame.into_data().unwrap_or_default();
                    self.unread.extend_from_slice(&data);
                }
                None if self.unread.is_empty() => return Ok(None),
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
    }

    /// All events from here to the end of the body.
    pub async fn rest(mut self) -> io::Result<Vec<Event>> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await? {
            events.push(event);
        }
        Ok(events)
    }

    /// The whole answer where it is no stream: an error, as a rule.
    ///
    /// # Panics
    /// Where it breaks the contract, or is a stream.
    pub async fn into_answer(self) -> io::Result<Answer> {
        assert!(!self.is_stream(), "status {} is a stream", self.status);
        let body: Bytes = super::collect(self.body).await?;
        let answer = Answer { status: self.status, headers: self.headers, body };
        answer.check("POST", &format!("{}/chat/completions", self.base));
        Ok(answer)
    }
}

fn read(block: &[u8]) -> Event {
    let text = std::str::from_utf8(block).expect("a stream of UTF-8").trim_end();
    match text.strip_prefix("data: ") {
        Some("[DONE]") => Event::Done,
        Some(data) => {
            violated(contract::check_chunk(data));
            Event::Chunk(data.to_owned())
        }
        None => match text.strip_prefix(':') {
            Some(comment) => Event::Comment(comment.trim_start().to_owned()),
            None => panic!("neither data nor a comment: {text:?}"),
        },
    }
}
