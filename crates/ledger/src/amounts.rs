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
