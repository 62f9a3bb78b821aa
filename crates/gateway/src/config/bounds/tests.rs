use super::*;

/// DESIGN "Bounds".
#[test]
fn the_defaults_are_those_of_the_design() {
    let bounds = Bounds::default();
    assert_eq!(bounds.header_bytes_max, 32 * 1_024);
    assert_eq!(bounds.body_bytes_max, 32 * 1_024 * 1_024);
    assert_eq!(bounds.body_ms_max, 60_000);
    assert_eq!(bounds.bodies_bytes_max, 512 * 1_024 * 1_024);
    assert_eq!(bounds.hold_wait_ms, 2_000);
    assert_eq!((bounds.waiting_per_limit_max, bounds.waiting_max), (256, 1_024));
    assert_eq!(bounds.waiting_bodies_bytes_max, 64 * 1_024 * 1_024);
    assert_eq!((bounds.in_flight_max, bounds.attempts_max), (10_000, 8));
    assert_eq!(bounds.client_stall_ms, 30_000);
    assert_eq!(bounds.sse_line_bytes_max, 1_024 * 1_024);
    assert_eq!(bounds.provider_connect_ms, 5_000);
    assert_eq!(bounds.provider_first_byte_ms, 120_000);
    assert_eq!(bounds.provider_between_bytes_ms, 60_000);
}

#[test]
fn a_bound_that_is_set_leaves_the_others_as_they_are() {
    let bounds: Bounds = toml::from_str("hold_wait_ms = 5").unwrap();
    assert_eq!((bounds.hold_wait_ms, bounds.in_flight_max), (5, 10_000));
    assert!(toml::from_str::<Bounds>("hold_wait = 5").is_err());
}
