//! Why a request was not admitted, with the numbers a person needs to act on it.
//! A refusal is an answer, not an error: nothing broke.

use std::num::NonZeroU64;

use crate::{Cell, TooFast};

/// The reason a request may not spend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// An account it needs is disabled, deleted or expired.
    Closed,
    /// A limit is already used up.
    Spent(Cell),
    /// The worst case is above what is left of a limit, whatever others hold.
    TooDear {
        /// The first limit that it does not fit.
        cell: Cell,
        /// How many completion tokens would fit on every limit; `None` where the prompt alone is
        /// too dear.
        affordable: Option<u64>,
    },
    /// Its tokens alone are above a limit on tokens a minute, whatever else comes.
    TooManyTokens {
        /// The limit.
        limit: NonZeroU64,
        /// How many completion tokens would fit; `None` where the prompt alone has too many.
        affordable: Option<u64>,
    },
    /// A limit on how fast an account may go is reached; it frees with time.
    TooFast {
        /// The limit that keeps the request out for longest.
        pace: TooFast,
        /// How many completion tokens would fit now, where that is what is in the way.
        affordable: Option<u64>,
    },
    /// It would fit but for what other requests hold; that frees as they end.
    Busy(Cell),
    /// The worst case, or a sum with it, is past the largest amount that can be kept.
    TooLarge,
}
