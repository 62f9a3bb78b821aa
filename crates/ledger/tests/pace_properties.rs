//! Laws of a pace, against a flat list of admissions that is gone through for every answer.
#![cfg(not(feature = "shuttle"))]
#![expect(
    clippy::disallowed_methods,
    reason = "there is no journal here: a hold is sent by saying so"
)]

use std::num::NonZeroU64;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ledger::{
    Account, Amounts, Bid, Hold, Measure, Pace, PaceFigures, Refusal, Seat, Tally, Terms, TooFast,
    admit,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

const MINUTE: SignedDuration = SignedDuration::from_secs(60);
/// How much longer than a minute an admission may count.
const LATENESS: SignedDuration = SignedDuration::from_millis(100);

#[derive(Clone, Debug)]
enum Step {
    /// Time goes on by so much; back, where it is negative.
    Tick(SignedDuration),
    Admit {
        prompt: u64,
        least: u64,
        most: u64,
        again: bool,
    },
    /// Ends the request picked, having used so many eighths of what was held for it.
    Settle {
        pick: usize,
        eighths: u64,
    },
    /// Ends the request picked, nobody knowing what it used.
    Lose {
        pick: usize,
    },
    Release {
        pick: usize,
    },
    Pace(Pace),
}

/// An admission as the list has it.
struct Line {
    at: Timestamp,
    is_request: bool,
    tokens: u64,
    is_in_flight: bool,
    is_past: bool,
}

impl Line {
    /// What lies ahead of a clock that was set back has happened by now; what was a minute ago once
    /// stays so.
    fn look(&mut self, now: Timestamp) {
        self.is_past |= now.duration_since(self.at) >= MINUTE;
        self.at = self.at.min(now);
    }
}

/// A request on both sides: its line, and what the ledger gave for it.
struct Open {
    line: usize,
    hold: Hold,
    _seat: Option<Seat>,
}

struct Book {
    now: Timestamp,
    /// Whether its clock was ever set back.
    is_set_back: bool,
    pace: Pace,
    account: Arc<Account>,
    lines: Vec<Line>,
    open: Vec<Open>,
}

/// What is asked of an admission.
struct Ask {
    prompt: u64,
    least: u64,
    most: u64,
    again: bool,
}

impl Book {
    fn new() -> Book {
        Book {
            now: "2026-11-22T10:00:00Z".parse().unwrap(),
            is_set_back: false,
            pace: Pace::default(),
            account: Arc::new(Account::new(Terms::default(), Tally::default(), || ())),
            lines: Vec::new(),
            open: Vec::new(),
        }
    }

    /// A book in which all of that has happened.
    fn after(steps: &[Step]) -> Result<Book, TestCaseError> {
        let mut book = Book::new();
        steps.iter().try_for_each(|step| book.take(step))?;
        Ok(book)
    }

    fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match *step {
            Step::Tick(span) => {
                self.now += span;
                self.is_set_back |= span.is_negative();
                self.lines.iter_mut().for_each(|line| line.look(self.now));
                // The ledger notices when it is looked at.
                self.account.pace(self.now);
            }
            Step::Admit { prompt, least, most, again } => {
                self.admit(&Ask { prompt, least, most, again })?;
            }
            Step::Settle { pick, eighths } => {
                if let Some(Open { line, hold, .. }) = self.pick(pick) {
                    let used = self.lines[line].tokens * eighths / 8;
                    self.end(line, used);
                    let mut sent = hold.mark_dispatched();
                    sent.count_tokens(used);
                    sent.settle(Amounts::ZERO);
                }
            }
            Step::Lose { pick } => {
                if let Some(Open { line, hold, .. }) = self.pick(pick) {
                    self.end(line, self.lines[line].tokens);
                    hold.mark_dispatched().settle(Amounts::ZERO);
                }
            }
            Step::Release { pick } => {
                if let Some(Open { line, hold, .. }) = self.pick(pick) {
                    self.end(line, 0);
                    drop(hold);
                }
            }
            Step::Pace(pace) => {
                self.pace = pace;
                self.account.set_terms(Terms { pace, ..Terms::default() });
            }
        }
        Ok(())
    }

    fn pick(&mut self, pick: usize) -> Option<Open> {
        let index = pick.checked_rem(self.open.len())?;
        Some(self.open.swap_remove(index))
    }

    fn end(&mut self, line: usize, tokens: u64) {
        self.lines[line].tokens = tokens;
        self.lines[line].is_in_flight = false;
    }

    fn bid(&self, ask: &Ask, now: Timestamp) -> Result<Hold, Refusal> {
        let used = |tokens| ask.prompt + tokens;
        let worst = |_| Some(Amounts::ZERO);
        let Ask { least, most, again, .. } = *ask;
        let bid = Bid { least, most, worst: &worst, used: &used, again, take_what_is_free: false };
        admit(std::slice::from_ref(&self.account), &bid, now)
    }

    fn admit(&mut self, ask: &Ask) -> Result<(), TestCaseError> {
        let exact = self.figures(|line| !line.is_past);
        let late = self.figures(|line| self.now.duration_since(line.at) < MINUTE + LATENESS);
        let refusal = match self.bid(ask, self.now) {
            Ok(mut hold) => {
                let tokens = ask.prompt + hold.tokens();
                // Never more than a limit, whatever was merged.
                prop_assert!(fits(&self.pace, &exact, tokens, ask.again), "{exact:?} and {tokens}");
                let is_most =
                    hold.tokens() == ask.most || !fits(&self.pace, &late, tokens + 1, ask.again);
                prop_assert!(
                    is_most || self.is_set_back,
                    "{} tokens, though more are free",
                    hold.tokens()
                );
                let (line, seat) = (self.lines.len(), hold.take_seat());
                prop_assert_eq!(seat.is_some(), !ask.again);
                self.open.push(Open { line, hold, _seat: seat });
                self.lines.push(Line {
                    at: self.now,
                    is_request: !ask.again,
                    tokens,
                    is_in_flight: !ask.again,
                    is_past: false,
                });
                return Ok(());
            }
            Err(refusal) => refusal,
        };
        let used = ask.prompt + ask.least;
        let limit = self.pace.tokens_per_minute;
        match refusal {
            Refusal::TooManyTokens { limit: named, affordable } => {
                prop_assert!(Some(named) == limit && used > named.get());
                prop_assert_eq!(affordable, named.get().checked_sub(ask.prompt));
            }
            Refusal::TooFast {
                pace: TooFast { measure, limit: named, free, free_at },
                affordable,
            } => {
                prop_assert!(limit.is_none_or(|limit| used <= limit.get()));
                let has_room = fits(&self.pace, &late, used, ask.again) && !self.is_set_back;
                prop_assert!(!has_room, "{late:?} has room");
                if measure == Measure::Tokens {
                    prop_assert_eq!(Some(named), limit);
                    prop_assert_eq!(affordable, free.checked_sub(ask.prompt));
                }
                prop_assert_eq!(free_at.is_none(), measure == Measure::Concurrent);
                let is_ahead = |at| self.now < at && at <= self.now + MINUTE;
                prop_assert!(free_at.is_none_or(is_ahead), "{:?} from {}", free_at, self.now);
            }
            other => prop_assert!(false, "{other:?}"),
        }
        Ok(())
    }

    /// The figures of the admissions that are recent.
    fn figures(&self, is_recent: impl Fn(&Line) -> bool) -> PaceFigures {
        let recent = || self.lines.iter().filter(|line| is_recent(line));
        let count = |lines: &mut dyn Iterator<Item = &Line>| u64::try_from(lines.count()).unwrap();
        PaceFigures {
            requests: count(&mut recent().filter(|line| line.is_request)),
            tokens: recent().map(|line| line.tokens).sum(),
            concurrent: count(&mut self.lines.iter().filter(|line| line.is_in_flight)),
        }
    }
}

