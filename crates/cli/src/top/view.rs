//! What `top` shows, from what was read: pure, so that every figure of it is tested without a screen.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::Duration;

use client::{GetKeyData, Usd};
use jiff::Timestamp;
use money::Money;
use serde::Serialize;

use crate::chart::nanos;
use crate::keys::state;
use crate::output::sum;
use crate::table::Tone;

/// How far back the rate looks: long enough to be calm, short enough to be of now.
const RATE_OVER: Duration = Duration::from_secs(60);
const MINUTE_MS: i128 = 60_000;

/// What was read of a server at one time.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    /// By a clock that never goes back, from any beginning.
    pub(crate) since_start: Duration,
    /// By the clock on the wall.
    pub(crate) at: Timestamp,
    pub(crate) keys: Vec<GetKeyData>,
    pub(crate) holds: Holds,
}

/// What is on hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "from")]
pub(crate) enum Holds {
    /// Holds of requests in flight, by the server's metrics.
    Metrics {
        /// How many there are.
        open: u64,
        /// What they hold of the operator's money.
        credits: Usd,
        /// What they hold at the expense of those who brought credentials.
        byok: Usd,
    },
    /// Charges that wait for a person, by the control socket: it does not know those in flight.
    ControlSocket {
        /// How many there are.
        unresolved: u64,
        /// What they came to.
        charged: Usd,
    },
    /// Neither could be asked.
    Unavailable {
        /// Why.
        why: String,
    },
}

/// What the rows are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Sort {
    /// Who spends fastest.
    #[default]
    Rate,
    /// Who has spent most.
    Usage,
    /// Who has least left of a limit; those without one last.
    Left,
}

impl Sort {
    /// The next one, round and round.
    pub(crate) fn next(self) -> Sort {
        match self {
            Sort::Rate => Sort::Usage,
            Sort::Usage => Sort::Left,
            Sort::Left => Sort::Rate,
        }
    }
}

/// A key in the table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) hash: String,
    pub(crate) state: &'static str,
    #[serde(skip)]
    pub(crate) tone: Tone,
    /// Dollars a minute; `None` until two readings have seen the key.
    pub(crate) usd_per_minute: Option<Usd>,
    pub(crate) usage_daily: Usd,
    pub(crate) usage: Usd,
    pub(crate) limit: Option<Usd>,
    pub(crate) limit_remaining: Option<Usd>,
    pub(crate) limit_reset: Option<String>,
}

/// All that is shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct View {
    pub(crate) at: Timestamp,
    /// Over how long the rates are, in milliseconds.
    pub(crate) rate_over_ms: u64,
    /// Of all keys together.
    pub(crate) usd_per_minute: Option<Usd>,
    pub(crate) usage_daily: Usd,
    pub(crate) usage: Usd,
    pub(crate) holds: Holds,
    pub(crate) keys: Vec<Row>,
}

/// What to show of those readings, the latest last; nothing where there is none.
pub(crate) fn view(readings: &[Reading], sort: Sort) -> Option<View> {
    let now = readings.last()?;
    let recent =
        |reading: &&Reading| now.since_start.saturating_sub(reading.since_start) <= RATE_OVER;
    let before = readings.iter().find(recent)?;
    let over = now.since_start.saturating_sub(before.since_start);
    let spent_before: HashMap<&str, i64> =
        before.keys.iter().map(|key| (key.hash.as_str(), nanos(spent(key)))).collect();
    let rate = |key: &GetKeyData| {
        let before = spent_before.get(key.hash.as_str())?;
        a_minute(nanos(spent(key)).checked_sub(*before)?, over)
    };
    let mut rows: Vec<(Option<i64>, Row)> =
        now.keys.iter().map(|key| (rate(key), row(key, rate(key), now.at))).collect();
    sorted(&mut rows, sort);
    let rates = rows.iter().filter_map(|(rate, _)| *rate);
    let total = rates.fold(0, i64::saturating_add);
    Some(View {
        at: now.at,
        rate_over_ms: u64::try_from(over.as_millis()).unwrap_or(u64::MAX),
        usd_per_minute: (!over.is_zero()).then(|| usd(total)),
        usage_daily: sum(now.keys.iter().map(|key| key.usage_daily)),
        usage: sum(now.keys.iter().map(|key| key.usage)),
        holds: now.holds.clone(),
        keys: rows.into_iter().map(|(_, row)| row).collect(),
    })
}

/// All that a key's requests came to, whoever paid.
fn spent(key: &GetKeyData) -> Usd {
    sum([key.usage, key.byok_usage])
}

/// Nano-dollars a minute, of so many in that time.
fn a_minute(spent: i64, over: Duration) -> Option<i64> {
    let milliseconds = i128::try_from(over.as_millis()).ok().filter(|over| *over > 0)?;
    i64::try_from(i128::from(spent) * MINUTE_MS / milliseconds).ok()
}

fn row(key: &GetKeyData, rate: Option<i64>, now: Timestamp) -> Row {
    let (state, tone) = state(key, now);
    Row {
        name: key.name.clone(),
        hash: key.hash.clone(),
        state,
        tone,
        usd_per_minute: rate.map(usd),
        usage_daily: key.usage_daily,
        usage: key.usage,
        limit: key.limit,
        limit_remaining: key.limit_remaining,
        limit_reset: key.limit_reset.as_ref().map(|reset| reset.as_str().to_owned()),
    }
}

fn sorted(rows: &mut [(Option<i64>, Row)], sort: Sort) {
    match sort {
        Sort::Rate => rows.sort_by_key(|(rate, row)| (Reverse(*rate), Reverse(row.usage))),
        Sort::Usage => rows.sort_by_key(|(_, row)| Reverse(row.usage)),
        Sort::Left => rows.sort_by_key(|(_, row)| {
            (row.limit_remaining.is_none(), row.limit_remaining, Reverse(row.usage))
        }),
    }
}

/// Nano-dollars as an amount.
fn usd(nanos: i64) -> Usd {
    Money::nanos(nanos).to_string().parse().unwrap_or_default()
}

/// The readings that are worth keeping once there is another.
pub(crate) fn kept(readings: &mut Vec<Reading>) {
    let Some(now) = readings.last().map(|reading| reading.since_start) else { return };
    readings.retain(|reading| now.saturating_sub(reading.since_start) <= RATE_OVER);
}

#[cfg(test)]
pub(crate) mod tests;
