//! Laws of the ledger over arbitrary histories, held against a naive second model.
//! After every step every figure, every limit and every answer must be the model's.
#![cfg(not(feature = "shuttle"))]
#![expect(
    clippy::disallowed_methods,
    reason = "there is no journal here: a hold is sent by saying so"
)]

mod model;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ledger::{Account, Amounts, Bid, Cell, Day, Hold, Layer, Limit, Period, Tally, Terms, admit};
use model::{Ask, Model, count, is_open, nanos};
use money::Money;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Midnights at which more than a day begins or a month is out of the ordinary.
const MIDNIGHTS: [&str; 7] = [
    "2026-11-23T00:00:00Z", // a Monday
    "2028-01-01T00:00:00Z", // a year's beginning, in the week of the old one
    "2029-01-01T00:00:00Z", // a year, a month and a week at once
    "2028-02-29T00:00:00Z", // a leap day
    "2100-03-01T00:00:00Z", // no leap day, though the year divides by four
    "2027-08-01T00:00:00Z", // two months of 31 days
    "1970-01-01T00:00:00Z", // days are counted from here
];

const NANOS_PER_DAY: i64 = 86_400_000_000_000;

#[derive(Clone, Debug)]
enum Step {
    Move(Moment),
    Admit(Ask),
    /// Ends the hold picked, at so many eighths of its worst case.
    Settle {
        pick: usize,
        eighths: i64,
    },
    Release {
        pick: usize,
    },
    /// Sends the hold picked, which the provider refuses.
    Refuse {
        pick: usize,
    },
    /// Loses the hold picked after it was sent.
    Lose {
        pick: usize,
    },
    Terms {
        account: usize,
        terms: Terms,
        expires: Option<Moment>,
    },
    Post {
        account: usize,
        at: Moment,
        cost: Amounts,
    },
}

/// A moment as days from the history's midnight and nanoseconds into that day.
type Moment = (i64, i64);

/// What histories are made of.
#[derive(Clone, Copy)]
struct Scale {
    /// Amounts are a few of these.
    unit: i64,
    /// The most that is charged of a worst case, in eighths.
    eighths_most: i64,
    /// The least that is posted without a hold, in units; `None` where nothing is.
    posted_least: Option<i64>,
}

const SMALL: Scale = Scale { unit: 1, eighths_most: 12, posted_least: Some(-6) };
/// Some forty of these are past the largest amount.
const HUGE: Scale = Scale { unit: i64::MAX / 40, eighths_most: 12, posted_least: Some(0) };
/// Providers that charge no more than was held, and no corrections.
const HONEST: Scale = Scale { unit: 1, eighths_most: 8, posted_least: None };

fn moment() -> impl Strategy<Value = Moment> {
    let days = prop_oneof![6 => -2..=2_i64, 3 => -9..=9_i64, 1 => -40..=40_i64];
    let nanos = select(vec![0, 1, NANOS_PER_DAY / 2, NANOS_PER_DAY - 1]);
    (days, nanos)
}

fn amount(units: std::ops::RangeInclusive<i64>, unit: i64) -> impl Strategy<Value = Money> {
    (units, 0..=1_i64).prop_map(move |(units, more)| {
        Money::nanos(units.saturating_mul(unit).saturating_add(if units == 0 { 0 } else { more }))
    })
}

fn amounts(units: std::ops::RangeInclusive<i64>, unit: i64) -> impl Strategy<Value = Amounts> {
    let none = Just(Money::ZERO);
    let byok = prop_oneof![2 => none, 1 => amount(units.clone(), unit)];
    (amount(units, unit), byok).prop_map(|(credits, byok)| Amounts { credits, byok })
}

fn ask(scale: Scale) -> impl Strategy<Value = Ask> {
    let accounts = select(vec![vec![0], vec![1], vec![0, 1], vec![1, 0], vec![0, 1, 0], vec![]]);
    let prompt = amounts(0..=4, scale.unit);
    let each = amounts(0..=2, scale.unit);
    let parts =
        (accounts, prompt, each, 0..=6_u64, prop_oneof![Just(0), 0..=12_u64], any::<bool>());
    parts.prop_map(|(accounts, prompt, each, least, span, take_what_is_free)| Ask {
        accounts,
        prompt,
        each,
        least,
        most: least + span,
        take_what_is_free,
    })
}

