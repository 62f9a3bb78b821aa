//! What the head of a request must be, before anyone looks at what it asks for.
//! The HTTP library refuses what is not HTTP; here is what is HTTP and still not taken.

use api::Invalid;
use http::header::{CONTENT_ENCODING, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Version};

use super::error::{ApiError, ApiResult};

/// The bytes of a line beside a header's name and value: colon, blank and line end.
const LINE_BYTES: usize = 4;

/// Refuses a head that is too large, that says not exactly once whom it is for, or whose body is
/// encoded.
pub(super) fn check<B>(request: &Request<B>, bytes_max: usize) -> ApiResult<()> {
    let headers = request.headers();
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if target > bytes_max {
        let message = format!("Request target too long: at most {bytes_max} bytes are allowed");
        return Err(ApiError::invalid(message).with_status(StatusCode::URI_TOO_LONG));
    }
    let line =
        |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + LINE_BYTES;
    // The library's own bound is passed by what arrives in one read.
    if target + headers.iter().map(line).sum::<usize>() > bytes_max {
        let message = format!("Request header too large: at most {bytes_max} bytes are allowed");
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        return Err(ApiError::invalid(message).with_status(status));
    }
    if request.version() == Version::HTTP_11 && once(headers, &HOST)?.is_none() {
        return Err(Invalid::new("host", "is missing", "exactly one").into());
    }
    if headers.get_all(TRANSFER_ENCODING).iter().any(|coding| !is(coding, "chunked")) {
        let problem = "is none that is known here";
        return Err(Invalid::new("transfer-encoding", problem, "`chunked`").into());
    }
    if headers.get_all(CONTENT_ENCODING).iter().any(|coding| !is(coding, "identity")) {
        let invalid = Invalid::new("content-encoding", "is not supported", "a body as it is");
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(ApiError::from(invalid).with_status(status));
    }
    Ok(())
}

/// The value of a header that may stand once: of two, each reader could take another.
pub(super) fn once<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> ApiResult<Option<&'a HeaderValue>> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (first, None) => Ok(first),
        _ => Err(Invalid::new(name.as_str(), "is given twice", "exactly one").into()),
    }
}

fn is(value: &HeaderValue, word: &str) -> bool {
    value.as_bytes().trim_ascii().eq_ignore_ascii_case(word.as_bytes())
}
