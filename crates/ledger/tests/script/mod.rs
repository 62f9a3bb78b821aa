//! The language of the tables: events in words, answers in words.
//! It says what a [`Book`] was asked and what it answered, and decides nothing.

#![expect(
    clippy::disallowed_methods,
    reason = "there is no journal here: a hold is sent by saying so"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ledger::{Account, Amounts, Bid, Cell, Day, Dispatched, Figures, Hold, Layer, Limit, Measure};
use ledger::{PaceFigures, Period, Refusal, Seat, Tally, Terms, TooFast, admit};
use money::Money;

/// Runs a table of `event | answer` lines, in a book that opens on Sunday 2026-11-22 at 10:00.
pub(crate) fn check(table: &str) {
    let mut book = Book::new();
    for (number, line) in table.lines().enumerate() {
        let (event, expected) = line.split_once('|').unwrap();
        let answer = book.answer(event);
        assert_eq!(answer, expected.trim(), "line {}: {}", number + 1, event.trim());
    }
}

pub(crate) struct Book {
    /// The moment at which every event happens.
    pub(crate) now: Timestamp,
    accounts: Vec<(String, Arc<Account>)>,
    holds: BTreeMap<String, Hold>,
    seats: BTreeMap<String, Seat>,
}

impl Book {
    pub(crate) fn new() -> Book {
        Book {
            now: time("2026-11-22T10:00:00Z"),
            accounts: vec![],
            holds: BTreeMap::new(),
            seats: BTreeMap::new(),
        }
    }

    pub(crate) fn answer(&mut self, event: &str) -> String {
        let words: Vec<&str> = event.split_whitespace().collect();
        match words.as_slice() {
            ["now"] => {}
            ["at", at] => self.now = time(at),
            ["tick", span] => self.now += span.parse::<SignedDuration>().unwrap(),
            ["terms", name, terms @ ..] => self.account(name).set_terms(read_terms(terms)),
            ["post", date, cost] => {
                self.account("key")
                    .post(Day::of(time(&format!("{date}T00:00:00Z"))), amounts(cost));
            }
            ["admit", id, bid @ ..] => return self.admit(id, bid),
            ["settle", id, cost] => self.dispatch(id).settle(amounts(cost)),
            ["settle", id, cost, "using", tokens] => {
                let mut sent = self.dispatch(id);
                sent.count_tokens(tokens.parse().unwrap());
                sent.settle(amounts(cost));
            }
            ["sit", id] => {
                let seat = self.holds.get_mut(*id).unwrap().take_seat().unwrap();
                self.seats.insert((*id).to_owned(), seat);
            }
            ["leave", id] => drop(self.seats.remove(*id).unwrap()),
            ["release", id] => drop(self.holds.remove(*id).unwrap()),
            ["refuse", id] => {
                let hold = self.dispatch(id).refused();
                self.holds.insert((*id).to_owned(), hold);
            }
            ["lose", id] => drop(self.dispatch(id)),
            ["usage", name] => return show_figures(&self.account(name).figures(self.now)),
            ["resets"] => return self.each_cell(show_reset),
            _ => panic!("no such event: {event}"),
        }
        let stand = |(_, account): &(String, Arc<Account>)| show_account(account, self.now);
        self.accounts.iter().map(stand).collect::<Vec<_>>().join("; ")
    }

    fn account(&mut self, name: &str) -> Arc<Account> {
        if let Some((_, account)) = self.accounts.iter().find(|(known, _)| known == name) {
            return Arc::clone(account);
        }
        let account = Arc::new(Account::new(Terms::default(), Tally::default(), || ()));
        self.accounts.push((name.to_owned(), Arc::clone(&account)));
        account
    }

    fn dispatch(&mut self, id: &str) -> Dispatched {
        self.holds.remove(id).unwrap().mark_dispatched()
    }

