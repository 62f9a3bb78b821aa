//! Two kinds of spend that are never mixed: credits, and use of the owner's own provider keys.
//! They travel together because one request may cost both (a BYOK request with a fee).

use money::Money;

/// What a request costs, or may cost at worst, in credits and as BYOK use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amounts {
    /// Charged to the account (`usage`), the BYOK fee included.
    pub credits: Money,
    /// List price of what ran on the owner's own provider key (`byok_usage`).
    pub byok: Money,
}

impl Amounts {
    /// Nothing.
    pub const ZERO: Amounts = Amounts { credits: Money::ZERO, byok: Money::ZERO };

    /// An amount in credits alone.
    pub const fn credits(credits: Money) -> Amounts {
        Amounts { credits, byok: Money::ZERO }
    }

    /// The sum, or `None` past the largest amount.
    pub fn checked_add(self, other: Amounts) -> Option<Amounts> {
        Some(Amounts {
            credits: self.credits.checked_add(other.credits)?,
            byok: self.byok.checked_add(other.byok)?,
        })
    }

    /// The difference, or `None` past the largest amount.
    pub fn checked_sub(self, other: Amounts) -> Option<Amounts> {
        Some(Amounts {
            credits: self.credits.checked_sub(other.credits)?,
            byok: self.byok.checked_sub(other.byok)?,
        })
    }

    /// The sum; each kind stops at the ends of its range by itself.
    pub fn saturating_add(self, other: Amounts) -> Amounts {
        let sum = |a: Money, b: Money| Money::nanos(a.as_nanos().saturating_add(b.as_nanos()));
        Amounts { credits: sum(self.credits, other.credits), byok: sum(self.byok, other.byok) }
    }

    /// The difference; each kind stops at the ends of its range by itself.
    pub fn saturating_sub(self, other: Amounts) -> Amounts {
        let rest = |a: Money, b: Money| Money::nanos(a.as_nanos().saturating_sub(b.as_nanos()));
        Amounts { credits: rest(self.credits, other.credits), byok: rest(self.byok, other.byok) }
    }

    /// What a limit counts of this: credits, and BYOK use where the limit includes it.
    /// `None` past the largest amount.
    pub fn counted(self, include_byok: bool) -> Option<Money> {
        if include_byok { self.credits.checked_add(self.byok) } else { Some(self.credits) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amounts(credits: i64, byok: i64) -> Amounts {
        Amounts { credits: Money::nanos(credits), byok: Money::nanos(byok) }
    }

    #[test]
    fn sums_and_differences_are_of_each_kind_by_itself() {
        let (a, b) = (amounts(7, -2), amounts(3, 5));
        assert_eq!(a.checked_add(b), Some(amounts(10, 3)));
        assert_eq!(a.checked_sub(b), Some(amounts(4, -7)));
        assert_eq!(a.saturating_add(b), amounts(10, 3));
        assert_eq!(a.saturating_sub(b), amounts(4, -7));
    }

    #[test]
    fn past_the_largest_amount_there_is_no_sum_and_the_saturating_one_stops() {
        let (most, least) = (amounts(i64::MAX, 1), amounts(1, i64::MIN));
        assert_eq!(most.checked_add(amounts(1, 0)), None);
        assert_eq!(least.checked_add(amounts(0, -1)), None);
        assert_eq!(most.checked_sub(amounts(-1, 0)), None);
        assert_eq!(least.checked_sub(amounts(0, 1)), None);
        assert_eq!(most.saturating_add(amounts(1, 1)), amounts(i64::MAX, 2));
        assert_eq!(least.saturating_sub(amounts(1, 1)), amounts(0, i64::MIN));
        assert_eq!(most.counted(true), None);
        assert_eq!(most.counted(false), Some(Money::MAX));
    }
}
