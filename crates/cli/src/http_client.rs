//! A small HTTP client, for the control socket and the demo: one request, one connection.

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

/// Sends `request` over `stream` and gives the head of the answer, its body still to come.
pub(crate) async fn send<S>(
    stream: S,
    mut request: Request<Full<Bytes>>,
) -> Result<Response<Incoming>>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the answer; what goes wrong with it shows there.
    tokio::spawn(connection);
    request
        .headers_mut()
        .entry(header::HOST)
        .or_insert(http::HeaderValue::from_static("localhost"));
    sender.send_request(request).await.context("no answer")
}

/// A body read to its end, as text.
pub(crate) async fn text(body: Incoming) -> Result<String> {
    let bytes = body.collect().await?.to_bytes();
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
