//! Keys as an administrator makes, sees and changes them.

mod create;
mod edit;
mod expiry;
mod extras;
mod list;
