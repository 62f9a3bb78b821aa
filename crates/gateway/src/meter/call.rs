//! One call from admission to settlement: its endpoints in turn, until one has answered.
//! An attempt that may have been billed keeps its hold and row; the next one takes a fresh hold.

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use ledger::{Hold, Seat};
use store::{Attempt, KeyRecord};
use tokio::time::Instant;
use tracing::Instrument as _;
use upstream::Request;

use super::admission::{Admitted, Wish};
use super::bound::Candidate;
use super::client::{self, Client};
use super::provider_error::Next;
use crate::core::{Core, Flight};
use crate::directory::Key;
use crate::entropy::generation_id;
use crate::http::error::ApiError;
use crate::http::{HeldBody, Worker};
use crate::journal::Slot;
use crate::metrics::Bound;
use crate::observe;

/// What the client said of itself.
#[derive(Clone, Debug)]
pub struct ClientFacts {
    /// When the request came, before its body was read.
    pub arrived_at: Instant,
    /// `HTTP-Referer`.
    pub referer: Option<String>,
    /// `User-Agent`.
    pub user_agent: Option<String>,
    /// The session, from the body or the header.
    pub session: Option<String>,
}

/// A call that may spend.
pub struct Call {
    pub(super) worker: Arc<Worker>,
    pub(super) key: Arc<Key>,
    /// The key's settings at the latest admission: whose spend it is.
    pub(super) record: Arc<KeyRecord>,
    pub(super) id: String,
    pub(super) request: Request,
    pub(super) facts: ClientFacts,
    pub(super) started: Instant,
    pub(super) client: Client,
    /// Every endpoint that was tried.
    pub(super) attempts: Vec<Attempt>,
    body: HeldBody,
    /// The number of the next attempt that gets a row.
    next_row: u32,
    /// Its place among those its key may have in flight; given back before its client's last byte,
    /// so that whoever has a whole answer can ask again.
    pub(super) seat: Option<Seat>,
    _flight: Flight,
}

/// A hold and the place where it is recorded.
pub(super) struct Open {
    pub(super) hold: Hold,
    pub(super) slot: Slot,
}

/// What became of an attempt.
pub(super) enum Tried {
    /// The client has its answer, or has left.
    Done,
    /// Nothing was billed: the hold serves the next attempt.
    Refused { open: Open, error: ApiError, next: Next },
    /// It may have been billed, and is settled as a row of its own.
    Unclear(ApiError),
}

impl Call {
    /// Starts the call that `admitted` pays for, and gives the head of its answer.
    pub(crate) async fn start(
        worker: Arc<Worker>,
        key: Arc<Key>,
        request: Request,
        body: HeldBody,
        facts: ClientFacts,
        admitted: Admitted,
        flight: Flight,
    ) -> Result<Response, ApiError> {
        let core = &worker.core;
        let stall = Duration::from_millis(core.config.bounds.client_stall_ms);
        let id = generation_id(&*core.entropy, admitted.hold.admitted_at());
        let slot = reserve(core, &admitted.hold)?;
        let Admitted { mut hold, record, candidates, rest } = admitted;
        let (client, response) = Client::new(&id, stall);
        let call = Call {
            record,
            worker,
            key,
            id,
            request,
            started: facts.arrived_at,
            facts,
            client,
            attempts: Vec::new(),
            body,
            next_row: 0,
            seat: hold.take_seat(),
            _flight: flight,
        };
        observe::note(|passage| passage.admitted(&call.id));
        let ahead = Ahead { covered: candidates, rest };
        observe::spawn(call.run(Open { hold, slot }, ahead).in_current_span());
        Ok(response.await.unwrap_or_else(client::abandoned))
    }

