//! The head of a provider's answer: what of it matters, and how long its body is (RFC 9112, section 6).
//! Parsed by `httparse`; whatever could be read in two ways is refused.

use bytes::{Buf, BytesMut};
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{
        CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, TRANSFER_ENCODING,
    },
};

/// The head of an answer, bytes; informational answers before it count as well.
pub(super) const HEAD_BYTES_MAX: usize = 64 * 1024;
const FIELDS_MAX: usize = 100;

/// A whole head.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) status: StatusCode,
    /// The fields that matter here; no other is kept.
    pub(super) fields: HeaderMap,
    pub(super) length: Length,
    /// Whether the connection may carry another request once the body was read.
    pub(super) keeps_alive: bool,
}

/// Where a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// After this many bytes.
    Bytes(u64),
    /// With its last chunk.
    Chunked,
    /// With the connection.
    UntilClose,
}

/// What an answer that can't be read has wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum HeadError {
    #[error("the answer is not HTTP: {0}")]
    NotHttp(#[from] httparse::Error),
    #[error("the answer's head is longer than {HEAD_BYTES_MAX} bytes")]
    TooLong,
    #[error("the answer's content-length is not one number")]
    ContentLength,
    #[error("the answer's transfer-encoding is not understood")]
    TransferEncoding,
    #[error("the answer changes the protocol, which was not asked for")]
    Upgrade,
}

/// Takes a head off the front of `bytes`, with any informational answers before it; `None` where more must be read.
pub(super) fn take(bytes: &mut BytesMut) -> Result<Option<Head>, HeadError> {
    loop {
        match parse(bytes)? {
            Some((length, head)) => {
                bytes.advance(length);
                if !head.status.is_informational() {
                    return Ok(Some(head));
                }
                if head.status == StatusCode::SWITCHING_PROTOCOLS {
                    return Err(HeadError::Upgrade);
                }
            }
            None if bytes.len() >= HEAD_BYTES_MAX => return Err(HeadError::TooLong),
            None => return Ok(None),
        }
    }
}

fn parse(bytes: &[u8]) -> Result<Option<(usize, Head)>, HeadError> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut response = httparse::Response::new(&mut fields);
    let httparse::Status::Complete(length) = response.parse(bytes)? else { return Ok(None) };
    let status = response.code.and_then(|code| StatusCode::from_u16(code).ok());
    let status = status.ok_or(httparse::Error::Status)?;
    let is_http_11 = response.version == Some(1);
    let kept = kept(response.headers)?;
    let head = Head {
        length: body_length(status, is_http_11, &kept)?,
        keeps_alive: keeps_alive(is_http_11, &kept),
        status,
        fields: kept,
    };
    Ok(Some((length, head)))
}

