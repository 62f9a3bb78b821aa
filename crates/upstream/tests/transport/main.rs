//! The transport against providers that follow a script, byte by byte.
//! What counts is what reached the provider and how often, so the scripts report it.

mod answers;
mod faults;
mod provider;
mod proxy;
mod redact;
mod reuse;
mod tls;
