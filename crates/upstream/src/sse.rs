//! Frames server-sent events out of chunks that are cut anywhere.
//! An event that lies within one chunk is handed on as a slice of it, without a copy.

use bytes::{Buf, Bytes, BytesMut};
use memchr::memchr2;

/// A line, and the data of one event, have at most this many bytes by default.
pub const LINE_BYTES_MAX: usize = 1 << 20;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One event that has data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The `event:` field, where one was given, such as `error`.
    pub name: Option<Bytes>,
    /// The `data:` lines, joined by a line feed; never empty.
    pub data: Bytes,
}

impl Event {
    /// Whether this is the event that ends a chat stream.
    pub fn is_done(&self) -> bool {
        self.data.trim_ascii() == b"[DONE]"
    }
}

/// A line, or the data of one event, above the bound; the stream cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a line of the event stream is longer than {line_bytes_max} bytes")]
pub struct LineTooLong {
    /// The bound that was passed.
    pub line_bytes_max: usize,
}

/// Cuts a stream of bytes into events.
///
/// Lines end in LF, CRLF or CR; a byte order mark at the start, comments, `id:`, `retry:` and
/// events without data are dropped. Memory is bounded by the chunk that is being read and twice
/// the bound on a line.
///
/// ```
/// # use {bytes::Bytes, upstream::{Events, LINE_BYTES_MAX}};
/// let mut events = Events::new(LINE_BYTES_MAX);
/// events.push(Bytes::from_static(b": hello\n\ndata: {\"a\""));
/// assert_eq!(events.next(), Ok(None));
/// events.push(Bytes::from_static(b":1}\r\n\r\n"));
/// assert_eq!(events.next()?.unwrap().data, r#"{"a":1}"#);
/// # Ok::<(), upstream::LineTooLong>(())
/// ```
#[derive(Debug)]
pub struct Events {
    line_bytes_max: usize,
    /// What is left of the chunk being read.
    chunk: Bytes,
    /// The start of a line whose end has not come.
    partial: BytesMut,
    /// The last line ended in CR: an LF right after belongs to it.
    after_carriage_return: bool,
    is_first_line: bool,
    name: Option<Bytes>,
    data: Option<Data>,
}

/// The data of the event being read: a slice while it is one line, else a copy.
#[derive(Debug)]
enum Data {
    Line(Bytes),
    Joined(BytesMut),
}

impl Events {
    /// A reader at the start of a stream.
    pub fn new(line_bytes_max: usize) -> Events {
        Events {
            line_bytes_max,
            chunk: Bytes::new(),
            partial: BytesMut::new(),
            after_carriage_return: false,
            is_first_line: true,
            name: None,
            data: None,
        }
    }

    /// Takes the next chunk; read all events out of the one before first.
    pub fn push(&mut self, chunk: Bytes) {
        if self.chunk.is_empty() {
            self.chunk = chunk;
        } else {
            let mut joined = BytesMut::from(self.chunk.split_off(0));
            joined.extend_from_slice(&chunk);
            self.chunk = joined.freeze();
        }
    }

    /// The next whole event, or `None` where more bytes are needed.
    #[expect(clippy::should_implement_trait, reason = "an iterator would end; this waits for more")]
    pub fn next(&mut self) -> Result<Option<Event>, LineTooLong> {
        while let Some(line) = self.line()? {
            if line.is_empty() {
                if let Some(event) = self.dispatch() {
                    return Ok(Some(event));
                }
            } else {
                self.field(&line)?;
            }
        }
        Ok(None)
    }

    /// The event that the stream's end cut off before its blank line, if there is one.
    ///
    /// Some providers end with `data: [DONE]` and no blank line. Of a stream that was cut it may be
    /// half an event; then its data is no whole JSON.
    pub fn finish(mut self) -> Result<Option<Event>, LineTooLong> {
        let line = self.partial.split().freeze();
        let line = self.strip_mark(line);
        if !line.is_empty() {
            self.field(&line)?;
        }
        Ok(self.dispatch())
    }

    /// The next whole line, without its end.
    fn line(&mut self) -> Result<Option<Bytes>, LineTooLong> {
        if self.after_carriage_return && !self.chunk.is_empty() {
            self.after_carriage_return = false;
            if self.chunk.first() == Some(&b'\n') {
                self.chunk.advance(1);
            }
        }
        let end = memchr2(b'\n', b'\r', &self.chunk);
        let length = end.unwrap_or(self.chunk.len());
        self.check(self.partial.len().saturating_add(length))?;
        let rest = self.chunk.split_to(length);
        let Some(terminator) = self.chunk.first().copied().filter(|_| end.is_some()) else {
            self.partial.extend_from_slice(&rest);
            return Ok(None);
        };
        self.chunk.advance(1);
        self.after_carriage_return = terminator == b'\r';
        let line = if self.partial.is_empty() {
            rest
        } else {
            self.partial.extend_from_slice(&rest);
            self.partial.split().freeze()
        };
        Ok(Some(self.strip_mark(line)))
    }

    fn strip_mark(&mut self, mut line: Bytes) -> Bytes {
        if std::mem::take(&mut self.is_first_line) && line.starts_with(BYTE_ORDER_MARK) {
            line.advance(BYTE_ORDER_MARK.len());
        }
        line
    }

    fn field(&mut self, line: &Bytes) -> Result<(), LineTooLong> {
        let colon = memchr::memchr(b':', line).unwrap_or(line.len());
        let (field, value) = line.split_at(colon);
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => {
                let line = line.slice_ref(value);
                self.data = Some(match self.data.take() {
                    None => Data::Line(line),
                    Some(before) => {
                        self.check(before.len().saturating_add(line.len()).saturating_add(1))?;
                        Data::Joined(before.join(&line))
                    }
                });
            }
            b"event" => self.name = Some(line.slice_ref(value)),
            _ => {}
        }
        Ok(())
    }

    fn dispatch(&mut self) -> Option<Event> {
        let name = self.name.take();
        let data = match self.data.take()? {
            Data::Line(line) => line,
            Data::Joined(lines) => lines.freeze(),
        };
        (!data.is_empty()).then_some(Event { name, data })
    }

    fn check(&self, bytes: usize) -> Result<(), LineTooLong> {
        let line_bytes_max = self.line_bytes_max;
        if bytes > line_bytes_max { Err(LineTooLong { line_bytes_max }) } else { Ok(()) }
    }
}

impl Data {
    fn len(&self) -> usize {
        match self {
            Data::Line(line) => line.len(),
            Data::Joined(lines) => lines.len(),
        }
    }

    fn join(self, line: &[u8]) -> BytesMut {
        let mut lines = match self {
            Data::Line(first) => BytesMut::from(first),
            Data::Joined(lines) => lines,
        };
        lines.extend_from_slice(b"\n");
        lines.extend_from_slice(line);
        lines
    }
}