/// The fields that matter, as they came.
fn kept(fields: &[httparse::Header<'_>]) -> Result<HeaderMap, HeadError> {
    let mut kept = HeaderMap::with_capacity(4);
    for field in fields {
        let Some(name) = NAMES.iter().find(|name| field.name.eq_ignore_ascii_case(name.as_str()))
        else {
            continue;
        };
        let value = HeaderValue::from_bytes(field.value)
            .map_err(|_| HeadError::NotHttp(httparse::Error::HeaderValue))?;
        kept.append(name.clone(), value);
    }
    Ok(kept)
}

/// `retry-after-ms`, which some providers send beside the standard field.
pub(super) const RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");

static NAMES: [HeaderName; 7] = [
    CONTENT_TYPE,
    CONTENT_LENGTH,
    TRANSFER_ENCODING,
    CONNECTION,
    CONTENT_ENCODING,
    RETRY_AFTER,
    RETRY_AFTER_MS,
];

fn body_length(
    status: StatusCode,
    is_http_11: bool,
    fields: &HeaderMap,
) -> Result<Length, HeadError> {
    if status.is_informational()
        || status == StatusCode::NO_CONTENT
        || status == StatusCode::NOT_MODIFIED
    {
        return Ok(Length::Bytes(0));
    }
    if fields.contains_key(TRANSFER_ENCODING) {
        // A length beside it means nothing; in HTTP/1.0 nothing is known of it.
        let is_chunked = tokens(fields, &TRANSFER_ENCODING).try_fold(0_u32, |seen, coding| {
            coding.eq_ignore_ascii_case("chunked").then(|| seen + 1)
        });
        return match is_chunked {
            Some(1) if is_http_11 => Ok(Length::Chunked),
            _ => Err(HeadError::TransferEncoding),
        };
    }
    let mut lengths = fields
        .get_all(CONTENT_LENGTH)
        .iter()
        .flat_map(|value| value.to_str().unwrap_or("?").split(',').map(|text| digits(text.trim())));
    let Some(first) = lengths.next() else { return Ok(Length::UntilClose) };
    let first = first.ok_or(HeadError::ContentLength)?;
    if lengths.any(|other| other != Some(first)) {
        return Err(HeadError::ContentLength);
    }
    Ok(Length::Bytes(first))
}

/// A number of digits alone: `parse` would take a plus sign.
fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn keeps_alive(is_http_11: bool, fields: &HeaderMap) -> bool {
    let says =
        |word: &str| tokens(fields, &CONNECTION).any(|token| token.eq_ignore_ascii_case(word));
    !says("close") && (is_http_11 || says("keep-alive"))
}

/// The members of a list, in all the fields of that name. What is not text is no member that anyone knows.
fn tokens<'a>(fields: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    fields
        .get_all(name)
        .iter()
        .flat_map(|value| value.to_str().unwrap_or("?").split(','))
        .map(str::trim)
        .filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<(u16, Length, bool)>, HeadError> {
        let head = take(&mut BytesMut::from(text))?;
        Ok(head.map(|head| (head.status.as_u16(), head.length, head.keeps_alive)))
    }

    #[test]
    fn where_a_body_ends_is_never_guessed() {
        use Length::*;
        for (fields, expected) in [
            ("", Ok((UntilClose, true))),
            ("content-length: 5\r\n", Ok((Bytes(5), true))),
            ("Content-Length: 5\r\ncontent-length: 5\r\n", Ok((Bytes(5), true))),
            ("content-length: 5, 5\r\n", Ok((Bytes(5), true))),
            ("content-length: 5\r\ncontent-length: 6\r\n", Err(HeadError::ContentLength)),
            ("content-length: +5\r\n", Err(HeadError::ContentLength)),
            ("content-length: -5\r\n", Err(HeadError::ContentLength)),
            ("content-length: \r\n", Err(HeadError::ContentLength)),
            ("content-length: 5x\r\n", Err(HeadError::ContentLength)),
            ("content-length: 99999999999999999999\r\n", Err(HeadError::ContentLength)),
            ("transfer-encoding: chunked\r\n", Ok((Chunked, true))),
            ("transfer-encoding: CHUNKED\r\ncontent-length: 5\r\n", Ok((Chunked, true))),
            ("transfer-encoding: gzip, chunked\r\n", Err(HeadError::TransferEncoding)),
            ("transfer-encoding: chunked, chunked\r\n", Err(HeadError::TransferEncoding)),
            ("transfer-encoding: identity\r\n", Err(HeadError::TransferEncoding)),
            ("transfer-encoding: \r\n", Err(HeadError::TransferEncoding)),
            ("connection: close\r\ncontent-length: 5\r\n", Ok((Bytes(5), false))),
            ("connection: x, Close\r\ncontent-length: 5\r\n", Ok((Bytes(5), false))),
        ] {
            let text = format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
            let expected = expected.map(|(length, keeps)| Some((200, length, keeps)));
            assert_eq!(read(&text), expected, "{fields:?}");
        }
    }

    #[test]
    fn statuses_without_a_body_have_none_and_http_1_0_keeps_alive_only_where_it_says_so() {
        for (text, expected) in [
            ("HTTP/1.1 204 No\r\ncontent-length: 5\r\n\r\n", (204, Length::Bytes(0), true)),
            ("HTTP/1.1 304 Same\r\n\r\n", (304, Length::Bytes(0), true)),
            ("HTTP/1.0 200 OK\r\n\r\n", (200, Length::UntilClose, false)),
            (
                "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 1\r\n\r\n",
                (200, Length::Bytes(1), true),
            ),
            ("HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 500 Oh\r\n\r\n", (500, Length::UntilClose, true)),
        ] {
            assert_eq!(read(text), Ok(Some(expected)), "{text:?}");
        }
        let chunked = "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        assert_eq!(read(chunked), Err(HeadError::TransferEncoding));
        assert_eq!(read("HTTP/1.1 101 Up\r\n\r\n"), Err(HeadError::Upgrade));
    }

    #[test]
    fn a_head_cut_anywhere_asks_for_more_and_leaves_what_follows_it() {
        let text = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n";
        for end in 0..text.len() {
            assert_eq!(read(&text[..end]), Ok(None), "{end}");
        }
        let mut bytes = BytesMut::from(format!("{text}ok").as_str());
        take(&mut bytes).unwrap().unwrap();
        assert_eq!(bytes, "ok");
    }
}
