//! A connection spoken to byte by byte, and the answers that come back over it.
//! Nothing here helps with HTTP: what is sent is what the test says.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The longest an answer, or the connection's end, is waited for.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// One answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Its head, as it came, in lower case.
    pub(super) head: String,
    pub(super) body: String,
}

/// All that came back.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) answers: Vec<Answer>,
    /// Whether the connection can be used again; false where nobody looked.
    pub(super) is_open: bool,
    shows_end: bool,
}

/// A connection and what came over it that was not read yet.
pub(super) struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
    is_at_end: bool,
    /// The last request was a `HEAD`: its answer says how long a body would be and has none.
    is_head: bool,
}

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> Connection {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Connection { stream, unread: Vec::new(), is_at_end: false, is_head: false }
    }

    /// Sends what the server takes: one that has refused reads no further.
    pub(super) async fn send(&mut self, mut bytes: &[u8]) {
        self.is_head = bytes.starts_with(b"HEAD ");
        let mut piece = vec![0; 64 << 10];
        while !bytes.is_empty() && !self.is_at_end {
            let (mut incoming, mut outgoing) = self.stream.split();
            tokio::select! {
                sent = outgoing.write(bytes) => match sent {
                    Ok(count) => bytes = &bytes[count..],
                    Err(_) => return,
                },
                read = incoming.read(&mut piece) => self.take(&piece, &read),
            }
        }
    }

    /// Sends all of it before it reads anything.
    pub(super) async fn send_unheard(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("a connection that is not reset");
    }

    /// Ends what is sent; the server then ends the connection.
    pub(super) async fn send_no_more(&mut self) {
        // One that has ended already needs no telling.
        let _ = self.stream.shutdown().await;
    }

    /// The next answer, `None` where the connection ends before it.
    pub(super) async fn answer(&mut self) -> Option<Answer> {
        loop {
            if let Some(answer) = self.whole_answer() {
                return Some(answer);
            }
            if self.is_at_end {
                assert!(self.unread.is_empty(), "half an answer: {:?}", self.text());
                return None;
            }
            self.read().await;
        }
    }

    /// Whether the connection has ended, or ends within a while, with nothing more to read.
    pub(super) async fn is_at_end(&mut self) -> bool {
        while !self.is_at_end && self.unread.is_empty() {
            self.read().await;
        }
        self.is_at_end && self.unread.is_empty()
    }

    async fn read(&mut self) {
        let mut piece = vec![0; 64 << 10];
        let read = tokio::time::timeout(ANSWER_WITHIN, self.stream.read(&mut piece)).await;
        let read = read.unwrap_or_else(|_| panic!("nothing came after {:?}", self.text()));
        self.take(&piece, &read);
    }

    /// A server that closes with bytes unread resets the connection: that is an end too.
    fn take(&mut self, piece: &[u8], read: &std::io::Result<usize>) {
        match read {
            Ok(0) | Err(_) => self.is_at_end = true,
            Ok(count) => self.unread.extend(&piece[..*count]),
        }
    }

    fn whole_answer(&mut self) -> Option<Answer> {
        let end = self.unread.windows(4).position(|part| part == b"\r\n\r\n")? + 4;
        let head = String::from_utf8(self.unread[..end].to_vec()).unwrap().to_ascii_lowercase();
        let status = head.split(' ').nth(1)?.parse().unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let is_chunked = head.contains("\r\ntransfer-encoding: chunked\r\n");
        let (body, taken) = match length {
            _ if self.is_head => (Vec::new(), 0),
            _ if is_chunked => unchunked(&self.unread[end..])?,
            Some(length) => {
                let length: usize = length.parse().unwrap();
                (self.unread.get(end..end + length)?.to_vec(), length)
            }
            None => (Vec::new(), 0),
        };
        self.unread.drain(..end + taken);
        Some(Answer { status, head, body: String::from_utf8(body).unwrap() })
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.unread).into_owned()
    }
}

/// A body in chunks and how many bytes they are, `None` where the last one is not here.
fn unchunked(mut bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let before = bytes.len();
    let mut body = Vec::new();
    loop {
        let end = bytes.windows(2).position(|part| part == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap(), 16).unwrap();
        body.extend(bytes.get(end + 2..end + 2 + size)?);
        bytes = bytes.get(end + 2 + size + 2..)?;
        if size == 0 {
            return Some((body, before - bytes.len()));
        }
    }
}

impl Received {
    pub(super) fn new(answers: Vec<Answer>, is_open: Option<bool>) -> Received {
        Received { answers, is_open: is_open.unwrap_or(false), shows_end: is_open.is_some() }
    }
}

impl fmt::Display for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.shows_end {
            f.write_str(if self.is_open { "open " } else { "closed " })?;
        }
        let answers: Vec<String> = self.answers.iter().map(Answer::to_string).collect();
        f.write_str(if answers.is_empty() { "nothing" } else { "" })?;
        f.write_str(&answers.join(" & "))
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        match self.plain_envelope() {
            _ if self.body.is_empty() => Ok(()),
            Some((error_type, message)) => write!(f, " {error_type} {message}"),
            None => write!(f, " {}", self.body),
        }
    }
}

impl Answer {
    /// The error type and the message where the body is, byte for byte, the envelope that says
    /// these two and the status and no more.
    fn plain_envelope(&self) -> Option<(String, String)> {
        let body: serde_json::Value = serde_json::from_str(&self.body).ok()?;
        let error_type = body["error"]["metadata"]["error_type"].as_str()?;
        let message = body["error"]["message"].as_str()?;
        let whole = format!(
            r#"{{"error":{{"code":{},"message":{},"metadata":{{"error_type":"{error_type}"}}}}}}"#,
            self.status, body["error"]["message"]
        );
        (whole == self.body).then(|| (error_type.to_owned(), message.to_owned()))
    }

    /// Panics where it is no refusal of the API's: its envelope as JSON, under an id.
    pub(super) fn is_the_apis(&self) {
        assert!(self.head.contains("\r\ncontent-type: application/json\r\n"), "{}", self.head);
        assert!(self.head.contains("\r\nx-request-id: req-"), "{}", self.head);
        let says_what_is_allowed = self.head.contains("\r\nallow: ");
        assert_eq!(says_what_is_allowed, self.status == 405, "{}", self.head);
    }
}
