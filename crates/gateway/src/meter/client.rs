//! The client's end of a call: the answer's head until it is decided, then its body.
//! A client that takes no bytes for a while counts as gone (DESIGN "Bounds").

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use http_body::Frame;
use tokio::sync::{mpsc, oneshot};

use crate::http::error::ApiError;

/// Frames on their way to a client that reads slower than its provider writes.
const FRAMES_MAX: usize = 8;

/// The answer ends here, before its last byte: the connection is closed.
#[derive(Debug, thiserror::Error)]
#[error("the answer was ended before its last byte")]
pub(super) struct Ended;

/// The client of one call.
pub(super) struct Client {
    id: HeaderValue,
    stall: Duration,
    state: State,
}

enum State {
    /// Nothing was sent.
    Waiting(oneshot::Sender<Response>),
    /// The head was sent; frames follow.
    Reading(mpsc::Sender<Result<Bytes, Ended>>),
    Gone,
}

impl Client {
    /// A client that waits for the answer of generation `id`.
    pub(super) fn new(id: &str, stall: Duration) -> (Client, oneshot::Receiver<Response>) {
        let (head, response) = oneshot::channel();
        let id = HeaderValue::from_str(id).unwrap_or(HeaderValue::from_static(""));
        (Client { id, stall, state: State::Waiting(head) }, response)
    }

    /// Whether no byte was sent yet, so that the status can still be anything.
    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting(_))
    }

    /// Whether it has left.
    pub(super) fn is_gone(&self) -> bool {
        match &self.state {
            State::Waiting(head) => head.is_closed(),
            State::Reading(frames) => frames.is_closed(),
            State::Gone => true,
        }
    }

    /// Returns once it has left.
    pub(super) async fn gone(&mut self) {
        match &mut self.state {
            State::Waiting(head) => head.closed().await,
            State::Reading(frames) => frames.closed().await,
            State::Gone => {}
        }
    }

    /// Sends the head of an answer whose body follows.
    pub(super) fn begin(&mut self, content_type: &'static str) {
        let (frames, body) = mpsc::channel(FRAMES_MAX);
        let response = self.response(content_type, Body::new(FrameBody(body)));
        self.answer(response, State::Reading(frames));
    }

    /// Sends a part of the body; `false` where the client has left.
    pub(super) async fn send(&mut self, bytes: Bytes) -> bool {
        let State::Reading(frames) = &self.state else { return false };
        if bytes.is_empty() {
            return true;
        }
        let sent = match frames.try_send(Ok(bytes)) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Full(frame)) => {
                frames.send_timeout(frame, self.stall).await.is_ok()
            }
            Err(mpsc::error::TrySendError::Closed(_)) => false,
        };
        if !sent {
            self.state = State::Gone;
        }
        sent
    }

    /// Sends a whole answer at once.
    pub(super) fn finish_with(&mut self, content_type: &'static str, body: Bytes) {
        let response = self.response(content_type, Body::from(body));
        self.answer(response, State::Gone);
    }

    /// Sends an error in the place of the answer.
    pub(super) fn refuse(&mut self, error: ApiError) {
        let mut response = error.into_response();
        response.headers_mut().insert(GENERATION_ID, self.id.clone());
        self.answer(response, State::Gone);
    }

    /// Ends the answer: its last byte was sent.
    pub(crate) fn end(&mut self) {
        self.state = State::Gone;
    }

    /// Ends the answer before its last byte.
    pub(super) async fn cut(&mut self) {
        if let State::Reading(frames) = std::mem::replace(&mut self.state, State::Gone) {
            // A client that has left needs no telling.
            let _ = frames.send_timeout(Err(Ended), self.stall).await;
        }
    }

    fn answer(&mut self, response: Response, next: State) {
        if let State::Waiting(head) = std::mem::replace(&mut self.state, next)
            && head.send(response).is_err()
        {
            self.state = State::Gone;
        }
    }

    fn response(&self, content_type: &'static str, body: Body) -> Response {
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::OK;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(GENERATION_ID, self.id.clone());
        response
    }
}

const GENERATION_ID: HeaderName = HeaderName::from_static("x-generation-id");

struct FrameBody(mpsc::Receiver<Result<Bytes, Ended>>);

impl http_body::Body for FrameBody {
    type Data = Bytes;
    type Error = Ended;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Ended>>> {
        self.0.poll_recv(context).map(|frame| frame.map(|bytes| bytes.map(Frame::data)))
    }
}

/// The answer to a client whose call's task ended without one, which only a panic can bring about.
pub(super) fn abandoned(gone: oneshot::error::RecvError) -> Response {
    ApiError::internal(gone).into_response()
}
