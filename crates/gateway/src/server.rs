//! Serves: one single-threaded runtime a worker, each with a listener of its own on the same
//! address, so that a request stays on one core (SPIKES "Settings that mattered").

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_io_timeout::TimeoutStream;
use upstream::transport::{Proxy, Settings, Tls, TlsError, Transport};

use crate::config::{Bounds, Config, ConfigError, EgressConfig, ServerConfig};
use crate::core::Core;
use crate::http::{Front, Worker};
use crate::writer::Mailbox;

mod admin;
use admin::AdminListener;

/// Connections that wait to be accepted, for each worker.
const BACKLOG: i32 = 1_024;
/// How long a new connection may take for its first head, and an idle one for its next.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);
/// A worker that can't accept (no file descriptor is free) tries again after this long.
const ACCEPT_RETRY: Duration = Duration::from_millis(50);

/// A refused client that goes on sending is read on for this long, in reads of so many bytes, and
/// for as long as it does not pause.
const LINGER_MAX: Duration = Duration::from_secs(30);
const LINGER_IDLE: Duration = Duration::from_secs(2);
const LINGER_READ_BYTES: usize = 16 << 10;

/// Why the server could not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address can't be listened on.
    #[error("can't listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What went wrong.
        source: io::Error,
    },
    /// The certificate authorities for providers can't be read.
    #[error("setting `egress.ca_file`")]
    Tls(#[from] TlsError),
    /// The proxy for providers is none.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A worker's thread could not be started.
    #[error("a worker could not be started")]
    Thread(#[source] io::Error),
}

/// An address that is listened on, once for each worker, and the operators' where there is one. Who
/// connects waits until a server is started on it.
pub struct Listeners {
    address: SocketAddr,
    listeners: Vec<StdListener>,
    admin: Option<AdminListener>,
}

impl Listeners {
    /// Listens on the configured address: before the book is opened, so that a start which is
    /// refused for its port leaves nothing behind.
    pub fn bind(config: &ServerConfig) -> Result<Listeners, ServeError> {
        let count = match config.workers {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            workers => workers,
        };
        let failed = |source| ServeError::Listen { address: config.listen, source };
        let first = listen(config.listen, false).map_err(failed)?;
        let address = first.local_addr().map_err(failed)?;
        let mut listeners = vec![first];
        for _ in 1..count {
            listeners.push(listen(address, true).map_err(failed)?);
        }
        let admin = config.admin_listen.map(AdminListener::bind).transpose()?;
        Ok(Listeners { address, listeners, admin })
    }
}

/// A server that is running.
pub struct Server {
    core: Arc<Core>,
    address: SocketAddr,
    admin_address: Option<SocketAddr>,
    stop: watch::Sender<Stage>,
    workers: Vec<JoinHandle<()>>,
}

/// How far a stop has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Serving,
    /// No new connection; open ones end with the request they are at.
    Closing,
    /// Whatever still runs is left to the next start.
    Closed,
}

impl Server {
    /// Starts serving `core` on its configured address.
    pub fn start(core: Arc<Core>) -> Result<Server, ServeError> {
        let listeners = Listeners::bind(&core.config.server)?;
        Server::start_on(listeners, core)
    }

    /// Starts serving `core` on an address that is listened on already.
    pub fn start_on(listeners: Listeners, core: Arc<Core>) -> Result<Server, ServeError> {
        let egress = Egress::of(&core.config.egress)?;
        let Listeners { address, listeners, admin } = listeners;
        let (stop, stage) = watch::channel(Stage::Serving);
        let admin = admin.map(|listener| listener.start(&core, &stage)).transpose()?;
        let mut workers = Vec::with_capacity(listeners.len() + 1);
        for (number, listener) in listeners.into_iter().enumerate() {
            let (core, egress, stage) = (Arc::clone(&core), egress.clone(), stage.clone());
            let thread = std::thread::Builder::new().name(format!("worker-{number}"));
            let worker = thread.spawn(move || work(core, egress, listener, stage));
            workers.push(worker.map_err(ServeError::Thread)?);
        }
        let admin_address = admin.as_ref().map(|admin| admin.address);
        workers.extend(admin.map(|admin| admin.thread));
        Ok(Server { core, address, admin_address, stop, workers })
    }

    /// The address it serves on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address for operators, where there is one.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin_address
    }

    /// Stops accepting, lets requests in flight finish for at most the configured time, writes what
    /// is queued, and ends. What is cut short is settled at the next start.
    pub async fn stop(self) {
        self.core.is_stopping.store(true, Ordering::Relaxed);
        self.stop.send_replace(Stage::Closing);
        let limit = Duration::from_secs(self.core.config.server.shutdown_seconds);
        let done = async {
            self.core.in_flight.none().await;
            self.core.connections.none().await;
        };
        if tokio::time::timeout(limit, done).await.is_err() {
            tracing::warn!(
                in_flight = self.core.in_flight.count(),
                connections = self.core.connections.count(),
                "requests were still in flight when the time for a stop was over"
            );
        }
        self.stop.send_replace(Stage::Closed);
        let (core, workers) = (self.core, self.workers);
        let joined = tokio::task::spawn_blocking(move || {
            for worker in workers {
                if worker.join().is_err() {
                    tracing::error!("a worker had panicked");
                }
            }
            core.close();
        });
        if joined.await.is_err() {
            tracing::error!("the stop itself failed");
        }
    }
}

