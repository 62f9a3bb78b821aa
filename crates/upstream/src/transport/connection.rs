//! One HTTP/1.1 connection to a provider, from the name look-up to its close.
//! It has no task of its own: whoever waits for the answer reads it. Dropped, it is closed.

use std::{
    io::{self, ErrorKind},
    mem::MaybeUninit,
    net::SocketAddr,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::BytesMut;
use socket2::SockRef;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf},
    net::{TcpStream, lookup_host},
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::client::TlsStream;

use super::{
    Cause, Origin, Proxy, Tls,
    call::Outgoing,
    head::{self, Head},
};

/// How long one address of a name is tried before the next is tried beside it (RFC 8305).
const HEAD_START: Duration = Duration::from_millis(250);

/// Room for one read, bytes.
const READ_BYTES: usize = 16 * 1024;

/// A connection that carries one request at a time.
pub(super) struct Connection {
    stream: Stream,
    /// What was read and not yet understood.
    pub(super) buffer: BytesMut,
}

/// Why there is no head.
pub(super) enum ExchangeError {
    /// Not a byte of the request was taken.
    Untaken(io::Error),
    /// Some of it may have been.
    Unclear(Cause),
}

impl Connection {
    /// Looks up the name, connects and, for `https`, agrees on TLS. Where there is a proxy for it,
    /// that looks up the name.
    pub(super) async fn open(
        origin: &Origin,
        tls: &Tls,
        proxy: Option<&Proxy>,
    ) -> Result<Connection, Cause> {
        let proxy = proxy.filter(|proxy| proxy.serves(&origin.host));
        let (host, port) =
            proxy.map_or((&*origin.host, origin.port), |proxy| (&*proxy.host, proxy.port));
        let mut tcp = dial(lookup_host((host, port)).await?).await?;
        tcp.set_nodelay(true)?;
        if let Some(proxy) = proxy {
            proxy.tunnel(&mut tcp, origin).await?;
        }
        let stream = match &origin.server_name {
            Some(name) => Stream::Tls(Box::new(tls.connect(name.clone(), tcp).await?)),
            None => Stream::Plain(tcp),
        };
        Ok(Connection { stream, buffer: BytesMut::new() })
    }

    /// Whether the provider has neither closed the connection nor sent what nobody asked for.
    ///
    /// For kept connections, before the next request is written, because a request lost in a closed one may have been
    /// billed. The kernel is asked: the runtime learns of a close only when it next polls for events, and a busy
    /// worker may not have done so for many requests.
    pub(super) fn is_silent(&self) -> bool {
        let tcp = match &self.stream {
            Stream::Plain(tcp) => tcp,
            Stream::Tls(tls) => tls.get_ref().0,
        };
        let peeked = SockRef::from(tcp).peek(&mut [MaybeUninit::uninit()]);
        matches!(peeked, Err(cause) if cause.kind() == ErrorKind::WouldBlock)
    }

    /// Sends the request and gives the head of its answer, which may come before the request was read.
    pub(super) async fn exchange(&mut self, request: &mut Outgoing) -> Result<Head, ExchangeError> {
        let mut broken = None;
        std::future::poll_fn(|cx| self.poll_exchange(cx, request, &mut broken)).await
    }

    fn poll_exchange(
        &mut self,
        cx: &mut Context<'_>,
        request: &mut Outgoing,
        broken: &mut Option<io::Error>,
    ) -> Poll<Result<Head, ExchangeError>> {
        if broken.is_none()
            && let Poll::Ready(Err(cause)) = self.poll_write(cx, request)
        {
            // Of TLS it is not known how much of a refused write had left before.
            if request.is_untouched() && matches!(self.stream, Stream::Plain(_)) {
                return Poll::Ready(Err(ExchangeError::Untaken(cause)));
            }
            // A provider that has refused early may have closed its end: its answer is still to be read.
            *broken = Some(cause);
        }
        let unclear = |cause: Cause| Poll::Ready(Err(ExchangeError::Unclear(cause)));
        loop {
            match head::take(&mut self.buffer) {
                Ok(Some(head)) => return Poll::Ready(Ok(head)),
                Ok(None) => {}
                Err(cause) => return unclear(cause.into()),
            }
            match ready!(self.poll_read(cx)) {
                Ok(0) => {
                    let cause = "the connection was closed before the answer's head was whole";
                    return unclear(broken.take().map_or(cause.into(), Into::into));
                }
                Ok(_) => {}
                Err(cause) => return unclear(broken.take().unwrap_or(cause).into()),
            }
        }
    }

    /// Writes as much as the socket takes.
    fn poll_write(&mut self, cx: &mut Context<'_>, request: &mut Outgoing) -> Poll<io::Result<()>> {
        while !request.is_written() {
            let stream = Pin::new(&mut self.stream);
            let written = ready!(stream.poll_write_vectored(cx, &request.slices()))?;
            if written == 0 {
                return Poll::Ready(Err(ErrorKind::WriteZero.into()));
            }
            request.advance(written);
        }
        // What TLS has taken may not have left yet.
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// Reads once into `buffer`; 0 is the end.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        // Taken up again where nothing read before is still in use.
        self.buffer.reserve(READ_BYTES);
        // A read that is not ready leaves nothing behind, so a new one may be made each time.
        pin!(self.stream.read_buf(&mut self.buffer)).poll(cx)
    }
}

/// A stream of bytes, encrypted or not.
enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Stream::Tls(tls) => Pin::new(tls).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Stream::Tls(tls) => Pin::new(tls).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Stream::Plain(tcp) => Pin::new(tcp).poll_write_vectored(cx, bufs),
            Stream::Tls(tls) => Pin::new(tls).poll_write_vectored(cx, bufs),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Stream::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Stream::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Stream::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}

/// The first of the addresses to accept, each given a head start over the next.
async fn dial(mut addresses: impl Iterator<Item = SocketAddr>) -> io::Result<TcpStream> {
    let mut attempts = JoinSet::new();
    let mut last = io::Error::new(ErrorKind::NotFound, "the host name has no address");
    loop {
        let head_start = match addresses.next() {
            Some(address) => {
                attempts.spawn(TcpStream::connect(address));
                HEAD_START
            }
            None => Duration::MAX,
        };
        match timeout(head_start, attempts.join_next()).await {
            Ok(Some(Ok(Ok(tcp)))) => return Ok(tcp),
            Ok(Some(Ok(Err(cause)))) => last = cause,
            Ok(Some(Err(cause))) => last = io::Error::other(cause),
            Ok(None) => return Err(last),
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn an_address_that_refuses_does_not_hide_the_next() {
        let refusing = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let listening = listener.local_addr().unwrap();
        let tcp = dial([refusing, listening].into_iter()).await.unwrap();
        assert_eq!(tcp.peer_addr().unwrap(), listening);
    }

    #[tokio::test]
    async fn without_an_address_that_accepts_the_last_refusal_is_told() {
        let refusing = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let refused = dial([refusing].into_iter()).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        assert_eq!(dial([].into_iter()).await.unwrap_err().kind(), ErrorKind::NotFound);
    }
}
