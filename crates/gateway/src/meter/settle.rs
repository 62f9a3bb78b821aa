//! The end of an attempt: its charge is worked out, booked, and what it taught is kept.

use std::time::Duration;

use api::chat::{CompletionTokensDetails, CostDetails, PromptTokensDetails, Usage};
use api::{Usd, embeddings};
use money::Money;
use store::{ApiType, Entry, Kind, Outcome, Source};
use upstream::{Request, Surface};

use super::attempt::{Sent, millis};
use super::bound::Candidate;
use super::call::Call;
use super::charge::{Charge, Counted, End, Seen, charge, must_count};
use crate::observe::{self, Passage};

/// A settlement that is in the book.
pub(super) struct Settled {
    pub(super) source: Source,
    charge: Charge,
}

impl Settled {
    /// The `usage` member of the client's answer to what was asked for.
    pub(super) fn usage_json(&self, surface: Surface) -> String {
        let usage = match surface {
            Surface::Chat => serde_json::to_string(&self.chat_usage()),
            Surface::Embeddings => serde_json::to_string(&self.embeddings_usage()),
        };
        // The types have no member that can fail to be written.
        usage.unwrap_or_else(|_| "null".to_owned())
    }

    fn embeddings_usage(&self) -> embeddings::Usage {
        let Charge { usage, byok, .. } = &self.charge;
        embeddings::Usage {
            prompt_tokens: usage.prompt_tokens,
            total_tokens: usage.prompt_tokens,
            cost: Usd(self.charge.amounts().credits),
            is_byok: byok.is_some(),
            cost_details: cost_details(&self.charge),
        }
    }

    fn chat_usage(&self) -> Usage {
        let Charge { usage, byok, .. } = &self.charge;
        let some = |tokens: u64| Some(tokens).filter(|tokens| *tokens > 0);
        Usage {
            prompt_tokens: usage.prompt_tokens,
            completion_tokens: usage.completion_tokens,
            total_tokens: usage.prompt_tokens + usage.completion_tokens,
            cost: Usd(self.charge.amounts().credits),
            is_byok: byok.is_some(),
            cost_details: cost_details(&self.charge),
            prompt_tokens_details: PromptTokensDetails {
                cached_tokens: usage.cached_tokens,
                cache_write_tokens: some(usage.cache_write_tokens),
                audio_tokens: some(usage.audio_prompt_tokens),
                video_tokens: None,
            },
            completion_tokens_details: CompletionTokensDetails {
                reasoning_tokens: usage.reasoning_tokens,
                audio_tokens: some(usage.audio_completion_tokens),
                ..CompletionTokensDetails::default()
            },
        }
    }
}

/// The list price in parts; the whole only where it is the owner's to pay (SEMANTICS 13.2).
fn cost_details(charge: &Charge) -> CostDetails {
    let cost = &charge.cost;
    CostDetails {
        upstream_inference_cost: charge.byok.map(|_| Usd(cost.total)),
        upstream_inference_prompt_cost: Usd(cost.prompt),
        upstream_inference_completions_cost: Usd(cost.completion),
    }
}

impl Call {
    /// Books what the attempt is charged, in the place of its hold. `None` where that could not be
    /// made durable in time: the hold then stays until it is.
    pub(super) async fn settle(&mut self, sent: Sent, end: End, seen: &Seen) -> Option<Settled> {
        // Given back as this returns.
        let _seat = self.seat.take();
        let held = sent.proof.worst();
        let may_hide = may_hide(&self.request, &sent.candidate);
        let is_counted = must_count(&sent.candidate, end, seen, may_hide);
        let counted = self.count(&sent.candidate, seen, is_counted).await;
        let request = &self.request;
        let charge =
            charge(&sent.candidate, end, seen, held, request.media.images, counted, may_hide);
        self.learn(&sent.candidate, &charge, sent.candidate.list_price(held));
        let entry = self.entry(&sent, &charge, seen);
        sent.count(&charge);
        self.watch(&sent, end, &charge);
        observe::note(|passage| passage.charged(&entry));
        let Sent { mut proof, slot, .. } = sent;
        if let Some(tokens) = charge.tokens_used() {
            proof.count_tokens(tokens);
        }
        let pending = self.core().writer.settle(entry, proof, slot, &self.worker.mailbox);
        let config = &self.core().config;
        let settled = Settled { source: charge.source, charge };
        if !config.store.last_byte_waits {
            return Some(settled);
        }
        let limit = Duration::from_millis(config.bounds.settle_wait_ms);
        let outcome = tokio::time::timeout(limit, pending.outcome()).await;
        observe::note(Passage::committed);
        match outcome {
            Ok(Ok(Outcome::Settled { .. })) => Some(settled),
            other => {
                self.core().metrics.not_durable.one();
                tracing::error!(
                    generation = self.id,
                    ?other,
                    "an answer was ended before its last byte: its settlement is not durable"
                );
                None
            }
        }
    }

