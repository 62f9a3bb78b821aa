//! The HTTP service as a library: authentication, admission, metering and the API.
//!
//! `http` is what a caller sees, one resource a file; `meter` is one paid call and the only thing
//! that spends; `core` is what all workers share; `metrics` what an operator sees. Time, chance and the
//! store are handed in.

pub mod catalogue;
pub mod clock;
pub mod config;
pub mod core;
pub mod credentials;
pub mod directory;
pub mod entropy;
pub mod http;
pub mod journal;
pub mod master_key;
pub mod meter;
pub mod metrics;
pub mod observe;
pub mod retention;
pub mod routing;
pub mod secrets;
pub mod server;
pub mod users;
pub mod workspaces;
pub mod writer;
