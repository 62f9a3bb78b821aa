//! A model provider on loopback that does exactly what a test tells it to, bad manners included.
//! It keeps its own book of what it served and charges for, against which the gateway is held.

mod behaviour;
mod body;
mod gate;
mod plan;
mod request;
mod script;
mod server;
mod socket;
mod tally;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use money::Money;
use tokio::sync::oneshot;

pub use behaviour::{Behaviour, CapField, Cut, ODD_HEADERS, Usage};
pub use gate::Gate;
pub use tally::{Call, Ending, Prices, Tokens, Totals};

use gate::{Gates, Point};
use script::Script;
use tally::Tally;

/// How long the waiting calls wait for what a test expects, before they fail it.
const EXPECTED_WITHIN: Duration = Duration::from_secs(30);

/// An OpenAI-compatible provider on 127.0.0.1, scripted by the model names that requests carry.
///
/// It runs in a thread and a runtime of its own, so that it answers whatever the test's runtime
/// does, and stops when dropped: every connection is then closed.
pub struct FakeUpstream {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What the test's side and the server's side both hold.
struct Shared {
    script: Script,
    gates: Gates,
    tally: Tally,
}

impl FakeUpstream {
    /// A running provider on a free port, every model behaving as [`Behaviour::new`].
    ///
    /// # Panics
    /// Where no thread, runtime or port can be had.
    pub async fn start() -> FakeUpstream {
        let shared =
            Arc::new(Shared { script: Script::new(), gates: Gates::new(), tally: Tally::new() });
        let (address_sender, address) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("fake-upstream".to_owned())
            .spawn({
                let shared = Arc::clone(&shared);
                move || server::run(&shared, address_sender, stopped)
            })
            .expect("a thread for the fake upstream");
        let address = address.await.expect("the fake upstream found no port");
        FakeUpstream { address, shared, stop: Some(stop), thread: Some(thread) }
    }

    /// The base URL to configure for this provider, `http://127.0.0.1:PORT/v1`.
    pub fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Where it listens, for tests that speak to it without HTTP's help.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Makes every request for `model` behave so, from the next one on.
    pub fn on(&self, model: &str, behaviour: Behaviour) {
        self.shared.script.set(model, [behaviour]);
    }

    /// Makes successive requests for `model` behave as listed; the last one repeats.
    ///
    /// # Panics
    /// Where the list is empty.
    pub fn then(&self, model: &str, behaviours: impl IntoIterator<Item = Behaviour>) {
        self.shared.script.set(model, behaviours);
    }

    /// Makes models that no call named behave so.
    pub fn otherwise(&self, behaviour: Behaviour) {
        self.shared.script.set_default(behaviour);
    }

    /// Holds answers for `model` before their first byte until the gate is released or dropped.
    pub fn hold_answers(&self, model: &str) -> Gate {
        self.shared.gates.close(model, Point::Head)
    }

    /// Holds answers for `model` before the event (counted from 0) until the gate is released.
    ///
    /// A JSON answer is sent in two halves, which count as events 0 and 1.
    pub fn hold_events(&self, model: &str, event: usize) -> Gate {
        self.shared.gates.close(model, Point::Event(event))
    }

    /// Every request received so far, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.tally.calls()
    }

    /// What this provider charges for every request it took on, each rounded up once.
    ///
    /// One it began to generate for counts in full, however its connection ended, unless its
    /// behaviour [stops on disconnect](Behaviour::stops_on_disconnect). Where models have prices of
    /// their own, add up [`Call::cost`].
    ///
    /// # Panics
    /// Where the sum is larger than an amount can be.
    pub fn charged(&self, prices: &Prices) -> Money {
        self.calls().iter().fold(Money::ZERO, |sum, call| {
            sum.checked_add(call.cost(prices)).expect("the charges overflow an amount")
        })
    }

    /// How many requests are being answered now.
    pub fn in_flight(&self) -> usize {
        self.shared.tally.totals().in_flight
    }

    /// The most requests for `model` that were ever being answered at once.
    pub fn in_flight_peak(&self, model: &str) -> usize {
        self.shared.tally.in_flight_peak(model)
    }

    /// Waits until `is_so` holds, as in `upstream.until(|totals| totals.in_flight == 3)`.
    ///
    /// # Panics
    /// Where it does not within 30 seconds.
    pub async fn until(&self, is_so: impl FnMut(&Totals) -> bool) {
        let waited = tokio::time::timeout(EXPECTED_WITHIN, self.shared.tally.until(is_so)).await;
        assert!(waited.is_ok(), "the upstream never got there: {:?}", self.shared.tally.totals());
    }
}

impl Drop for FakeUpstream {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The thread may be gone already; then there is nobody to tell.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !std::thread::panicking()
        {
            panic!("the fake upstream panicked");
        }
    }
}
