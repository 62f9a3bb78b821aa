//! Which credentials of a provider a request may go with, and whether the operator's own besides
//! (SEMANTICS 8.3, 8.4). Pure: settings in, an answer out.

use std::sync::Arc;

use jiff::Timestamp;
use smallvec::SmallVec;
use store::{CredentialRecord, KeyHash, means_model};
use uuid::Uuid;

use super::Credential;

/// Who asks, and for what.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// The model's id.
    pub model: &'a str,
    /// The key.
    pub key: KeyHash,
    /// The member the key was made for.
    pub user: Option<&'a str>,
    /// The key's workspace.
    pub workspace: Uuid,
}

/// What a request may go with at one provider.
#[derive(Debug, Default)]
pub struct Choice<'a> {
    /// The credentials, in the order to try.
    pub credentials: SmallVec<[&'a Arc<Credential>; 2]>,
    /// The operator's own may not be used.
    pub is_closed_to_own: bool,
}

/// What `asker` may go with, of all credentials there are for one provider.
///
/// One that rests is left out; that it wants the operator's own out of use stays true.
pub fn choose<'a>(
    credentials: &'a [Arc<Credential>],
    asker: &Asker<'_>,
    now: Timestamp,
) -> Choice<'a> {
    let mut choice = Choice::default();
    for credential in credentials {
        let record = &credential.record;
        if record.disabled || !is_for_caller(record, asker) {
            continue;
        }
        let is_for_model = is_for_model(record, asker.model);
        choice.is_closed_to_own |= record.is_byok_only || (record.is_required && is_for_model);
        if is_for_model && credential.is_available(now) {
            choice.credentials.push(credential);
        }
    }
    choice
}

fn is_for_caller(record: &CredentialRecord, asker: &Asker<'_>) -> bool {
    let is_for_key = |keys: &Vec<KeyHash>| keys.contains(&asker.key);
    let is_for_user = |users: &Vec<String>| {
        asker.user.is_some_and(|asking| users.iter().any(|user| user == asking))
    };
    record.workspace.is_none_or(|workspace| workspace == asker.workspace)
        && record.allowed_api_key_hashes.as_ref().is_none_or(is_for_key)
        && record.allowed_user_ids.as_ref().is_none_or(is_for_user)
}

fn is_for_model(record: &CredentialRecord, model: &str) -> bool {
    let models = record.allowed_models.as_ref();
    models.is_none_or(|models| models.iter().any(|entry| means_model(entry, model)))
}
