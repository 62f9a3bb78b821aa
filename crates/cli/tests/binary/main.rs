//! The built binary as a user has it: started, asked, killed, started again.
//! Each module is one promise; `world` is what every test starts from.

mod backup;
mod budgets;
mod catalogue;
mod client;
mod clock;
mod config;
mod crash;
mod descriptors;
mod disconnect;
mod disk;
mod doctor;
mod egress;
mod embeddings;
mod export;
mod fallback;
mod help;
mod import;
mod import_keys;
mod limits;
mod memory;
mod models;
mod observe;
mod postgres;
mod provider;
mod rates;
mod retention;
mod secrecy;
mod secrets;
mod serve;
mod store;
mod sync;
mod tracer;
mod transcript;
mod users;
mod world;
