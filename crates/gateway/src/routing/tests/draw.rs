//! Which endpoint chance falls on, and how often.

use super::sample::{NOW, catalogue, drawn, price};
use crate::catalogue::Catalogue;
use crate::routing::OUTAGE_FAILURES_MIN;

const ROUNDS: u32 = 20_000;

/// Even numbers from a seed.
fn chances() -> impl Iterator<Item = u64> {
    let mut state = 7_u64;
    std::iter::repeat_with(move || {
        // SplitMix64.
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    })
}

/// How often each order came, of so many.
fn orders(world: &Catalogue) -> Vec<(String, u32)> {
    let mut counts = std::collections::BTreeMap::new();
    for chance in chances().take(ROUNDS as usize) {
        let places = drawn(world, &["m"], "{}", "", chance).unwrap();
        *counts.entry(places.join(" ").replace("m ", "")).or_default() += 1;
    }
    counts.into_iter().collect()
}

fn near(count: u32, expected: u32) {
    // Five standard deviations of a count never exceed this.
    assert!(count.abs_diff(expected) < 360, "{count} for {expected}");
}

#[test]
fn three_times_the_price_is_a_ninth_of_the_chance_and_an_outage_is_last() {
    let prices = ["1", "2", "3"].map(price);
    let [one, two, three] = prices.each_ref().map(String::as_str);
    let world = catalogue(&[("m", &[("alpha", one), ("beta", two), ("gamma", three)])]);
    let beta = &world.model("m").unwrap().endpoints[1];
    (0..OUTAGE_FAILURES_MIN).for_each(|_| beta.learned.health.failed(NOW));
    let found = orders(&world);
    let [(first, often), (second, seldom)] = &found[..] else { panic!("{found:?}") };
    assert_eq!((first.as_str(), second.as_str()), ("alpha gamma beta", "gamma alpha beta"));
    near(*often, ROUNDS * 9 / 10);
    near(*seldom, ROUNDS / 10);
}

#[test]
fn whoever_is_not_drawn_follows_from_the_cheapest_on() {
    let prices = ["2", "1", "4", "8"].map(price);
    let [two, one, four, eight] = prices.each_ref().map(String::as_str);
    let endpoints = [("alpha", two), ("beta", one), ("gamma", four), ("delta/eu", eight)];
    let found = orders(&catalogue(&[("m", &endpoints)]));
    let names: Vec<_> = found.iter().map(|(order, _)| order.as_str()).collect();
    assert_eq!(
        names,
        [
            "alpha beta gamma delta/eu",
            "beta alpha gamma delta/eu",
            "delta/eu beta alpha gamma",
            "gamma beta alpha delta/eu"
        ]
    );
    // One by its price squared: 16, 64, 1 and 4 of 85.
    for ((_, count), weight) in found.iter().zip([16, 64, 1, 4]) {
        near(*count, ROUNDS * weight / 85);
    }
}

#[test]
fn what_is_free_is_drawn_evenly_and_before_what_is_not() {
    let dear = price("1");
    let endpoints = [("alpha", ""), ("beta", &*dear), ("gamma", ""), ("delta/eu", "")];
    let found = orders(&catalogue(&[("m", &endpoints)]));
    let names: Vec<_> = found.iter().map(|(order, _)| order.as_str()).collect();
    assert_eq!(
        names,
        ["alpha gamma delta/eu beta", "delta/eu alpha gamma beta", "gamma alpha delta/eu beta"]
    );
    found.iter().for_each(|(_, count)| near(*count, ROUNDS / 3));
}

#[test]
fn equal_prices_are_drawn_evenly_and_chance_reaches_both_ends() {
    let price = price("0.000001");
    let world = catalogue(&[("m", &[("alpha", &price), ("beta", &price)])]);
    orders(&world).iter().for_each(|(_, count)| near(*count, ROUNDS / 2));
    for (chance, first) in [
        (0, "m alpha"),
        (u64::MAX / 2, "m alpha"),
        (u64::MAX / 2 + 1, "m beta"),
        (u64::MAX, "m beta"),
    ] {
        assert_eq!(drawn(&world, &["m"], "{}", "", chance).unwrap()[0], first, "{chance}");
    }
}

#[test]
fn the_dearest_and_the_cheapest_prices_there_are_can_be_compared() {
    let cheap = r#"pricing = { prompt = "0.000000000000000001", completion = "0" }"#;
    let dear = r#"pricing = { prompt = "1000000", completion = "1000000" }"#;
    let world = catalogue(&[("m", &[("alpha", dear), ("beta", cheap), ("gamma", dear)])]);
    for chance in [0, 1, u64::MAX] {
        let found = drawn(&world, &["m"], "{}", "", chance).unwrap();
        assert_eq!(found, ["m beta", "m alpha", "m gamma"]);
    }
}
