//! The provider's own book: every request it received and what it charges for it.
//! Money is added up here from tokens and prices, independently of the gateway under test.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::HeaderMap;
use money::{Bill, Money, Rate};
use parking_lot::Mutex;
use tokio::sync::watch;

/// A request as the provider received it, and what became of it.
#[derive(Debug, Clone)]
pub struct Call {
    /// Its place among all requests, counted from 0.
    pub sequence: usize,
    /// The upstream model it names; empty where the body could not be read.
    pub model: String,
    /// When its last byte had arrived.
    pub arrived: Instant,
    /// Its headers, all of them.
    pub headers: HeaderMap,
    /// Its body, the first 64 KiB of it.
    pub body: Bytes,
    /// How long the whole body was.
    pub body_bytes: usize,
    /// Whether it asked for a stream.
    pub is_stream: bool,
    /// What it is charged for, in full from the start; `None` where it was refused.
    pub charged: Option<Tokens>,
    /// How its answer ended.
    pub ending: Ending,
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Not yet.
    InFlight,
    /// The connection took all of it, refusals and error events included.
    Complete,
    /// The provider closed the connection itself.
    Cut,
    /// The client closed the connection, or the provider was stopped.
    ClientGone,
}

/// Tokens that a generation is charged for, in the parts that have prices of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tokens {
    /// All tokens of the prompt.
    pub prompt: u64,
    /// Those of the prompt that were read from the cache.
    pub cached: u64,
    /// Those of the prompt that were written to the cache.
    pub cache_written: u64,
    /// All tokens generated.
    pub completion: u64,
    /// Those generated that were reasoning.
    pub reasoning: u64,
}

/// What a provider charges, in US dollars a token (and a request).
#[derive(Debug, Clone, Copy)]
pub struct Prices {
    prompt: Rate,
    completion: Rate,
    cached: Rate,
    cache_written: Rate,
    reasoning: Rate,
    request: Rate,
}

/// How many requests there were and are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// All received so far.
    pub calls: usize,
    /// Those being answered.
    pub in_flight: usize,
}

impl Prices {
    /// Prices of prompt and completion tokens, as exact decimals (`"0.00000015"`).
    ///
    /// # Panics
    /// Where a text is not a price, as the other functions of this type.
    pub fn new(prompt: &str, completion: &str) -> Prices {
        let (prompt, completion) = (rate(prompt), rate(completion));
        Prices {
            prompt,
            completion,
            cached: prompt,
            cache_written: prompt,
            reasoning: completion,
            request: Rate::ZERO,
        }
    }

    /// A price of its own for a token read from the cache; else a prompt token's.
    pub fn cached(mut self, price: &str) -> Prices {
        self.cached = rate(price);
        self
    }

    /// A price of its own for a token written to the cache; else a prompt token's.
    pub fn cache_written(mut self, price: &str) -> Prices {
        self.cache_written = rate(price);
        self
    }

    /// A price of its own for a reasoning token; else a completion token's.
    pub fn reasoning(mut self, price: &str) -> Prices {
        self.reasoning = rate(price);
        self
    }

    /// A price for each request, beside its tokens; else none.
    pub fn request(mut self, price: &str) -> Prices {
        self.request = rate(price);
        self
    }

    /// What one generation of so many tokens costs: exact, rounded up once to the nano-dollar.
    ///
    /// # Panics
    /// Where the parts of `tokens` exceed their wholes, or the cost is larger than an amount can be.
    pub fn cost(&self, tokens: &Tokens) -> Money {
        let plain = tokens.prompt.checked_sub(tokens.cached);
        let plain = plain.and_then(|rest| rest.checked_sub(tokens.cache_written));
        let spoken = tokens.completion.checked_sub(tokens.reasoning);
        let mut bill = Bill::default();
        for (units, rate) in [
            (plain.expect("more cached and written than prompted"), self.prompt),
            (tokens.cached, self.cached),
            (tokens.cache_written, self.cache_written),
            (spoken.expect("more reasoned than generated"), self.completion),
            (tokens.reasoning, self.reasoning),
            (1, self.request),
        ] {
            bill.add(units, rate).expect("the cost overflows a bill");
        }
        bill.round_up().expect("the cost overflows an amount")
    }
}

