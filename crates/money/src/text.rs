//! Decimal text to integers and back, exact inverses of each other.
//! Amounts and rates share the one reader and the one printer, and neither builds a number larger
//! than it can hold.

use std::fmt;
use std::str::FromStr;

use crate::Money;

/// Decimal places of a nano-dollar.
const MONEY_PLACES: u8 = 9;

/// Why a text is not an amount of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseMoneyError {
    /// The text is not a decimal number.
    #[error("not a decimal number")]
    NotANumber,
    /// The amount is beyond ±9,223,372,036.854775807 dollars.
    #[error("larger than an amount can be (about 9.2 billion dollars)")]
    TooLarge,
    /// The amount has a part smaller than a nano-dollar.
    #[error("finer than a nano-dollar (nine decimals)")]
    TooFine,
}

impl Money {
    /// The amount in `text`, rounded towards negative infinity to the nano-dollar.
    ///
    /// For limits, which round down so that none is ever larger than what was asked for
    /// (DESIGN, "Money"). Costs are never rounded here.
    ///
    /// ```
    /// # use money::Money;
    /// assert_eq!(Money::parse_floor("0.1234567899"), Ok(Money::nanos(123_456_789)));
    /// assert_eq!(Money::parse_floor("-0.1234567891"), Ok(Money::nanos(-123_456_790)));
    /// ```
    pub fn parse_floor(text: &str) -> Result<Money, ParseMoneyError> {
        let decimal = Decimal::read(text).ok_or(ParseMoneyError::NotANumber)?;
        let scaled = decimal.scale(MONEY_PLACES).ok_or(ParseMoneyError::TooLarge)?;
        let down = u128::from(decimal.is_negative && !scaled.is_exact);
        signed(decimal.is_negative, scaled.magnitude.checked_add(down))
    }
}

impl FromStr for Money {
    type Err = ParseMoneyError;

    /// Reads an exact decimal: a sign or none, digits, a fraction or none, and an exponent or none
    /// (`25.5`, `-0.4`, `5e-05`).
    fn from_str(text: &str) -> Result<Money, ParseMoneyError> {
        let decimal = Decimal::read(text).ok_or(ParseMoneyError::NotANumber)?;
        let scaled = decimal.scale(MONEY_PLACES).ok_or(ParseMoneyError::TooLarge)?;
        let amount = signed(decimal.is_negative, Some(scaled.magnitude))?;
        if scaled.is_exact { Ok(amount) } else { Err(ParseMoneyError::TooFine) }
    }
}

impl fmt::Display for Money {
    /// Prints the shortest exact decimal, without an exponent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.as_nanos();
        if nanos < 0 {
            f.write_str("-")?;
        }
        print(f, u128::from(nanos.unsigned_abs()), MONEY_PLACES)
    }
}

fn signed(is_negative: bool, magnitude: Option<u128>) -> Result<Money, ParseMoneyError> {
    magnitude
        .and_then(|magnitude| i128::try_from(magnitude).ok())
        .map(|magnitude| if is_negative { -magnitude } else { magnitude })
        .and_then(|nanos| i64::try_from(nanos).ok())
        .map(Money::nanos)
        .ok_or(ParseMoneyError::TooLarge)
}

/// A decimal number as it was written: `±whole.fraction × 10^exponent`.
pub(crate) struct Decimal<'a> {
    pub(crate) is_negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    /// Saturated, since a text may name any exponent: past the ends of `i64` all are alike.
    exponent: i64,
}

/// The magnitude of a decimal, counted in units of 10^-places and cut off below them.
pub(crate) struct Scaled {
    pub(crate) magnitude: u128,
    /// Whether nothing was cut off.
    pub(crate) is_exact: bool,
}

impl<'a> Decimal<'a> {
    /// The parts of `text`, or `None` where it is not a decimal number.
    pub(crate) fn read(text: &'a str) -> Option<Decimal<'a>> {
        let (is_negative, rest) = sign(text.as_bytes());
        let (whole, rest) = digits(rest)?;
        let (fraction, rest) = match rest.split_first() {
            Some((b'.', rest)) => digits(rest)?,
            _ => (&rest[..0], rest),
        };
        let (exponent, rest) = match rest.split_first() {
            Some((b'e' | b'E', rest)) => exponent(rest)?,
            _ => (0, rest),
        };
        rest.is_empty().then_some(Decimal { is_negative, whole, fraction, exponent })
    }

    /// Whether the number is zero, whatever its sign and exponent.
    pub(crate) fn is_zero(&self) -> bool {
        self.digits().all(|digit| digit == b'0')
    }

    /// The magnitude in units of 10^-`places`, or `None` where it is past `u128`.
    pub(crate) fn scale(&self, places: u8) -> Option<Scaled> {
        if self.is_zero() {
            return Some(Scaled { magnitude: 0, is_exact: true });
        }
        // How many leading digits count whole units; past the last digit they are zeros.
        let length = i64::try_from(self.whole.len()).ok()?;
        let kept = self.exponent.saturating_add(length).saturating_add(i64::from(places)).max(0);
        let kept = usize::try_from(kept).ok()?;
        let written = self.whole.len() + self.fraction.len();
        let zeros = u32::try_from(kept.saturating_sub(written)).ok()?;

        let magnitude = self.digits().take(kept).try_fold(0_u128, |magnitude, digit| {
            magnitude.checked_mul(10)?.checked_add(u128::from(digit - b'0'))
        })?;
        let magnitude = magnitude.checked_mul(10_u128.checked_pow(zeros)?)?;
        let is_exact = self.digits().skip(kept).all(|digit| digit == b'0');
        Some(Scaled { magnitude, is_exact })
    }

    fn digits(&self) -> impl Iterator<Item = u8> {
        self.whole.iter().chain(self.fraction).copied()
    }
}

/// Prints `magnitude` × 10^-`places` as the shortest exact decimal.
pub(crate) fn print(f: &mut fmt::Formatter<'_>, magnitude: u128, places: u8) -> fmt::Result {
    let unit = 10_u128.pow(u32::from(places));
    let (whole, mut fraction) = (magnitude / unit, magnitude % unit);
    write!(f, "{whole}")?;
    if fraction == 0 {
        return Ok(());
    }
    let mut width = usize::from(places);
    while fraction.is_multiple_of(10) {
        fraction /= 10;
        width -= 1;
    }
    write!(f, ".{fraction:0width$}")
}

fn sign(text: &[u8]) -> (bool, &[u8]) {
    match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    }
}

/// One digit or more, and what follows them.
fn digits(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

fn exponent(text: &[u8]) -> Option<(i64, &[u8])> {
    let (is_negative, rest) = sign(text);
    let (digits, rest) = digits(rest)?;
    let magnitude = digits.iter().fold(0_i64, |magnitude, digit| {
        magnitude.saturating_mul(10).saturating_add(i64::from(digit - b'0'))
    });
    Some((if is_negative { -magnitude } else { magnitude }, rest))
}
