//! The SDK: what it sends, what it makes of answers of every generation, and what of faults.

mod answers;
mod faults;
mod generations;
mod properties;
mod reference;
mod requests;
mod server;
