//! When a request is sent again, and after how long: rules, without a clock and without I/O.

use std::time::Duration;

/// How often a request is sent again where that cannot do harm, and how long it waits before.
///
/// Sent again is
/// - whatever did not reach the server, because no connection came about;
/// - what the server refused for now: 429, and 402 with a `Retry-After`;
/// - what was lost on the way or answered with 408 or 5xx, but only where twice is as good as
///   once: never a creation without an idempotency key, never a chat.
///
/// Waits double, with a random part; a `Retry-After` takes their place. One longer than
/// `wait_max` is not waited for: the error says how long it is.
///
/// ```
/// use std::time::Duration;
/// use tollgate::Retries;
///
/// let patient = Retries::default().attempts_max(8).wait_max(Duration::from_secs(300));
/// let client = tollgate::Client::builder().api_key("sk-or-v1-…").retries(patient).build()?;
/// # Ok::<(), tollgate::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retries {
    /// How often a request is sent at most, the first time included. 3 where nothing is said.
    pub attempts_max: u32,
    /// The wait before the second time; half a second where nothing is said.
    pub wait_first: Duration,
    /// No wait is longer, not even one that the server asks for; 30 seconds where nothing is said.
    pub wait_max: Duration,
}

impl Default for Retries {
    fn default() -> Retries {
        Retries {
            attempts_max: 3,
            wait_first: Duration::from_millis(500),
            wait_max: Duration::from_secs(30),
        }
    }
}

impl Retries {
    /// Every request is sent once.
    ///
    /// ```
    /// assert_eq!(tollgate::Retries::none().attempts_max, 1);
    /// ```
    pub fn none() -> Retries {
        Retries::default().attempts_max(1)
    }

    /// How a request that `outcome` came of is sent again: after which wait, or not at all.
    ///
    /// `sent` is how often it was sent; `chance` is from 0 to 255.
    pub(crate) fn wait(
        self,
        sent: u32,
        outcome: Outcome,
        twice: Twice,
        chance: u8,
    ) -> Option<Duration> {
        if sent >= self.attempts_max || !outcome.allows(twice) {
            return None;
        }
        if let Some(asked) = outcome.retry_after() {
            return (asked <= self.wait_max).then_some(asked);
        }
        let doublings = sent.saturating_sub(1).min(20);
        let whole = self.wait_first.saturating_mul(1 << doublings).min(self.wait_max);
        // From half of it to all of it, so that clients that failed together come back apart.
        Some(whole / 2 + whole / 2 * u32::from(chance) / 255)
    }
}

crate::patch::setters!(Retries, Retries::default();
    plain attempts_max: u32 = 8,
    plain wait_first: Duration = std::time::Duration::from_secs(1),
    plain wait_max: Duration = std::time::Duration::from_secs(300),
);

/// Whether a request may reach the server twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Twice {
    /// As good as once.
    Harmless,
    /// It would make two of something, or pay twice.
    Harmful,
}

/// What came of sending a request, as far as sending it again depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// No connection: nothing has arrived.
    NotSent,
    /// It may have arrived; there is no answer.
    Lost,
    /// The server said no.
    Refused { status: u16, retry_after: Option<Duration> },
    /// Anything that another try would not change.
    Final,
}

impl Outcome {
    fn retry_after(self) -> Option<Duration> {
        match self {
            Outcome::Refused { retry_after, .. } => retry_after,
            _ => None,
        }
    }

    fn allows(self, twice: Twice) -> bool {
        match self {
            Outcome::NotSent | Outcome::Refused { status: 429, .. } => true,
            Outcome::Refused { status: 402, retry_after } => retry_after.is_some(),
            Outcome::Lost | Outcome::Refused { status: 408 | 500.., .. } => {
                twice == Twice::Harmless
            }
            Outcome::Refused { .. } | Outcome::Final => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF: Duration = Duration::from_millis(500);

    fn refused(status: u16, seconds: Option<u64>) -> Outcome {
        Outcome::Refused { status, retry_after: seconds.map(Duration::from_secs) }
    }

    #[test]
    fn what_may_have_been_done_is_not_done_twice() {
        let wait = |outcome, twice| Retries::default().wait(1, outcome, twice, 255);
        for outcome in
            [Outcome::Lost, refused(408, None), refused(500, None), refused(503, Some(1))]
        {
            assert_eq!(wait(outcome, Twice::Harmful), None, "{outcome:?}");
            assert!(wait(outcome, Twice::Harmless).is_some(), "{outcome:?}");
        }
    }

    #[test]
    fn what_was_not_done_is_sent_again_whatever_it_is() {
        let wait = |outcome| Retries::default().wait(1, outcome, Twice::Harmful, 255);
        assert_eq!(wait(Outcome::NotSent), Some(HALF));
        assert_eq!(wait(refused(429, None)), Some(HALF));
        assert_eq!(wait(refused(429, Some(7))), Some(Duration::from_secs(7)));
        assert_eq!(wait(refused(402, Some(1))), Some(Duration::from_secs(1)));
    }

    #[test]
    fn what_would_be_refused_again_is_not_sent_again() {
        for outcome in [
            refused(400, None),
            refused(402, None),
            refused(403, Some(1)),
            refused(404, None),
            refused(409, None),
            Outcome::Final,
        ] {
            assert_eq!(
                Retries::default().wait(1, outcome, Twice::Harmless, 0),
                None,
                "{outcome:?}"
            );
        }
    }

    #[test]
    fn waits_double_up_to_the_longest_and_then_end() {
        let retries = Retries::default().attempts_max(9).wait_max(Duration::from_secs(3));
        let waits: Vec<u128> = (1..=9)
            .filter_map(|sent| retries.wait(sent, Outcome::NotSent, Twice::Harmful, 255))
            .map(|wait| wait.as_millis())
            .collect();
        assert_eq!(waits, [500, 1000, 2000, 3000, 3000, 3000, 3000, 3000]);
        assert_eq!(retries.wait(1, Outcome::NotSent, Twice::Harmful, 0), Some(HALF / 2));
    }

    #[test]
    fn a_longer_wait_than_the_longest_is_the_callers_to_decide() {
        let outcome = refused(429, Some(31));
        assert_eq!(Retries::default().wait(1, outcome, Twice::Harmless, 0), None);
    }
}
