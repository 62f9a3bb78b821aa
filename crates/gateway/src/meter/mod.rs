//! One paid call: bound, hold, call, settle. Nothing else spends.
//!
//! The call runs in a task of its own, so that a client that leaves takes nothing down with it:
//! the provider is read on and the hold ends (DESIGN step 6).

mod admission;
mod attempt;
mod bound;
mod call;
mod charge;
mod client;
mod provider_error;
#[cfg(test)]
mod sample;
mod settle;
mod stream;
mod whole;

pub use admission::{Admitted, Waiting, Wish, candidates};
pub use bound::Candidate;
pub use call::{Call, ClientFacts};
