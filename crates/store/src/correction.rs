//! The row that brings an attempt from the cost it stands at to the cost it should have.
//! One rule for every backend, since what a correction books decides what a key has spent.

use ledger::Amounts;

use crate::{Entry, Kind, Outcome, Tokens};

/// What becomes of correcting an attempt to `cost`, given every row of its generation.
///
/// The row in [`Outcome::Corrected`] is still to be booked. It repeats the original's particulars,
/// its date above all, but counts no tokens and nothing on hold again. It is there even where the
/// difference is zero: it says that a person has looked.
pub fn correction(rows: &[Entry], attempt: u32, cost: Amounts) -> Outcome {
    let rows = || rows.iter().filter(|entry| entry.attempt == attempt);
    let Some(original) = rows().find(|entry| entry.kind == Kind::Attempt) else {
        return Outcome::Missing;
    };
    let stands_at = rows().try_fold(Amounts::ZERO, |sum, entry| sum.checked_add(entry.cost));
    let difference = stands_at.and_then(|stands_at| cost.checked_sub(stands_at));
    let made = rows().filter_map(|entry| match entry.kind {
        Kind::Attempt | Kind::Opening => None,
        Kind::Correction(number) => Some(number),
    });
    match (difference, made.max().unwrap_or(0).checked_add(1)) {
        (Some(difference), Some(number)) => Outcome::Corrected {
            entry: Box::new(Entry {
                kind: Kind::Correction(number),
                cost: difference,
                held: Amounts::ZERO,
                tokens: Tokens::default(),
                cache_discount: None,
                ..original.clone()
            }),
        },
        _ => Outcome::Conflict,
    }
}
