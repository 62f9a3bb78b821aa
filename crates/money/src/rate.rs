//! Prices per unit, and the bill that adds them up.
//! The one multiplication of a count by a price and the one rounding of a cost live here.

use std::fmt;
use std::str::FromStr;

use crate::Money;
use crate::text::{Decimal, print};

/// Decimal places of an atto-dollar.
const RATE_PLACES: u8 = 18;
/// A million has so many zeros.
const MILLION_PLACES: u8 = 6;
const ATTOS_PER_DOLLAR: u128 = 1_000_000_000_000_000_000;
const ATTOS_PER_NANO: u128 = 1_000_000_000;
/// No price is larger; it keeps a typing slip from becoming a bill.
const DOLLARS_MAX: u128 = 1_000_000;

/// A price in US dollars per unit (a token, a request, an image): exact and never negative.
///
/// Counted in atto-dollars (1e-18), so that a price of `0.000000037` a token, times a discount's
/// few more decimals, is still exact. At most a million dollars a unit.
///
/// ```
/// # use money::Rate;
/// let (cheap, dear) = ("3.7e-8".parse::<Rate>()?, "0.000000075".parse::<Rate>()?);
/// assert_eq!(cheap.max(dear).to_string(), "0.000000075");
/// # Ok::<(), money::ParseRateError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Rate(u128);

/// Why a text is not a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseRateError {
    /// The text is not a decimal number.
    #[error("not a decimal number")]
    NotANumber,
    /// The price is below zero, as the catalogue's `-1` for "no fixed price" is.
    #[error("negative")]
    Negative,
    /// The price is above a million dollars a unit.
    #[error("above 1000000 dollars a unit")]
    TooLarge,
    /// The price has a part smaller than an atto-dollar.
    #[error("finer than an atto-dollar (18 decimals)")]
    TooFine,
}

impl Rate {
    /// The price of what is free.
    pub const ZERO: Rate = Rate(0);

    /// Whether this price charges nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The highest price that is not above `text`, as dollars a unit: what a client will pay at
    /// most may be written finer than a price is, or larger than one can be.
    ///
    /// ```
    /// # use money::Rate;
    /// assert_eq!(Rate::at_most("0.1234567890123456789")?.to_string(), "0.123456789012345678");
    /// assert_eq!(Rate::at_most("1e99")?.to_string(), "1000000");
    /// # Ok::<(), money::ParseRateError>(())
    /// ```
    pub fn at_most(text: &str) -> Result<Rate, ParseRateError> {
        Rate::cut(text, RATE_PLACES).map(|(rate, _)| rate)
    }

    /// The same where `text` is dollars for a million units.
    pub fn at_most_per_million(text: &str) -> Result<Rate, ParseRateError> {
        Rate::cut(text, RATE_PLACES - MILLION_PLACES).map(|(rate, _)| rate)
    }

    /// The lowest price that is not below `text`, as dollars for a million units: what is asked for
    /// at least.
    ///
    /// ```
    /// # use money::Rate;
    /// assert_eq!(Rate::at_least_per_million("1.1e-12")?, "2e-18".parse::<Rate>()?);
    /// # Ok::<(), money::ParseRateError>(())
    /// ```
    pub fn at_least_per_million(text: &str) -> Result<Rate, ParseRateError> {
        let (rate, is_exact) = Rate::cut(text, RATE_PLACES - MILLION_PLACES)?;
        Ok(if is_exact { rate } else { Rate((rate.0 + 1).min(DOLLARS_MAX * ATTOS_PER_DOLLAR)) })
    }

    /// The sum of `shares` times each price, for comparing prices; it is no amount of money.
    ///
    /// In atto-dollars, and never past what fits: 2^32 times a million dollars does.
    pub fn blend(prices: &[(u32, Rate)]) -> u128 {
        prices.iter().map(|(shares, rate)| u128::from(*shares) * rate.0).sum()
    }

    /// The price in `text`, where a dollar is 10^`places` atto-dollars a unit, cut off below them
    /// and above the highest price; and whether nothing was.
    fn cut(text: &str, places: u8) -> Result<(Rate, bool), ParseRateError> {
        let decimal = Decimal::read(text).ok_or(ParseRateError::NotANumber)?;
        if decimal.is_negative && !decimal.is_zero() {
            return Err(ParseRateError::Negative);
        }
        let most = DOLLARS_MAX * ATTOS_PER_DOLLAR;
        match decimal.scale(places) {
            Some(scaled) if scaled.magnitude <= most => {
                Ok((Rate(scaled.magnitude), scaled.is_exact))
            }
            _ => Ok((Rate(most), false)),
        }
    }
}

impl FromStr for Rate {
    type Err = ParseRateError;

    /// Reads an exact decimal, with an exponent or without (`0.00000015`, `1.5e-7`).
    fn from_str(text: &str) -> Result<Rate, ParseRateError> {
        let decimal = Decimal::read(text).ok_or(ParseRateError::NotANumber)?;
        if decimal.is_negative && !decimal.is_zero() {
            return Err(ParseRateError::Negative);
        }
        let scaled = decimal.scale(RATE_PLACES).ok_or(ParseRateError::TooLarge)?;
        if scaled.magnitude > DOLLARS_MAX * ATTOS_PER_DOLLAR {
            return Err(ParseRateError::TooLarge);
        }
        if scaled.is_exact { Ok(Rate(scaled.magnitude)) } else { Err(ParseRateError::TooFine) }
    }
}

impl fmt::Display for Rate {
    /// Prints the shortest exact decimal, without an exponent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print(f, self.0, RATE_PLACES)
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rate(${self})")
    }
}

/// The exact sum of units times prices, before its one rounding.
///
/// ```
/// # use money::{Bill, Money, Rate};
/// let mut bill = Bill::default();
/// bill.add(1, "0.0000000001".parse::<Rate>()?)?;
/// bill.add(1, "0.0000000001".parse::<Rate>()?)?;
/// assert_eq!(bill.round_up()?, Money::nanos(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Bill(u128);

/// A cost past what an amount can hold; nothing was added or rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the cost is larger than an amount can be")]
pub struct Overflow;

impl Bill {
    /// Adds `units` at `rate` each, exactly.
    ///
    /// On [`Overflow`] the bill is as it was before.
    pub fn add(&mut self, units: u64, rate: Rate) -> Result<(), Overflow> {
        let cost = u128::from(units).checked_mul(rate.0).ok_or(Overflow)?;
        self.0 = self.0.checked_add(cost).ok_or(Overflow)?;
        Ok(())
    }

    /// The sum as an amount, rounded up to the nano-dollar (DESIGN, "Money").
    pub fn round_up(self) -> Result<Money, Overflow> {
        let nanos = self.0.div_ceil(ATTOS_PER_NANO);
        i64::try_from(nanos).map(Money::nanos).map_err(|_| Overflow)
    }
}
