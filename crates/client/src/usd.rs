//! Money as the API has it: JSON numbers, read and written as exact decimals.

use std::fmt;
use std::iter::Sum;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::value::RawValue;

/// More decimal places than this an amount does not have.
const PLACES_MAX: u32 = 28;

/// An amount of US dollars: an exact decimal, possibly negative, never a binary float.
///
/// What has up to 28 significant digits is exact, and so is every nano-dollar that Tollgate
/// counts. A server that computes in floats may send residues far below that, such as
/// `5.551115123125783e-17`; what is finer than 1e-28 dollars is rounded off.
///
/// As JSON it is a number, written without an exponent. Only serde_json's text forms carry it: a
/// [`serde_json::Value`] holds its numbers as floats.
///
/// ```
/// use tollgate::Usd;
///
/// let limit: Usd = "25.50".parse()?;
/// let used: Usd = serde_json::from_str("5e-05").unwrap();
/// assert_eq!(limit.checked_sub(used).unwrap().to_string(), "25.49995");
/// # Ok::<(), tollgate::ParseUsdError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Usd(Decimal);

impl Usd {
    /// Nothing.
    ///
    /// ```
    /// # use tollgate::Usd;
    /// assert_eq!(Usd::from(2).checked_sub(Usd::from(2)), Some(Usd::ZERO));
    /// ```
    pub const ZERO: Usd = Usd(Decimal::ZERO);

    /// The amount as a decimal number of dollars.
    ///
    /// ```
    /// # use tollgate::Usd;
    /// assert_eq!(Usd::from(2).as_decimal(), 2.into());
    /// ```
    pub const fn as_decimal(self) -> Decimal {
        self.0
    }

    /// The sum, or `None` where it is out of range.
    ///
    /// ```
    /// # use tollgate::Usd;
    /// assert_eq!(Usd::from(2).checked_add(Usd::from(3)), Some(Usd::from(5)));
    /// ```
    pub fn checked_add(self, other: Usd) -> Option<Usd> {
        self.0.checked_add(other.0).map(Usd::from)
    }

    /// The difference, or `None` where it is out of range.
    ///
    /// ```
    /// # use tollgate::Usd;
    /// assert_eq!(Usd::from(2).checked_sub(Usd::from(3)), Some(Usd::from(-1)));
    /// ```
    pub fn checked_sub(self, other: Usd) -> Option<Usd> {
        self.0.checked_sub(other.0).map(Usd::from)
    }

    /// Whether it is exactly nothing.
    ///
    /// ```
    /// # use tollgate::Usd;
    /// assert!(Usd::ZERO.is_zero());
    /// ```
    pub const fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// Whether it is less than nothing.
    ///
    /// ```
    /// # use tollgate::Usd;
    /// assert!(Usd::from(-1).is_negative());
    /// ```
    pub fn is_negative(self) -> bool {
        self.0 < Decimal::ZERO
    }
}

impl From<Decimal> for Usd {
    fn from(dollars: Decimal) -> Usd {
        Usd(dollars.normalize())
    }
}

/// Whole dollars.
impl From<i64> for Usd {
    fn from(dollars: i64) -> Usd {
        Usd::from(Decimal::from(dollars))
    }
}

/// # Panics
///
/// Where the sum is out of range, which is 7.9e28 dollars.
impl Sum for Usd {
    fn sum<I: Iterator<Item = Usd>>(amounts: I) -> Usd {
        Usd::from(amounts.map(Usd::as_decimal).sum::<Decimal>())
    }
}

impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Usd({self})")
    }
}

/// A text that is no amount of money.
///
/// ```
/// let error: tollgate::ParseUsdError = "25 dollars".parse::<tollgate::Usd>().unwrap_err();
/// assert!(error.to_string().contains("25.5"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseUsdError(());

impl fmt::Display for ParseUsdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an amount of US dollars is a decimal number, such as 25.5 or 5e-05")
    }
}

impl std::error::Error for ParseUsdError {}

impl FromStr for Usd {
    type Err = ParseUsdError;

    fn from_str(text: &str) -> Result<Usd, ParseUsdError> {
        let is_decimal = text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E'));
        if !is_decimal {
            return Err(ParseUsdError(()));
        }
        let (digits, exponent) = match text.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, exponent.parse().map_err(|_| ParseUsdError(()))?),
            None => (text, 0),
        };
        // Not the exact form of the parser: it refuses digits beyond the 28th, which floats have.
        let digits = Decimal::from_str(digits).map_err(|_| ParseUsdError(()))?;
        shifted(digits, exponent).map(Usd::from).ok_or(ParseUsdError(()))
    }
}

/// `digits` times ten to the power of `exponent`; what is finer than 1e-28 is rounded off.
fn shifted(digits: Decimal, exponent: i32) -> Option<Decimal> {
    let mut digits = digits.normalize();
    if digits.is_zero() {
        return Some(digits);
    }
    let places = i64::from(digits.scale()) - i64::from(exponent);
    if places < 0 {
        let power = 10_i128.checked_pow(u32::try_from(-places).ok()?)?;
        digits.set_scale(0).ok()?;
        return digits.checked_mul(Decimal::try_from_i128_with_scale(power, 0).ok()?);
    }
    let lost = u32::try_from(places.saturating_sub(i64::from(PLACES_MAX))).unwrap_or(0);
    // A mantissa has at most 29 digits, so 30 lost ones leave nothing.
    let mantissa = match lost {
        0 => digits.mantissa(),
        1..=30 => rounded(digits.mantissa(), 10_i128.pow(lost)),
        _ => 0,
    };
    let places = u32::try_from(places).ok()?.min(PLACES_MAX);
    Decimal::try_from_i128_with_scale(mantissa, places).ok()
}

/// `mantissa` divided by `power`, a half away from zero.
fn rounded(mantissa: i128, power: i128) -> i128 {
    let half = power / 2;
    if mantissa < 0 { (mantissa - half) / power } else { (mantissa + half) / power }
}

impl Serialize for Usd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.to_string()).map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Usd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Usd, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        raw.get().parse().map_err(D::Error::custom)
    }
}

/// A price in the catalogue: US dollars a unit, as JSON a string (`"0.0000006"`).
///
/// ```
/// use tollgate::Price;
///
/// let price: Price = serde_json::from_str(r#""0.0000006""#).unwrap();
/// assert_eq!(price.usd().unwrap().to_string(), "0.0000006");
/// assert!(serde_json::from_str::<Price>(r#""-1""#).unwrap().usd().is_none());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Price(Usd);

impl Price {
    /// So many dollars a unit; `None` is that of whichever model a router chooses.
    ///
    /// ```
    /// use tollgate::{Price, Usd};
    ///
    /// assert_eq!(Price::from(Usd::from(2)).usd(), Some(Usd::from(2)));
    /// assert_eq!(Price::from(Usd::from(-1)).usd(), None);
    /// ```
    pub fn usd(self) -> Option<Usd> {
        (!self.0.is_negative()).then_some(self.0)
    }
}

impl From<Usd> for Price {
    fn from(amount: Usd) -> Price {
        Price(amount)
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Price {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Price, D::Error> {
        // Some servers send numbers; both have the same digits between their quotes, if any.
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        raw.get().trim_matches('"').parse().map(Price).map_err(D::Error::custom)
    }
}
