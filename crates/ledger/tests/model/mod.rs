//! A naive second model of the ledger: a flat list of requests, and every answer by going through it.
//! It keeps no sums, knows no days but those of the calendar, and tries every number of tokens.

use jiff::civil::{Date, date};
use jiff::{Timestamp, tz::TimeZone};
use ledger::{Amounts, Cell, Day, Figures, Limit, Period, Refusal, Terms, Window};
use money::Money;

/// What a request asks for: `prompt` and `each` of its tokens.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) accounts: Vec<usize>,
    pub(crate) prompt: Amounts,
    pub(crate) each: Amounts,
    pub(crate) least: u64,
    pub(crate) most: u64,
    pub(crate) take_what_is_free: bool,
}

impl Ask {
    /// What it costs at worst with that many tokens.
    pub(crate) fn worst(&self, tokens: u64) -> Option<Amounts> {
        let cost = |prompt: Money, each: Money| {
            let tokens = i64::try_from(tokens).ok()?;
            prompt.checked_add(Money::nanos(each.as_nanos().checked_mul(tokens)?))
        };
        Some(Amounts {
            credits: cost(self.prompt.credits, self.each.credits)?,
            byok: cost(self.prompt.byok, self.each.byok)?,
        })
    }
}

/// One line of the list.
#[derive(Clone, Debug)]
struct Request {
    accounts: Vec<usize>,
    /// `None` for spend from before days were kept.
    admitted_on: Option<Date>,
    held: Amounts,
    settled: Amounts,
}

#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) terms: Vec<Terms>,
    requests: Vec<Request>,
}

impl Model {
    /// As many accounts as there are openings, each with that much spent long ago.
    pub(crate) fn new(openings: &[Amounts]) -> Model {
        let opening = |(account, settled): (usize, &Amounts)| Request {
            accounts: vec![account],
            admitted_on: None,
            held: Amounts::ZERO,
            settled: *settled,
        };
        Model {
            terms: vec![Terms::default(); openings.len()],
            requests: openings.iter().enumerate().map(opening).collect(),
        }
    }

    /// The number of a new request with its tokens, or why it may not be.
    pub(crate) fn admit(&mut self, ask: &Ask, now: Timestamp) -> Result<(usize, u64), Refusal> {
        let tokens = self.afford(ask, now)?;
        let worst = ask.worst(tokens).ok_or(Refusal::TooLarge)?;
        if ask.accounts.iter().any(|account| !self.can_be_added(*account, worst)) {
            return Err(Refusal::TooLarge);
        }
        let accounts = ask.accounts.clone();
        self.requests.push(Request {
            accounts,
            admitted_on: Some(date_of(now)),
            held: worst,
            settled: Amounts::ZERO,
        });
        Ok((self.requests.len() - 1, tokens))
    }

    /// Ends a request at `cost`; nothing where it was released.
    pub(crate) fn end(&mut self, number: usize, cost: Amounts) {
        self.requests[number].held = Amounts::ZERO;
        self.requests[number].settled = cost;
    }

    pub(crate) fn post(&mut self, account: usize, at: Timestamp, cost: Amounts) {
        self.requests.push(Request {
            accounts: vec![account],
            admitted_on: Some(date_of(at)),
            held: Amounts::ZERO,
            settled: cost,
        });
    }

    pub(crate) fn figures(&self, account: usize, now: Timestamp) -> Figures {
        Figures {
            total: self.settled(account, Period::Lifetime, now),
            day: self.settled(account, Period::Day, now),
            week: self.settled(account, Period::Week, now),
            month: self.settled(account, Period::Month, now),
            held: self.held(account, Period::Lifetime, now),
        }
    }

    pub(crate) fn cells(&self, account: usize, now: Timestamp) -> Vec<Cell> {
        let limits = &self.terms[account].limits;
        limits.iter().map(|limit| self.cell(account, limit, now)).collect()
    }

    fn cell(&self, account: usize, limit: &Limit, now: Timestamp) -> Cell {
        let counted = |amounts: Amounts| clamp(count(limit, amounts));
        Cell {
            limit: *limit,
            window: window(limit.period, now),
            settled: counted(self.settled(account, limit.period, now)),
            held: counted(self.held(account, limit.period, now)),
        }
    }

    fn settled(&self, account: usize, period: Period, now: Timestamp) -> Amounts {
        self.sum(account, period, now, |request| request.settled)
    }

    fn held(&self, account: usize, period: Period, now: Timestamp) -> Amounts {
        self.sum(account, period, now, |request| request.held)
    }

