//! The HTTP side of the provider: connections in, plans played out.
//! The routes are the providers': `POST /v1/chat/completions`, `POST /v1/embeddings` and `GET /v1/models`.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::Shared;
use super::body::PlayedBody;
use super::gate::Point;
use super::plan::{Close, Plan};
use super::request::{ChatRequest, EmbeddingsRequest};
use super::socket::{Socket, WriteLimit};
use super::tally::{Answering, Call, Ending};
use super::wire;

/// The largest body read; a larger one breaks the connection.
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How much of a body is kept in the book.
const BODY_KEPT_BYTES_MAX: usize = 64 * 1024;
/// How long to wait where no connection can be accepted.
const ACCEPT_RETRY: Duration = Duration::from_millis(10);
/// How much of a head is sent where it is cut: the status line and the start of a header.
const HEAD_CUT_BYTES: usize = 24;

type AnswerBody = UnsyncBoxBody<Bytes, io::Error>;

/// Serves until told to stop; runs on a runtime of its own, in the caller's thread.
pub(super) fn run(
    shared: &Arc<Shared>,
    address: oneshot::Sender<SocketAddr>,
    stopped: oneshot::Receiver<()>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime for the fake upstream");
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        // A test that no longer waits for the address has dropped `stopped`'s sender too.
        let _ = address.send(listener.local_addr().expect("a bound listener's address"));
        tokio::select! {
            _ = stopped => {}
            () = accept(&listener, shared) => {}
        }
    });
}

async fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, most likely: let connections end before trying again.
            tokio::time::sleep(ACCEPT_RETRY).await;
            continue;
        };
        // Without it events would be sent together; where it fails they still arrive.
        let _ = stream.set_nodelay(true);
        let limit = WriteLimit::none();
        let socket = TokioIo::new(Socket::new(stream, limit.clone()));
        let shared = Arc::clone(shared);
        tokio::spawn(async move {
            let service = service_fn(|request| answer(&shared, &limit, request));
            // A connection that breaks is in the book of the call it broke.
            let _ = http1::Builder::new().serve_connection(socket, service).await;
        });
    }
}

/// An answer, or an error where the connection is to be closed without one.
async fn answer(
    shared: &Arc<Shared>,
    limit: &WriteLimit,
    request: Request<Incoming>,
) -> io::Result<Response<AnswerBody>> {
    match (request.method(), request.uri().path()) {
        (&Method::POST, "/v1/chat/completions" | "/v1/embeddings") => {
            generate(shared, limit, request).await
        }
        (&Method::GET, "/v1/models") => {
            Ok(plain(StatusCode::OK, wire::models(&shared.script.models())))
        }
        (method, path) => {
            let message = format!("no route for {method} {path}");
            Ok(plain(StatusCode::NOT_FOUND, wire::error("invalid_request_error", &message)))
        }
    }
}

async fn generate(
    shared: &Arc<Shared>,
    limit: &WriteLimit,
    request: Request<Incoming>,
) -> io::Result<Response<AnswerBody>> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, BODY_BYTES_MAX).collect().await.map_err(io::Error::other)?;
    let body = body.to_bytes();
    let asked = Asked::read(head.uri.path(), &body);
    let (model, mut answering, plan) = admit(shared, head.headers, &body, &asked);

    shared.gates.pass(&model, Point::Head).await;
    if !plan.pace.before_head.is_zero() {
        tokio::time::sleep(plan.pace.before_head).await;
    }
    match plan.close {
        Some(Close::BeforeHead) => {
            answering.end(Ending::Cut);
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Some(Close::InHead) => limit.cut_after(HEAD_CUT_BYTES),
        Some(Close::AfterPieces) | None => {}
    }
    let mut response = Response::new(());
    *response.status_mut() = plan.status;
    *response.headers_mut() = plan.headers.clone();
    let played = PlayedBody::play(shared, model, plan, answering);
    Ok(response.map(|()| played.boxed_unsync()))
}

/// What a body asks for.
enum Asked {
    Chat(ChatRequest),
    Embeddings(EmbeddingsRequest),
    Nothing(serde_json::Error),
}

impl Asked {
    fn read(path: &str, body: &[u8]) -> Asked {
        let asked = if path.ends_with("/embeddings") {
            serde_json::from_slice(body).map(Asked::Embeddings)
        } else {
            serde_json::from_slice(body).map(Asked::Chat)
        };
        asked.unwrap_or_else(Asked::Nothing)
    }

    fn model(&self) -> &str {
        match self {
            Asked::Chat(request) => &request.model,
            Asked::Embeddings(request) => &request.model,
            Asked::Nothing(_) => "",
        }
    }

    fn is_stream(&self) -> bool {
        matches!(self, Asked::Chat(request) if request.is_stream())
    }
}

/// Enters the request in the book, charged as its behaviour says.
fn admit(
    shared: &Shared,
    headers: http::HeaderMap,
    body: &Bytes,
    asked: &Asked,
) -> (String, Answering, Plan) {
    let model = asked.model().to_owned();
    let behaviour = shared.script.next(&model).shown(&headers);
    let (answering, plan) = shared.tally.open(behaviour.stops_on_disconnect, |sequence| {
        let plan = match asked {
            Asked::Chat(request) => Plan::new(&behaviour, request, sequence),
            Asked::Embeddings(request) => Plan::of_embeddings(&behaviour, request),
            Asked::Nothing(error) => {
                let body = wire::error("invalid_request_error", &error.to_string());
                Plan::refusal(StatusCode::BAD_REQUEST, body)
            }
        };
        let kept = Bytes::copy_from_slice(&body[..body.len().min(BODY_KEPT_BYTES_MAX)]);
        let call = Call {
            sequence,
            model: model.clone(),
            arrived: Instant::now(),
            headers,
            body: kept,
            body_bytes: body.len(),
            is_stream: asked.is_stream(),
            charged: plan.charged,
            ending: Ending::InFlight,
        };
        (call, plan)
    });
    (model, answering, plan)
}

fn plain(status: StatusCode, body: String) -> Response<AnswerBody> {
    let body = Full::new(Bytes::from(body)).map_err(|never: Infallible| match never {});
    let mut response = Response::new(body.boxed_unsync());
    *response.status_mut() = status;
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(http::header::CONTENT_TYPE, json);
    response
}