    async fn run(mut self, open: Open, mut ahead: Ahead) {
        let mut open = Some(open);
        let mut failure = None;
        for _ in 0..self.core().config.bounds.attempts_max {
            let Some((candidate, current)) = self.next(open.take(), &mut ahead).await else {
                break;
            };
            if self.client.is_gone() {
                self.release(current);
                return;
            }
            match self.attempt(&candidate, current).await {
                Tried::Done => return,
                Tried::Refused { open: back, error, next } => {
                    open = Some(back);
                    failure = Some(error.after(failure.take()));
                    if next == Next::Nothing {
                        break;
                    }
                    ahead.leave_out(next, &candidate);
                }
                Tried::Unclear(error) => failure = Some(error),
            }
            // A credential that was refused just now is good for no other endpoint either.
            let now = self.core().clock.now();
            ahead.retain(|candidate| candidate.is_available(now));
        }
        if let Some(open) = open {
            self.release(open);
        }
        let error = failure.unwrap_or_else(|| ApiError::internal("a call had no endpoint"));
        tracing::debug!(generation = self.id, %error, "a call failed at every endpoint");
        self.seat = None;
        self.client.refuse(error.after_all(&self.request, &self.attempts));
    }

    /// The next endpoint to try, under `open` where that covers it, else under a fresh hold;
    /// `None` where there is none, or no hold for it.
    async fn next(&mut self, open: Option<Open>, ahead: &mut Ahead) -> Option<(Candidate, Open)> {
        let open = match open {
            Some(open) if !ahead.covered.is_empty() => open,
            // The next model is held for by itself; an attempt that may have been billed kept its
            // hold. Without a fresh one there is no next attempt.
            open => {
                if let Some(open) = open {
                    // The call goes on, in the same seat.
                    let seat = self.seat.take();
                    self.release(open);
                    self.seat = seat;
                }
                self.admit_again(ahead).await?
            }
        };
        Some((ahead.covered.remove(0), open))
    }

    /// The number for an attempt's row.
    pub(super) fn row(&mut self) -> u32 {
        let row = self.next_row;
        self.next_row += 1;
        row
    }

    /// Ends a hold that nothing was billed for.
    pub(super) fn release(&mut self, open: Open) {
        self.seat = None;
        let Open { hold, slot } = open;
        // The record goes first: with it there, a crash would charge what is free again.
        if let Err(error) = self.core().journal.release(slot) {
            tracing::error!(%error, generation = self.id, "a released hold's record stands");
        }
        drop(hold);
    }

    pub(super) fn core(&self) -> &Arc<Core> {
        &self.worker.core
    }

    /// A fresh hold for what is left to try, where there is anything.
    async fn admit_again(&mut self, ahead: &mut Ahead) -> Option<Open> {
        let Ahead { covered: mut candidates, mut rest } = std::mem::take(ahead);
        candidates.append(&mut rest);
        if candidates.is_empty() {
            return None;
        }
        let wish = Wish {
            core: self.core(),
            key: &self.key,
            request: &self.request,
            body_bytes: self.body.len(),
            again: true,
        };
        let Admitted { hold, record, candidates, rest } = wish.admit(candidates).await.ok()?;
        let slot = reserve(self.core(), &hold).ok()?;
        self.record = record;
        *ahead = Ahead { covered: candidates, rest };
        Some(Open { hold, slot })
    }
}

/// Where a call may yet go, in the order to try.
#[derive(Default)]
struct Ahead {
    /// What the hold it has covers.
    covered: Vec<Candidate>,
    /// What comes after that, under a hold of its own.
    rest: Vec<Candidate>,
}

impl Ahead {
    /// Leaves out what would fail as `candidate` did.
    fn leave_out(&mut self, next: Next, candidate: &Candidate) {
        let (model, context) = (&candidate.endpoint.model, candidate.endpoint.context_length);
        let is_other = |other: &Candidate| other.endpoint.model != *model;
        match next {
            Next::Endpoint | Next::Nothing => {}
            Next::LongerContext => {
                self.retain(|other| is_other(other) || other.endpoint.context_length > context);
            }
            Next::Model => self.retain(is_other),
        }
    }

    fn retain(&mut self, is_kept: impl Fn(&Candidate) -> bool) {
        self.covered.retain(&is_kept);
        self.rest.retain(&is_kept);
    }
}

fn reserve(core: &Core, hold: &Hold) -> Result<Slot, ApiError> {
    core.journal.reserve(hold.worst()).ok_or_else(|| {
        core.metrics.overloaded(Bound::InFlight);
        ApiError::unavailable("Too many requests are in flight.")
    })
}
