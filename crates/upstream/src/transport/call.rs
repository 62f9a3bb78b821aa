//! One request as the caller wrote it, and the bytes of it on their way to the socket.
//! A small body goes out with the head in one write; a large one as it is, not copied.

use std::{io::IoSlice, sync::Arc};

use bytes::{BufMut, Bytes, BytesMut};
use http::{
    HeaderMap,
    header::{ACCEPT_ENCODING, CONTENT_LENGTH, HOST, TRANSFER_ENCODING},
    uri::PathAndQuery,
};
use smallvec::SmallVec;

use super::Origin;

/// A body up to this size is copied behind the head, so that both go out in one packet or few.
const COPIED_BYTES_MAX: usize = 16 * 1024;
/// Room for the head of most requests.
const HEAD_BYTES: usize = 512;
/// Pieces handed to the system at once.
const SLICES_MAX: usize = 16;

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
    /// The request as bytes.
    pub(super) fn into_outgoing(self) -> Outgoing {
        let body_bytes: usize = self.body.iter().map(Bytes::len).sum();
        let is_copied = body_bytes <= COPIED_BYTES_MAX;
        let mut head = BytesMut::with_capacity(HEAD_BYTES + if is_copied { body_bytes } else { 0 });
        self.write_head(&mut head, body_bytes);
        let mut segments: SmallVec<[Bytes; 1]> = SmallVec::new();
        if is_copied {
            self.body.iter().for_each(|segment| head.extend_from_slice(segment));
            segments.push(head.freeze());
        } else {
            segments.push(head.freeze());
            segments.extend(self.body.into_iter().filter(|segment| !segment.is_empty()));
        }
        Outgoing { segments, next: 0, offset: 0 }
    }

    fn write_head(&self, head: &mut BytesMut, body_bytes: usize) {
        head.put_slice(b"POST ");
        head.put_slice(self.path_and_query.as_str().as_bytes());
        head.put_slice(b" HTTP/1.1\r\nhost: ");
        head.put_slice(self.origin.host_header.as_bytes());
        for (name, value) in &self.headers {
            // A second opinion on where the body ends is how requests are smuggled.
            if [HOST, CONTENT_LENGTH, TRANSFER_ENCODING, ACCEPT_ENCODING].contains(name) {
                continue;
            }
            head.put_slice(b"\r\n");
            head.put_slice(name.as_str().as_bytes());
            head.put_slice(b": ");
            head.put_slice(value.as_bytes());
        }
        // The usage has to be readable on the way past.
        head.put_slice(b"\r\naccept-encoding: identity\r\ncontent-length: ");
        head.put_slice(itoa::Buffer::new().format(body_bytes).as_bytes());
        head.put_slice(b"\r\n\r\n");
    }
}

/// What is left to write of a request.
pub(super) struct Outgoing {
    segments: SmallVec<[Bytes; 1]>,
    /// The segment to go on with, and how much of it was written.
    next: usize,
    offset: usize,
}

impl Outgoing {
    /// Whether nothing is left.
    pub(super) fn is_written(&self) -> bool {
        self.next == self.segments.len()
    }

    /// Whether nothing was written yet.
    pub(super) fn is_untouched(&self) -> bool {
        self.next == 0 && self.offset == 0
    }

    /// The pieces to write next.
    pub(super) fn slices(&self) -> SmallVec<[IoSlice<'_>; SLICES_MAX]> {
        let rest = self.segments.get(self.next..).unwrap_or_default();
        let skipped = std::iter::once(self.offset).chain(std::iter::repeat(0));
        rest.iter()
            .zip(skipped)
            .take(SLICES_MAX)
            .map(|(segment, skipped)| IoSlice::new(&segment[skipped..]))
            .collect()
    }

    /// Notes that `bytes` more were written.
    pub(super) fn advance(&mut self, mut bytes: usize) {
        while let Some(segment) = self.segments.get(self.next) {
            let left = segment.len() - self.offset;
            if bytes < left {
                self.offset += bytes;
                return;
            }
            bytes -= left;
            (self.next, self.offset) = (self.next + 1, 0);
        }
    }
}
