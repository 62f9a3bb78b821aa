//! Where the time comes from. The gateway reads it once a request, at admission, and hands it down;
//! tests move it by hand.

use jiff::Timestamp;

/// A source of wall-clock time.
pub trait Clock: Send + Sync {
    /// The time now, in whole microseconds, as the store keeps it.
    fn now(&self) -> Timestamp;
}

/// `moment` without what is finer than a microsecond.
pub fn whole_microseconds(moment: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(moment.as_microsecond()).unwrap_or(moment)
}
