//! Who is calling: the SHA-256 of the presented key, looked up before a body is read.
//! The text is hashed and forgotten; nothing here keeps or logs it (DESIGN I6).

use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use sha2::{Digest, Sha256};
use store::{KeyHash, ManagementKey};

use super::error::{ApiError, ApiResult};
use super::head;
use crate::core::Core;
use crate::directory::{Caller, Key};
use crate::observe;

/// The hash of a key's whole text.
pub fn hash(text: &str) -> KeyHash {
    KeyHash(Sha256::digest(text.as_bytes()).into())
}

/// Whoever presents a key that is in use.
pub(super) fn caller(core: &Core, headers: &HeaderMap) -> ApiResult<Caller> {
    let Some(header) = head::once(headers, &AUTHORIZATION)? else {
        return Err(ApiError::unauthenticated(true));
    };
    let text = header.to_str().ok().and_then(bearer).unwrap_or_default();
    match core.directory.caller(&hash(text)) {
        Some(Caller::Inference(key)) if !key.account().is_open(core.clock.now()) => {
            Err(ApiError::unauthenticated(false))
        }
        Some(caller) => {
            observe::note(|passage| match &caller {
                Caller::Inference(key) => {
                    let record = key.record();
                    passage.presented(&record.name, record.hash);
                }
                Caller::Management(key) => passage.presented(&key.name, key.hash),
            });
            Ok(caller)
        }
        None => Err(ApiError::unauthenticated(false)),
    }
}

/// The inference key that calls.
pub(super) fn inference(core: &Core, headers: &HeaderMap) -> ApiResult<Arc<Key>> {
    match caller(core, headers)? {
        Caller::Inference(key) => Ok(key),
        Caller::Management(_) => Err(ApiError::inference_only()),
    }
}

/// The management key that calls.
pub(super) fn management(core: &Core, headers: &HeaderMap) -> ApiResult<Arc<ManagementKey>> {
    match caller(core, headers)? {
        Caller::Management(key) => Ok(key),
        Caller::Inference(_) => Err(ApiError::management_only()),
    }
}

/// The token of a bearer credential; the scheme's case means nothing.
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
