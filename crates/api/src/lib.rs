//! The wire: requests, responses and errors of the OpenRouter API.
//!
//! One resource is one file, shared by the gateway, the Rust SDK and the command line: responses
//! are read and written by serde, requests are read by a strict `parse` whose [`Invalid`] names
//! the field, what was wrong with it and what is allowed.
//!
//! - Money is [`Usd`], a JSON number that never passes through binary floating point; moments are
//!   [`Utc`]; a word from a list that may grow is [`Open`].
//! - Unknown members of a response are ignored; unknown members of a management request are, too
//!   (SEMANTICS 1.8), but a name given twice is refused.

pub mod activity;
pub mod audit_log;
pub mod budgets;
pub mod byok;
pub mod chat;
pub mod credits;
pub mod embeddings;
pub mod endpoints;
pub mod error;
pub mod generation;
pub mod key;
pub mod keys;
pub mod members;
pub mod models;
pub mod providers;
pub mod routing;
pub mod workspaces;

mod data;
mod field;
mod invalid;
mod object;
mod open;
mod query;
mod time;
mod usd;

pub use data::{Counted, Data, Deleted};
pub use field::Field;
pub use invalid::Invalid;
pub use object::{DEPTH_MAX, MEMBERS_MAX, Object};
pub use open::Open;
pub use query::{Query, Slice};
pub use time::{Utc, parse_expiry};
pub use usd::Usd;
