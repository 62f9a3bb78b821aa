//! One HTTP/1.1 connection to a provider, from the name look-up to its close.
//! It lives as long as the value that owns it: dropped, the socket is closed whatever was going on.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    time::Duration,
};

use http::{Request, Response};
use hyper::{
    body::Incoming,
    client::conn::{
        TrySendError,
        http1::{Builder, SendRequest},
    },
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    task::{JoinHandle, JoinSet},
    time::timeout,
};

use super::{
    Cause, Origin, Tls,
    call::Segments,
    socket::{Doubt, Socket},
};

/// The head of an answer, bytes; more than hyper's 100 headers are too many as well. It bounds each read of the body too.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// How long one address of a name is tried before the next is tried beside it (RFC 8305).
const HEAD_START: Duration = Duration::from_millis(250);

/// A connection that carries one request at a time.
pub(super) struct Connection {
    sender: SendRequest<Segments>,
    doubt: Doubt,
    driver: JoinHandle<()>,
}

impl Connection {
    /// Looks up the name, connects and, for `https`, agrees on TLS.
    pub(super) async fn open(origin: &Origin, tls: &Tls) -> Result<Connection, Cause> {
        let addresses = lookup_host((&*origin.host, origin.port)).await?;
        let tcp = dial(addresses).await?;
        tcp.set_nodelay(true)?;
        let doubt = Doubt::default();
        let socket = Socket::new(tcp, doubt.clone());
        match &origin.server_name {
            Some(name) => Connection::start(tls.connect(name.clone(), socket).await?, doubt).await,
            None => Connection::start(socket, doubt).await,
        }
    }

    async fn start<S>(stream: S, doubt: Doubt) -> Result<Connection, Cause>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, driver) =
            Builder::new().max_buf_size(HEAD_BYTES_MAX).handshake(TokioIo::new(stream)).await?;
        let driver = tokio::spawn(async move {
            // What ends a request is told to its sender; what is left is the end of an unused connection.
            if let Err(cause) = driver.await {
                tracing::debug!(%cause, "an unused provider connection ended");
            }
        });
        Ok(Connection { sender, doubt, driver })
    }

    /// Sends the request and gives the head of its answer, or the request back where none of it was written.
    pub(super) fn send(
        &mut self,
        request: Request<Segments>,
    ) -> impl Future<Output = Result<Response<Incoming>, TrySendError<Request<Segments>>>> + use<>
    {
        self.sender.try_send_request(request)
    }

    /// Whether the last exchange is over, request and answer both, and another may follow.
    pub(super) fn is_ready(&self) -> bool {
        self.sender.is_ready()
    }

    /// Has it looked, before the next request is written, whether the provider has closed it meanwhile.
    ///
    /// For kept connections alone: a new one may rightly hold TLS session tickets that nobody has read yet.
    pub(super) fn doubt(&self) {
        self.doubt.raise();
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Left to itself the driver would go on with an upload that nobody waits for, for as long as it takes.
        self.driver.abort();
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
