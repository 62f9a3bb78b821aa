//! The worst case of a request on one endpoint: no answer can cost more unless its provider charges
//! above what it was sent (DESIGN step 2).

use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use jiff::Timestamp;
use ledger::{Amounts, Cell};
use money::{Bill, Money, Percent, Rate};
use upstream::{Request, redact};
use uuid::Uuid;

use crate::catalogue::Endpoint;
use crate::credentials::Credential;

/// A credential of the owner's that a request goes with, and what that costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Byok {
    /// The credential.
    pub credential: Uuid,
    /// The part of the list price that is charged to the account.
    pub fee: Percent,
}

impl Byok {
    /// What a call at that list price comes to: the price is the owner's to pay, the fee is charged.
    pub fn amounts(&self, list: Money) -> Amounts {
        Amounts { credits: self.fee.of(list), byok: list }
    }
}

/// An endpoint the request may go to, with what bounds its cost there.
#[derive(Clone)]
pub struct Candidate {
    /// The endpoint.
    pub endpoint: Arc<Endpoint>,
    /// Those of one stage share a hold.
    pub stage: usize,
    /// What going with a credential of the owner's costs; `None` for the operator's own.
    pub byok: Option<Byok>,
    /// That credential.
    pub credential: Option<Arc<Credential>>,
    /// No more prompt tokens than this can be charged.
    pub prompt_tokens: u64,
    /// Tokens of the text, by bytes or by the endpoint's tokenizer.
    text_tokens: u64,
    /// Tokens the provider is taken to add unseen.
    overhead_tokens: u64,
    /// Parts of the prompt that may be billed as images, besides their tokens.
    images: u64,
    /// The endpoint charged above a hold before, so it is held at its own maximum.
    at_maximum: bool,
}

impl Candidate {
    /// The bound by bytes: every token is at least a byte of the JSON, plus what the provider adds
    /// unseen.
    pub fn by_bytes(endpoint: &Arc<Endpoint>, request: &Request) -> Candidate {
        Candidate::bounded(endpoint, request, request.prompt_bytes)
    }

    /// The bound by the endpoint's own tokenizer; `None` where it names none.
    pub fn by_tokens(endpoint: &Arc<Endpoint>, request: &Request) -> Option<Candidate> {
        let tokens = endpoint.tokenizer.as_ref()?.count_prompt(request);
        Some(Candidate::bounded(endpoint, request, tokens))
    }

    fn bounded(endpoint: &Arc<Endpoint>, request: &Request, text_tokens: u64) -> Candidate {
        let at_maximum = endpoint.learned.is_held_at_maximum();
        let overhead_tokens = overhead(endpoint, request);
        let media = [
            (request.media.images, endpoint.media.image),
            (request.media.audios, endpoint.media.audio),
            (request.media.files, endpoint.media.file),
            (request.media.unknown, endpoint.media.unknown),
        ];
        let tokens = media
            .iter()
            .map(|(parts, tokens_each)| parts.saturating_mul(*tokens_each))
            .fold(text_tokens.saturating_add(overhead_tokens), u64::saturating_add);
        let most = endpoint.context_length.saturating_mul(request.inputs);
        let prompt_tokens = if at_maximum { most } else { tokens.min(most) };
        Candidate {
            endpoint: Arc::clone(endpoint),
            stage: 0,
            byok: None,
            credential: None,
            prompt_tokens,
            text_tokens,
            overhead_tokens,
            images: request.media.images + request.media.files + request.media.unknown,
            at_maximum,
        }
    }

    /// The same candidate, in that stage.
    pub fn at_stage(self, stage: usize) -> Candidate {
        Candidate { stage, ..self }
    }

    /// The same candidate, with that credential of the owner's.
    pub fn with(self, byok: Byok) -> Candidate {
        Candidate { byok: Some(byok), ..self }
    }

    /// The same candidate, going with that credential, of whose list price `fee` is charged.
    pub fn going_with(self, credential: Arc<Credential>, fee: Percent) -> Candidate {
        let byok = Byok { credential: credential.record.id, fee };
        Candidate { credential: Some(credential), ..self.with(byok) }
    }

    /// Whether what it goes with is good at `now`, as far as is known.
    pub fn is_available(&self, now: Timestamp) -> bool {
        match &self.credential {
            Some(credential) => credential.is_available(now),
            None => self.endpoint.provider.is_available(now),
        }
    }

    /// A text of the provider's that others may see: what the request went with is taken out.
    pub fn redacted(&self, text: &str) -> String {
        let text = self.endpoint.provider.redacted(text);
        match &self.credential {
            Some(credential) => redact(&text, credential.text()),
            None => text,
        }
    }

