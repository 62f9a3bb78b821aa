//! One request as the caller wrote it, and the body that hyper sends of it.
//! The segments go to the socket as they are; nothing is joined or copied on the way.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    vec::IntoIter,
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Request, Uri,
    header::{ACCEPT_ENCODING, CONTENT_LENGTH, HOST, TRANSFER_ENCODING},
    uri::PathAndQuery,
};
use http_body::{Body, Frame, SizeHint};

use super::Origin;

/// A POST to a provider.
///
/// It cannot be printed, since its headers carry the provider's credential.
pub struct Call {
    /// Where it goes.
    pub origin: Arc<Origin>,
    /// The whole path, with the origin's prefix: [`Origin::path_and_query`] makes it, once for each endpoint.
    pub path_and_query: PathAndQuery,
    /// Every header but `host`, `content-length`, `accept-encoding` and `transfer-encoding`, which the transport
    /// alone decides: what stands here under those names is not sent.
    pub headers: HeaderMap,
    /// The body, in order.
    pub body: Vec<Bytes>,
}

impl Call {
    pub(super) fn into_request(self) -> Request<Segments> {
        let body = Segments::new(self.body);
        let length = HeaderValue::from(body.left_bytes);
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = Uri::from(self.path_and_query);
        *request.headers_mut() = self.headers;
        let headers = request.headers_mut();
        // A second opinion on where the body ends is how requests are smuggled.
        headers.remove(TRANSFER_ENCODING);
        headers.insert(HOST, self.origin.host_header.clone());
        headers.insert(CONTENT_LENGTH, length);
        // The usage has to be readable on the way past.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        request
    }
}

/// A body of known length, in pieces that are already there.
pub(super) struct Segments {
    segments: IntoIter<Bytes>,
    left_bytes: u64,
}

impl Segments {
    fn new(segments: Vec<Bytes>) -> Segments {
        let left_bytes = segments.iter().map(|segment| segment.len() as u64).sum();
        Segments { segments: segments.into_iter(), left_bytes }
    }
}

impl Body for Segments {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = self.segments.find(|segment| !segment.is_empty());
        if let Some(segment) = &next {
            self.left_bytes -= segment.len() as u64;
        }
        Poll::Ready(next.map(|segment| Ok(Frame::data(segment))))
    }

    fn is_end_stream(&self) -> bool {
        self.left_bytes == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left_bytes)
    }
}
