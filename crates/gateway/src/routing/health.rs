//! How an endpoint does, from the calls it gets: whether it fails, how soon it begins to answer,
//! how fast it goes on. Rolling windows, with the time handed in; a call costs one short lock of
//! its own endpoint, and memory only where there was one.

mod ring;
mod speeds;

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;

use ring::Ring;
use speeds::Speeds;

pub use speeds::Percentiles;

/// An endpoint is out where so many of its calls failed within [`OUTAGE_SECONDS`] …
pub const OUTAGE_FAILURES_MIN: u64 = 5;
/// … and they were more than this share of all, in percent.
pub const OUTAGE_PERCENT: u64 = 10;
/// The stretch that is looked at for an outage.
pub const OUTAGE_SECONDS: i64 = 30;
const OUTAGE_SLOTS: usize = 30;

const MINUTE: i64 = 60;

/// How one endpoint does.
#[derive(Debug)]
pub struct Health {
    /// The second of the latest failure: without a recent one nobody needs to look further.
    last_failure: AtomicI64,
    windows: Mutex<Option<Box<Windows>>>,
}

impl Default for Health {
    fn default() -> Health {
        Health { last_failure: AtomicI64::new(i64::MIN), windows: Mutex::default() }
    }
}

/// Calls in the stretches that are asked for, each in slots that age out one by one.
#[derive(Debug, Default)]
struct Windows {
    seconds: Ring<Calls, OUTAGE_SLOTS>,
    minutes: Ring<Calls, 30>,
    half_hours: Ring<Calls, 48>,
    speed_by_minute: Ring<Speeds, 5>,
    speed_by_five: Ring<Speeds, 6>,
}

/// Calls that went well, and calls that failed.
#[derive(Clone, Copy, Debug, Default)]
struct Calls {
    well: u32,
    failed: u32,
}

/// How quick an answer was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// From the request to its first byte.
    pub began_after: Duration,
    /// From there to its last, or from the request where it came all at once.
    pub took: Duration,
    /// Tokens it put out.
    pub completion_tokens: u64,
    /// Whether it came as it was made: the first byte then is the first token's.
    pub is_streamed: bool,
}

/// How an endpoint did lately, for reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many of a hundred thousand calls went well in the last 5 minutes, 30 minutes and day;
    /// `None` where there was none.
    pub uptime: [Option<u32>; 3],
    /// Milliseconds to the first byte, over 30 minutes.
    pub latency: Option<Percentiles>,
    /// Thousandths of a token a second, over 30 minutes.
    pub throughput: Option<Percentiles>,
}

impl Health {
    /// A call was answered well.
    pub fn succeeded(&self, now: Timestamp, pace: Pace) {
        self.record(now, |calls| &mut calls.well, Some(pace));
    }

    /// A call failed for a reason that lies with the endpoint.
    pub fn failed(&self, now: Timestamp) {
        self.last_failure.fetch_max(now.as_second(), Ordering::Relaxed);
        self.record(now, |calls| &mut calls.failed, None);
    }

    /// Whether so many of its calls failed just now that others are better asked first.
    pub fn is_out(&self, now: Timestamp) -> bool {
        let second = now.as_second();
        // A clock that was set back says nothing of how old a failure is.
        let since = second.saturating_sub(self.last_failure.load(Ordering::Relaxed));
        if since >= OUTAGE_SECONDS {
            return false;
        }
        let windows = self.windows.lock();
        let Some(windows) = &*windows else { return false };
        let [well, failed] = counted(windows.seconds.last(second, OUTAGE_SECONDS));
        failed >= OUTAGE_FAILURES_MIN && failed * 100 > (well + failed) * OUTAGE_PERCENT
    }

    /// Milliseconds to the first byte over the last five minutes: of answers that came as they
    /// were made where there were any, else of all. `None` where there were none.
    pub fn latency(&self, now: Timestamp) -> Option<Percentiles> {
        let windows = self.windows.lock();
        let minutes = windows.as_ref()?.speed_by_minute.last(now.as_second() / MINUTE, 5);
        speeds::latency(minutes)
    }

    /// Thousandths of a token a second over the last five minutes; `None` where there was no answer.
    pub fn throughput(&self, now: Timestamp) -> Option<Percentiles> {
        let windows = self.windows.lock();
        let minutes = windows.as_ref()?.speed_by_minute.last(now.as_second() / MINUTE, 5);
        speeds::throughput(minutes)
    }

    /// How it did lately.
    pub fn report(&self, now: Timestamp) -> Report {
        let windows = self.windows.lock();
        let Some(windows) = &*windows else { return Report::default() };
        let minute = now.as_second() / MINUTE;
        let uptime = [
            share(counted(windows.minutes.last(minute, 5))),
            share(counted(windows.minutes.last(minute, 30))),
            share(counted(windows.half_hours.last(minute / 30, 48))),
        ];
        let speeds = || windows.speed_by_five.last(minute / 5, 6);
        Report {
            uptime,
            latency: speeds::latency(speeds()),
            throughput: speeds::throughput(speeds()),
        }
    }

    fn record(&self, now: Timestamp, count: impl Fn(&mut Calls) -> &mut u32, pace: Option<Pace>) {
        let second = now.as_second();
        let minute = second / MINUTE;
        let mut windows = self.windows.lock();
        let windows = windows.get_or_insert_default();
        for calls in [
            windows.seconds.at(second),
            windows.minutes.at(minute),
            windows.half_hours.at(minute / 30),
        ] {
            let count = count(calls);
            *count = count.saturating_add(1);
        }
        if let Some(pace) = pace {
            windows.speed_by_minute.at(minute).record(pace);
            windows.speed_by_five.at(minute / 5).record(pace);
        }
    }
}

/// Calls that went well and calls that failed, in all.
fn counted<'a>(slots: impl Iterator<Item = &'a Calls>) -> [u64; 2] {
    slots.fold([0, 0], |[well, failed], calls| {
        [well + u64::from(calls.well), failed + u64::from(calls.failed)]
    })
}

fn share([well, failed]: [u64; 2]) -> Option<u32> {
    let all = well + failed;
    let share = (well * 100_000).checked_div(all)?;
    u32::try_from(share).ok()
}

#[cfg(test)]
mod tests;
