//! LiteLLM's budget durations as windows of ours, never a shorter or an earlier one.
//! It counts from any moment and for any length; here windows are UTC days, weeks and months.

use jiff::Timestamp;
use ledger::{Day, Period, Window};
use store::Reset;

/// The window a budget gets, and whether it is the very same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Choice {
    /// `None` is the whole life.
    pub(super) reset: Option<Reset>,
    pub(super) is_exact: bool,
}

/// The shortest of our windows that is as long as `duration` and does not start afresh before
/// `resets_at`; `None` where `duration` is none. With `early` it may start afresh before that.
///
/// A budget whose reset is over at `now` is taken to be aligned, as LiteLLM's next reset is.
pub(super) fn choose(
    duration: &str,
    resets_at: Option<Timestamp>,
    now: Timestamp,
    early: bool,
) -> Option<Choice> {
    let (least, is_same) = length(duration)?;
    let whole_life = Choice { reset: None, is_exact: false };
    let Some(resets_at) = resets_at.or(early.then_some(now)) else {
        // LiteLLM never resets it either.
        return Some(Choice { reset: None, is_exact: true });
    };
    let all = [Reset::Daily, Reset::Weekly, Reset::Monthly];
    let long_enough = all.into_iter().skip(least);
    let mut in_time = long_enough.filter(|reset| {
        early || resets_at <= now || next(*reset, now).is_some_and(|next| next >= resets_at)
    });
    let Some(reset) = in_time.next() else { return Some(whole_life) };
    let is_aligned = resets_at <= now || next(reset, now) == Some(resets_at);
    let is_shortest = all.get(least) == Some(&reset);
    Some(Choice { reset: Some(reset), is_exact: is_same && is_aligned && is_shortest })
}

/// When a window of ours that holds `now` ends.
fn next(reset: Reset, now: Timestamp) -> Option<Timestamp> {
    window(Some(reset), now).resets_at()
}

fn window(reset: Option<Reset>, now: Timestamp) -> Window {
    let period = match reset {
        Some(Reset::Daily) => Period::Day,
        Some(Reset::Weekly) => Period::Week,
        Some(Reset::Monthly) => Period::Month,
        None => Period::Lifetime,
    };
    period.window(Day::of(now))
}

/// The place of the shortest window that is as long, past the last where none is; and whether that
/// is its very length.
fn length(duration: &str) -> Option<(usize, bool)> {
    let duration = duration.trim().to_lowercase();
    let duration = match duration.as_str() {
        "hourly" => "1h",
        "daily" => "24h",
        "weekly" => "7d",
        "monthly" => "30d",
        other => other,
    };
    let digits = duration.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = duration.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let seconds = match unit {
        "mo" => return Some(if number <= 1 { (2, number == 1) } else { (3, false) }),
        "s" | "" => number,
        "m" => number.checked_mul(60)?,
        "h" => number.checked_mul(3_600)?,
        "d" => number.checked_mul(86_400)?,
        "w" => number.checked_mul(604_800)?,
        _ => return None,
    };
    Some(match seconds {
        0..86_400 => (0, false),
        86_400 => (0, true),
        86_401..604_800 => (1, false),
        604_800 => (1, true),
        // Thirty days are a calendar month there, and the shortest has twenty-eight.
        604_801..=2_419_200 => (2, false),
        2_592_000 => (2, unit == "d"),
        _ => (3, false),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-26T12:00:00Z";

    fn chosen(
        duration: &str,
        resets_at: Option<&str>,
        early: bool,
    ) -> Option<(Option<Reset>, bool)> {
        let at = |text: &str| text.parse().unwrap();
        let choice = choose(duration, resets_at.map(at), at(NOW), early)?;
        Some((choice.reset, choice.is_exact))
    }

    #[test]
    fn what_litellm_aligns_is_the_very_same_window() {
        for (duration, resets_at, reset) in [
            ("1d", "2026-11-27T00:00:00Z", Reset::Daily),
            ("24h", "2026-11-27T00:00:00Z", Reset::Daily),
            ("daily", "2026-11-27T00:00:00Z", Reset::Daily),
            ("7d", "2026-11-30T00:00:00Z", Reset::Weekly),
            ("1w", "2026-11-30T00:00:00Z", Reset::Weekly),
            ("30d", "2026-12-01T00:00:00Z", Reset::Monthly),
            ("1mo", "2026-12-01T00:00:00Z", Reset::Monthly),
            ("monthly", "2026-12-01T00:00:00Z", Reset::Monthly),
            ("30d", "2026-11-01T00:00:00Z", Reset::Monthly),
        ] {
            assert_eq!(
                chosen(duration, Some(resets_at), false),
                Some((Some(reset), true)),
                "{duration}"
            );
        }
    }

    #[test]
    fn no_window_is_shorter_or_starts_afresh_sooner_than_there() {
        for (duration, resets_at, reset) in [
            ("30s", "2026-11-26T12:00:10Z", Some(Reset::Daily)),
            ("30m", "2026-11-26T12:30:00Z", Some(Reset::Daily)),
            ("1h", "2026-11-26T13:00:00Z", Some(Reset::Daily)),
            ("1d", "2026-11-27T05:00:00Z", Some(Reset::Weekly)),
            ("3d", "2026-11-29T00:00:00Z", Some(Reset::Weekly)),
            ("7d", "2026-11-30T01:00:00Z", Some(Reset::Monthly)),
            ("14d", "2026-11-30T00:00:00Z", Some(Reset::Monthly)),
            ("29d", "2026-11-30T00:00:00Z", None),
            ("30d", "2026-12-15T09:00:00Z", None),
            ("2mo", "2026-12-01T00:00:00Z", None),
            ("90d", "2026-12-01T00:00:00Z", None),
            ("1y", "2026-12-01T00:00:00Z", None),
        ] {
            let expected = if duration == "1y" { None } else { Some((reset, false)) };
            assert_eq!(chosen(duration, Some(resets_at), false), expected, "{duration}");
        }
        assert_eq!(
            chosen("30d", Some("2026-12-15T09:00:00Z"), true),
            Some((Some(Reset::Monthly), false))
        );
        assert_eq!(chosen("30d", None, false), Some((None, true)));
        assert_eq!(chosen("soon", None, false), None);
    }
}
