//! Credentials to try rules with.

use jiff::Timestamp;
use store::{CredentialRecord, Encrypted};
use uuid::Uuid;

/// A credential for that provider, with no restriction.
pub(crate) fn credential(provider: &str) -> CredentialRecord {
    CredentialRecord {
        id: Uuid::from_u128(1),
        provider: provider.to_owned(),
        workspace: Some(Uuid::from_u128(7)),
        name: None,
        label: "sk-...AbCd".to_owned(),
        encrypted: Encrypted::default(),
        disabled: false,
        is_fallback: false,
        is_required: false,
        is_byok_only: false,
        sort_order: 0,
        allowed_models: None,
        allowed_api_key_hashes: None,
        allowed_user_ids: None,
        declared_region: None,
        declared_zdr: None,
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: None,
        version: 1,
    }
}
