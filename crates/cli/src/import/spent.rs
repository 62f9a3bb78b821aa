//! What keys had spent elsewhere, as rows of the book that count in the windows they were spent in.

use std::cmp::Reverse;

use api::{Usd, Utc};
use gateway::http::control::ImportOpening;
use jiff::Timestamp;
use ledger::{Amounts, Day, Period, Tally, Window};
use money::Money;

/// What a key spent in each of the windows that hold the same moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spent {
    pub(super) in_all: Amounts,
    pub(super) today: Amounts,
    pub(super) this_week: Amounts,
    pub(super) this_month: Amounts,
}

impl Spent {
    /// The rows that come to it at `now`, each dated at the start of the longest window it is in
    /// alone. Where the figures can't all be true, as when a day is said to have more than its
    /// month, none of the windows has less than is said.
    pub(super) fn openings(&self, now: Timestamp, from: &str) -> Vec<ImportOpening> {
        let start = |period: Period| period.window(Day::of(now)).first.start();
        let mut windows = [
            (start(Period::Day), self.today),
            (start(Period::Week), self.this_week),
            (start(Period::Month), self.this_month),
            (before_windows(now), self.in_all),
        ];
        // A week may have begun before its month, and the month before its week.
        windows.sort_by_key(|(start, _)| Reverse(*start));
        let mut counted = Amounts::ZERO;
        let mut openings = Vec::new();
        for (at, said) in windows {
            let rest = Amounts {
                credits: rest(said.credits, counted.credits),
                byok: rest(said.byok, counted.byok),
            };
            counted = counted.saturating_add(rest);
            openings.extend(row(rest, at, from));
        }
        openings.reverse();
        openings
    }
}

/// What rows come to in a window.
pub(super) fn counted(openings: &[ImportOpening], window: Window) -> Amounts {
    let mut tally = Tally::default();
    for opening in openings {
        let cost = Amounts { credits: opening.amount.0, byok: opening.byok_amount.0 };
        tally.post(Day::of(opening.at.0), cost);
    }
    tally.settled(window)
}

fn rest(said: Money, counted: Money) -> Money {
    said.checked_sub(counted).unwrap_or(Money::ZERO).max(Money::ZERO)
}

/// The row of an amount, where there is one.
pub(super) fn opening(amount: Money, at: Timestamp, from: &str) -> Vec<ImportOpening> {
    row(Amounts::credits(amount), at, from).into_iter().collect()
}

fn row(amounts: Amounts, at: Timestamp, from: &str) -> Option<ImportOpening> {
    let is_any = amounts.credits > Money::ZERO || amounts.byok > Money::ZERO;
    is_any.then(|| ImportOpening {
        amount: Usd(amounts.credits),
        byok_amount: Usd(amounts.byok),
        at: Utc(at),
        from: from.to_owned(),
    })
}

