//! How quick answers were, counted in buckets whose width grows with what they hold: an eighth of
//! it, so that a percentile is off by a sixteenth at most.

use super::Pace;

/// Eight buckets to each doubling.
const STEPS: u32 = 3;
/// Doublings: up to 2^24, which is four hours in milliseconds and 16,000 tokens a second.
const DOUBLINGS: u32 = 24;
const BUCKETS: usize = ((DOUBLINGS - STEPS + 1) << STEPS) as usize;

/// What half, three quarters, nine tenths and 99 hundredths of the answers did at least as well as.
pub type Percentiles = [u64; 4];

/// The percentiles that are reported.
const SHARES: [u64; 4] = [50, 75, 90, 99];

/// How quick answers were.
#[derive(Debug, Default)]
pub(super) struct Speeds {
    /// Milliseconds to the first byte, of answers that came all at once and as they were made.
    latency: [Buckets; 2],
    /// Thousandths of a token a second.
    throughput: Buckets,
}

#[derive(Debug)]
struct Buckets([u16; BUCKETS]);

impl Default for Buckets {
    fn default() -> Buckets {
        Buckets([0; BUCKETS])
    }
}

impl Speeds {
    pub(super) fn record(&mut self, pace: Pace) {
        let millis = u64::try_from(pace.began_after.as_millis()).unwrap_or(u64::MAX);
        self.latency[usize::from(pace.is_streamed)].count(millis);
        let micros = pace.took.as_micros().max(1);
        let speed = u128::from(pace.completion_tokens) * 1_000_000_000 / micros;
        if pace.completion_tokens > 0 {
            self.throughput.count(u64::try_from(speed).unwrap_or(u64::MAX));
        }
    }
}

pub(super) fn latency<'a>(slots: impl Iterator<Item = &'a Speeds> + Clone) -> Option<Percentiles> {
    let rank = |all: u64, share: u64| (all * share).div_ceil(100);
    let streamed = percentiles(slots.clone().map(|slot| &slot.latency[1]), rank);
    streamed.or_else(|| percentiles(slots.map(|slot| &slot.latency[0]), rank))
}

pub(super) fn throughput<'a>(
    slots: impl Iterator<Item = &'a Speeds> + Clone,
) -> Option<Percentiles> {
    // The more the better: so many did no worse, the others had less.
    let slots = slots.map(|slot| &slot.throughput);
    percentiles(slots, |all, share| all + 1 - (all * share).div_ceil(100))
}

impl Buckets {
    fn count(&mut self, figure: u64) {
        let count = &mut self.0[bucket(figure)];
        *count = count.saturating_add(1);
    }
}

/// The figures at the ranks that `rank` gives, counted from the least, of so many and a share.
fn percentiles<'a>(
    slots: impl Iterator<Item = &'a Buckets>,
    rank: impl Fn(u64, u64) -> u64,
) -> Option<Percentiles> {
    let mut sums = [0_u64; BUCKETS];
    for slot in slots {
        for (sum, count) in sums.iter_mut().zip(&slot.0) {
            *sum += u64::from(*count);
        }
    }
    let all: u64 = sums.iter().sum();
    if all == 0 {
        return None;
    }
    Some(SHARES.map(|share| {
        let rank = rank(all, share);
        let mut reached = 0;
        let place = sums.iter().position(|count| {
            reached += count;
            reached >= rank
        });
        middle(place.unwrap_or(BUCKETS - 1))
    }))
}

fn bucket(figure: u64) -> usize {
    let exponent = figure.max(1).ilog2();
    if exponent < STEPS {
        return usize::try_from(figure).unwrap_or(0);
    }
    if exponent >= DOUBLINGS {
        return BUCKETS - 1;
    }
    let step = (figure >> (exponent - STEPS)) & ((1 << STEPS) - 1);
    usize::try_from((u64::from(exponent - STEPS + 1) << STEPS) + step).unwrap_or(BUCKETS - 1)
}

/// The figure in the middle of a bucket.
fn middle(bucket: usize) -> u64 {
    let bucket = u64::try_from(bucket).unwrap_or(0);
    let (doubling, step) = (bucket >> STEPS, bucket & ((1 << STEPS) - 1));
    if doubling == 0 {
        return step;
    }
    let width = 1 << (doubling - 1);
    ((1 << STEPS) + step) * width + width / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_is_an_eighth_of_what_it_holds() {
        for figure in (0..100_000).chain([1 << 20, (1 << 24) - 1]) {
            let found = middle(bucket(figure));
            let off = found.abs_diff(figure);
            assert!(off * 16 <= figure, "{figure} is taken for {found}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn buckets_rise_with_what_they_hold() {
        let mut before = 0;
        for figure in 0..(1 << 20) {
            let found = bucket(figure);
            assert!(found == before || found == before + 1, "{figure}");
            before = found;
        }
    }
}
