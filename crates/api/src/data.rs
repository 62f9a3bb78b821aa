//! What nearly every answer is wrapped in, and the answer to every deletion.

use serde::{Deserialize, Serialize};

/// An answer `{"data": …}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Data<T> {
    /// What was asked for.
    pub data: T,
}

/// A part of a list, `{"data": […], "total_count": …}` (SEMANTICS 1.9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted<T> {
    /// The part that was asked for.
    pub data: Vec<T>,
    /// How many there are in all parts.
    pub total_count: u64,
}

/// The answer to a deletion: `{"deleted": true}`, which is never anything else (SEMANTICS 1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deleted {
    deleted: bool,
}

impl Default for Deleted {
    fn default() -> Deleted {
        Deleted { deleted: true }
    }
}
