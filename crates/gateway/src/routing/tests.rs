//! Where requests go, asked of small catalogues.

mod copies;
mod draw;
mod properties;
mod sample;
mod table;
