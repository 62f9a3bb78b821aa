//! The operator's own address, on a thread of its own: it answers though every worker is busy, and
//! goes on until the last request has ended.

use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::{ACCEPT_RETRY, HEAD_TIMEOUT, ServeError, Stage, listen};
use crate::core::{Core, InFlight};
use crate::http::admin;

/// Whoever scrapes needs one connection; a few may do so.
const CONNECTIONS_MAX: usize = 64;

/// An address that is being served.
pub(super) struct Admin {
    pub(super) address: SocketAddr,
    pub(super) thread: JoinHandle<()>,
}

/// The address while nobody answers on it.
pub(super) struct AdminListener {
    address: SocketAddr,
    listener: StdListener,
}

impl AdminListener {
    /// Listens on `wanted`.
    pub(super) fn bind(wanted: SocketAddr) -> Result<AdminListener, ServeError> {
        let failed = |source| ServeError::Listen { address: wanted, source };
        let listener = listen(wanted, false).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(AdminListener { address, listener })
    }

    /// Answers until the server is closed.
    pub(super) fn start(
        self,
        core: &Arc<Core>,
        stage: &watch::Receiver<Stage>,
    ) -> Result<Admin, ServeError> {
        let AdminListener { address, listener } = self;
        let (router, stage) = (admin(Arc::clone(core)), stage.clone());
        let thread = std::thread::Builder::new().name("admin".into());
        let thread = thread.spawn(move || work(router, listener, stage));
        Ok(Admin { address, thread: thread.map_err(ServeError::Thread)? })
    }
}

fn work(router: Router, listener: StdListener, mut stage: watch::Receiver<Stage>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return tracing::error!(%error, "`server.admin_listen` has no runtime"),
    };
    runtime.block_on(async {
        let listener = match TcpListener::from_std(listener) {
            Ok(listener) => listener,
            Err(error) => return tracing::error!(%error, "`server.admin_listen` has no listener"),
        };
        tokio::select! {
            () = accept(router, listener) => {}
            // Without its sender the server is gone.
            _ = stage.wait_for(|stage| *stage == Stage::Closed) => {}
        }
    });
    runtime.shutdown_background();
}

async fn accept(router: Router, listener: TcpListener) {
    let connections = Arc::<InFlight>::default();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let Some(place) = connections.enter(CONNECTIONS_MAX) else { continue };
                let router = router.clone();
                tokio::spawn(async move {
                    serve(stream, router).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection to `server.admin_listen` was not accepted");
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, router: Router) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    let service = TowerToHyperService::new(router);
    if let Err(error) = http.serve_connection(TokioIo::new(stream), service).await {
        let error = &error as &dyn std::error::Error;
        tracing::debug!(error, "a connection to `server.admin_listen` ended");
    }
}
