//! A part of an amount, for fees: exact, and rounded up once.
//! The product lives here as the one of counts and prices lives with rates.

use std::fmt;
use std::str::FromStr;

use crate::Money;
use crate::text::{Decimal, print};

/// Decimal places of a percentage that are kept.
const PERCENT_PLACES: u8 = 6;
const PARTS_PER_PERCENT: u32 = 1_000_000;
const PARTS_MAX: u32 = 100 * PARTS_PER_PERCENT;

/// A percentage from 0 to 100, exact to six decimals.
///
/// ```
/// # use money::{Money, Percent};
/// let fee: Percent = "5.5".parse()?;
/// assert_eq!(fee.of(Money::nanos(1_000)), Money::nanos(55));
/// assert_eq!(fee.of(Money::nanos(1)), Money::nanos(1), "rounded up to the nano-dollar");
/// # Ok::<(), money::ParsePercentError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Percent(u32);

/// Why a text is not a percentage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParsePercentError {
    /// The text is not a decimal number.
    #[error("not a decimal number")]
    NotANumber,
    /// The percentage is below 0 or above 100.
    #[error("not from 0 to 100")]
    OutOfRange,
    /// The percentage has more than six decimals.
    #[error("finer than a millionth of a percent (six decimals)")]
    TooFine,
}

impl Percent {
    /// Nothing of anything.
    pub const ZERO: Percent = Percent(0);

    /// So much of `amount`, rounded up to the nano-dollar; of an amount below zero as much below
    /// zero as of its opposite above, so that a charge and its opposite end at nothing.
    pub fn of(self, amount: Money) -> Money {
        let product = u128::from(amount.as_nanos().unsigned_abs()) * u128::from(self.0);
        let part = i64::try_from(product.div_ceil(u128::from(PARTS_MAX)));
        // At most the amount, which fits, but that the least one has no opposite.
        let part = part.unwrap_or(i64::MAX);
        Money::nanos(if amount.is_negative() { -part } else { part })
    }
}

impl FromStr for Percent {
    type Err = ParsePercentError;

    /// Reads an exact decimal from 0 to 100 (`5`, `2.5`), without a sign for percent.
    fn from_str(text: &str) -> Result<Percent, ParsePercentError> {
        let decimal = Decimal::read(text).ok_or(ParsePercentError::NotANumber)?;
        if decimal.is_negative && !decimal.is_zero() {
            return Err(ParsePercentError::OutOfRange);
        }
        let scaled = decimal.scale(PERCENT_PLACES).ok_or(ParsePercentError::OutOfRange)?;
        match u32::try_from(scaled.magnitude) {
            Ok(parts) if parts < PARTS_MAX || (parts == PARTS_MAX && scaled.is_exact) => {
                if scaled.is_exact { Ok(Percent(parts)) } else { Err(ParsePercentError::TooFine) }
            }
            _ => Err(ParsePercentError::OutOfRange),
        }
    }
}

impl fmt::Display for Percent {
    /// Prints the shortest exact decimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print(f, u128::from(self.0), PERCENT_PLACES)
    }
}

impl fmt::Debug for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} %")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(text: &str) -> Percent {
        text.parse().unwrap()
    }

    #[test]
    fn a_percentage_is_exact_or_refused() {
        for (text, shown) in [("0", "0"), ("5", "5"), ("2.50", "2.5"), ("1e-6", "0.000001")] {
            assert_eq!(percent(text).to_string(), shown);
        }
        assert_eq!(format!("{:?}", percent("100")), "100 %");
        use ParsePercentError::{NotANumber, OutOfRange, TooFine};
        let refused = [
            ("", NotANumber),
            ("5%", NotANumber),
            ("-1", OutOfRange),
            ("100.000001", OutOfRange),
            ("100.0000001", OutOfRange),
            ("1e40", OutOfRange),
            ("5000", OutOfRange),
            ("0.0000001", TooFine),
        ];
        for (text, problem) in refused {
            assert_eq!(text.parse::<Percent>(), Err(problem), "{text:?}");
        }
        assert_eq!("-0".parse(), Ok(Percent::ZERO));
    }

    #[test]
    fn a_part_is_rounded_up_once_and_never_above_the_whole() {
        let of = |text: &str, nanos| percent(text).of(Money::nanos(nanos)).as_nanos();
        assert_eq!(of("0", i64::MAX), 0);
        assert_eq!(of("5", 100), 5);
        assert_eq!(of("5", 101), 6);
        assert_eq!(of("5", 0), 0);
        assert_eq!(of("0.000001", 1), 1);
        assert_eq!(of("0.000001", 100_000_000), 1);
        assert_eq!(of("0.000001", 100_000_001), 2);
        assert_eq!(of("100", i64::MAX), i64::MAX);
        assert_eq!(of("99.999999", i64::MAX), i64::MAX - 92_233_720_368);
        assert_eq!(of("5", -101), -6);
        assert_eq!(of("100", i64::MIN), -i64::MAX);
    }
}
