//! A strict reader of Prometheus' text format: whatever the format forbids fails the test.

use std::collections::{BTreeMap, HashSet};

/// A whole text.
pub(crate) struct Exposition {
    pub(crate) families: Vec<Family>,
}

/// What stands under one help and type.
pub(crate) struct Family {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) help: String,
    pub(crate) samples: Vec<Sample>,
}

/// One line.
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) value: String,
    line: String,
}

impl Exposition {
    /// Reads `text`; panics at what is not well-formed.
    pub(crate) fn parse(text: &str) -> Exposition {
        assert!(text.ends_with('\n'), "the last line is not ended");
        let mut families: Vec<Family> = Vec::new();
        let (mut names, mut lines) = (HashSet::new(), HashSet::new());
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').expect("a help");
                assert!(names.insert(name), "{name} comes twice");
                let (name, help) = (name.to_owned(), help.to_owned());
                families.push(Family { name, kind: String::new(), help, samples: vec![] });
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let family = families.last_mut().expect("a help before the type");
                let (name, kind) = rest.split_once(' ').expect("a type");
                assert_eq!((name, ""), (family.name.as_str(), family.kind.as_str()));
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
                family.kind = kind.to_owned();
            } else {
                let sample = Sample::parse(line);
                let key = line.rsplit_once(' ').unwrap().0;
                assert!(lines.insert(key.to_owned()), "{key} comes twice");
                families.last_mut().expect("a family").samples.push(sample);
            }
        }
        families.iter().for_each(Family::check);
        Exposition { families }
    }

    /// The family of that name.
    pub(crate) fn family(&self, name: &str) -> &Family {
        let family = self.families.iter().find(|family| family.name == name);
        family.unwrap_or_else(|| panic!("there is no {name}"))
    }

    /// What follows a family's name on each of its lines.
    pub(crate) fn lines(&self, name: &str) -> Vec<&str> {
        self.family(name).samples.iter().map(|sample| &sample.line[sample.name.len()..]).collect()
    }

    /// The value of the sample with exactly these labels, written as in the text; `None` of it
    /// where there is no such sample.
    pub(crate) fn value(&self, name: &str, labels: &str) -> &str {
        let wanted = format!("{name}{labels} ");
        let mut samples = self.families.iter().flat_map(|family| &family.samples);
        let sample = samples.find(|sample| sample.line.starts_with(&wanted));
        sample.map_or_else(|| panic!("there is no {wanted}"), |sample| &sample.value)
    }
}

impl Sample {
    fn parse(line: &str) -> Sample {
        let (series, value) = line.rsplit_once(' ').expect("a value");
        let is_number = !value.is_empty() && value.chars().all(|c| c.is_ascii_digit() || c == '.');
        assert!(is_number && value.parse::<f64>().is_ok(), "{line}");
        let (name, rest) = series.split_at(series.find('{').unwrap_or(series.len()));
        assert!(is_name(name), "{line}");
        let mut labels = Vec::new();
        if let Some(inner) = rest.strip_prefix('{') {
            let mut inner = inner.strip_suffix('}').expect("a closing brace");
            while !inner.is_empty() {
                let (label, after) = inner.split_once("=\"").expect("a label");
                assert!(is_name(label) && !label.contains(':'), "{line}");
                let (value, after) = unquoted(after);
                labels.push((label.to_owned(), value));
                inner = match after.strip_prefix(',') {
                    Some(next) => next,
                    None if after.is_empty() => after,
                    None => panic!("{line}"),
                };
            }
        }
        let unique: HashSet<_> = labels.iter().map(|(name, _)| name).collect();
        assert_eq!(unique.len(), labels.len(), "{line}");
        Sample { name: name.to_owned(), labels, value: value.to_owned(), line: line.to_owned() }
    }

    fn label(&self, name: &str) -> Option<&str> {
        let found = self.labels.iter().find(|(label, _)| label == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// A label's value up to its closing quote, and what follows.
fn unquoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((place, c)) = chars.next() {
        match c {
            '"' => return (value, &text[place + 1..]),
            '\\' => match chars.next().expect("an escaped character").1 {
                'n' => value.push('\n'),
                c @ ('\\' | '"') => value.push(c),
                c => panic!("\\{c} is no escape"),
            },
            c => value.push(c),
        }
    }
    panic!("{text} has no closing quote")
}

fn is_name(text: &str) -> bool {
    let is_first = |c: char| c.is_ascii_alphabetic() || matches!(c, '_' | ':');
    text.starts_with(is_first) && text.chars().all(|c| is_first(c) || c.is_ascii_digit())
}

impl Family {
    /// The names of the labels that its samples have, `le` aside; all have the same.
    pub(crate) fn labels(&self) -> Vec<&str> {
        let names = |sample: &Sample| -> Vec<String> {
            let names = sample.labels.iter().map(|(name, _)| name.clone());
            names.filter(|name| name != "le").collect()
        };
        let all: HashSet<_> = self.samples.iter().map(names).collect();
        assert!(all.len() <= 1, "{} has samples of different labels: {all:?}", self.name);
        let labels = self.samples.first().map(|sample| &sample.labels);
        let labels = labels.into_iter().flatten().map(|(name, _)| name.as_str());
        labels.filter(|name| *name != "le").collect()
    }

    fn check(&self) {
        let name = &self.name;
        assert!(!self.kind.is_empty(), "{name} has no type");
        assert!(self.help.ends_with('.') && self.help.len() > 5, "{name}: {}", self.help);
        assert_eq!(self.kind == "counter", name.ends_with("_total"), "{name}");
        for ending in ["_count", "_sum", "_bucket"] {
            assert!(!name.ends_with(ending), "{name} reads like part of a histogram");
        }
        if self.kind == "histogram" {
            return self.check_histogram();
        }
        for sample in &self.samples {
            assert_eq!(sample.name, *name);
            assert_eq!(sample.label("le"), None);
        }
    }

    /// Buckets rise to `+Inf`, which is the count.
    fn check_histogram(&self) {
        let mut series: BTreeMap<String, Vec<&Sample>> = BTreeMap::new();
        for sample in &self.samples {
            let labels = sample.labels.iter().filter(|(name, _)| name != "le");
            series.entry(format!("{:?}", labels.collect::<Vec<_>>())).or_default().push(sample);
        }
        for (labels, samples) in series {
            let (mut bound, mut hits, mut endings) = (f64::NEG_INFINITY, 0, Vec::new());
            for sample in samples {
                let ending = sample.name.strip_prefix(&self.name).unwrap();
                endings.push(ending.to_owned());
                if ending != "_bucket" {
                    continue;
                }
                let next = match sample.label("le").expect("a bound") {
                    "+Inf" => f64::INFINITY,
                    text => text.parse().unwrap(),
                };
                let counted: u64 = sample.value.parse().unwrap();
                assert!(next > bound && counted >= hits, "{}{labels}", self.name);
                (bound, hits) = (next, counted);
            }
            assert!(bound.is_infinite(), "{}{labels} has no bucket for the rest", self.name);
            endings.dedup();
            assert_eq!(endings, ["_bucket", "_sum", "_count"], "{}{labels}", self.name);
            let count = self.samples.iter().find(|sample| {
                sample.name.ends_with("_count")
                    && format!("{:?}", sample.labels.iter().collect::<Vec<_>>()) == labels
            });
            assert_eq!(count.unwrap().value, hits.to_string(), "{}{labels}", self.name);
        }
    }
}
