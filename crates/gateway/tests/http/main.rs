//! The HTTP service as a client meets it: a request in, its status and body out.
//! One file is one resource; the provider behind it is `testkit`'s, the clock is moved by hand.

mod activity;
mod audit_log;
mod auth;
mod bad_input;
mod byok;
mod chat;
mod control;
mod credits;
mod embeddings;
mod endpoints;
mod generation;
mod health;
mod key;
mod keys;
mod members;
mod metrics;
mod models;
mod providers;
mod restart;
mod retention;
mod support;
mod telemetry;
mod workspaces;