    /// The headers that every request to the provider carries, with what shows who pays.
    pub fn headers(&self) -> HeaderMap {
        match &self.credential {
            None => self.endpoint.provider.headers.clone(),
            Some(credential) => {
                let mut headers = self.endpoint.provider.headers_without_credentials.clone();
                headers.insert(AUTHORIZATION, credential.authorization());
                headers
            }
        }
    }

    /// The same bound for what `other` stands for: its stage, its credential.
    pub fn in_place_of(self, other: &Candidate) -> Candidate {
        Candidate {
            stage: other.stage,
            byok: other.byok,
            credential: other.credential.clone(),
            ..self
        }
    }

    /// The same candidate, bounded by what was learned of its endpoint since.
    pub fn as_learned(self, request: &Request) -> Candidate {
        let learned = &self.endpoint.learned;
        let is_current = self.at_maximum == learned.is_held_at_maximum()
            && self.overhead_tokens >= learned.prompt_overhead_tokens();
        if is_current {
            return self;
        }
        Candidate::bounded(&self.endpoint, request, self.text_tokens).in_place_of(&self)
    }

    /// Tokens of the text, by bytes or by the endpoint's tokenizer, without what is added unseen.
    pub fn text_tokens(&self) -> u64 {
        self.text_tokens
    }

    /// Tokens the provider was taken to add unseen.
    pub fn overhead_tokens(&self) -> u64 {
        self.overhead_tokens
    }

    /// The prompt's tokens where the provider does not report them: counted by the endpoint's
    /// tokenizer, else its bytes, and what is added unseen.
    pub fn count_prompt(&self, request: &Request) -> u64 {
        let tokenizer = self.endpoint.tokenizer.as_ref();
        let text = tokenizer.map_or(self.text_tokens, |known| known.count_prompt(request));
        text.saturating_add(self.overhead_tokens).min(self.prompt_tokens)
    }

    /// The cap to send where the hold pays for `tokens` of completion.
    pub fn cap(&self, tokens: u64) -> u64 {
        tokens.min(self.endpoint.max_completion_tokens)
    }

    /// The most tokens the request can use here with `tokens` of completion, the prompt included.
    pub fn worst_tokens(&self, tokens: u64) -> u64 {
        let tokens = if self.at_maximum { u64::MAX } else { tokens };
        let completion = self.cap(tokens).saturating_add(self.endpoint.reasoning_tokens_max);
        self.prompt_tokens.saturating_add(completion)
    }

    /// Whether this is the most the endpoint could ever charge by its own bounds.
    pub fn is_at_maximum(&self) -> bool {
        self.at_maximum
    }

    /// The most the request can cost here with `tokens` of completion; `None` past the largest
    /// amount.
    pub fn worst(&self, tokens: u64) -> Option<Amounts> {
        let endpoint = &self.endpoint;
        let tokens = if self.at_maximum { u64::MAX } else { tokens };
        let completion = self.cap(tokens).saturating_add(endpoint.reasoning_tokens_max);
        let prices = &endpoint.prices;
        let mut bill = Bill::default();
        bill.add(self.prompt_tokens, prices.dearest_prompt()).ok()?;
        bill.add(completion, prices.dearest_completion()).ok()?;
        bill.add(self.images, prices.dearest_image()).ok()?;
        bill.add(1, prices.dearest_request()).ok()?;
        bill.round_up().ok().map(|list| self.amounts(list))
    }

    /// What a call at that list price comes to, by whose credential it goes.
    pub fn amounts(&self, list: Money) -> Amounts {
        self.byok.map_or(Amounts::credits(list), |byok| byok.amounts(list))
    }

    /// The list price that `amounts` were worked out from.
    pub fn list_price(&self, amounts: Amounts) -> Money {
        if self.byok.is_some() { amounts.byok } else { amounts.credits }
    }

    /// How many prompt tokens what is left of a limit would buy here, for the refusal that names
    /// them.
    pub fn affordable_prompt_tokens(&self, cell: &Cell) -> u64 {
        let rate: Rate = self.endpoint.prices.dearest_prompt();
        let fits = |tokens: u64| {
            let mut bill = Bill::default();
            let list = bill.add(tokens, rate).and_then(|()| bill.round_up()).ok();
            let counted = |list| self.amounts(list).counted(cell.limit.include_byok);
            list.and_then(counted).is_some_and(|cost| cost <= cell.left())
        };
        let (mut fitting, mut too_many) = (0, self.prompt_tokens);
        while too_many - fitting > 1 {
            let middle = fitting + (too_many - fitting) / 2;
            if fits(middle) { fitting = middle } else { too_many = middle }
        }
        fitting
    }
}

/// What the provider adds to a prompt unseen: as configured, or more where more was seen.
fn overhead(endpoint: &Endpoint, request: &Request) -> u64 {
    let configured = endpoint.prompt_overhead_tokens[usize::from(request.has_tools)];
    configured.max(endpoint.learned.prompt_overhead_tokens())
}

#[cfg(test)]
mod tests;
