//! What is counted with: a counter and a histogram that are relaxed atomic adds and nothing else.
//!
//! Whoever counts holds the instrument itself; no name is looked up, nothing is locked or allocated
//! (docs/decisions has why no library's are used).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A count that only goes up.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn one(&self) {
        self.add(1);
    }

    /// So many more.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// How many there were.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Upper bounds of a histogram's buckets, rising; what is above the last is counted as well.
#[derive(Debug, PartialEq, Eq)]
pub struct Buckets {
    /// What one of them, and of the sum, is of what is shown: a millionth of a second, or a thing.
    pub unit: Unit,
    /// The bounds, each the largest value of its bucket.
    pub bounds: &'static [u64],
}

/// What a histogram's integers stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Microseconds, shown as seconds.
    Microseconds,
    /// Things, shown as they are.
    Count,
}

/// How long a commit takes: from a fast disk's sync to one that counts as away.
pub static COMMIT_SECONDS: Buckets = Buckets {
    unit: Unit::Microseconds,
    bounds: &[
        250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000,
        5_000_000,
    ],
};

/// How many changes go into one commit.
pub static COMMIT_CHANGES: Buckets =
    Buckets { unit: Unit::Count, bounds: &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_000] };

/// How long a request waits for others' holds, up to the bound and a little past it.
pub static HOLD_WAIT_SECONDS: Buckets = Buckets {
    unit: Unit::Microseconds,
    bounds: &[
        1_000, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_000_000,
        5_000_000,
    ],
};

/// How long a provider takes: from a model on the same machine to an hour of reasoning.
pub static PROVIDER_SECONDS: Buckets = Buckets {
    unit: Unit::Microseconds,
    bounds: &[
        5_000,
        10_000,
        25_000,
        50_000,
        100_000,
        250_000,
        500_000,
        1_000_000,
        2_500_000,
        5_000_000,
        10_000_000,
        30_000_000,
        60_000_000,
        120_000_000,
        300_000_000,
        900_000_000,
        3_600_000_000,
    ],
};

/// How often values fell into each of some buckets, and their sum.
#[derive(Debug)]
pub struct Histogram {
    buckets: &'static Buckets,
    /// One a bound, and one for what is above them all.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

impl Histogram {
    /// A histogram of these buckets, with nothing in it.
    pub fn new(buckets: &'static Buckets) -> Histogram {
        let counts = (0..=buckets.bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Histogram { buckets, counts, sum: AtomicU64::new(0) }
    }

    /// Counts a value, in the unit of its buckets.
    pub fn record(&self, value: u64) {
        let place = self.buckets.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.counts.get(place) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// Counts a duration, in microseconds.
    pub fn record_duration(&self, duration: Duration) {
        self.record(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX));
    }

    /// What it shows.
    pub fn look(&self) -> Looked {
        let counts = self.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        Looked { buckets: self.buckets, counts, sum: self.sum.load(Ordering::Relaxed) }
    }
}

/// What a histogram showed at one moment.
#[derive(Debug, PartialEq, Eq)]
pub struct Looked {
    /// Its buckets.
    pub buckets: &'static Buckets,
    /// How often each was hit, and last what was above them all; not cumulated.
    pub counts: Vec<u64>,
    /// The sum of the values.
    pub sum: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_falls_into_the_first_bucket_that_is_not_below_it() {
        let histogram = Histogram::new(&COMMIT_CHANGES);
        for value in [0, 1, 2, 3, 1_000, 1_001, 5_000] {
            histogram.record(value);
        }
        let looked = histogram.look();
        assert_eq!(looked.counts, [2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 2]);
        assert_eq!(looked.sum, 7_007);
    }

    #[test]
    fn bounds_rise() {
        for buckets in [&COMMIT_SECONDS, &COMMIT_CHANGES, &HOLD_WAIT_SECONDS, &PROVIDER_SECONDS] {
            assert!(buckets.bounds.is_sorted_by(|a, b| a < b), "{buckets:?}");
        }
    }

    #[test]
    fn nothing_is_lost_between_threads() {
        let (counter, histogram) = (Counter::default(), Histogram::new(&COMMIT_CHANGES));
        std::thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| {
                    for value in 0..1_000 {
                        counter.one();
                        histogram.record(value);
                    }
                });
            }
        });
        assert_eq!(counter.get(), 4_000);
        assert_eq!(histogram.look().counts.iter().sum::<u64>(), 4_000);
    }
}
