//! Amounts of money in the configuration: exact decimals as text, or whole dollars as a number.
//! A fraction as a number would have been a binary float before it came here.

use std::fmt;

use money::Money;
use serde::Deserializer;
use serde::de::{Error, Visitor};

/// Reads an amount of US dollars from zero up.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Money, D::Error> {
    deserializer.deserialize_any(Dollars)
}

struct Dollars;

impl Visitor<'_> for Dollars {
    type Value = Money;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("US dollars as text, such as \"25.5\", or a whole number of them")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Money, E> {
        let amount: Money =
            text.parse().map_err(|problem| E::custom(format_args!("`{text}` is {problem}")))?;
        if amount.is_negative() {
            return Err(E::custom(format_args!("`{text}` is negative")));
        }
        Ok(amount)
    }

    fn visit_i64<E: Error>(self, dollars: i64) -> Result<Money, E> {
        self.visit_str(&dollars.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::super::ApiConfig;

    #[test]
    fn an_amount_is_exact_or_refused() {
        let read = |value: &str| {
            let config = toml::from_str::<ApiConfig>(&format!("total_credits = {value}"));
            config.map(|config| config.total_credits.to_string()).map_err(|error| error.to_string())
        };
        assert_eq!(read(r#""25.500000001""#).as_deref(), Ok("25.500000001"));
        assert_eq!(read("100").as_deref(), Ok("100"));
        for (value, problem) in [
            ("25.5", "expected US dollars as text"),
            (r#""1.0000000001""#, "finer than a nano-dollar"),
            (r#""much""#, "`much` is not a decimal number"),
            (r#""-1""#, "`-1` is negative"),
            ("-1", "`-1` is negative"),
            ("true", "expected US dollars as text"),
        ] {
            let error = read(value).unwrap_err();
            assert!(error.contains(problem), "{value}: {error}");
        }
    }
}
