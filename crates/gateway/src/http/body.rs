//! Request bodies, whole and bounded: each one, how long it takes, and all of them in memory.
//! One that is too large by its own word is refused before a byte is read (DESIGN "Bounds").

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use api::error::ErrorType;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;

use super::error::{ApiError, ApiResult};
use crate::core::Core;
use crate::metrics::Bound;

/// A body of an administrator's request, in bytes.
const MANAGEMENT_BYTES_MAX: u64 = 1 << 20;

/// A body on its way in.
pub(crate) trait Incoming:
    http_body::Body<Data = Bytes, Error: std::error::Error + Send + Sync + 'static> + Unpin
{
}

impl<B> Incoming for B where
    B: http_body::Body<Data = Bytes, Error: std::error::Error + Send + Sync + 'static> + Unpin
{
}

/// A body in memory; what it takes there is given back when dropped.
pub(crate) struct HeldBody {
    /// Its bytes.
    pub(crate) bytes: Bytes,
    room: Room,
}

impl HeldBody {
    /// Reads the body of a request to a model, which shares the memory of all such bodies.
    pub(crate) async fn of_inference(
        core: &Arc<Core>,
        headers: &HeaderMap,
        body: impl Incoming,
    ) -> ApiResult<HeldBody> {
        HeldBody::read(core, headers, body, core.config.bounds.body_bytes_max, true).await
    }

    /// Reads the body of an administrator's request, for which there is always room.
    pub(crate) async fn of_management(
        core: &Arc<Core>,
        headers: &HeaderMap,
        body: impl Incoming,
    ) -> ApiResult<HeldBody> {
        HeldBody::read(core, headers, body, MANAGEMENT_BYTES_MAX, false).await
    }

    async fn read(
        core: &Arc<Core>,
        headers: &HeaderMap,
        body: impl Incoming,
        bytes_max: u64,
        is_shared: bool,
    ) -> ApiResult<HeldBody> {
        let too_large = || {
            let message =
                format!("Request payload too large: at most {bytes_max} bytes are allowed");
            ApiError::new(ErrorType::PayloadTooLarge, message)
        };
        let announced = headers
            .get(header::CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if announced.is_some_and(|bytes| bytes > bytes_max) {
            return Err(too_large());
        }
        // Room is taken as bytes arrive: what is only announced takes none.
        let mut room = Room { core: Arc::clone(core), bytes: 0, is_shared };
        let limit = Duration::from_millis(core.config.bounds.body_ms_max);
        let expected = usize::try_from(announced.unwrap_or(0)).unwrap_or(0);
        let reading = collect(body, &mut room, bytes_max, expected);
        match tokio::time::timeout(limit, reading).await {
            Ok(Ok(Some(bytes))) => Ok(HeldBody { bytes, room }),
            Ok(Ok(None)) => Err(too_large()),
            Ok(Err(error)) => Err(error),
            Err(_) => {
                let message =
                    format!("The request's body was not complete within {} ms", limit.as_millis());
                let error = ApiError::new(ErrorType::Timeout, message);
                Err(error.with_status(StatusCode::REQUEST_TIMEOUT))
            }
        }
    }

    /// How many bytes it takes.
    pub(crate) fn len(&self) -> u64 {
        self.room.bytes
    }
}

/// The whole body, or `None` where it is too large.
async fn collect(
    mut body: impl Incoming,
    room: &mut Room,
    bytes_max: u64,
    expected: usize,
) -> ApiResult<Option<Bytes>> {
    let mut first: Option<Bytes> = None;
    let mut rest = BytesMut::new();
    let mut length = 0_u64;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            ApiError::invalid("The request's body could not be read").because(error)
        })?;
        let Ok(data) = frame.into_data() else { continue };
        length = length.saturating_add(data.len() as u64);
        if length > bytes_max {
            return Ok(None);
        }
        room.grow(length.saturating_sub(room.bytes))?;
        match &first {
            // Most bodies come in one piece and are not copied.
            None => first = Some(data),
            Some(head) => {
                if rest.is_empty() {
                    let doubled = 2 * (head.len() + data.len());
                    rest.reserve(expected.clamp(head.len() + data.len(), doubled));
                    rest.extend_from_slice(head);
                }
                rest.extend_from_slice(&data);
            }
        }
    }
    Ok(Some(if rest.is_empty() { first.unwrap_or_default() } else { rest.freeze() }))
}

/// What a body takes of the memory that all may take.
struct Room {
    core: Arc<Core>,
    bytes: u64,
    /// Whether it counts towards the memory that all bodies may take.
    is_shared: bool,
}

impl Room {
    fn grow(&mut self, bytes: u64) -> ApiResult<()> {
        if !self.is_shared {
            return Ok(());
        }
        let before = self.core.body_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.bytes += bytes;
        if before.saturating_add(bytes) > self.core.config.bounds.bodies_bytes_max {
            self.core.metrics.overloaded(Bound::Bodies);
            return Err(ApiError::unavailable("Too many request bodies are in memory."));
        }
        Ok(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.core.body_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