/// The last moment that no current day, week or month has in it.
pub(super) fn before_windows(now: Timestamp) -> Timestamp {
    let [week, month] =
        [Period::Week, Period::Month].map(|period| period.window(Day::of(now)).first);
    week.min(month).start() - jiff::SignedDuration::from_millis(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn nanos(credits: i64, byok: i64) -> Amounts {
        Amounts { credits: Money::nanos(credits), byok: Money::nanos(byok) }
    }

    /// What the rows come to in the windows that hold `now`.
    fn in_windows(openings: &[ImportOpening], now: Timestamp) -> Spent {
        let settled = |period: Period| counted(openings, period.window(Day::of(now)));
        Spent {
            in_all: settled(Period::Lifetime),
            today: settled(Period::Day),
            this_week: settled(Period::Week),
            this_month: settled(Period::Month),
        }
    }

    fn dated(spent: &Spent, now: &str) -> Vec<(String, i64)> {
        let openings = spent.openings(now.parse().unwrap(), "there");
        let dated =
            |one: &ImportOpening| (one.at.0.strftime("%F").to_string(), one.amount.0.as_nanos());
        openings.iter().map(dated).collect()
    }

    #[test]
    fn each_part_is_dated_in_its_window_and_in_no_shorter_one() {
        let spent = Spent {
            in_all: nanos(1000, 0),
            today: nanos(1, 0),
            this_week: nanos(30, 0),
            this_month: nanos(200, 0),
        };
        let owned = |rows: &[(&str, i64)]| -> Vec<(String, i64)> {
            rows.iter().map(|(day, nanos)| ((*day).to_owned(), *nanos)).collect()
        };
        // A Thursday; its week began on the 23rd.
        assert_eq!(
            dated(&spent, "2026-11-26T12:00:00Z"),
            owned(&[
                ("2026-10-31", 800),
                ("2026-11-01", 170),
                ("2026-11-23", 29),
                ("2026-11-26", 1)
            ])
        );
        // A Wednesday in the week that began on the 30th of November: the month is the shorter one.
        let spent = Spent { this_week: nanos(200, 0), this_month: nanos(30, 0), ..spent };
        assert_eq!(
            dated(&spent, "2026-12-02T12:00:00Z"),
            owned(&[
                ("2026-11-29", 800),
                ("2026-11-30", 170),
                ("2026-12-01", 29),
                ("2026-12-02", 1)
            ])
        );
        // A Monday: its week is the day.
        let spent = Spent { this_week: nanos(1, 0), this_month: nanos(1, 0), ..spent };
        assert_eq!(
            dated(&spent, "2026-11-23T00:00:00Z"),
            owned(&[("2026-10-31", 999), ("2026-11-23", 1)])
        );
        assert_eq!(dated(&Spent::default(), "2026-11-23T00:00:00Z"), []);
    }

    #[test]
    fn what_was_spent_before_is_in_no_current_window() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let before = |now| before_windows(at(now));
        assert_eq!(before("2026-11-26T12:00:00Z"), at("2026-10-31T23:59:59.999Z"));
        // The week of the 1st of December began in November.
        assert_eq!(before("2026-12-02T00:00:00Z"), at("2026-11-29T23:59:59.999Z"));
    }

    fn amounts() -> impl Strategy<Value = Amounts> {
        (0..50_i64, 0..50_i64).prop_map(|(credits, byok)| nanos(credits, byok))
    }

    proptest! {
        #[test]
        fn figures_that_can_be_true_come_out_as_they_are(
            second in 1_700_000_000_i64..1_900_000_000,
            days in prop::collection::vec((0..70_i64, amounts()), 0..9),
        ) {
            let now = Timestamp::from_second(second).unwrap();
            let mut tally = Tally::default();
            for (ago, amounts) in days {
                tally.post(Day::of(now - jiff::SignedDuration::from_hours(24 * ago)), amounts);
            }
            let settled = |period: Period| tally.settled(period.window(Day::of(now)));
            let spent = Spent {
                in_all: settled(Period::Lifetime),
                today: settled(Period::Day),
                this_week: settled(Period::Week),
                this_month: settled(Period::Month),
            };
            prop_assert_eq!(in_windows(&spent.openings(now, "there"), now), spent);
        }

        #[test]
        fn no_window_has_less_than_is_said(
            second in 1_700_000_000_i64..1_900_000_000,
            [in_all, today, this_week, this_month] in [amounts(), amounts(), amounts(), amounts()],
        ) {
            let now = Timestamp::from_second(second).unwrap();
            let said = Spent { in_all, today, this_week, this_month };
            let counted = in_windows(&said.openings(now, "there"), now);
            for (counted, said) in [
                (counted.in_all, said.in_all),
                (counted.today, said.today),
                (counted.this_week, said.this_week),
                (counted.this_month, said.this_month),
            ] {
                prop_assert!(counted.credits >= said.credits && counted.byok >= said.byok);
            }
        }
    }
}
