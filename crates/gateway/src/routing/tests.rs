//! Where requests go, asked of small catalogues.

mod copies;
mod default_order;
mod draw;
mod properties;
mod sample;
mod table;