impl Call {
    /// What the provider charges for it: nothing where it was refused.
    ///
    /// # Panics
    /// As [`Prices::cost`].
    pub fn cost(&self, prices: &Prices) -> Money {
        self.charged.as_ref().map_or(Money::ZERO, |tokens| prices.cost(tokens))
    }
}

/// The calls so far, with the counters that tests wait on.
pub(super) struct Tally {
    book: Arc<Book>,
}

struct Book {
    entries: Mutex<Entries>,
    totals: watch::Sender<Totals>,
}

#[derive(Default)]
struct Entries {
    calls: Vec<Call>,
    by_model: HashMap<String, InFlight>,
}

#[derive(Default)]
struct InFlight {
    now: usize,
    peak: usize,
}

/// One call being answered. Ends it when told, and as [`Ending::ClientGone`] when dropped before.
pub(super) struct Answering {
    book: Arc<Book>,
    sequence: usize,
    stops_on_disconnect: bool,
    completion_sent: u64,
    has_ended: bool,
}

impl Tally {
    pub(super) fn new() -> Tally {
        let totals = watch::Sender::new(Totals::default());
        Tally { book: Arc::new(Book { entries: Mutex::default(), totals }) }
    }

    /// Enters a call as in flight and gives it its sequence number.
    ///
    /// `plan` makes the entry; it is told the number, and returns its part beside it.
    pub(super) fn open<T>(
        &self,
        stops_on_disconnect: bool,
        plan: impl FnOnce(usize) -> (Call, T),
    ) -> (Answering, T) {
        let mut entries = self.book.entries.lock();
        let sequence = entries.calls.len();
        let (call, planned) = plan(sequence);
        let in_flight = entries.by_model.entry(call.model.clone()).or_default();
        in_flight.now += 1;
        in_flight.peak = in_flight.peak.max(in_flight.now);
        entries.calls.push(call);
        // Whoever waits on the totals may look at the calls: never hold both.
        drop(entries);
        self.book.totals.send_modify(|totals| {
            totals.calls += 1;
            totals.in_flight += 1;
        });
        let book = Arc::clone(&self.book);
        let (completion_sent, has_ended) = (0, false);
        (Answering { book, sequence, stops_on_disconnect, completion_sent, has_ended }, planned)
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        self.book.entries.lock().calls.clone()
    }

    pub(super) fn totals(&self) -> Totals {
        *self.book.totals.borrow()
    }

    pub(super) fn in_flight_peak(&self, model: &str) -> usize {
        self.book.entries.lock().by_model.get(model).map_or(0, |in_flight| in_flight.peak)
    }

    pub(super) async fn until(&self, is_so: impl FnMut(&Totals) -> bool) {
        // The sender lives as long as this, so the wait cannot end for the want of one.
        let _ = self.book.totals.subscribe().wait_for(is_so).await;
    }
}

impl Answering {
    /// Notes how many completion tokens have been handed to the connection.
    pub(super) fn sent(&mut self, completion_tokens: u64) {
        self.completion_sent = completion_tokens;
    }

    /// Closes the entry; only the first ending counts.
    pub(super) fn end(&mut self, ending: Ending) {
        if std::mem::replace(&mut self.has_ended, true) {
            return;
        }
        let mut entries = self.book.entries.lock();
        let Entries { calls, by_model } = &mut *entries;
        let call = &mut calls[self.sequence];
        call.ending = ending;
        if self.stops_on_disconnect
            && ending != Ending::Complete
            && let Some(tokens) = &mut call.charged
        {
            tokens.completion = self.completion_sent;
            tokens.reasoning = tokens.reasoning.min(self.completion_sent);
        }
        if let Some(in_flight) = by_model.get_mut(&call.model) {
            in_flight.now -= 1;
        }
        drop(entries);
        self.book.totals.send_modify(|totals| totals.in_flight -= 1);
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.end(Ending::ClientGone);
    }
}

fn rate(text: &str) -> Rate {
    text.parse().unwrap_or_else(|error| panic!("{text:?} is not a price: {error}"))
}