    fn each_cell(&self, show: fn(&Cell) -> String) -> String {
        let cells = self.accounts.iter().flat_map(|(_, account)| account.look(self.now).1);
        cells.map(|cell| show(&cell)).collect::<Vec<_>>().join("; ")
    }

    /// `admit id bid [using tokens] [again] [on account…]`, the bid being a cost or
    /// `least..most each cost prompt cost [taking]`, which takes what is free. The tokens are those
    /// of the prompt; those of a range come on top.
    fn admit(&mut self, id: &str, words: &[&str]) -> String {
        let (words, names) = match words.iter().position(|word| *word == "on") {
            Some(on) => (&words[..on], &words[on + 1..]),
            None => (words, ["key"].as_slice()),
        };
        let (words, again) = match words {
            [rest @ .., "again"] => (rest, true),
            words => (words, false),
        };
        let (bid, prompt_tokens) = match words {
            [rest @ .., "using", tokens] => (rest, tokens.parse().unwrap()),
            words => (words, 0),
        };
        let (tokens, each, prompt, taking) = match bid {
            [cost] => ("1..1", amounts(cost), Amounts::ZERO, false),
            [tokens, "each", each, "prompt", prompt, taking @ ..] => {
                (*tokens, amounts(each), amounts(prompt), taking == ["taking"])
            }
            _ => panic!("no such bid: {bid:?}"),
        };
        let (least, most) = tokens.split_once("..").unwrap();
        let (least, most) = (least.parse().unwrap(), most.parse().unwrap());
        let worst = |tokens| times(each, tokens)?.checked_add(prompt);
        let used = |tokens| prompt_tokens + if bid.len() == 1 { 0 } else { tokens };
        let bid = Bid { least, most, worst: &worst, used: &used, again, take_what_is_free: taking };
        let accounts: Vec<_> = names.iter().map(|name| self.account(name)).collect();
        match admit(&accounts, &bid, self.now) {
            Ok(hold) => {
                assert_eq!(Some(hold.worst()), worst(hold.tokens()));
                assert_eq!(hold.admitted_at(), self.now);
                let tokens = hold.tokens();
                assert!(self.holds.insert(id.to_owned(), hold).is_none(), "{id} is in use");
                if least == most { "held".into() } else { format!("held for {tokens} tokens") }
            }
            Err(refusal) => show_refusal(&refusal),
        }
    }
}

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// `0.1` is credits, `0.1b` is BYOK use, `0.1+0.2b` is both.
fn amounts(text: &str) -> Amounts {
    let mut amounts = Amounts::ZERO;
    for part in text.split('+') {
        match part.strip_suffix('b') {
            Some(byok) => amounts.byok = byok.parse().unwrap(),
            None => amounts.credits = part.parse().unwrap(),
        }
    }
    amounts
}

fn times(each: Amounts, tokens: u64) -> Option<Amounts> {
    let tokens = i64::try_from(tokens).ok()?;
    let product = |amount: Money| amount.as_nanos().checked_mul(tokens).map(Money::nanos);
    Some(Amounts { credits: product(each.credits)?, byok: product(each.byok)? })
}

fn read_terms(mut words: &[&str]) -> Terms {
    let mut terms = Terms::default();
    loop {
        words = match words {
            [] => return terms,
            ["closed", rest @ ..] => {
                terms.closed = true;
                rest
            }
            ["until", end, rest @ ..] => {
                terms.expires_at = Some(time(end));
                rest
            }
            [limit, measure @ ("requests" | "tokens" | "at-once"), rest @ ..] => {
                let limit = Some(limit.parse().unwrap());
                match *measure {
                    "requests" => terms.pace.requests_per_minute = limit,
                    "tokens" => terms.pace.tokens_per_minute = limit,
                    _ => terms.pace.concurrent_requests = limit,
                }
                rest
            }
            [amount, period, rest @ ..] => {
                let (include_byok, rest) = match rest {
                    ["byok", rest @ ..] => (true, rest),
                    rest => (false, rest),
                };
                let period = PERIODS.iter().find(|(name, _)| name == period).unwrap().1;
                let amount = amount.parse().unwrap();
                terms.limits.push(Limit { layer: Layer::Key, amount, period, include_byok });
                rest
            }
            _ => panic!("no such terms: {words:?}"),
        }
    }
}

