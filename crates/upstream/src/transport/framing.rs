//! Finds a body in the bytes of a connection: where it ends, and what of the bytes are chunk headers.
//! All that one read brought is handed on as one piece, since each piece costs a write to the client.

use bytes::{Buf, Bytes, BytesMut};

use super::head::Length;

/// The line that starts a chunk, extensions included, bytes.
const CHUNK_LINE_BYTES_MAX: usize = 4 * 1024;
/// Trailers, all of them together, bytes.
const TRAILER_BYTES_MAX: usize = 64 * 1024;

/// How far a body was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// This many bytes are left.
    Length(u64),
    /// Whatever comes until the connection closes.
    UntilClose,
    /// At the line that starts a chunk.
    ChunkSize,
    /// This many bytes of the chunk are left.
    Chunk(u64),
    /// At the line end that follows a chunk.
    ChunkEnd,
    /// At the lines that follow the last chunk, of which this many bytes were read.
    Trailers(usize),
    /// At the end.
    Ended,
}

/// What was to be a chunk is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer's chunks can't be read")]
pub(super) struct NotChunked;

impl Framing {
    pub(super) fn new(length: Length) -> Framing {
        match length {
            Length::Bytes(0) => Framing::Ended,
            Length::Bytes(bytes) => Framing::Length(bytes),
            Length::Chunked => Framing::ChunkSize,
            Length::UntilClose => Framing::UntilClose,
        }
    }

    pub(super) fn is_ended(self) -> bool {
        self == Framing::Ended
    }

    /// Takes off the front of `bytes` what of them is body, in one piece that may be empty; what stays is not
    /// understood yet, or follows the body. What comes before nonsense is given before that is said.
    pub(super) fn take(&mut self, bytes: &mut BytesMut) -> Result<Bytes, NotChunked> {
        match self {
            Framing::Ended => Ok(Bytes::new()),
            Framing::UntilClose => Ok(bytes.split().freeze()),
            Framing::Length(left) => {
                let taken = clamp(*left, bytes.len());
                *left -= taken as u64;
                if *left == 0 {
                    *self = Framing::Ended;
                }
                Ok(bytes.split_to(taken).freeze())
            }
            _ => self.take_chunks(bytes),
        }
    }

    /// Moves the chunks' data together at the front, over the lines between them.
    fn take_chunks(&mut self, bytes: &mut BytesMut) -> Result<Bytes, NotChunked> {
        let (mut read, mut written) = (0, 0);
        let understood = loop {
            let rest = &bytes[read..];
            match self {
                Framing::ChunkSize => match httparse::parse_chunk_size(rest) {
                    Ok(httparse::Status::Complete((length, size))) => {
                        read += length;
                        *self = if size == 0 { Framing::Trailers(0) } else { Framing::Chunk(size) };
                    }
                    Ok(httparse::Status::Partial) if rest.len() < CHUNK_LINE_BYTES_MAX => {
                        break Ok(());
                    }
                    Ok(httparse::Status::Partial) | Err(_) => break Err(NotChunked),
                },
                Framing::Chunk(left) => {
                    let taken = clamp(*left, rest.len());
                    if taken == 0 {
                        break Ok(());
                    }
                    bytes.copy_within(read..read + taken, written);
                    (read, written) = (read + taken, written + taken);
                    *left -= taken as u64;
                    if *left == 0 {
                        *self = Framing::ChunkEnd;
                    }
                }
                Framing::ChunkEnd => match rest {
                    [b'\r', b'\n', ..] => {
                        read += 2;
                        *self = Framing::ChunkSize;
                    }
                    [] | [b'\r'] => break Ok(()),
                    _ => break Err(NotChunked),
                },
                Framing::Trailers(seen) => {
                    let line = memchr::memchr(b'\n', rest).map(|end| &rest[..=end]);
                    if *seen + line.unwrap_or(rest).len() > TRAILER_BYTES_MAX {
                        break Err(NotChunked);
                    }
                    let Some(line) = line else { break Ok(()) };
                    *seen += line.len();
                    read += line.len();
                    if matches!(line, b"\n" | b"\r\n") {
                        *self = Framing::Ended;
                        break Ok(());
                    }
                }
                _ => break Ok(()),
            }
        };
        if written == 0 {
            understood?;
        }
        let data = bytes.split_to(written).freeze();
        bytes.advance(read - written);
        Ok(data)
    }
}

