//! A provider that plays a script on each connection and reports what reached it.
//! Raw sockets, so that it can do what no HTTP server would.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use ledger::Dispatched;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use upstream::transport::{
    Answer, AnswerBody, BodyError, Call, Origin, SendError, Settings, Tls, Transport,
};

/// What a scripted connection does next; it is closed after the last.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Read one whole request.
    Read,
    /// Read up to the end of a request's head, and leave its body.
    ReadHead,
    /// Write this.
    Write(&'static str),
    /// Let this long pass.
    Pause(Duration),
    /// Wait until the other side closes.
    AwaitClose,
    /// Close without a word of farewell, TLS's included.
    Sever,
}

pub(crate) use Step::{AwaitClose, Read, Write};

/// What happened at the provider, with the number of the connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A whole request came.
    Request(usize, String),
    /// The other side closed where [`Step::AwaitClose`] waited for it.
    Closed(usize),
    /// The script came to its end, and the connection was closed.
    Finished(usize),
}

pub(crate) struct Provider {
    port: u16,
    events: UnboundedReceiver<Event>,
}

impl Provider {
    /// Serves one connection a script, in order, and no more.
    pub(crate) async fn start(scripts: &[&'static [Step]]) -> Provider {
        Provider::listen(scripts, None).await
    }

    /// The same behind TLS.
    pub(crate) async fn start_tls(scripts: &[&'static [Step]], tls: TlsAcceptor) -> Provider {
        Provider::listen(scripts, Some(tls)).await
    }

    async fn listen(scripts: &[&'static [Step]], tls: Option<TlsAcceptor>) -> Provider {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (report, events) = unbounded_channel();
        let scripts = scripts.to_vec();
        tokio::spawn(async move {
            for (number, script) in scripts.into_iter().enumerate() {
                let (tcp, _) = listener.accept().await.unwrap();
                let (report, tls) = (report.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => play(tcp, number, script, &report).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(tcp).await {
                                play(stream, number, script, &report).await;
                            }
                        }
                    }
                    let _ = report.send(Event::Finished(number));
                });
            }
        });
        Provider { port, events }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn origin(&self) -> Arc<Origin> {
        origin(&format!("http://127.0.0.1:{}/v1", self.port))
    }

    /// The origin that its test certificate names.
    pub(crate) fn secure_origin(&self) -> Arc<Origin> {
        origin(&format!("https://localhost:{}/v1", self.port))
    }

    pub(crate) async fn event(&mut self) -> Event {
        within(self.events.recv()).await.expect("the provider is still there")
    }

    /// Waits for the event, past others.
    pub(crate) async fn until(&mut self, expected: &Event) {
        while self.event().await != *expected {}
    }

    /// The next request: the number of its connection and its text, past other events.
    pub(crate) async fn request(&mut self) -> (usize, String) {
        loop {
            if let Event::Request(connection, text) = self.event().await {
                return (connection, text);
            }
        }
    }

    /// The connections of all requests that came and were not yet looked at.
    pub(crate) fn requests_so_far(&mut self) -> Vec<usize> {
        let mut connections = Vec::new();
        while let Ok(event) = self.events.try_recv() {
            if let Event::Request(connection, _) = event {
                connections.push(connection);
            }
        }
        connections
    }
}

async fn play<S>(mut stream: S, number: usize, script: &[Step], report: &UnboundedSender<Event>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    for step in script {
        match step {
            Read => match read_request(&mut stream).await {
                Some(text) => report.send(Event::Request(number, text)).unwrap(),
                None => return,
            },
            Write(text) => {
                if stream.write_all(text.as_bytes()).await.is_err() {
                    return;
                }
                stream.flush().await.unwrap();
            }
            Step::ReadHead => {
                read_head(&mut stream).await;
            }
            Step::Pause(duration) => sleep(*duration).await,
            Step::Sever => return,
            AwaitClose => {
                while !matches!(stream.read(&mut [0; 1024]).await, Ok(0) | Err(_)) {}
                report.send(Event::Closed(number)).unwrap();
            }
        }
    }
    let _ = stream.shutdown().await;
}

/// A request with a content-length, or none where the connection ends first.
async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let head = read_head(stream).await?;
    let length = head.split_once("content-length: ").expect("a content-length").1;
    let length = length.split_once("\r\n").unwrap().0.parse().unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(head + &String::from_utf8(body).unwrap())
}

async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8(head).unwrap())
}

pub(crate) fn origin(base_url: &str) -> Arc<Origin> {
    Arc::new(Origin::parse(base_url).unwrap())
}

/// Settings under which nothing times out within a test.
pub(crate) fn patient() -> Settings {
    Settings::default()
}

pub(crate) fn transport(settings: Settings) -> Transport {
    Transport::new(settings, Tls::new(None).unwrap())
}

pub(crate) fn call(origin: &Arc<Origin>) -> Call {
    Call {
        origin: Arc::clone(origin),
        path_and_query: origin.path_and_query("chat/completions").unwrap(),
        headers: HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static("Bearer k"))]),
        body: vec![Bytes::from_static(b"{\"model\":"), Bytes::from_static(b"\"m\"}")],
    }
}

pub(crate) async fn send(transport: &Transport, origin: &Arc<Origin>) -> Result<Answer, SendError> {
    within(transport.send(&Dispatched::for_test(), call(origin))).await
}

/// The body's bytes up to its end, and how it ended.
pub(crate) async fn read(body: &mut AnswerBody) -> (String, Result<(), BodyError>) {
    let mut text = Vec::new();
    loop {
        match within(body.chunk()).await {
            Ok(Some(bytes)) => text.extend_from_slice(&bytes),
            end => return (String::from_utf8(text).unwrap(), end.map(|_| ())),
        }
    }
}

/// Sends a call and reads its answer to the end.
pub(crate) async fn fetch(transport: &Transport, origin: &Arc<Origin>) -> String {
    finish(send(transport, origin).await.unwrap()).await
}

/// Reads an answer that has an end.
pub(crate) async fn finish(mut answer: Answer) -> String {
    let (text, end) = read(&mut answer.body).await;
    assert_eq!(end, Ok(()));
    text
}

/// Fails a test that would hang.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(10), future).await.expect("the test hangs")
}