/// Whether a request of `tokens` fits beside `figures`.
fn fits(pace: &Pace, figures: &PaceFigures, tokens: u64, again: bool) -> bool {
    let within = |limit: Option<NonZeroU64>, sum: u64| limit.is_none_or(|limit| sum <= limit.get());
    within(pace.tokens_per_minute, figures.tokens + tokens)
        && (again || within(pace.requests_per_minute, figures.requests + 1))
        && (again || within(pace.concurrent_requests, figures.concurrent + 1))
}

fn limit(most: u64) -> impl Strategy<Value = Option<NonZeroU64>> {
    proptest::option::weighted(0.6, (1..=most).prop_map(|limit| NonZeroU64::new(limit).unwrap()))
}

fn pace() -> impl Strategy<Value = Pace> {
    let pace = (limit(6), limit(60), limit(4)).prop_map(|(requests, tokens, concurrent)| Pace {
        requests_per_minute: requests,
        tokens_per_minute: tokens,
        concurrent_requests: concurrent,
    });
    pace.prop_filter("a limit", Pace::is_limited)
}

fn step(ticks: Vec<i64>) -> impl Strategy<Value = Step> {
    let pick = || 0..64_usize;
    let admit = (0..30_u64, 0..8_u64, prop_oneof![Just(0), 0..30_u64], prop::bool::weighted(0.15));
    let admit = admit.prop_map(|(prompt, least, span, again)| Step::Admit {
        prompt,
        least,
        most: least + span,
        again,
    });
    prop_oneof![
        8 => admit,
        6 => select(ticks).prop_map(|millis| Step::Tick(SignedDuration::from_millis(millis))),
        3 => (pick(), 0..=10_u64).prop_map(|(pick, eighths)| Step::Settle { pick, eighths }),
        1 => pick().prop_map(|pick| Step::Lose { pick }),
        1 => pick().prop_map(|pick| Step::Release { pick }),
        1 => pace().prop_map(Step::Pace),
    ]
}