/// The smaller of the two.
fn clamp(left: u64, len: usize) -> usize {
    usize::try_from(left).map_or(len, |left| left.min(len))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHUNKED: &str =
        "5\r\nhello\r\n1;ext=\"x\"\r\n \r\nA\r\n0123456789\r\n0\r\nx-trailer: y\r\n\r\n";

    /// Reads `text` in pieces cut at `cuts`: the body, how far it came, what is left of the bytes.
    fn read(text: &str, cuts: &[usize]) -> Result<(String, Framing, usize), NotChunked> {
        let (mut framing, mut bytes) = (Framing::new(Length::Chunked), BytesMut::new());
        let (mut body, mut from) = (Vec::new(), 0);
        for &to in cuts.iter().chain([&text.len(), &text.len()]) {
            bytes.extend_from_slice(&text.as_bytes()[from..to]);
            body.extend_from_slice(&framing.take(&mut bytes)?);
            from = to;
        }
        Ok((String::from_utf8(body).unwrap(), framing, bytes.len()))
    }

    #[test]
    fn chunks_cut_at_any_two_places_are_the_same_body() {
        for first in 0..=CHUNKED.len() {
            for second in first..=CHUNKED.len() {
                let expected = ("hello 0123456789".to_owned(), Framing::Ended, 0);
                assert_eq!(read(CHUNKED, &[first, second]), Ok(expected), "{first}, {second}");
            }
        }
    }

    #[test]
    fn what_one_read_brought_is_one_piece_and_what_follows_the_body_stays() {
        let (mut framing, mut bytes) = (Framing::ChunkSize, BytesMut::from(CHUNKED));
        bytes.extend_from_slice(b"HTTP/1.1 200 OK");
        assert_eq!(framing.take(&mut bytes), Ok(Bytes::from_static(b"hello 0123456789")));
        assert_eq!((framing, &bytes[..]), (Framing::Ended, &b"HTTP/1.1 200 OK"[..]));
    }

    #[test]
    fn what_is_no_chunk_is_not_taken_for_one() {
        let long_line = format!("1;{}", "x".repeat(CHUNK_LINE_BYTES_MAX));
        let long_trailer = format!("0\r\nx: {}", "y".repeat(TRAILER_BYTES_MAX));
        let many_trailers = format!("0\r\n{}", "x: y\r\n".repeat(TRAILER_BYTES_MAX / 6 + 1));
        for text in [
            "x\r\n",
            "-1\r\n",
            "5\r\nhello!\r\n",
            "5\r\nhello\n",
            "10000000000000000\r\n",
            &long_line,
            &long_trailer,
            &many_trailers,
        ] {
            assert_eq!(read(text, &[]), Err(NotChunked), "{:?}", &text[..text.len().min(20)]);
        }
    }

    #[test]
    fn a_body_of_known_length_ends_there_and_one_without_goes_on() {
        let mut bytes = BytesMut::from("okay");
        let mut framing = Framing::new(Length::Bytes(2));
        assert_eq!(framing.take(&mut bytes), Ok(Bytes::from_static(b"ok")));
        assert_eq!((framing, &bytes[..]), (Framing::Ended, &b"ay"[..]));
        let mut framing = Framing::new(Length::UntilClose);
        assert_eq!(framing.take(&mut bytes), Ok(Bytes::from_static(b"ay")));
        assert!(!framing.is_ended() && bytes.is_empty());
        assert!(Framing::new(Length::Bytes(0)).is_ended());
    }
}
