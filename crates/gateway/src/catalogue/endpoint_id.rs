//! The id of an endpoint in reports, made from what it is: it needs no storing, is the same on every
//! node and after every reload, and stays when the endpoint has left the configuration.

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The id of the endpoint where `provider`, a slug, runs `model` under the name `upstream_model`.
///
/// ```
/// # use gateway::catalogue::endpoint_id;
/// let id = endpoint_id("openai/gpt-4o-mini", "openai", "gpt-4o-mini");
/// assert_eq!(id.to_string(), "26e51696-0c1d-8e91-bb2a-b332ce3318d8");
/// ```
pub fn endpoint_id(model: &str, provider: &str, upstream_model: &str) -> Uuid {
    let mut hash = Sha256::new();
    for name in [model, provider, upstream_model] {
        // Each after its length, so that no two lists of names are the same bytes.
        hash.update((name.len() as u64).to_be_bytes());
        hash.update(name);
    }
    let hash: [u8; 32] = hash.finalize().into();
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    uuid::Builder::from_custom_bytes(id).into_uuid()
}
