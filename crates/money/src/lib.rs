//! Exact money: nano-dollar amounts, per-token rates, and their text.
//!
//! Nothing here touches binary floating point: amounts are integers from parsing to printing, and
//! the only product ([`Bill::add`]) and the only rounding of a cost ([`Bill::round_up`]) live in
//! one file, and those of a fee ([`Percent::of`]) in another.
//!
//! ```
//! # use money::{Bill, Money, Rate};
//! let mut bill = Bill::default();
//! bill.add(1_234, "0.00000015".parse::<Rate>()?)?;
//! bill.add(56, "0.0000006".parse::<Rate>()?)?;
//! assert_eq!(bill.round_up()?.to_string(), "0.0002187");
//! assert_eq!("5e-05".parse::<Money>()?, Money::nanos(50_000));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod amount;
mod percent;
mod rate;
mod text;

pub use amount::Money;
pub use percent::{ParsePercentError, Percent};
pub use rate::{Bill, Overflow, ParseRateError, Rate};
pub use text::ParseMoneyError;
