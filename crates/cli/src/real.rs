//! The real clock and the real chance. Nothing else in the project reads either.

use gateway::clock::{Clock, whole_microseconds};
use gateway::entropy::Entropy;
use jiff::Timestamp;

/// The system's clock.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where the time comes from")]
    fn now(&self) -> Timestamp {
        whole_microseconds(Timestamp::now())
    }
}

/// The operating system's source of randomness.
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        if let Err(error) = getrandom::fill(bytes) {
            // Without chance no key may be made and no request named: there is nothing to go on with.
            crate::print::error(&format!("tollgate: the system gives no randomness: {error}"));
            std::process::abort();
        }
    }
}

/// The time now, for what is told of it; the server's own clock decides.
pub(crate) fn now() -> Timestamp {
    SystemClock.now()
}