/// There is always some limit: without one nothing is counted.
fn history(ticks: &[i64]) -> impl Strategy<Value = Vec<Step>> {
    let steps = vec(step(ticks.to_vec()), 1..80);
    (pace(), steps)
        .prop_map(|(first, rest)| std::iter::once(Step::Pace(first)).chain(rest).collect())
}

proptest! {
    #[test]
    fn no_minute_sees_more_than_a_limit_and_no_room_is_withheld(
        steps in history(&[1, 40, 99, 100, 101, 3_000, 30_000, 59_900, 60_000, 61_000]),
    ) {
        Book::after(&steps)?;
    }

    #[test]
    fn admissions_a_tenth_of_a_second_apart_are_counted_to_the_nanosecond(
        steps in history(&[100, 101, 700, 20_000, 59_900, 60_000]),
    ) {
        let mut book = Book::new();
        for step in steps {
            if matches!(step, Step::Admit { .. }) {
                book.take(&Step::Tick(LATENESS))?;
            }
            book.take(&step)?;
            prop_assert_eq!(book.account.pace(book.now), book.figures(|line| !line.is_past));
        }
    }

    /// Whoever comes back when they are told to is let in, if others' answers came, and not before.
    #[test]
    fn a_refusal_says_when_to_come_back(
        steps in history(&[1, 99, 100, 3_000, 30_000]),
        (prompt, least) in (0..30_u64, 0..8_u64),
        again: bool,
    ) {
        let ask = Ask { prompt, least, most: least, again };
        let book = Book::after(&steps)?;
        let refused = book.bid(&ask, book.now).err();
        if let Some(Refusal::TooFast { pace: TooFast { free_at: Some(at), .. }, .. }) = refused {
            let early = book.bid(&ask, at - SignedDuration::from_nanos(1));
            prop_assert!(early.is_err(), "free before {}", at);
            let told = book.bid(&ask, at).err();
            let is_others = |refusal: &Refusal| {
                matches!(refusal, Refusal::TooFast { pace: TooFast { free_at: None, .. }, .. })
            };
            prop_assert!(told.as_ref().is_none_or(is_others), "{:?} at {}", told, at);
        }
    }

    #[test]
    fn a_clock_set_back_neither_forgets_nor_locks_out(
        steps in history(&[1, 100, 3_000, 59_900, -1, -100, -3_000, -200_000]),
    ) {
        let mut book = Book::after(&steps)?;
        book.take(&Step::Tick(MINUTE))?;
        let PaceFigures { requests, tokens, .. } = book.account.pace(book.now);
        prop_assert_eq!((requests, tokens), (0, 0));
    }

    #[test]
    fn with_nothing_in_flight_no_seat_is_taken(steps in history(&[1, 30_000, 61_000])) {
        let mut book = Book::after(&steps)?;
        book.open.clear();
        prop_assert_eq!(book.account.pace(book.now).concurrent, 0);
    }
}
