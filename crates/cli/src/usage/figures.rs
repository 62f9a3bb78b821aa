//! What was spent, in parts: pure, from the rows of `/activity` and the figures of keys.

use std::collections::BTreeMap;

use client::{GetKeyData, Usd};
use jiff::civil::{Date, Weekday};
use jiff::{Span, ToSpan as _};
use serde::Serialize;

use crate::output::sum;

/// What the parts are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(super) enum By {
    /// Each day in UTC, today too.
    #[default]
    Day,
    /// Each week from Monday.
    Week,
    /// Each month of the calendar.
    Month,
    /// Each model, without today.
    Model,
    /// Each provider, without today.
    Provider,
    /// Each key, this month.
    Key,
}

/// A row of `/activity`: what one endpoint came to on one day.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Spell {
    pub(super) date: Date,
    pub(super) model: String,
    pub(super) provider: String,
    pub(super) counts: Counts,
}

/// Amounts and counts that are added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct Counts {
    pub(super) usage: Usd,
    pub(super) byok_usage: Usd,
    /// `None` where not all of it is counted, as today's is not.
    pub(super) requests: Option<u64>,
    pub(super) prompt_tokens: Option<u64>,
    pub(super) completion_tokens: Option<u64>,
}

/// A part and what it came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Part {
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) counts: Counts,
}

/// The running windows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Totals {
    pub(super) usage_daily: Usd,
    pub(super) usage_weekly: Usd,
    pub(super) usage_monthly: Usd,
    pub(super) usage: Usd,
    pub(super) byok_usage: Usd,
}

impl Totals {
    pub(super) fn of(keys: &[GetKeyData]) -> Totals {
        let all = |figure: fn(&GetKeyData) -> Usd| sum(keys.iter().map(figure));
        Totals {
            usage_daily: all(|key| key.usage_daily),
            usage_weekly: all(|key| key.usage_weekly),
            usage_monthly: all(|key| key.usage_monthly),
            usage: all(|key| key.usage),
            byok_usage: all(|key| key.byok_usage),
        }
    }
}

impl Counts {
    pub(super) fn counted(usage: Usd, byok_usage: Usd, requests: u64, tokens: [u64; 2]) -> Counts {
        let [prompt, completion] = tokens.map(Some);
        let requests = Some(requests);
        Counts { usage, byok_usage, requests, prompt_tokens: prompt, completion_tokens: completion }
    }

    const NONE: Counts = Counts {
        usage: Usd::ZERO,
        byok_usage: Usd::ZERO,
        requests: Some(0),
        prompt_tokens: Some(0),
        completion_tokens: Some(0),
    };

    /// Both together; what is not counted in one is not in both.
    fn and(self, other: Counts) -> Counts {
        let both = |one: Option<u64>, other: Option<u64>| one?.checked_add(other?);
        Counts {
            usage: sum([self.usage, other.usage]),
            byok_usage: sum([self.byok_usage, other.byok_usage]),
            requests: both(self.requests, other.requests),
            prompt_tokens: both(self.prompt_tokens, other.prompt_tokens),
            completion_tokens: both(self.completion_tokens, other.completion_tokens),
        }
    }
}

/// What `spells` and today's figures of `keys` come to, from the first of those days on: by time in
/// the order of time, else the dearest first.
pub(super) fn parts(
    spells: &[Spell],
    keys: &[GetKeyData],
    (first, today): (Date, Date),
    by: By,
) -> Vec<Part> {
    match by {
        By::Day => by_time(spells, keys, (first, today), |date| date.to_string()),
        By::Week => by_time(spells, keys, (first, today), |date| {
            since(monday(date), first, &format!("week of {}", monday(date)))
        }),
        By::Month => by_time(spells, keys, (first, today), |date| {
            since(date.first_of_month(), first, &date.strftime("%Y-%m").to_string())
        }),
        By::Model => dearest(spells.iter().map(|spell| (spell.model.clone(), spell.counts))),
        By::Provider => dearest(spells.iter().map(|spell| (spell.provider.clone(), spell.counts))),
        By::Key => keys_of(keys),
    }
}

fn by_time(
    spells: &[Spell],
    keys: &[GetKeyData],
    (first, today): (Date, Date),
    name: impl Fn(Date) -> String,
) -> Vec<Part> {
    let today_counts = Counts {
        usage: sum(keys.iter().map(|key| key.usage_daily)),
        byok_usage: sum(keys.iter().map(|key| key.byok_usage_daily)),
        ..Counts::default()
    };
    let mut days: BTreeMap<Date, Counts> = first
        .series(Span::new().days(1))
        .take_while(|day| *day < today)
        .map(|day| (day, Counts::NONE))
        .collect();
    for spell in spells.iter().filter(|spell| (first..today).contains(&spell.date)) {
        days.entry(spell.date).and_modify(|counts| *counts = counts.and(spell.counts));
    }
    days.insert(today, today_counts);
    let mut parts: Vec<Part> = Vec::new();
    for (day, counts) in days {
        let name = name(day);
        match parts.last_mut() {
            Some(part) if part.name == name => part.counts = part.counts.and(counts),
            _ => parts.push(Part { name, counts }),
        }
    }
    parts
}

fn dearest(all: impl Iterator<Item = (String, Counts)>) -> Vec<Part> {
    let mut sums: BTreeMap<String, Counts> = BTreeMap::new();
    for (name, counts) in all {
        let sum = sums.entry(name).or_insert(Counts::NONE);
        *sum = sum.and(counts);
    }
    let mut parts: Vec<Part> =
        sums.into_iter().map(|(name, counts)| Part { name, counts }).collect();
    parts.sort_by_key(|part| std::cmp::Reverse((part.counts.usage, part.counts.byok_usage)));
    parts
}

fn keys_of(keys: &[GetKeyData]) -> Vec<Part> {
    let mut parts: Vec<Part> = keys
        .iter()
        .map(|key| Part {
            name: format!("{} {}", key.name, crate::output::short(&key.hash)),
            counts: Counts {
                usage: key.usage_monthly,
                byok_usage: key.byok_usage_monthly,
                ..Counts::default()
            },
        })
        .collect();
    parts.sort_by_key(|part| std::cmp::Reverse((part.counts.usage, part.counts.byok_usage)));
    parts
}

/// The Monday of that day's week.
fn monday(date: Date) -> Date {
    let since = date.weekday().since(Weekday::Monday);
    date.checked_sub(i64::from(since).days()).unwrap_or(date)
}

/// The name of a stretch of days, which says so where it began before the first of them.
fn since(begin: Date, first: Date, name: &str) -> String {
    if begin < first { format!("{name}, from {first}") } else { name.to_owned() }
}

#[cfg(test)]
mod tests;
