//! `[bounds]`: every queue, body, wait and stream has a bound with a name and a unit.
//! The defaults are those of DESIGN "Bounds".

use serde::Deserialize;

/// `[bounds]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bounds {
    /// A request's head, in bytes.
    pub header_bytes_max: usize,
    /// A request's body, in bytes.
    pub body_bytes_max: u64,
    /// A body must be complete within this many milliseconds.
    pub body_ms_max: u64,
    /// All request bodies in memory, in bytes.
    pub bodies_bytes_max: u64,
    /// How long a request waits for others' holds to end, in milliseconds.
    pub hold_wait_ms: u64,
    /// Requests waiting for holds on one limit.
    pub waiting_per_limit_max: usize,
    /// Requests waiting for holds in all.
    pub waiting_max: usize,
    /// Bodies of requests waiting for holds, in bytes, in all.
    pub waiting_bodies_bytes_max: u64,
    /// Paid requests in flight, those whose client has left included.
    pub in_flight_max: usize,
    /// Endpoints that a request is tried at, one after the other.
    pub attempts_max: usize,
    /// A client that takes no bytes for this many milliseconds counts as gone.
    pub client_stall_ms: u64,
    /// How long a provider is read on after its client has left, in milliseconds.
    pub drain_ms_max: u64,
    /// A line of a provider's event stream, in bytes.
    pub sse_line_bytes_max: usize,
    /// Connecting to a provider, TLS included, in milliseconds.
    pub provider_connect_ms: u64,
    /// From a request's last byte to the answer's first, in milliseconds.
    pub provider_first_byte_ms: u64,
    /// Between two reads of a provider's answer, in milliseconds.
    pub provider_between_bytes_ms: u64,
    /// A whole answer of a provider, in milliseconds.
    pub provider_answer_ms_max: u64,
    /// An answer's last byte waits this many milliseconds for its settlement to be durable.
    pub settle_wait_ms: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        const MIB: u64 = 1 << 20;
        Bounds {
            header_bytes_max: 32 << 10,
            body_bytes_max: 32 * MIB,
            body_ms_max: 60_000,
            bodies_bytes_max: 512 * MIB,
            hold_wait_ms: 2_000,
            waiting_per_limit_max: 256,
            waiting_max: 1_024,
            waiting_bodies_bytes_max: 64 * MIB,
            in_flight_max: 10_000,
            attempts_max: 8,
            client_stall_ms: 30_000,
            drain_ms_max: 600_000,
            sse_line_bytes_max: 1 << 20,
            provider_connect_ms: 5_000,
            provider_first_byte_ms: 120_000,
            provider_between_bytes_ms: 60_000,
            provider_answer_ms_max: 3_600_000,
            settle_wait_ms: 30_000,
        }
    }
}

#[cfg(test)]
mod tests;