const PERIODS: [(&str, Period); 4] = [
    ("daily", Period::Day),
    ("weekly", Period::Week),
    ("monthly", Period::Month),
    ("total", Period::Lifetime),
];

fn show_limit(limit: &Limit) -> String {
    let period = PERIODS.iter().find(|(_, period)| *period == limit.period).unwrap().0;
    format!("{} {period}", limit.amount)
}

fn show_account(account: &Account, now: Timestamp) -> String {
    let closed = if account.is_open(now) { "" } else { "closed: " };
    let (figures, cells) = account.look(now);
    let shown = if cells.is_empty() {
        format!("unlimited{}", show_held(&show_amounts(figures.held)))
    } else {
        let show = |cell: &Cell| {
            let held = show_held(&cell.held.to_string());
            format!("{} of {}{held}", cell.left(), show_limit(&cell.limit))
        };
        cells.iter().map(show).collect::<Vec<_>>().join("; ")
    };
    format!("{closed}{shown}{}", show_pace(account.pace(now)))
}

fn show_pace(figures: PaceFigures) -> String {
    if figures == PaceFigures::default() {
        return String::new();
    }
    let PaceFigures { requests, tokens, concurrent } = figures;
    format!(", {requests} requests, {tokens} tokens, {concurrent} at once")
}

fn show_held(amount: &str) -> String {
    if amount == "0" { String::new() } else { format!(", {amount} held") }
}

fn show_reset(cell: &Cell) -> String {
    cell.window.resets_at().map_or("never".to_owned(), |at| at.to_string())
}

fn show_amounts(amounts: Amounts) -> String {
    match (amounts.credits, amounts.byok) {
        (credits, Money::ZERO) => credits.to_string(),
        (Money::ZERO, byok) => format!("{byok}b"),
        (credits, byok) => format!("{credits}+{byok}b"),
    }
}

fn show_figures(figures: &Figures) -> String {
    let Figures { total, day, week, month, held } = *figures;
    let [total, day, week, month, held] = [total, day, week, month, held].map(show_amounts);
    format!("total {total}, day {day}, week {week}, month {month}, held {held}")
}

fn show_refusal(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Closed => "closed".to_owned(),
        Refusal::TooLarge => "too large".to_owned(),
        Refusal::Spent(cell) => format!("spent: {}", show_limit(&cell.limit)),
        Refusal::Busy(cell) => format!("busy: {}", show_limit(&cell.limit)),
        Refusal::TooManyTokens { limit, affordable } => {
            format!("more than {limit} tokens, {}", show_fitting(*affordable))
        }
        Refusal::TooFast { pace, affordable } => show_pace_limit(pace, *affordable),
        Refusal::TooDear { cell, affordable } => {
            format!("too dear: {}, {}", show_limit(&cell.limit), show_fitting(*affordable))
        }
    }
}

fn show_fitting(affordable: Option<u64>) -> String {
    affordable.map_or("not even the prompt fits".to_owned(), |most| format!("{most} tokens fit"))
}

fn show_pace_limit(pace: &TooFast, affordable: Option<u64>) -> String {
    let TooFast { measure, limit, free, free_at } = pace;
    match (measure, free_at) {
        (Measure::Requests, Some(at)) => format!("{limit} requests, {free} free until {at}"),
        (Measure::Tokens, Some(at)) => {
            let fitting = show_fitting(affordable);
            format!("{limit} tokens, {free} free until {at}, {fitting}")
        }
        (Measure::Concurrent, None) => format!("{limit} at once, {free} free"),
        _ => panic!("no such refusal: {pace:?}"),
    }
}
