//! UTC calendar windows: which day, week, month or lifetime a moment falls in.
//! Windows roll by being looked at; no job runs at midnight and none can be missed (DESIGN "Time").

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

const SECONDS_PER_DAY: i64 = 86_400;

/// A UTC calendar day, counted from 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

impl Day {
    /// The UTC day that `now` falls in.
    pub fn of(now: Timestamp) -> Day {
        // Whole seconds are counted towards 1970: before it, a part of one belongs to the next.
        let second = now.as_second() - i64::from(now.subsec_nanosecond() < 0);
        // Timestamps span years -9999 to 9999: about 3.7 million days either way.
        Day(i32::try_from(second.div_euclid(SECONDS_PER_DAY)).unwrap_or(i32::MAX))
    }

    /// The day this many days after 1970-01-01, as stored by [`Day::number`].
    pub const fn from_number(days: i32) -> Day {
        Day(days)
    }

    /// Days since 1970-01-01.
    pub const fn number(self) -> i32 {
        self.0
    }

    /// The calendar date.
    pub fn date(self) -> Date {
        self.start().to_zoned(TimeZone::UTC).date()
    }

    /// Midnight, when the day begins; clamped to the first or last moment that can be expressed.
    pub fn start(self) -> Timestamp {
        let since_epoch = SignedDuration::from_secs(i64::from(self.0) * SECONDS_PER_DAY);
        let clamp = if self.0.is_negative() { Timestamp::MIN } else { Timestamp::MAX };
        Timestamp::from_duration(since_epoch).unwrap_or(clamp)
    }

    /// The day `days` later (earlier where negative), clamped at the ends of the count.
    pub const fn plus(self, days: i32) -> Day {
        Day(self.0.saturating_add(days))
    }
}

/// How long a limit counts before it starts afresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Period {
    /// From midnight.
    Day,
    /// From Monday's midnight (ISO week).
    Week,
    /// From the first of the month.
    Month,
    /// For ever: a total that never resets.
    Lifetime,
}

impl Period {
    /// The window of this length that contains `day`.
    ///
    /// ```
    /// # use ledger::{Day, Period};
    /// let sunday = Day::of("2026-11-22T23:59:59Z".parse().unwrap());
    /// let monday = Day::of("2026-11-23T00:00:00Z".parse().unwrap());
    /// assert_ne!(Period::Week.window(sunday), Period::Week.window(monday));
    /// assert_eq!(Period::Month.window(sunday), Period::Month.window(monday));
    /// ```
    pub fn window(self, day: Day) -> Window {
        let days = |first: Day, length: i32| Window { first, after: Some(first.plus(length)) };
        match self {
            Period::Day => days(day, 1),
            // 1970-01-01 was a Thursday, three days after a Monday.
            Period::Week => days(day.plus(-(day.0.saturating_add(3).rem_euclid(7))), 7),
            Period::Month => {
                let date = day.date();
                days(day.plus(1 - i32::from(date.day())), i32::from(date.days_in_month()))
            }
            Period::Lifetime => Window { first: Day(i32::MIN), after: None },
        }
    }
}

/// A stretch of UTC days in which spend adds up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// The first day in it.
    pub first: Day,
    /// The first day past it; `None` for a lifetime.
    pub after: Option<Day>,
}

impl Window {
    /// Whether `day` lies in it.
    pub fn contains(self, day: Day) -> bool {
        self.first <= day && self.after.is_none_or(|after| day < after)
    }

    /// When spend starts afresh; `None` for a lifetime.
    pub fn resets_at(self) -> Option<Timestamp> {
        self.after.map(Day::start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        Day::of(text.parse().unwrap())
    }

    fn bounds(period: Period, at: &str) -> (String, String) {
        let window = period.window(day(at));
        (window.first.date().to_string(), window.after.unwrap().date().to_string())
    }

    #[test]
    fn windows_are_calendar_windows_in_utc() {
        let table = [
            (Period::Day, "2026-11-22T23:59:59.999999999Z", "2026-11-22", "2026-11-23"),
            (Period::Day, "1969-12-31T23:59:59Z", "1969-12-31", "1970-01-01"),
            (Period::Day, "1969-12-31T23:59:59.999999999Z", "1969-12-31", "1970-01-01"),
            (Period::Day, "2028-02-29T12:00:00Z", "2028-02-29", "2028-03-01"),
            (Period::Week, "2026-11-22T23:59:59Z", "2026-11-16", "2026-11-23"),
            (Period::Week, "2026-11-23T00:00:00Z", "2026-11-23", "2026-11-30"),
            (Period::Week, "2026-12-31T00:00:00Z", "2026-12-28", "2027-01-04"),
            (Period::Week, "2027-01-01T00:00:00Z", "2026-12-28", "2027-01-04"),
            (Period::Week, "1970-01-01T00:00:00Z", "1969-12-29", "1970-01-05"),
            (Period::Month, "2026-12-31T23:59:59Z", "2026-12-01", "2027-01-01"),
            (Period::Month, "2028-02-29T00:00:00Z", "2028-02-01", "2028-03-01"),
            (Period::Month, "2027-02-28T23:59:59Z", "2027-02-01", "2027-03-01"),
        ];
        for (period, at, first, after) in table {
            assert_eq!(bounds(period, at), (first.into(), after.into()), "{period:?} at {at}");
        }
    }

    #[test]
    fn every_day_lies_in_exactly_one_window_of_each_length() {
        for number in -400..60_000 {
            let day = Day::from_number(number);
            for period in [Period::Day, Period::Week, Period::Month] {
                let window = period.window(day);
                assert!(window.contains(day), "{period:?} {day:?}");
                assert_eq!(period.window(window.first), window);
                assert_ne!(period.window(window.after.unwrap()), window);
            }
            assert!(Period::Lifetime.window(day).contains(day));
        }
    }

    #[test]
    fn a_window_holds_the_days_from_its_first_to_the_one_before_its_end() {
        for period in [Period::Day, Period::Week, Period::Month] {
            let window = period.window(day("2026-11-18T12:00:00Z"));
            let after = window.after.unwrap();
            let days = [window.first.plus(-1), window.first, after.plus(-1), after];
            let contained = days.map(|day| window.contains(day));
            assert_eq!(contained, [false, true, true, false], "{period:?}");
        }
        let lifetime = Period::Lifetime.window(day("2026-11-18T12:00:00Z"));
        assert!(lifetime.contains(Day::from_number(i32::MIN)));
        assert!(lifetime.contains(Day::from_number(i32::MAX)));
    }

    #[test]
    fn a_day_is_its_number_and_starts_at_a_moment_that_can_be_expressed() {
        for number in [i32::MIN, -1, 0, 1, 20_775, i32::MAX] {
            assert_eq!(Day::from_number(number).number(), number);
        }
        assert_eq!(day("2026-11-18T00:00:00Z").number(), 20_775);
        assert_eq!(day("2026-11-18T23:59:59Z").start().to_string(), "2026-11-18T00:00:00Z");
        assert_eq!(Day::from_number(i32::MIN).start(), Timestamp::MIN);
        assert_eq!(Day::from_number(i32::MAX).start(), Timestamp::MAX);
    }

    #[test]
    fn the_ends_of_time_are_in_a_window_too() {
        for at in [Timestamp::MIN, Timestamp::MAX] {
            for period in [Period::Day, Period::Week, Period::Month, Period::Lifetime] {
                assert!(period.window(Day::of(at)).contains(Day::of(at)), "{period:?} {at}");
            }
        }
    }
}
