//! One request's way through the gateway, as it is told afterwards.
//! It holds no prompt, no key and no credential: nothing here could tell one.

use http::Method;
use jiff::Timestamp;
use ledger::Amounts;
use store::{Entry, KeyHash, Source, Tokens};
use tokio::time::Instant;
use upstream::Surface;

use super::trace::TraceContext;
use crate::catalogue::Endpoint;
use crate::metrics::{Outcome, Route};

/// A request's way through the gateway.
#[derive(Debug)]
pub(crate) struct Passage {
    /// The request's id, as `x-request-id` says it.
    pub(super) id: String,
    /// When its head was read, by the wall clock and by the one that only goes forward.
    pub(super) at: Timestamp,
    pub(super) started: Instant,
    pub(super) method: Method,
    pub(super) route: Route,
    /// Its path, without a query and without anything like a key.
    pub(super) path: String,
    /// What it was answered with; none where the client left before.
    pub(super) status: Option<u16>,
    /// The kind of the error that it was answered with.
    pub(super) error_type: Option<String>,
    /// When the client had what it gets, as far as the gateway knows.
    pub(super) ended: Option<Instant>,
    pub(super) caller: Option<Presented>,
    pub(super) call: Option<Called>,
    pub(super) waits: Vec<Stretch>,
    pub(super) attempts: Vec<Tried>,
    pub(super) charges: Vec<Charged>,
    pub(super) commits: Vec<Stretch>,
    pub(super) trace: Option<TraceContext>,
}

/// Whose key was presented.
#[derive(Debug)]
pub(super) struct Presented {
    pub(super) name: String,
    pub(super) hash: KeyHash,
}

/// A request to a model.
#[derive(Debug)]
pub(super) struct Called {
    /// What OpenTelemetry calls what it asks for.
    pub(super) operation: &'static str,
    /// What the book calls it, once it may spend.
    pub(super) generation: Option<String>,
    /// The model that was asked for.
    pub(super) model: Option<String>,
    pub(super) streamed: bool,
    pub(super) max_tokens: Option<u64>,
}

/// From when to when something took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    pub(super) from: Instant,
    pub(super) to: Instant,
}

/// One request to a provider.
#[derive(Debug)]
pub(super) struct Tried {
    pub(super) provider: String,
    pub(super) upstream_model: String,
    pub(super) status: Option<u16>,
    pub(super) outcome: Outcome,
    /// From the request to the end of the answer, or to where it was given up.
    pub(super) took: Stretch,
}

/// A charge that went into the book.
#[derive(Debug)]
pub(super) struct Charged {
    pub(super) model: String,
    pub(super) provider: String,
    pub(super) source: Source,
    pub(super) cost: Amounts,
    pub(super) tokens: Tokens,
    pub(super) finish_reason: Option<String>,
    pub(super) cancelled: bool,
}

impl Passage {
    pub(super) fn new(
        id: &str,
        at: Timestamp,
        method: &Method,
        route: Route,
        path: &str,
        trace: Option<TraceContext>,
    ) -> Passage {
        Passage {
            id: id.to_owned(),
            at,
            started: Instant::now(),
            method: method.clone(),
            route,
            path: path.to_owned(),
            status: None,
            error_type: None,
            ended: None,
            caller: None,
            call: None,
            waits: Vec::new(),
            attempts: Vec::new(),
            charges: Vec::new(),
            commits: Vec::new(),
            trace,
        }
    }

    /// The key that was presented is this one.
    pub(crate) fn presented(&mut self, name: &str, hash: KeyHash) {
        self.caller = Some(Presented { name: name.to_owned(), hash });
    }

    /// It asks a model for something.
    pub(crate) fn asked(&mut self, request: &upstream::Request) {
        let model = request.model.as_deref().or(request.models.first().map(String::as_str));
        self.call = Some(Called {
            operation: match request.surface {
                Surface::Chat => "chat",
                Surface::Embeddings => "embeddings",
            },
            generation: None,
            model: model.map(|model| model.chars().take(MODEL_CHARS_MAX).collect()),
            streamed: request.stream,
            max_tokens: request.max_tokens,
        });
    }

    /// It may spend, as generation `id`.
    pub(crate) fn admitted(&mut self, id: &str) {
        if let Some(call) = &mut self.call {
            call.generation = Some(id.to_owned());
        }
    }

    /// It is answered with this error.
    pub(crate) fn refused(&mut self, error: &api::error::ErrorBody) {
        let metadata = error.metadata.as_ref();
        self.error_type = metadata.and_then(|metadata| metadata.get("error_type"));
    }

    /// It waited for others' holds until now.
    pub(crate) fn waited(&mut self, since: Instant) {
        self.waits.push(Stretch { from: since, to: Instant::now() });
    }

    /// A provider's head came, or what came in its place.
    pub(crate) fn tried(
        &mut self,
        endpoint: &Endpoint,
        status: Option<u16>,
        outcome: Outcome,
        since: Instant,
    ) {
        self.attempts.push(Tried {
            provider: endpoint.provider.slug.clone(),
            upstream_model: endpoint.upstream_model.clone(),
            status,
            outcome,
            took: Stretch { from: since, to: Instant::now() },
        });
    }

    /// The latest attempt has ended and is charged so; its commit is waited for from now on.
    pub(crate) fn charged(&mut self, entry: &Entry) {
        let now = Instant::now();
        if let Some(latest) = self.attempts.last_mut() {
            latest.took.to = now;
        }
        self.commits.push(Stretch { from: now, to: now });
        self.charges.push(Charged {
            model: entry.model.clone(),
            provider: entry.provider.clone(),
            source: entry.source,
            cost: entry.cost,
            tokens: entry.tokens,
            finish_reason: entry.finish_reason.clone(),
            cancelled: entry.cancelled,
        });
    }

    /// The latest charge is durable, or is waited for no longer.
    pub(crate) fn committed(&mut self) {
        let now = Instant::now();
        if let Some(latest) = self.commits.last_mut() {
            latest.to = now;
        }
        self.ended = Some(now);
    }

    /// The head of the answer to the client.
    pub(crate) fn answered(&mut self, status: http::StatusCode) {
        self.status = Some(status.as_u16());
        self.ended = Some(self.ended.unwrap_or_else(Instant::now));
    }

    /// Nothing more comes of it.
    pub(super) fn over(&mut self) {
        self.ended = Some(self.ended.unwrap_or_else(Instant::now));
    }

    /// The latest charge, which the client's answer is of.
    pub(super) fn charge(&self) -> Option<&Charged> {
        self.charges.last()
    }

    /// What all attempts were charged together.
    pub(super) fn cost(&self) -> Amounts {
        let costs = self.charges.iter().map(|charge| charge.cost);
        costs.fold(Amounts::ZERO, Amounts::saturating_add)
    }

    /// What it was answered with: 499 where the client had left before.
    pub(super) fn status_or_gone(&self) -> u16 {
        self.status.unwrap_or(CLIENT_GONE)
    }
}

/// A model's name is what a client wrote, and is told no further than this.
const MODEL_CHARS_MAX: usize = 128;
/// What logs say where a client left before its answer began.
const CLIENT_GONE: u16 = 499;