fn terms(scale: Scale) -> impl Strategy<Value = (Terms, Option<Moment>)> {
    let period = || select(vec![Period::Day, Period::Week, Period::Month, Period::Lifetime]);
    let layer = || select(vec![Layer::Key, Layer::Workspace]);
    let limit = || {
        (layer(), amount(0..=36, scale.unit), period(), any::<bool>()).prop_map(
            |(layer, amount, period, include_byok)| Limit { layer, amount, period, include_byok },
        )
    };
    // A workspace has up to four budgets.
    let limits = prop_oneof![4 => vec(limit(), 0..=2), 1 => vec(limit(), 3..=4)];
    let closed = prop::bool::weighted(0.05);
    let expires = proptest::option::weighted(0.1, moment());
    (closed, limits, expires).prop_map(|(closed, limits, expires)| {
        (Terms { closed, limits: limits.into(), ..Terms::default() }, expires)
    })
}

fn step(scale: Scale) -> impl Strategy<Value = Step> {
    let pick = || 0..64_usize;
    let settle = (pick(), 0..=scale.eighths_most);
    let posted = amounts(scale.posted_least.unwrap_or(0)..=6, scale.unit);
    let post = (0..2_usize, moment(), posted);
    let posts = u32::from(scale.posted_least.is_some());
    prop_oneof![
        12 => ask(scale).prop_map(Step::Admit),
        6 => settle.prop_map(|(pick, eighths)| Step::Settle { pick, eighths }),
        2 => pick().prop_map(|pick| Step::Release { pick }),
        1 => pick().prop_map(|pick| Step::Refuse { pick }),
        1 => pick().prop_map(|pick| Step::Lose { pick }),
        3 => (0..2_usize, terms(scale))
            .prop_map(|(account, (terms, expires))| Step::Terms { account, terms, expires }),
        4 => moment().prop_map(Step::Move),
        posts => post.prop_map(|(account, at, cost)| Step::Post { account, at, cost }),
    ]
}

fn midnight() -> impl Strategy<Value = Timestamp> {
    select(MIDNIGHTS.to_vec()).prop_map(|midnight| midnight.parse().unwrap())
}

/// The ledger and the model side by side, with the holds that are open on both.
struct Book {
    midnight: Timestamp,
    now: Timestamp,
    accounts: Vec<Arc<Account>>,
    model: Model,
    open: Vec<(usize, Hold)>,
}

impl Book {
    /// All but the first account are spread over so many parts.
    fn new(midnight: Timestamp, openings: &[Amounts], parts: usize) -> Book {
        let account = |(number, opening): (usize, &Amounts)| {
            let mut tally = Tally::default();
            tally.post_before_days(*opening);
            let parts = if number == 0 { 0 } else { parts };
            Arc::new(Account::spread(Terms::default(), tally, parts, || ()))
        };
        Book {
            midnight,
            now: midnight,
            accounts: openings.iter().enumerate().map(account).collect(),
            model: Model::new(openings),
            open: Vec::new(),
        }
    }

    fn at(&self, (days, nanos): Moment) -> Timestamp {
        self.midnight + SignedDuration::from_hours(24 * days) + SignedDuration::from_nanos(nanos)
    }

