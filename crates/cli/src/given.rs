//! Values of arguments: amounts, moments and lengths of time, each exact or refused with what is
//! allowed.

use std::time::Duration;

use client::Usd;
use jiff::{SignedDuration, Timestamp};
use money::{Money, ParseMoneyError};

const MINUTE: u64 = 60;
const UNITS: [(&str, u64); 6] = [
    ("w", 7 * 24 * 60 * MINUTE),
    ("d", 24 * 60 * MINUTE),
    ("h", 60 * MINUTE),
    ("min", MINUTE),
    ("m", MINUTE),
    ("s", 1),
];

/// A setting that can be cleared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Clearable<T> {
    None,
    To(T),
}

impl<T> Clearable<T> {
    /// What the API is told: `None` clears.
    pub(crate) fn into_option(self) -> Option<T> {
        match self {
            Clearable::None => None,
            Clearable::To(value) => Some(value),
        }
    }
}

/// A parser of `none`, or of what `parse` takes.
fn clearable<T>(
    text: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Clearable<T>, String> {
    match text {
        "none" => Ok(Clearable::None),
        _ => parse(text).map(Clearable::To).map_err(|why| format!("{why}, or `none`")),
    }
}

/// An amount of US dollars that is not negative: `25`, `0.5`.
pub(crate) fn dollars(text: &str) -> Result<Usd, String> {
    let allowed = "dollars are a decimal number such as 25 or 0.005, not negative";
    let amount: Money = text.trim_start_matches('$').parse().map_err(|error| match error {
        ParseMoneyError::NotANumber => allowed.to_owned(),
        error => format!("{error}; {allowed}"),
    })?;
    if amount < Money::ZERO {
        return Err(format!("it is negative; {allowed}"));
    }
    amount.to_string().parse().map_err(|_| allowed.to_owned())
}

/// The same, or `none`.
pub(crate) fn dollars_or_none(text: &str) -> Result<Clearable<Usd>, String> {
    clearable(text, dollars)
}

/// A count of at least one.
pub(crate) fn count(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("it is a whole number, 1 at least".to_owned()),
        Ok(count) => Ok(count),
    }
}

/// The same, or `none`.
pub(crate) fn count_or_none(text: &str) -> Result<Clearable<u64>, String> {
    clearable(text, count)
}

/// A length of time: `30d`, `12h`, `1h30m`.
pub(crate) fn length(text: &str) -> Result<Duration, String> {
    let allowed = || {
        "a length of time is whole numbers with units w, d, h, m and s, such as 30d or 1h30m"
            .to_owned()
    };
    let mut rest = text;
    let mut seconds: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, after) = after.split_at(letters);
        let (_, length) = UNITS.iter().find(|(name, _)| *name == unit).ok_or_else(allowed)?;
        let number: u64 = number.parse().map_err(|_| allowed())?;
        let part = number.checked_mul(*length).ok_or_else(allowed)?;
        seconds = seconds.checked_add(part).ok_or_else(allowed)?;
        rest = after;
    }
    match seconds {
        0 => Err(allowed()),
        seconds => Ok(Duration::from_secs(seconds)),
    }
}

/// A moment, by the calendar or from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    At(Timestamp),
    In(Duration),
}

impl Moment {
    /// When that is, to the second.
    pub(crate) fn at(self, now: Timestamp) -> Result<Timestamp, jiff::Error> {
        match self {
            Moment::At(moment) => Ok(moment),
            Moment::In(length) => {
                let now = Timestamp::from_second(now.as_second())?;
                now.checked_add(SignedDuration::try_from(length)?)
            }
        }
    }
}

/// A moment in UTC, or a length of time from now on.
pub(crate) fn moment(text: &str) -> Result<Moment, String> {
    if text.contains(['T', '-', ':']) {
        let parsed: Result<Timestamp, _> = text.parse();
        return parsed.map(Moment::At).map_err(|_| {
            "a moment is a date and a time in UTC such as 2026-12-31T00:00:00Z, or a length of time \
             from now on such as 30d"
                .to_owned()
        });
    }
    length(text)
        .map(Moment::In)
        .map_err(|why| format!("{why}; or a moment such as 2026-12-31T00:00:00Z"))
}

/// The same, or `none`.
pub(crate) fn moment_or_none(text: &str) -> Result<Clearable<Moment>, String> {
    clearable(text, moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_exact_or_refused() {
        for (text, seconds) in
            [("30d", 30 * 86_400), ("1w", 604_800), ("1h30m", 5_400), ("90min", 5_400), ("2s", 2)]
        {
            assert_eq!(length(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "0d", "30", "d", "1.5h", "-1d", "1y", "30 d", "99999999999999w"] {
            assert!(length(text).is_err_and(|why| why.contains("such as 30d")), "{text}");
        }
    }

    #[test]
    fn a_moment_is_of_the_calendar_or_from_now_on() {
        let now: Timestamp = "2026-11-21T22:50:00.7Z".parse().unwrap();
        let at = |text| moment(text).map(|moment| moment.at(now).unwrap().to_string());
        assert_eq!(at("2026-12-31T00:00:00Z"), Ok("2026-12-31T00:00:00Z".to_owned()));
        assert_eq!(at("30d"), Ok("2026-12-21T22:50:00Z".to_owned()));
        for text in ["2026-12-31", "tomorrow", "2026-12-31T00:00:00"] {
            assert!(at(text).is_err_and(|why| why.contains("such as")), "{text}");
        }
    }

    #[test]
    fn amounts_are_exact_or_refused() {
        assert_eq!(dollars("25").unwrap().to_string(), "25");
        assert_eq!(dollars("$0.000000001").unwrap().to_string(), "0.000000001");
        assert_eq!(dollars_or_none("none"), Ok(Clearable::None));
        for (text, part) in [
            ("-1", "it is negative"),
            ("0.0000000001", "finer than a nano-dollar"),
            ("ten", "dollars are a decimal number"),
            ("1e99", "larger than an amount can be"),
        ] {
            assert!(dollars(text).is_err_and(|why| why.contains(part)), "{text}");
        }
        assert!(count_or_none("0").is_err_and(|why| why.contains("1 at least, or `none`")));
    }
}
