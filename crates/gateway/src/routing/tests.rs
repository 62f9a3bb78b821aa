//! Where requests go, asked of small catalogues.

mod draw;
mod properties;
mod sample;
mod table;