/// A listener that shares its address with those of the other workers. The first one does not, so
/// that a server that already listens there is found out.
fn listen(address: SocketAddr, is_shared: bool) -> io::Result<StdListener> {
    if !is_shared && address.port() != 0 {
        // An address that another process serves on must be refused, though it may share it.
        drop(StdListener::bind(address)?);
    }
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// How providers are reached, shared by the workers.
#[derive(Clone)]
struct Egress {
    tls: Tls,
    proxy: Option<Arc<Proxy>>,
}

impl Egress {
    fn of(config: &EgressConfig) -> Result<Egress, ServeError> {
        let tls = Tls::new(config.ca_file.as_deref())?;
        Ok(Egress { tls, proxy: config.proxy()?.map(Arc::new) })
    }

    fn transport(self, settings: Settings) -> Transport {
        let direct = Transport::new(settings, self.tls);
        match self.proxy {
            None => direct,
            Some(proxy) => direct.through(proxy),
        }
    }
}

/// The way to the providers that `config` describes.
pub fn transport(config: &Config) -> Result<Transport, ServeError> {
    Ok(Egress::of(&config.egress)?.transport(settings(&config.bounds)))
}

fn settings(bounds: &Bounds) -> Settings {
    Settings {
        connect_timeout: Duration::from_millis(bounds.provider_connect_ms),
        first_byte_timeout: Duration::from_millis(bounds.provider_first_byte_ms),
        between_bytes_timeout: Duration::from_millis(bounds.provider_between_bytes_ms),
        ..Settings::default()
    }
}

fn work(core: Arc<Core>, egress: Egress, listener: StdListener, stage: watch::Receiver<Stage>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "a worker has no runtime");
            return;
        }
    };
    runtime.block_on(async {
        let transport = egress.transport(settings(&core.config.bounds));
        let worker = Arc::new(Worker { core, transport, mailbox: Mailbox::open() });
        match TcpListener::from_std(listener) {
            Ok(listener) => accept(worker, listener, stage).await,
            Err(error) => tracing::error!(%error, "a worker has no listener"),
        }
    });
    // A blocking read of the store may still run; it holds nothing up.
    runtime.shutdown_background();
}

async fn accept(worker: Arc<Worker>, listener: TcpListener, mut stage: watch::Receiver<Stage>) {
    let header_bytes_max = worker.core.config.bounds.header_bytes_max.max(8 << 10);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(header_bytes_max)
        // A head and its body go out in one write. Not by `pipeline_flush`, which holds back what is
        // to be sent for as long as bytes that came are unread: answers to what is not HTTP for ever.
        .writev(false)
        .half_close(false);
    let connections = Arc::clone(&worker.core.connections);
    let stall = Duration::from_millis(worker.core.config.bounds.client_stall_ms);
    let front = Front::new(worker);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let place = connections.enter(usize::MAX);
                    let serving = serve(http.clone(), stream, front.clone(), stall, stage.clone());
                    tokio::spawn(async move {
                        serving.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(ACCEPT_RETRY).await;
                }
            },
            _ = stage.changed() => break,
        }
    }
    drop(listener);
    // The sender lives as long as the server; without it there is nothing to wait for.
    let _ = stage.wait_for(|stage| *stage == Stage::Closed).await;
}

async fn serve<S>(
    http: http1::Builder,
    stream: TcpStream,
    service: S,
    stall: Duration,
    mut stage: watch::Receiver<Stage>,
) where
    S: hyper::service::Service<
            hyper::Request<Incoming>,
            Response = axum::response::Response,
            Error: std::error::Error + Send + Sync + 'static,
            Future: Send,
        > + Send
        + 'static,
{
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a client left at once");
        return;
    }
    // hyper waits for a client that takes no bytes for as long as it stays connected.
    let mut stream = pin!(TimeoutStream::new(stream));
    stream.as_mut().set_write_timeout_pinned(Some(stall));
    let ended = {
        let mut connection = pin!(http.serve_connection(TokioIo::new(stream.as_mut()), service));
        tokio::select! {
            ended = connection.as_mut() => ended,
            _ = stage.changed() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    };
    if let Err(error) = &ended {
        tracing::debug!(error = error as &dyn std::error::Error, "a connection ended");
    }
    // What is not HTTP has its answer, too.
    if ended.as_ref().err().is_none_or(hyper::Error::is_parse) {
        tokio::select! {
            () = linger(stream) => {}
            _ = stage.wait_for(|stage| *stage != Stage::Serving) => {}
        }
    }
}

/// Drops what still comes from a client that has its answer.
///
/// A request may be refused before its end. To close with bytes of it unread would reset the
/// connection, and its client would lose the answer and send all of it again.
async fn linger(mut stream: Pin<&mut TimeoutStream<TcpStream>>) {
    // Not in the task itself, which every idle connection has.
    let mut dropped = vec![0; LINGER_READ_BYTES];
    let reading = async {
        loop {
            let read = tokio::time::timeout(LINGER_IDLE, stream.read(&mut dropped));
            if !matches!(read.await, Ok(Ok(1..))) {
                return;
            }
        }
    };
    // Whatever ends it, the connection is at its end.
    let _ = tokio::time::timeout(LINGER_MAX, reading).await;
}
