//! The fake provider, held against a client that sees every byte it sends.
//! It is the oracle of the black-box tests: what it says it did must be what it did.

mod book;
mod embeddings;
mod faults;
mod raw;
mod tokens;