    /// The tokens by the gateway's own count: by the endpoint's tokenizer where it is needed, away
    /// from the thread that serves others, else by bytes.
    async fn count(&self, candidate: &Candidate, seen: &Seen, is_counted: bool) -> Counted {
        // What was put out of embeddings is no tokens.
        let completion = match self.request.surface {
            Surface::Chat => seen.text_bytes,
            Surface::Embeddings => 0,
        };
        let by_bytes = Counted { prompt: candidate.prompt_tokens, completion };
        if !is_counted {
            return by_bytes;
        }
        let Some(tokenizer) = candidate.endpoint.tokenizer.clone() else { return by_bytes };
        // Closed only with the gateway.
        let _turn = self.core().counting.acquire().await;
        let (candidate, request) = (candidate.clone(), self.request.clone());
        let text = seen.text.clone();
        let counting = tokio::task::spawn_blocking(move || Counted {
            prompt: candidate.count_prompt(&request),
            completion: text.map_or(by_bytes.completion, |text| tokenizer.count(&text)),
        });
        counting.await.unwrap_or(by_bytes)
    }

    fn entry(&self, sent: &Sent, charge: &Charge, seen: &Seen) -> Entry {
        let endpoint = sent.endpoint();
        Entry {
            generation: self.id.clone(),
            api_type: api_type(self.request.surface),
            attempt: sent.row,
            kind: Kind::Attempt,
            key: self.record.hash,
            workspace: self.record.workspace,
            creator: self.record.creator.clone(),
            model: endpoint.model.clone(),
            provider: endpoint.provider.slug.clone(),
            upstream_model: endpoint.upstream_model.clone(),
            credential: charge.byok.map(|byok| byok.credential),
            admitted_at: sent.proof.admitted_at(),
            cost: charge.amounts(),
            held: sent.proof.worst(),
            source: charge.source,
            tokens: charge.tokens(),
            cache_discount: charge.cache_discount(&endpoint.prices),
            upstream_id: seen.upstream_id.clone(),
            streamed: self.request.stream,
            cancelled: sent.cancelled || self.client.is_gone(),
            finish_reason: seen.finish_reason.clone(),
            latency_ms: millis(self.started.elapsed()),
            generation_ms: sent.answered_at.map_or(0, |at| millis(at.elapsed())),
            attempts: self.attempts.clone(),
            referer: self.facts.referer.clone(),
            user_agent: self.facts.user_agent.clone(),
            session: self.facts.session.clone(),
        }
    }

    /// Keeps what the answer taught about its endpoint: a prompt longer than was bounded, a charge
    /// above its hold (DESIGN steps 2 and 6).
    fn learn(&self, candidate: &Candidate, charge: &Charge, held: Money) {
        let endpoint = &candidate.endpoint;
        let mut has_learned = false;
        if charge.source == Source::Reported && self.request.is_text_only() {
            let added = charge.usage.prompt_tokens.saturating_sub(candidate.text_tokens());
            if added > candidate.overhead_tokens() && endpoint.learned.raise_overhead(added) {
                has_learned = true;
                tracing::warn!(
                    model = endpoint.model,
                    provider = endpoint.provider.slug,
                    added,
                    "the provider added more tokens to a prompt than its endpoint says; set \
                     `prompt_overhead_tokens` to at least this"
                );
            }
        }
        if matches!(charge.source, Source::Counted) {
            tracing::warn!(
                generation = self.id,
                model = endpoint.model,
                provider = endpoint.provider.slug,
                "the provider reported no usage that adds up; tokens were counted. Set `tokenizer` \
                 on the endpoint for a closer count"
            );
        }
        if charge.cost.total > held {
            has_learned = true;
            endpoint.learned.charged_above_hold(candidate.is_at_maximum());
            tracing::warn!(
                generation = self.id,
                model = endpoint.model,
                provider = endpoint.provider.slug,
                cost = %charge.cost.total,
                %held,
                "a provider charged above its hold; its endpoint is held at its own maximum from \
                 now on, and past that serves no limited key until `tollgate endpoints clear`"
            );
        }
        if has_learned {
            self.core().writer.mark(endpoint.mark());
        }
    }
}

impl Sent {
    /// Adds the attempt's charge to its endpoint's figures.
    fn count(&self, charge: &Charge) {
        let whole = self.answered_at.map(|_| self.sent_at.elapsed());
        let (tokens, cost, held) = (charge.tokens(), charge.amounts(), self.proof.worst());
        self.endpoint().learned.figures.settled(charge.source, &tokens, cost, held, whole);
    }
}

/// What was asked for, in the book's words.
pub(super) const fn api_type(surface: Surface) -> ApiType {
    match surface {
        Surface::Chat => ApiType::Completions,
        Surface::Embeddings => ApiType::Embeddings,
    }
}

/// Whether a provider may put out tokens here that are not in what it sends.
fn may_hide(request: &Request, candidate: &Candidate) -> bool {
    candidate.endpoint.may_reason()
        || request.raw("reasoning").is_some()
        || request.raw("reasoning_effort").is_some()
        || !request.priced.is_empty()
}