    fn sum(
        &self,
        account: usize,
        period: Period,
        now: Timestamp,
        of: fn(&Request) -> Amounts,
    ) -> Amounts {
        let today = date_of(now);
        let is_in = |request: &&Request| {
            let is_in_window = |on| is_same_window(period, on, today);
            request.accounts.contains(&account)
                && request.admitted_on.map_or(period == Period::Lifetime, is_in_window)
        };
        let amounts = || self.requests.iter().filter(is_in).map(of);
        let sum = |part: fn(Amounts) -> Money| {
            clamp(amounts().map(|amounts| i128::from(part(amounts).as_nanos())).sum())
        };
        Amounts { credits: sum(|amounts| amounts.credits), byok: sum(|amounts| amounts.byok) }
    }

    /// Whether `worst` leaves every sum an amount, once all that is held is settled in full.
    fn can_be_added(&self, account: usize, worst: Amounts) -> bool {
        let Figures { total, held, .. } = self.figures(account, Timestamp::UNIX_EPOCH);
        let promised = |part: fn(Amounts) -> Money| {
            let [total, held, worst] = [total, held, worst].map(|amounts| nanos(part(amounts)));
            total.max(0) + held + worst
        };
        let (credits, byok) = (promised(|sum| sum.credits), promised(|sum| sum.byok));
        credits + byok <= i128::from(i64::MAX)
    }

    fn afford(&self, ask: &Ask, now: Timestamp) -> Result<u64, Refusal> {
        if ask.accounts.iter().any(|account| !is_open(&self.terms[*account], now)) {
            return Err(Refusal::Closed);
        }
        let most = ask.worst(ask.most).ok_or(Refusal::TooLarge)?;
        let cells = ask.accounts.iter().flat_map(|account| self.cells(*account, now));
        let cells: Vec<Cell> = cells.filter(|cell| count(&cell.limit, most) != 0).collect();
        if let Some(spent) = cells.iter().find(|cell| cell.settled >= cell.limit.amount) {
            return Err(Refusal::Spent(*spent));
        }
        let left = |cell: &Cell| nanos(cell.limit.amount) - nanos(cell.settled);
        let free = |cell: &Cell| left(cell) - nanos(cell.held);
        let refuses = |cell: &Cell, tokens, room: &dyn Fn(&Cell) -> i128| {
            ask.worst(tokens).is_none_or(|worst| count(&cell.limit, worst) > room(cell))
        };
        let first_refusing = |tokens, room: &dyn Fn(&Cell) -> i128| {
            cells.iter().find(|cell| refuses(cell, tokens, room)).copied()
        };
        let greatest = |least: u64, most: u64, room: &dyn Fn(&Cell) -> i128| {
            (least..=most).rev().find(|tokens| first_refusing(*tokens, room).is_none())
        };
        let Some(wanted) = greatest(ask.least, ask.most, &left) else {
            let cell = first_refusing(ask.least, &left).unwrap();
            let affordable = (0..ask.least).rev().find(|t| first_refusing(*t, &left).is_none());
            return Err(Refusal::TooDear { cell, affordable });
        };
        let needed = if ask.take_what_is_free { ask.least } else { wanted };
        greatest(needed, wanted, &free)
            .ok_or_else(|| Refusal::Busy(first_refusing(needed, &free).unwrap()))
    }
}

pub(crate) fn is_open(terms: &Terms, now: Timestamp) -> bool {
    !terms.closed && terms.expires_at.is_none_or(|end| end > now)
}

/// What `limit` counts of `amounts`.
pub(crate) fn count(limit: &Limit, amounts: Amounts) -> i128 {
    let byok = if limit.include_byok { nanos(amounts.byok) } else { 0 };
    nanos(amounts.credits) + byok
}

pub(crate) fn nanos(amount: Money) -> i128 {
    i128::from(amount.as_nanos())
}

fn clamp(nanos: i128) -> Money {
    let end = if nanos < 0 { i64::MIN } else { i64::MAX };
    Money::nanos(i64::try_from(nanos).unwrap_or(end))
}

fn date_of(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

fn is_same_window(period: Period, a: Date, b: Date) -> bool {
    match period {
        Period::Day => a == b,
        Period::Week => {
            let week = |date: Date| (date.iso_week_date().year(), date.iso_week_date().week());
            week(a) == week(b)
        }
        Period::Month => (a.year(), a.month()) == (b.year(), b.month()),
        Period::Lifetime => true,
    }
}

/// Found by walking, a day at a time, until it is another window.
fn window(period: Period, now: Timestamp) -> Window {
    if period == Period::Lifetime {
        return Window { first: Day::from_number(i32::MIN), after: None };
    }
    let today = date_of(now);
    let is_in = |date: Date| is_same_window(period, date, today);
    let (mut first, mut after) = (today, today);
    while is_in(first.yesterday().unwrap()) {
        first = first.yesterday().unwrap();
    }
    while is_in(after) {
        after = after.tomorrow().unwrap();
    }
    let day = |day: Date| {
        let hours = day.duration_since(date(1970, 1, 1)).as_hours();
        Day::from_number(i32::try_from(hours / 24).unwrap())
    };
    Window { first: day(first), after: Some(day(after)) }
}
