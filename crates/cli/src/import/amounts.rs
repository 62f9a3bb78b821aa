//! Amounts of servers that compute in doubles, as nano-dollars: by their decimal text, limits rounded
//! down and spend rounded up, so that no key may spend more than there.

use money::{Money, ParseMoneyError};

/// A limit, and whether it is just what was written.
pub(super) fn limit(text: &str) -> (Money, bool) {
    match Money::parse_floor(text) {
        Ok(limit) if limit.is_negative() => (Money::ZERO, false),
        Ok(limit) => (limit, text.parse::<Money>() == Ok(limit)),
        Err(ParseMoneyError::TooLarge) if !text.trim_start().starts_with('-') => {
            (Money::MAX, false)
        }
        Err(_) => (Money::ZERO, false),
    }
}

/// What was spent; what is no amount is as much as there can be.
pub(super) fn spend(text: &str) -> Money {
    let text = text.trim();
    if text.starts_with('-') {
        return Money::ZERO;
    }
    let down = Money::parse_floor(&format!("-{text}"));
    down.ok().and_then(|down| Money::ZERO.checked_sub(down)).unwrap_or(Money::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_double_is_its_shortest_text_and_rounded_against_the_key() {
        // 0.1 + 0.2 in doubles.
        assert_eq!(spend("0.30000000000000004"), Money::nanos(300_000_001));
        assert_eq!(limit("0.30000000000000004"), (Money::nanos(300_000_000), false));
        assert_eq!(spend("1e-10"), Money::nanos(1));
        assert_eq!(
            (spend("5e-05"), limit("5e-05")),
            (Money::nanos(50_000), (Money::nanos(50_000), true))
        );
        assert_eq!((spend("0"), spend("-0.5")), (Money::ZERO, Money::ZERO));
        assert_eq!((limit("-1"), limit("1e12")), ((Money::ZERO, false), (Money::MAX, false)));
        assert_eq!((spend("NaN"), limit("NaN")), (Money::MAX, (Money::ZERO, false)));
    }
}
