//! Each credential that a request may go with makes its own copy of an endpoint, besides the
//! operator's own (SEMANTICS 8.4): which there are, and in which order.

use std::sync::Arc;

use jiff::Timestamp;
use smallvec::SmallVec;
use store::KeyHash;
use uuid::Uuid;

use super::Question;
use crate::catalogue::Endpoint;
use crate::credentials::{Asker, Choice, Credential, CredentialSet, choose};

/// The credentials that were brought, and who would go with them.
#[derive(Clone, Copy)]
pub struct Brought<'a> {
    /// All there are.
    pub credentials: &'a CredentialSet,
    /// The key that asks.
    pub key: KeyHash,
    /// The member it was made for.
    pub user: Option<&'a str>,
    /// Its workspace.
    pub workspace: Uuid,
}

impl Brought<'_> {
    fn at(&self, endpoint: &Endpoint, now: Timestamp) -> Choice<'_> {
        let asker = Asker {
            model: &endpoint.model,
            key: self.key,
            user: self.user,
            workspace: self.workspace,
        };
        choose(self.credentials.of(&endpoint.provider.slug), &asker, now)
    }

    fn is_any_for(&self, endpoint: &Endpoint) -> bool {
        !self.credentials.of(&endpoint.provider.slug).is_empty()
    }
}

/// An endpoint, with what to go there with.
#[derive(Clone, Copy)]
pub(super) struct EndpointCopy<'a> {
    pub(super) endpoint: &'a Arc<Endpoint>,
    /// The credential; `None` is the operator's own.
    pub(super) credential: Option<&'a Arc<Credential>>,
}

pub(super) type Copies<'a> = SmallVec<[EndpointCopy<'a>; 4]>;

impl EndpointCopy<'_> {
    /// Whether nothing is kept of what is sent, as the credential's owner says or the endpoint.
    pub(super) fn is_zdr(&self) -> bool {
        let declared = self.credential.and_then(|credential| credential.record.declared_zdr);
        declared.unwrap_or(self.endpoint.zdr)
    }

    /// Whether nothing of what is sent serves other purposes of the provider's.
    pub(super) fn is_not_collected(&self) -> bool {
        self.is_zdr() || !self.endpoint.provider.collects_data
    }

    fn is_fallback(&self) -> bool {
        self.credential.is_some_and(|credential| credential.record.is_fallback)
    }
}

/// The copies of an endpoint that may be used at all, whatever is wished for.
pub(super) fn available<'a>(endpoint: &'a Arc<Endpoint>, question: &Question<'a>) -> Copies<'a> {
    let provider = &endpoint.provider;
    let mut copies = Copies::new();
    let mut is_own_allowed = provider.is_available(question.now);
    if let Some(brought) = question.brought {
        let choice = brought.at(endpoint, question.now);
        let copy = |credential| EndpointCopy { endpoint, credential: Some(credential) };
        copies.extend(choice.credentials.into_iter().map(copy));
        // Where the operator has none, what was brought is all there is.
        let has_own = !provider.credentials.is_empty() || !brought.is_any_for(endpoint);
        is_own_allowed &= has_own && !choice.is_closed_to_own;
    }
    if is_own_allowed {
        copies.push(EndpointCopy { endpoint, credential: None });
    }
    copies
}

/// Those that keep to how the client wants its data treated: a credential does not lift that.
pub(super) fn fitting<'a>(endpoint: &'a Arc<Endpoint>, question: &Question<'a>) -> Copies<'a> {
    let wish = question.wish;
    let mut copies = available(endpoint, question);
    copies.retain(|copy| {
        (!wish.zdr || copy.is_zdr()) && (!wish.deny_data_collection || copy.is_not_collected())
    });
    copies
}

/// The copies of `endpoints`, which are in the order to try: those with a credential first, then the
/// operator's own, then credentials that are to fall back to. Where the client has an order of
/// providers, every credential comes before the operator's own.
pub(super) fn spread<'a>(endpoints: &[&'a Arc<Endpoint>], question: &Question<'a>) -> Copies<'a> {
    let wish = question.wish;
    let mut copies: Copies<'a> = match question.brought {
        None => {
            endpoints.iter().map(|endpoint| EndpointCopy { endpoint, credential: None }).collect()
        }
        Some(_) => endpoints.iter().flat_map(|endpoint| fitting(endpoint, question)).collect(),
    };
    if question.brought.is_some() {
        let is_ordered = !wish.order.is_empty();
        copies.sort_by_key(|copy| match copy.credential {
            Some(_) if is_ordered || !copy.is_fallback() => 0,
            None => 1,
            Some(_) => 2,
        });
    }
    if wish.no_fallbacks && wish.order.is_empty() {
        copies.truncate(1);
    }
    copies
}