    fn take(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Move(moment) => self.now = self.at(moment),
            Step::Admit(ask) => self.admit(&ask)?,
            Step::Settle { pick, eighths } => {
                if let Some((number, hold)) = self.pick(pick) {
                    let cost = share(hold.worst(), eighths);
                    self.model.end(number, cost);
                    hold.mark_dispatched().settle(cost);
                }
            }
            Step::Release { pick } => {
                if let Some((number, hold)) = self.pick(pick) {
                    self.model.end(number, Amounts::ZERO);
                    drop(hold);
                }
            }
            Step::Refuse { pick } => {
                if let Some((number, hold)) = self.pick(pick) {
                    self.open.push((number, hold.mark_dispatched().refused()));
                }
            }
            Step::Lose { pick } => drop(self.pick(pick).map(|(_, hold)| hold.mark_dispatched())),
            Step::Terms { account, mut terms, expires } => {
                terms.expires_at = expires.map(|moment| self.at(moment));
                self.model.terms[account] = terms.clone();
                self.accounts[account].set_terms(terms);
            }
            Step::Post { account, at, cost } => {
                let at = self.at(at);
                self.model.post(account, at, cost);
                self.accounts[account].post(Day::of(at), cost);
            }
        }
        self.agrees(self.now)
    }

    fn pick(&mut self, pick: usize) -> Option<(usize, Hold)> {
        let index = pick.checked_rem(self.open.len())?;
        Some(self.open.swap_remove(index))
    }

    fn admit(&mut self, ask: &Ask) -> Result<(), TestCaseError> {
        let accounts: Vec<_> =
            ask.accounts.iter().map(|account| Arc::clone(&self.accounts[*account])).collect();
        let before: Vec<Cell> =
            accounts.iter().flat_map(|account| account.look(self.now).1).collect();
        let worst = |tokens| ask.worst(tokens);
        let Ask { least, most, take_what_is_free, .. } = *ask;
        let answer = admit(
            &accounts,
            &Bid { least, most, worst: &worst, used: &|_| 0, again: false, take_what_is_free },
            self.now,
        );
        let expected = self.model.admit(ask, self.now);
        let tokens = answer.as_ref().map(Hold::tokens).map_err(Clone::clone);
        prop_assert_eq!(tokens, expected.clone().map(|(_, tokens)| tokens));
        let (Ok(hold), Ok((number, tokens))) = (answer, expected) else { return Ok(()) };
        prop_assert_eq!(Some(hold.worst()), ask.worst(tokens));
        prop_assert_eq!(hold.admitted_at(), self.now);
        for cell in before {
            let worst = count(&cell.limit, hold.worst());
            let promised = nanos(cell.settled) + nanos(cell.held) + worst;
            prop_assert!(worst == 0 || promised <= nanos(cell.limit.amount), "{:?}", cell);
        }
        self.open.push((number, hold));
        Ok(())
    }

    fn agrees(&self, at: Timestamp) -> Result<(), TestCaseError> {
        for (number, account) in self.accounts.iter().enumerate() {
            let (figures, cells) = account.look(at);
            prop_assert_eq!(
                figures,
                self.model.figures(number, at),
                "account {} at {}",
                number,
                at
            );
            prop_assert_eq!(cells.to_vec(), self.model.cells(number, at), "account {}", number);
            prop_assert_eq!(account.is_open(at), is_open(&self.model.terms[number], at));
        }
        Ok(())
    }

    fn agrees_on_every_day(&self) -> Result<(), TestCaseError> {
        (-41..=41).try_for_each(|days| self.agrees(self.at((days, 0))))
    }
}

fn share(worst: Amounts, eighths: i64) -> Amounts {
    let share = |amount: Money| {
        let nanos = nanos(amount) * i128::from(eighths) / 8;
        Money::nanos(i64::try_from(nanos).unwrap_or(i64::MAX))
    };
    Amounts { credits: share(worst.credits), byok: share(worst.byok) }
}

fn run(
    midnight: Timestamp,
    openings: &[Amounts],
    parts: usize,
    steps: Vec<Step>,
) -> Result<(), TestCaseError> {
    let mut book = Book::new(midnight, openings, parts);
    steps.into_iter().try_for_each(|step| book.take(step))?;
    book.agrees_on_every_day()
}

fn openings(scale: Scale) -> impl Strategy<Value = Vec<Amounts>> {
    vec(amounts(0..=6, scale.unit), 2)
}

