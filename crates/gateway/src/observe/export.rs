//! Sends traces to a collector by OTLP over HTTP, from a thread of its own.
//!
//! A collector that is slow or gone fills a bounded queue and nothing else; what does not fit is
//! dropped and counted. What a collector refuses is not sent again.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_otlp::{
    ExporterBuildError, Protocol, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanExporter as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use upstream::transport::{Tls, TlsError};

use super::observer::ObserverFigures;
use super::passage::Passage;
use super::spans;
use crate::config::TelemetryConfig;

/// Traces in one request to the collector.
const BATCH_MAX: usize = 512;
/// A collector's answer is read up to this many bytes.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// How long what is queued is still sent when the gateway ends.
const LAST_EXPORT_MAX: Duration = Duration::from_secs(5);

/// Why traces can't be sent as configured.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The address, a header or the like.
    #[error("setting `telemetry`")]
    Config(#[from] ExporterBuildError),
    /// The certificate authorities.
    #[error("setting `egress.ca_file`")]
    Tls(#[from] TlsError),
}

/// An exporter that is not yet at work.
pub struct Exporter {
    exporter: opentelemetry_otlp::SpanExporter,
    delay: Duration,
    timeout: Duration,
    queue_max: usize,
}

impl Exporter {
    /// The exporter that `config` asks for; `None` where it names no collector. `tls` is made only
    /// where there is one.
    pub fn new(
        config: &TelemetryConfig,
        tls: impl FnOnce() -> Result<Tls, TlsError>,
    ) -> Result<Option<Exporter>, ExportError> {
        let Some(endpoint) = config.traces_endpoint() else { return Ok(None) };
        let mut exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_http_client(Collector { tls: tls()? })
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint)
            .with_headers(config.headers.clone().into_iter().collect())
            .build()?;
        // Takes OTEL_RESOURCE_ATTRIBUTES as well.
        let resource = Resource::builder().with_service_name(config.service_name().to_owned());
        exporter.set_resource(&resource.build());
        Ok(Some(Exporter {
            exporter,
            delay: Duration::from_millis(config.delay_ms),
            timeout: Duration::from_millis(config.timeout_ms),
            queue_max: config.queue_max,
        }))
    }

    /// Sets it to work.
    pub(super) fn start(self, figures: &Arc<ObserverFigures>) -> std::io::Result<Exporting> {
        let (queue, traces) = sync_channel(self.queue_max);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let shared = Arc::clone(figures);
        let thread = std::thread::Builder::new().name("traces".into());
        let thread = thread.spawn(move || runtime.block_on(self.work(&traces, &shared)))?;
        Ok(Exporting { queue, thread, figures: Arc::clone(figures) })
    }

    async fn work(&self, traces: &Receiver<Box<Passage>>, figures: &ObserverFigures) {
        let mut is_failing = false;
        while let Ok(first) = traces.recv() {
            let (batch, is_last) = gather(traces, first, self.delay);
            let count = batch.len() as u64;
            let spans = batch.iter().flat_map(|passage| spans::of(passage)).collect();
            let limit = if is_last { self.timeout.min(LAST_EXPORT_MAX) } else { self.timeout };
            match tokio::time::timeout(limit, self.exporter.export(spans)).await {
                Ok(Ok(())) => {
                    figures.traces_exported.add(count);
                    if std::mem::take(&mut is_failing) {
                        tracing::info!("the collector takes traces again");
                    }
                }
                outcome => {
                    figures.traces_failed.add(count);
                    if !std::mem::replace(&mut is_failing, true) {
                        let error = match outcome {
                            Ok(Err(error)) => error.to_string(),
                            _ => format!("no answer within {} ms", limit.as_millis()),
                        };
                        tracing::warn!(error, "the collector takes no traces");
                    }
                }
            }
        }
    }
}

/// The traces that came within `delay` of the first, and whether no more will come.
#[expect(clippy::vec_box, reason = "they came in boxes and are read once")]
fn gather(
    traces: &Receiver<Box<Passage>>,
    first: Box<Passage>,
    delay: Duration,
) -> (Vec<Box<Passage>>, bool) {
    let mut batch = vec![first];
    let until = Instant::now() + delay;
    while batch.len() < BATCH_MAX {
        match traces.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(next) => batch.push(next),
            Err(RecvTimeoutError::Timeout) => break,
            Err(RecvTimeoutError::Disconnected) => return (batch, true),
        }
    }
    (batch, false)
}

/// An exporter at work.
pub(super) struct Exporting {
    queue: SyncSender<Box<Passage>>,
    thread: JoinHandle<()>,
    figures: Arc<ObserverFigures>,
}

impl Exporting {
    /// Sends a trace, or drops it where too many wait.
    pub(super) fn take(&self, passage: Box<Passage>) {
        match self.queue.try_send(passage) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.figures.traces_dropped.one();
            }
        }
    }

    /// Sends what is queued, and ends.
    pub(super) fn close(self) {
        drop(self.queue);
        // One that panicked has nothing left to send.
        let _ = self.thread.join();
    }
}

/// How a collector is reached: a connection for each request, which come seconds apart.
#[derive(Debug)]
struct Collector {
    tls: Tls,
}

type Answered<'a> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'a>>;

impl HttpClient for Collector {
    fn send_bytes<'a, 'b>(&'a self, request: Request<Bytes>) -> Answered<'b>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(self.ask(request))
    }
}

impl Collector {
    async fn ask(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let uri = request.uri().clone();
        let (host, authority) = (uri.host().ok_or("no host")?, uri.authority().ok_or("no host")?);
        let is_secure = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let origin_form = uri.path_and_query().map_or("/", |path| path.as_str()).parse()?;
        let host_header = authority.host().len();
        let host_header = match uri.port_u16() {
            Some(_) => authority.as_str(),
            None => &authority.as_str()[authority.as_str().len() - host_header..],
        };
        request.headers_mut().insert(header::HOST, host_header.parse()?);
        *request.uri_mut() = origin_form;
        let stream = TcpStream::connect((host, port)).await?;
        let request = request.map(Full::new);
        if is_secure {
            exchange(self.tls.to_host(host, stream).await?, request).await
        } else {
            exchange(stream, request).await
        }
    }
}

async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, HttpError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the answer; what goes wrong with it shows there.
    tokio::spawn(connection);
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await?.to_bytes();
    if !head.status.is_success() {
        return Err(format!("the collector answered {}", head.status).into());
    }
    Ok(Response::from_parts(head, body))
}
