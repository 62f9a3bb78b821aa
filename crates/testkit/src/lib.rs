//! Test doubles and the black-box harness: a scriptable provider with its own books, a tollgate
//! process that can be killed, a client that holds every answer against the published contract.
//! Never shipped: what goes wrong here panics with what a person reading a failed test needs.
//!
//! ```no_run
//! # async fn example() {
//! use testkit::{Behaviour, FakeUpstream, Prices, Tollgate};
//!
//! let upstream = FakeUpstream::start().await;
//! upstream.on("small", Behaviour::new().completion_tokens(40));
//! let config = format!(
//!     r#"
//!     [[providers]]
//!     slug = "fake"
//!     base_url = "{}"
//!     # …and a model served by it
//!     "#,
//!     upstream.url()
//! );
//! let mut tollgate = Tollgate::builder("target/debug/tollgate").config(&config).start().await;
//! tollgate.kill9();
//! let charged = upstream.charged(&Prices::new("0.00000015", "0.0000006"));
//! # let _ = charged;
//! # }
//! ```

mod client;
pub mod contract;
mod process;
mod upstream;

pub use client::{Answer, ChatStream, Client, Event};
pub use process::{Builder, Tollgate};
pub use upstream::{
    Behaviour, Call, CapField, Cut, Ending, FakeUpstream, Gate, ODD_HEADERS, Prices, Tokens,
    Totals, Usage,
};
