//! Percentages in the configuration: exact decimals as text, or a whole number.
//! A fraction as a number would have been a binary float before it came here.

use std::fmt;

use money::Percent;
use serde::Deserializer;
use serde::de::{Error, Visitor};

/// Reads a percentage from 0 to 100.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Percent, D::Error> {
    deserializer.deserialize_any(Reader)
}

struct Reader;

impl Visitor<'_> for Reader {
    type Value = Percent;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a percentage as text, such as \"2.5\", or a whole number")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Percent, E> {
        text.parse().map_err(|problem| E::custom(format_args!("`{text}` is {problem}")))
    }

    fn visit_i64<E: Error>(self, percent: i64) -> Result<Percent, E> {
        self.visit_str(&percent.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::super::MeteringConfig;

    #[test]
    fn a_percentage_is_exact_or_refused() {
        let read = |value: &str| {
            let config = toml::from_str::<MeteringConfig>(&format!("byok_fee_percent = {value}"));
            let fee = config.map(|config| config.byok_fee_percent.to_string());
            fee.map_err(|error| error.to_string())
        };
        assert_eq!(read(r#""2.5""#).as_deref(), Ok("2.5"));
        assert_eq!(read("5").as_deref(), Ok("5"));
        for (value, problem) in [
            ("2.5", "expected a percentage as text"),
            (r#""5%""#, "`5%` is not a decimal number"),
            ("-1", "`-1` is not from 0 to 100"),
            ("101", "`101` is not from 0 to 100"),
            ("true", "expected a percentage as text"),
        ] {
            let error = read(value).unwrap_err();
            assert!(error.contains(problem), "{value}: {error}");
        }
    }
}
