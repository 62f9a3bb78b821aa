//! What one account has settled and has on hold, day by day.
//! Every window is a run of UTC days, so one set of figures serves every limit, past and future.

use std::collections::BTreeMap;

use money::Money;

use crate::{Amounts, Day, Window};

/// Days with figures that are kept one by one. The longest window has 31, so a clock may be wrong
/// for 33 days of use, however far off it is, before a figure is missing.
const DAYS_KEPT: usize = 64;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    settled: Amounts,
    held: Amounts,
}

/// The running figures of one account.
///
/// Costs and holds are dated by the day their request was admitted, whenever they end, so they may
/// come in any order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    total: Sums,
    days: BTreeMap<Day, Sums>,
}

impl Tally {
    /// What was settled in `window`.
    pub fn settled(&self, window: Window) -> Amounts {
        self.sum(window).settled
    }

    /// What is on hold in `window`.
    pub fn held(&self, window: Window) -> Amounts {
        self.sum(window).held
    }

    /// Everything on hold.
    pub fn held_in_all(&self) -> Amounts {
        self.total.held
    }

    /// Adds `worst` to what is on hold on `day`. `None`, and nothing changed, if a sum would pass
    /// the largest amount or `worst` is below zero, which would make room instead of taking it.
    pub fn hold(&mut self, day: Day, worst: Amounts) -> Option<()> {
        if worst.credits.is_negative() || worst.byok.is_negative() {
            return None;
        }
        // A settlement moves a hold's amount to the settled side, so their sum must fit as well.
        // Below zero, by corrections, nothing settled makes room for more holds than can be added.
        let settled = self.total.settled;
        let settled = Amounts {
            credits: settled.credits.max(Money::ZERO),
            byok: settled.byok.max(Money::ZERO),
        };
        settled.checked_add(self.total.held)?.checked_add(worst)?.counted(true)?;
        self.change(day, |sums| sums.held = sums.held.saturating_add(worst));
        Some(())
    }

    /// Takes `worst` off what is on hold on `day`.
    pub fn release(&mut self, day: Day, worst: Amounts) {
        self.change(day, |sums| sums.held = sums.held.saturating_sub(worst));
    }

    /// Adds `cost` to what was settled on `day`; a correction may be negative.
    ///
    /// A sum past the largest amount (nine billion dollars) stops there, which no limit passes:
    /// `hold` sees to it that it can't come to that, but for a provider that charges above its hold.
    pub fn post(&mut self, day: Day, cost: Amounts) {
        self.change(day, |sums| sums.settled = sums.settled.saturating_add(cost));
    }

    /// Adds to the total alone: spend from before the days that are kept one by one.
    pub fn post_before_days(&mut self, cost: Amounts) {
        self.total.settled = self.total.settled.saturating_add(cost);
    }

    /// Adds all that a part of the same account has settled and has on hold.
    pub(crate) fn absorb(&mut self, part: Tally) {
        let add = |sums: &mut Sums, more: Sums| {
            sums.settled = sums.settled.saturating_add(more.settled);
            sums.held = sums.held.saturating_add(more.held);
        };
        add(&mut self.total, part.total);
        for (day, more) in part.days {
            self.change_day(day, |sums| add(sums, more));
        }
    }

    fn change(&mut self, day: Day, edit: impl Fn(&mut Sums)) {
        edit(&mut self.total);
        self.change_day(day, edit);
    }

    fn change_day(&mut self, day: Day, edit: impl Fn(&mut Sums)) {
        let days_before = self.days.len();
        edit(self.days.entry(day).or_default());
        if self.days.len() > days_before {
            self.forget(day);
        }
    }

    /// Drops the oldest days up to `day`, but for the last of them and what is on hold.
    ///
    /// They are counted, not dated: a clock that was years ahead must not make the days that
    /// follow look old. Days after `day` are left alone, for a clock that is years behind.
    fn forget(&mut self, day: Day) {
        let up_to = self.days.range(..=day);
        let Some((&oldest_kept, _)) = up_to.rev().nth(DAYS_KEPT - 1) else { return };
        self.days.retain(|day, sums| *day >= oldest_kept || sums.held != Amounts::ZERO);
    }

    fn sum(&self, window: Window) -> Sums {
        let Some(after) = window.after else { return self.total };
        let mut sum = Sums::default();
        for sums in self.days.range(window.first..after).map(|(_, sums)| sums) {
            sum.settled = sum.settled.saturating_add(sums.settled);
            sum.held = sum.held.saturating_add(sums.held);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_that_is_known_already_drops_no_other() {
        let nano = Amounts::credits(Money::nanos(1));
        let mut tally = Tally::default();
        // From the last to the first: none of them looks old when it comes.
        for number in (0..=DAYS_KEPT).rev() {
            tally.post(Day::from_number(i32::try_from(number).unwrap()), nano);
        }
        let all = tally.days.len();
        let last = Day::from_number(i32::try_from(DAYS_KEPT).unwrap());
        tally.post(last, nano);
        assert_eq!(tally.days.len(), all);
        tally.post(last.plus(1), nano);
        assert_eq!(tally.days.len(), DAYS_KEPT);
    }

    #[test]
    fn days_are_bounded_and_what_is_on_hold_is_kept() {
        let nano = Amounts::credits(Money::nanos(1));
        let mut tally = Tally::default();
        let stuck = Day::from_number(-1);
        tally.hold(stuck, nano).unwrap();
        for number in 0..1_000 {
            let day = Day::from_number(number);
            tally.hold(day, nano).unwrap();
            tally.release(day, nano);
            tally.post(day, nano);
        }
        assert_eq!(tally.days.len(), DAYS_KEPT + 1);
        assert_eq!(tally.held_in_all(), nano);
        tally.release(stuck, nano);
        tally.post(Day::from_number(1_000), nano);
        assert_eq!(tally.days.len(), DAYS_KEPT);
        assert_eq!(
            tally.total,
            Sums { settled: Amounts::credits(Money::nanos(1_001)), ..Sums::default() }
        );
    }
}
