//! Prometheus' text format, version 0.0.4: a family's help and type, then its samples.
//! Every number is printed from an integer, digit for digit.

use std::fmt::{Display, Write as _};

use money::Money;

use super::instrument::{Looked, Unit};

/// What kind of figure a family holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It only goes up, and starts at zero with the process.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Counts by size.
    Histogram,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        }
    }
}

/// Labels of a sample: names and values. The names are ours; the values are escaped.
pub(super) type Labels<'a> = &'a [(&'static str, &'a str)];

/// The text as it grows.
#[derive(Debug, Default)]
pub(super) struct Text {
    text: String,
    family: &'static str,
}

impl Text {
    /// The whole text.
    pub(super) fn into_string(self) -> String {
        self.text
    }

    /// Begins a family; the samples that follow are its own.
    pub(super) fn family(
        &mut self,
        name: &'static str,
        kind: Kind,
        help: &'static str,
    ) -> &mut Text {
        self.family = name;
        // Nothing written to a String fails.
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {}\n", kind.word());
        self
    }

    /// One sample of the family.
    pub(super) fn sample(&mut self, labels: Labels<'_>, value: impl Display) -> &mut Text {
        self.line("", labels, None, value)
    }

    /// A histogram's samples.
    pub(super) fn histogram(&mut self, labels: Labels<'_>, looked: &Looked) -> &mut Text {
        let unit = looked.buckets.unit;
        let bounds = looked.buckets.bounds.iter().map(|bound| shown(unit, *bound));
        let mut count = 0;
        for (bound, hits) in bounds.chain(["+Inf".to_owned()]).zip(&looked.counts) {
            count += hits;
            self.line("_bucket", labels, Some(&bound), count);
        }
        self.line("_sum", labels, None, shown(unit, looked.sum));
        self.line("_count", labels, None, count)
    }

    fn line(
        &mut self,
        ending: &str,
        labels: Labels<'_>,
        bound: Option<&str>,
        value: impl Display,
    ) -> &mut Text {
        self.text.push_str(self.family);
        self.text.push_str(ending);
        let bound = bound.map(|bound| ("le", bound));
        let mut before = '{';
        for (name, value) in labels.iter().copied().chain(bound) {
            self.text.push(before);
            self.text.push_str(name);
            self.text.push_str("=\"");
            self.escaped(value);
            self.text.push('"');
            before = ',';
        }
        if before == ',' {
            self.text.push('}');
        }
        let _ = writeln!(self.text, " {value}");
        self
    }

    fn escaped(&mut self, value: &str) {
        for c in value.chars() {
            match c {
                '\\' => self.text.push_str("\\\\"),
                '"' => self.text.push_str("\\\""),
                '\n' => self.text.push_str("\\n"),
                c => self.text.push(c),
            }
        }
    }
}

fn shown(unit: Unit, value: u64) -> String {
    match unit {
        Unit::Microseconds => seconds(value),
        Unit::Count => value.to_string(),
    }
}

/// Microseconds as seconds, exactly.
pub(super) fn seconds(microseconds: u64) -> String {
    decimal(u128::from(microseconds), 6)
}

/// Nano-dollars as dollars, exactly.
pub(super) fn dollars(nanos: u64) -> String {
    match i64::try_from(nanos) {
        Ok(nanos) => Money::nanos(nanos).to_string(),
        Err(_) => decimal(u128::from(nanos), 9),
    }
}

/// `value` with its last `places` digits after the point, without zeros at the end.
fn decimal(value: u128, places: usize) -> String {
    let digits = format!("{value:0>width$}", width = places + 1);
    let (whole, rest) = digits.split_at(digits.len() - places);
    match rest.trim_end_matches('0') {
        "" => whole.to_owned(),
        rest => format!("{whole}.{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::instrument::{COMMIT_CHANGES, Histogram};

    #[test]
    fn a_family_is_its_help_its_type_and_its_samples() {
        let mut text = Text::default();
        text.family("a_total", Kind::Counter, "Help.")
            .sample(&[], 1)
            .sample(&[("of", "a \"b\" \\ c\nd"), ("to", "é")], dollars(1_500_000_000));
        assert_eq!(
            text.into_string(),
            "# HELP a_total Help.\n# TYPE a_total counter\na_total 1\n\
             a_total{of=\"a \\\"b\\\" \\\\ c\\nd\",to=\"é\"} 1.5\n"
        );
    }

    #[test]
    fn a_histograms_buckets_add_up() {
        let histogram = Histogram::new(&COMMIT_CHANGES);
        [1, 2, 2_000].into_iter().for_each(|value| histogram.record(value));
        let mut text = Text::default();
        text.family("b", Kind::Histogram, "Help.").histogram(&[("of", "x")], &histogram.look());
        let text = text.into_string();
        for line in [
            "b_bucket{of=\"x\",le=\"1\"} 1\n",
            "b_bucket{of=\"x\",le=\"1000\"} 2\n",
            "b_bucket{of=\"x\",le=\"+Inf\"} 3\n",
            "b_sum{of=\"x\"} 2003\n",
            "b_count{of=\"x\"} 3\n",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
    }

    #[test]
    fn amounts_and_durations_lose_no_digit() {
        assert_eq!(dollars(0), "0");
        assert_eq!(dollars(1), "0.000000001");
        assert_eq!(dollars(40_000), "0.00004");
        assert_eq!(dollars(u64::MAX), "18446744073.709551615");
        assert_eq!(seconds(0), "0");
        assert_eq!(seconds(250), "0.00025");
        assert_eq!(seconds(3_600_000_000), "3600");
        assert_eq!(seconds(12_345_678), "12.345678");
    }
}
