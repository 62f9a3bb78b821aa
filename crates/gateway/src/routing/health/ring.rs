//! Slots of time: the newest so many, each emptied when its turn comes again.

use std::array;

/// What was counted in each of the last `N` ticks, whatever a tick is.
#[derive(Debug)]
pub(super) struct Ring<T, const N: usize> {
    slots: [(i64, T); N],
}

impl<T: Default, const N: usize> Default for Ring<T, N> {
    fn default() -> Self {
        Ring { slots: array::from_fn(|_| (i64::MIN, T::default())) }
    }
}

impl<T: Default, const N: usize> Ring<T, N> {
    /// The slot of `tick`.
    pub(super) fn at(&mut self, tick: i64) -> &mut T {
        let length = i64::try_from(N).unwrap_or(i64::MAX);
        let place = usize::try_from(tick.rem_euclid(length)).unwrap_or(0);
        let slot = &mut self.slots[place];
        if slot.0 != tick {
            *slot = (tick, T::default());
        }
        &mut slot.1
    }

    /// The slots of the last `ticks` up to `tick`, in no order.
    pub(super) fn last(&self, tick: i64, ticks: i64) -> impl Iterator<Item = &T> + Clone {
        let is_recent = move |at: i64| at <= tick && at > tick.saturating_sub(ticks);
        self.slots.iter().filter(move |slot| is_recent(slot.0)).map(|slot| &slot.1)
    }
}
