//! `Idempotency-Key` of `POST /keys`: a repeat within a day gets the same answer, key text included.
//!
//! The answer is kept encrypted under a key derived from the header, of which only a SHA-256 is
//! stored: the store alone can't read it (SEMANTICS 1.10).

use std::sync::Arc;

use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use http::{HeaderMap, HeaderName};
use sha2::{Digest, Sha256};
use store::{Idempotent, ManagementKey};

use crate::core::{Core, idempotency_expiry};
use crate::entropy::bytes;
use crate::http::error::{ApiError, ApiResult};
use crate::http::{head, reading};

const NAME: HeaderName = HeaderName::from_static("idempotency-key");
const CHARS_MIN: usize = 20;
const CHARS_MAX: usize = 255;
const NONCE_BYTES: usize = 24;

/// A request that may come twice.
pub(super) struct Request {
    id: [u8; 32],
    body: [u8; 32],
    secret: [u8; 32],
}

impl Request {
    /// The request's idempotency key, where it has one.
    pub(super) fn read(
        headers: &HeaderMap,
        manager: &ManagementKey,
        body: &[u8],
    ) -> ApiResult<Option<Request>> {
        let Some(header) = head::once(headers, &NAME)? else { return Ok(None) };
        let text = header.to_str().unwrap_or_default();
        if !(CHARS_MIN..=CHARS_MAX).contains(&text.len()) {
            return Err(ApiError::invalid(format!(
                "`Idempotency-Key` must be {CHARS_MIN} to {CHARS_MAX} visible ASCII characters"
            )));
        }
        let digest = |purpose: &[u8]| -> [u8; 32] {
            let mut hash = Sha256::new();
            hash.update(purpose);
            hash.update(manager.hash.0);
            hash.update(text.as_bytes());
            hash.finalize().into()
        };
        Ok(Some(Request {
            id: digest(b"tollgate idempotency id\0"),
            body: Sha256::digest(body).into(),
            secret: digest(b"tollgate idempotency secret\0"),
        }))
    }

    /// The answer the same request got before.
    pub(super) async fn answered(&self, core: &Arc<Core>) -> ApiResult<Option<Vec<u8>>> {
        let (id, now) = (self.id, core.clock.now());
        let kept = reading(core, move |store| store.idempotent(&id, now)).await?;
        kept.map(|kept| self.open(&kept)).transpose()
    }

    /// `answer` as it is kept.
    pub(super) fn keep(&self, core: &Core, answer: &[u8]) -> ApiResult<Idempotent> {
        let nonce: [u8; NONCE_BYTES] = bytes(&*core.entropy);
        let sealed = self
            .cipher()
            .encrypt(&XNonce::from(nonce), answer)
            .map_err(|_| ApiError::internal("an answer could not be encrypted"))?;
        Ok(Idempotent {
            id: self.id,
            body: self.body,
            answer: [&nonce[..], &sealed].concat(),
            expires_at: idempotency_expiry(core.clock.now()),
        })
    }

    /// What was kept, for the same request; another one under the same key is a conflict.
    pub(super) fn open(&self, kept: &Idempotent) -> ApiResult<Vec<u8>> {
        if kept.body != self.body {
            let message = "`Idempotency-Key` was used for a request with another body";
            return Err(ApiError::conflict(message));
        }
        let unreadable = || ApiError::internal("a kept answer could not be decrypted");
        let (nonce, sealed) =
            kept.answer.split_first_chunk::<NONCE_BYTES>().ok_or_else(unreadable)?;
        self.cipher().decrypt(&XNonce::from(*nonce), sealed).map_err(|_| unreadable())
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(self.secret))
    }
}
