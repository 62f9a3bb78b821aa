//! Amounts and prices as text: what is printed is read as the same, what is rounded down is not
//! above what was written, and every number of JSON is an amount or too large for one.

#![no_main]

use libfuzzer_sys::fuzz_target;
use money::{Bill, Money, ParseMoneyError, Rate};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (exact, floor) = (text.parse::<Money>(), Money::parse_floor(text));
    match (exact, floor) {
        (Ok(exact), floor) => {
            assert_eq!(floor, Ok(exact));
            assert_eq!(exact.to_string().parse(), Ok(exact));
        }
        // Rounded down past the smallest amount there is.
        (Err(ParseMoneyError::TooFine), Err(ParseMoneyError::TooLarge)) => {
            assert!(text.starts_with('-'));
        }
        (Err(ParseMoneyError::TooFine), floor) => is_below(floor.expect("an amount"), text),
        (Err(error), floor) => assert_eq!(floor, Err(error)),
    }
    let is_number = serde_json::from_str::<serde_json::Number>(text).is_ok();
    if is_number && !text.contains(char::is_whitespace) {
        assert_ne!(floor, Err(ParseMoneyError::NotANumber));
    }
    if let Ok(rate) = text.parse::<Rate>() {
        assert_eq!(rate.to_string().parse(), Ok(rate));
        billed(rate, data.len() as u64);
    }
});

/// Compared as floats: what was cut off is less than a nano-dollar.
fn is_below(floor: Money, text: &str) {
    let (floor, written) = (floor.to_string(), text.parse::<f64>().expect("a number"));
    let floor: f64 = floor.parse().expect("a number");
    let tolerance = 1e-9 + written.abs() * 1e-12;
    assert!(floor <= written + tolerance && written - floor <= 1e-9 + tolerance, "{floor} {text}");
}

/// A bill in one line is the same as in two, and is rounded once.
fn billed(rate: Rate, units: u64) {
    let (mut one, mut two) = (Bill::default(), Bill::default());
    if one.add(units, rate).is_ok() && two.add(units / 2, rate).is_ok() {
        two.add(units - units / 2, rate).expect("what fits at once");
        assert_eq!(one, two);
        if let Ok(cost) = one.round_up() {
            assert!(!cost.is_negative() && (cost.is_zero() == (rate.is_zero() || units == 0)));
        }
    }
}
