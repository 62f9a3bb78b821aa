//! A collector of traces: it takes OTLP over HTTP as `http/protobuf` and keeps what it was sent.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::Span;
use parking_lot::Mutex;
use prost::Message as _;
use tokio::sync::Notify;

/// A collector on loopback.
pub(crate) struct Collector {
    address: SocketAddr,
    kept: Arc<Kept>,
}

#[derive(Default)]
struct Kept {
    bodies: Mutex<Vec<(HeaderMap, Bytes)>>,
    came: Notify,
    /// What it answers; without a status it never does.
    status: Option<StatusCode>,
}

impl Collector {
    /// One that takes everything.
    pub(crate) async fn start() -> Collector {
        Collector::answering(Some(StatusCode::OK)).await
    }

    /// One that answers with `status`, or never.
    pub(crate) async fn answering(status: Option<StatusCode>) -> Collector {
        let kept = Arc::new(Kept { status, ..Kept::default() });
        let router = Router::new().route("/v1/traces", post(take)).with_state(Arc::clone(&kept));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Collector { address, kept }
    }

    /// The settings that have a gateway send its traces here.
    pub(crate) fn settings(&self, more: &str) -> String {
        let address = self.address;
        let delay = if more.contains("delay_ms") { "" } else { "delay_ms = 1" };
        format!("[telemetry]\notlp_endpoint = \"http://{address}\"\n{delay}\n{more}\n")
    }

    /// Waits until so many spans have come, and gives them.
    pub(crate) async fn spans(&self, count: usize) -> Vec<Span> {
        let waiting = async {
            loop {
                let came = self.kept.came.notified();
                let spans = self.so_far();
                if spans.len() >= count {
                    return spans;
                }
                came.await;
            }
        };
        let spans = tokio::time::timeout(Duration::from_secs(30), waiting).await;
        let spans = spans.unwrap_or_else(|_| panic!("only {} spans came", self.so_far().len()));
        assert_eq!(spans.len(), count);
        spans
    }

    /// Waits until so many requests have come.
    pub(crate) async fn requests(&self, count: usize) {
        let waiting = async {
            loop {
                let came = self.kept.came.notified();
                if self.kept.bodies.lock().len() >= count {
                    return;
                }
                came.await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("requests");
    }

    /// Every byte it was sent, as text.
    pub(crate) fn text(&self) -> String {
        let bodies = self.kept.bodies.lock();
        bodies.iter().map(|(_, body)| String::from_utf8_lossy(body).into_owned()).collect()
    }

    /// The headers of its first request, and the attributes of the resource that sent it.
    pub(crate) fn sender(&self) -> (HeaderMap, BTreeMap<String, String>) {
        let (headers, body) = self.kept.bodies.lock()[0].clone();
        let resource = decoded(&body).resource_spans.remove(0).resource.unwrap();
        (headers, attributes(&resource.attributes))
    }

    /// The spans that have come so far.
    pub(crate) fn so_far(&self) -> Vec<Span> {
        let bodies = self.kept.bodies.lock();
        let requests = bodies.iter().map(|(_, body)| decoded(body));
        let scopes = requests
            .flat_map(|request| request.resource_spans)
            .flat_map(|resource| resource.scope_spans);
        scopes.flat_map(|scope| scope.spans).collect()
    }
}

async fn take(State(kept): State<Arc<Kept>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    kept.bodies.lock().push((headers, body));
    kept.came.notify_waiters();
    match kept.status {
        Some(status) => status,
        None => std::future::pending().await,
    }
}

fn decoded(body: &Bytes) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest::decode(body.clone()).unwrap()
}

/// Attributes as text, in the order of their names.
pub(crate) fn attributes(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let shown = |value: &KeyValue| {
        let value = value.value.as_ref().and_then(|value| value.value.as_ref()).unwrap();
        match value {
            any_value::Value::StringValue(text) => text.clone(),
            any_value::Value::IntValue(number) => number.to_string(),
            any_value::Value::BoolValue(is_so) => is_so.to_string(),
            any_value::Value::ArrayValue(values) => {
                let texts = values.values.iter().map(|value| match &value.value {
                    Some(any_value::Value::StringValue(text)) => text.clone(),
                    other => panic!("{other:?}"),
                });
                format!("{:?}", texts.collect::<Vec<_>>())
            }
            other => panic!("{other:?}"),
        }
    };
    let all: BTreeMap<_, _> =
        attributes.iter().map(|value| (value.key.clone(), shown(value))).collect();
    assert_eq!(all.len(), attributes.len(), "an attribute comes twice");
    all
}
