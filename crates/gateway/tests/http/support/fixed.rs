//! Time and chance as a test wants them: a clock that stands until it is moved, bytes from a seed.

use gateway::clock::Clock;
use gateway::entropy::Entropy;
use jiff::Timestamp;
use parking_lot::Mutex;

/// A clock that stands still.
pub(crate) struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// A Wednesday's noon.
    pub(crate) fn new() -> ManualClock {
        ManualClock(Mutex::new("2026-11-18T12:00:00Z".parse().unwrap()))
    }

    /// Moves to `time`.
    pub(crate) fn set(&self, time: &str) {
        *self.0.lock() = time.parse().unwrap();
    }

    /// The time it shows.
    pub(crate) fn time(&self) -> Timestamp {
        *self.0.lock()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.time()
    }
}

/// The same bytes in every run.
pub(crate) struct SeededEntropy(Mutex<u64>);

impl SeededEntropy {
    pub(crate) fn new() -> SeededEntropy {
        SeededEntropy(Mutex::new(1))
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.0.lock();
        for byte in bytes {
            // A linear congruential generator: its high bits are even enough for tests.
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = state.to_be_bytes()[0];
        }
    }
}