proptest! {
    #[test]
    fn every_figure_and_every_answer_is_the_models(
        midnight in midnight(),
        openings in openings(SMALL),
        parts in 0..=3_usize,
        steps in vec(step(SMALL), 1..80),
    ) {
        run(midnight, &openings, parts, steps)?;
    }

    #[test]
    fn nothing_wraps_near_the_largest_amount(
        midnight in midnight(),
        openings in openings(HUGE),
        steps in vec(step(HUGE), 1..80),
    ) {
        run(midnight, &openings, 0, steps)?;
    }

    #[test]
    fn no_window_spends_more_than_the_limit_its_requests_were_admitted_under(
        midnight in midnight(),
        period in select(vec![Period::Day, Period::Week, Period::Month, Period::Lifetime]),
        include_byok: bool,
        parts in 0..=2_usize,
        steps in vec(step(HONEST), 1..80),
    ) {
        let mut book = Book::new(midnight, &[Amounts::ZERO, Amounts::ZERO], parts);
        let mut bounds: BTreeMap<(usize, Day), (Timestamp, Money)> = BTreeMap::new();
        for mut step in steps {
            if let Step::Terms { terms, .. } = &mut step {
                let amount = terms.limits.first().map_or(Money::nanos(9), |limit| limit.amount);
                let limit = Limit { layer: Layer::Key, amount, period, include_byok };
                terms.limits = [limit].into_iter().collect();
            }
            let admitted_before = book.open.len();
            book.take(step.clone())?;
            if let (Step::Admit(ask), true) = (step, book.open.len() > admitted_before) {
                let worst = book.open.last().unwrap().1.worst();
                for number in ask.accounts {
                    for cell in book.accounts[number].look(book.now).1 {
                        if count(&cell.limit, worst) != 0 {
                            let bound = (book.now, cell.limit.amount);
                            bounds.insert((number, cell.window.first), bound);
                        }
                    }
                }
            }
            for ((number, _), (at, limit)) in &bounds {
                let cell = book.accounts[*number].look(*at).1[0];
                prop_assert!(nanos(cell.settled) + nanos(cell.held) <= nanos(*limit), "{:?}", cell);
            }
        }
    }

    #[test]
    fn the_order_in_which_requests_end_does_not_matter(
        midnight in midnight(),
        (requests, order) in vec((moment(), ask(SMALL), 0..=12_i64), 1..20).prop_flat_map(|requests| {
            let order: Vec<usize> = (0..requests.len()).collect();
            (Just(requests), Just(order).prop_shuffle())
        }),
    ) {
        let run = |order: &mut dyn Iterator<Item = usize>| {
            let mut book = Book::new(midnight, &[Amounts::ZERO, Amounts::ZERO], 2);
            for (moment, ask, _) in &requests {
                book.take(Step::Move(*moment))?;
                book.take(Step::Admit(ask.clone()))?;
            }
            let mut open: BTreeMap<usize, Hold> =
                book.open.drain(..).map(|(_, hold)| hold).enumerate().collect();
            for number in order {
                let hold = open.remove(&number).unwrap().mark_dispatched();
                let cost = share(hold.worst(), requests[number].2);
                hold.settle(cost);
            }
            let days: Vec<_> = (-41..=41).map(|days| book.at((days, 0))).collect();
            let looks = days.iter().flat_map(|at| book.accounts.iter().map(|a| a.look(*at).0));
            Ok::<_, TestCaseError>(looks.collect::<Vec<_>>())
        };
        prop_assert_eq!(run(&mut (0..requests.len()))?, run(&mut order.into_iter())?);
    }
}

proptest! {
    // Each is years long, so a few are enough.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn years_of_use_leave_the_current_windows_whole(
        midnight in midnight(),
        gaps in vec(prop_oneof![8 => 0..=2_i64, 1 => 0..=40_i64, 1 => -5..=0_i64], 100..200),
    ) {
        let mut book = Book::new(midnight, &[Amounts::ZERO], 0);
        let mut day = 0;
        for gap in gaps {
            day += gap;
            book.take(Step::Move((day, 0)))?;
            let nano = Amounts::credits(Money::nanos(1));
            let ask = Ask {
                accounts: vec![0],
                prompt: nano,
                each: nano,
                least: 1,
                most: 1,
                take_what_is_free: false,
            };
            book.take(Step::Admit(ask))?;
            book.take(Step::Settle { pick: 0, eighths: 8 })?;
        }
    }
}
