//! Stands between the SDK and the server, passes on what either says as it comes, and keeps it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::BodyExt as _;
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use serde::Serialize;
use tokio::net::{TcpListener, TcpStream};

/// One request and the raw answer to it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Exchange {
    method: String,
    path: String,
    status: u16,
    media_type: String,
    text: String,
}

/// A server on loopback that passes every request on to the one it stands in place of.
pub(crate) struct Recorder {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    server: Mutex<String>,
    heard: Mutex<Vec<Heard>>,
}

/// An exchange, the text of which still comes.
struct Heard {
    exchange: Exchange,
    content: Arc<Mutex<Vec<u8>>>,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Recorder {
    /// Listens on a port of the system's choice.
    pub(crate) async fn start() -> io::Result<Recorder> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        tokio::spawn(serve(listener, Arc::clone(&shared)));
        Ok(Recorder { address, shared })
    }

    /// The URL to ask instead of `base_url`, to whose server requests go from now on.
    pub(crate) fn in_place_of(&self, base_url: &str) -> String {
        let rest = base_url.strip_prefix("http://").expect("the suite's servers speak plain HTTP");
        let (server, path) = rest.split_once('/').unwrap_or((rest, ""));
        server.clone_into(&mut self.shared.server.lock());
        format!("http://{}/{path}", self.address)
    }

    /// What was said since this was last asked.
    pub(crate) fn taken(&self) -> Vec<Exchange> {
        let heard = std::mem::take(&mut *self.shared.heard.lock());
        heard
            .into_iter()
            .map(|Heard { mut exchange, content }| {
                exchange.text = String::from_utf8_lossy(&content.lock()).into_owned();
                exchange
            })
            .collect()
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| passed_on(Arc::clone(&shared), request));
        // One that breaks off is the SDK's to report.
        tokio::spawn(
            hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service),
        );
    }
}

async fn passed_on(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<impl Body<Data = Bytes, Error = hyper::Error>>, Failure> {
    let server = shared.server.lock().clone();
    let stream = TcpStream::connect(server).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
    let response = sender.send_request(request).await?;

    let media_type = response.headers().get(hyper::header::CONTENT_TYPE);
    let media_type = media_type.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let content = Arc::new(Mutex::new(Vec::new()));
    let exchange = Exchange {
        method,
        path,
        status: response.status().as_u16(),
        media_type: media_type.to_owned(),
        text: String::new(),
    };
    shared.heard.lock().push(Heard { exchange, content: Arc::clone(&content) });
    Ok(response.map(|body| {
        body.map_frame(move |frame: Frame<Bytes>| {
            if let Some(data) = frame.data_ref() {
                content.lock().extend_from_slice(data);
            }
            frame
        })
    }))
}
