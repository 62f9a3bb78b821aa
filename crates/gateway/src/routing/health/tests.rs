//! The windows, moved by hand.

use proptest::prelude::*;

use super::*;

const START: i64 = 1_795_003_200;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(START + seconds).unwrap()
}

fn pace(millis: u64, tokens: u64, is_streamed: bool) -> Pace {
    Pace {
        began_after: Duration::from_millis(millis),
        took: Duration::from_secs(1),
        completion_tokens: tokens,
        is_streamed,
    }
}

#[test]
fn five_failures_of_few_calls_are_an_outage_until_they_are_half_a_minute_old() {
    let health = Health::default();
    for second in 0..4 {
        health.failed(at(second));
        assert!(!health.is_out(at(second)));
    }
    health.failed(at(4));
    assert!(health.is_out(at(4)));
    // The first failure is 29 seconds old, and then 30.
    assert!(health.is_out(at(29)));
    assert!(!health.is_out(at(30)));
    assert!(!health.is_out(at(10_000)));
}

#[test]
fn a_tenth_of_the_calls_may_fail() {
    for (well, failed, is_out) in [
        (45, 5, false),
        (44, 5, true),
        (36, 4, false),
        (0, 4, false),
        (89, 10, true),
        (90, 10, false),
    ] {
        let health = Health::default();
        (0..well).for_each(|_| health.succeeded(at(0), pace(1, 1, true)));
        (0..failed).for_each(|_| health.failed(at(0)));
        assert_eq!(health.is_out(at(1)), is_out, "{failed} of {}", well + failed);
    }
}

#[test]
fn nothing_is_known_of_an_endpoint_that_was_not_called() {
    let health = Health::default();
    assert_eq!(health.report(at(0)), Report::default());
    assert_eq!((health.latency(at(0)), health.throughput(at(0))), (None, None));
    health.failed(at(0));
    let report = Report { uptime: [Some(0); 3], latency: None, throughput: None };
    assert_eq!(health.report(at(0)), report);
}

#[test]
fn calls_leave_one_window_after_the_other() {
    let health = Health::default();
    health.failed(at(0));
    (0..2).for_each(|_| health.succeeded(at(0), pace(100, 50, true)));
    let uptime = |seconds| health.report(at(seconds)).uptime;
    let share = Some(66_666);
    assert_eq!(uptime(0), [share; 3]);
    assert_eq!(uptime(299), [share; 3]);
    assert_eq!(uptime(300), [None, share, share]);
    assert_eq!(uptime(1_799), [None, share, share]);
    assert_eq!(uptime(1_800), [None, None, share]);
    assert_eq!(uptime(86_399), [None, None, share]);
    assert_eq!(uptime(86_400), [None; 3]);
    assert!(health.latency(at(299)).is_some() && health.throughput(at(299)).is_some());
    assert!(health.latency(at(300)).is_none() && health.throughput(at(300)).is_none());
    assert!(health.report(at(1_799)).latency.is_some());
    assert_eq!(health.report(at(1_800)).latency, None);
}

#[test]
fn a_percentile_is_what_so_many_did_at_least_as_well_as() {
    let health = Health::default();
    (1..=100).for_each(|n| health.succeeded(at(0), pace(n * 100, n, true)));
    let near = |found: Percentiles, expected: [u64; 4]| {
        for (found, expected) in found.into_iter().zip(expected) {
            assert!(found.abs_diff(expected) * 16 <= expected, "{found} for {expected}");
        }
    };
    near(health.latency(at(0)).unwrap(), [5_000, 7_500, 9_000, 9_900]);
    near(health.throughput(at(0)).unwrap(), [51_000, 26_000, 11_000, 2_000]);
}

#[test]
fn latency_is_that_of_streams_where_there_are_any() {
    let health = Health::default();
    health.succeeded(at(0), pace(4_096, 1, false));
    assert_eq!(health.latency(at(0)).unwrap()[0], 4_096 + 256);
    health.succeeded(at(0), pace(64, 1, true));
    assert_eq!(health.latency(at(0)).unwrap(), [64 + 4; 4]);
}

#[test]
fn an_answer_of_no_tokens_or_no_time_is_no_speed_and_no_fault() {
    let health = Health::default();
    health.succeeded(at(0), pace(1, 0, true));
    assert_eq!(health.throughput(at(0)), None);
    let at_once = Pace { took: Duration::ZERO, ..pace(0, u64::MAX, true) };
    health.succeeded(at(0), at_once);
    assert!(health.throughput(at(0)).unwrap()[0] > 10_000_000);
}

#[test]
fn a_clock_that_is_set_back_leaves_no_outage_behind() {
    let health = Health::default();
    (0..9).for_each(|_| health.failed(at(1_000)));
    assert!(health.is_out(at(1_000)));
    assert!(!health.is_out(at(0)));
    (0..9).for_each(|_| health.failed(at(0)));
    assert!(health.is_out(at(0)));
}

proptest! {
    /// Against a list of all calls, looked through.
    #[test]
    fn an_outage_is_what_a_list_of_the_calls_says(
        calls in proptest::collection::vec((0_i64..120, any::<bool>()), 0..200),
        then in 0_i64..160,
    ) {
        let mut calls = calls;
        calls.sort_by_key(|(second, _)| *second);
        let health = Health::default();
        let seen = calls.iter().filter(|(second, _)| *second <= then);
        for (second, is_well) in seen.clone() {
            if *is_well {
                health.succeeded(at(*second), pace(1, 1, true));
            } else {
                health.failed(at(*second));
            }
        }
        let recent: Vec<bool> = seen
            .filter(|(second, _)| *second > then - OUTAGE_SECONDS)
            .map(|(_, is_well)| *is_well)
            .collect();
        let failed = recent.iter().filter(|is_well| !**is_well).count();
        let is_out = failed >= 5 && failed * 10 > recent.len();
        prop_assert_eq!(health.is_out(at(then)), is_out);
    }
}
