//! Amounts of US dollars, counted in whole nano-dollars.
//! Sums are checked: an amount that does not fit is an answer, never a wrapped number.

use std::fmt;

/// An exact amount of US dollars in nano-dollars (1e-9), possibly negative.
///
/// Corrections and what is left below a lowered limit are negative; the range is about ±9.2
/// billion dollars. Text goes through [`FromStr`](std::str::FromStr) and
/// [`Display`](fmt::Display), which are exact inverses.
///
/// ```
/// # use money::Money;
/// let left = Money::nanos(500_000_000).checked_sub(Money::nanos(900_000_000));
/// assert_eq!(left.map(|left| left.to_string()), Some("-0.4".to_owned()));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Money(i64);

impl Money {
    /// No money at all.
    pub const ZERO: Money = Money(0);
    /// The largest amount there is: 9,223,372,036.854775807 dollars.
    pub const MAX: Money = Money(i64::MAX);

    /// The amount of that many nano-dollars.
    pub const fn nanos(nanos: i64) -> Money {
        Money(nanos)
    }

    /// The amount as a number of nano-dollars.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// The sum, or `None` where it is out of range.
    pub const fn checked_add(self, other: Money) -> Option<Money> {
        match self.0.checked_add(other.0) {
            Some(nanos) => Some(Money(nanos)),
            None => None,
        }
    }

    /// The difference, or `None` where it is out of range.
    pub const fn checked_sub(self, other: Money) -> Option<Money> {
        match self.0.checked_sub(other.0) {
            Some(nanos) => Some(Money(nanos)),
            None => None,
        }
    }

    /// Whether this is exactly nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Whether this is less than nothing.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Whether this is more than nothing.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Money(${self})")
    }
}
