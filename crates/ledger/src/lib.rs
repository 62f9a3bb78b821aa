//! The rules of spending: limits, windows, holds and settlements, with no I/O and no clock.
//!
//! An [`Account`] keeps what one subject (a key, later a workspace or a member) has settled and has
//! on hold, by UTC day. A [`Limit`] is only a way to look at those figures, so an edited limit sees
//! at once what was spent and what is in flight. [`admit`] checks every limit of every account a
//! request touches and holds its worst case on all of them or on none; the [`Hold`] it returns ends
//! exactly once: released, or settled with what the provider charged. A [`Pace`] limits how fast an
//! account may go, under the same lock.

mod account;
mod amounts;
mod book;
mod cell;
mod hold;
mod pace;
mod refusal;
mod seat;
mod sync;
mod tally;
mod window;

pub use account::{Account, Figures, Terms};
pub use amounts::Amounts;
pub use book::{Bid, admit};
pub use cell::{Cell, Layer, Limit};
pub use hold::{Dispatched, Hold};
pub use pace::{Measure, Pace, PaceFigures, TooFast};
pub use refusal::Refusal;
pub use seat::Seat;
pub use tally::Tally;
pub use window::{Day, Period, Window};
