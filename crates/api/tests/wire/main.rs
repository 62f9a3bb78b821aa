//! The wire types against the contract and against what clients send.
//! A file per resource, under the resource's name.

mod activity;
mod audit_log;
mod budgets;
mod byok;
mod chat;
mod contract;
mod endpoints;
mod error;
mod generation;
mod key;
mod keys;
mod models;
mod object;
mod routing;
mod time;
mod usd;
mod workspaces;
