//! Money on the wire: a JSON number, exact in both directions.
//! The number's text is read and written as it stands, so no binary float is ever in between.

use money::Money;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::value::RawValue;

/// An amount of US dollars as JSON: `25.5`, `0.000004132`, never a string (SEMANTICS 1.7).
///
/// Written as the shortest exact decimal. Read from any JSON number, exponents included, and
/// rounded down to the nano-dollar. Only serde_json's text forms carry it exactly: a
/// [`serde_json::Value`] holds its numbers as floats.
///
/// ```
/// # use {api::Usd, money::Money};
/// let amount: Usd = serde_json::from_str("5e-05")?;
/// assert_eq!(amount, Usd(Money::nanos(50_000)));
/// assert_eq!(serde_json::to_string(&amount)?, "0.00005");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Usd(pub Money);

impl From<Money> for Usd {
    fn from(amount: Money) -> Usd {
        Usd(amount)
    }
}

impl Serialize for Usd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.0.to_string()).map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Usd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Usd, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        // What is valid JSON and reads as a decimal is a number; a string has its quotes here.
        Money::parse_floor(raw.get()).map(Usd).map_err(|problem| {
            D::Error::custom(format_args!("an amount of US dollars is a JSON number: {problem}"))
        })
    }
}
