use super::*;

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn spell(day: &str, model: &str, usage: &str, requests: u64) -> Spell {
    let counts = Counts::counted(usage.parse().unwrap(), Usd::ZERO, requests, [10, 5]);
    let provider = model.split('/').next().unwrap().to_owned();
    Spell { date: date(day), model: model.to_owned(), provider, counts }
}

fn key(usage_daily: &str) -> GetKeyData {
    let mut key = crate::top::a_key("ci", "9", None);
    key.usage_daily = usage_daily.parse().unwrap();
    key.usage_monthly = "7".parse().unwrap();
    key
}

/// Each part as its name, what it came to and how many requests were counted.
fn told(parts: &[Part]) -> Vec<(&str, String, Option<u64>)> {
    let told = |part: &'_ Part| (part.counts.usage.to_string(), part.counts.requests);
    parts.iter().map(|part| (part.name.as_str(), told(part).0, told(part).1)).collect()
}

#[test]
fn days_are_whole_and_in_order_with_those_that_cost_nothing_and_today_from_the_keys() {
    let spells =
        [spell("2026-11-19", "a/x", "0.1", 2), spell("2026-11-19", "b/y", "0.000000001", 1)];
    let days = (date("2026-11-19"), date("2026-11-21"));
    let parts = parts(&spells, &[key("0.5"), key("0.25")], days, By::Day);
    assert_eq!(
        told(&parts),
        [
            ("2026-11-19", "0.100000001".to_owned(), Some(3)),
            ("2026-11-20", "0".to_owned(), Some(0)),
            ("2026-11-21", "0.75".to_owned(), None),
        ]
    );
}

#[test]
fn weeks_begin_on_monday_and_a_stretch_that_is_cut_says_so() {
    // 2026-11-16 and 2026-11-23 are Mondays.
    let spells = [spell("2026-11-18", "a/x", "1", 1), spell("2026-11-23", "a/x", "2", 1)];
    let days = (date("2026-11-18"), date("2026-11-24"));
    let weeks = parts(&spells, &[key("4")], days, By::Week);
    assert_eq!(
        told(&weeks),
        [
            ("week of 2026-11-16, from 2026-11-18", "1".to_owned(), Some(1)),
            ("week of 2026-11-23", "6".to_owned(), None),
        ]
    );
}

#[test]
fn months_are_those_of_the_calendar() {
    let spells = [spell("2026-10-31", "a/x", "1", 1), spell("2026-11-01", "a/x", "2", 1)];
    let days = (date("2026-10-23"), date("2026-11-22"));
    let months = parts(&spells, &[], days, By::Month);
    assert_eq!(
        told(&months),
        [("2026-10, from 2026-10-23", "1".to_owned(), Some(1)), ("2026-11", "2".to_owned(), None)]
    );
}

#[test]
fn models_and_providers_come_the_dearest_first_and_keys_by_their_month() {
    let spells = [
        spell("2026-11-19", "a/x", "1", 1),
        spell("2026-11-19", "b/y", "3", 1),
        spell("2026-11-20", "a/x", "1", 4),
    ];
    let days = (date("2026-11-19"), date("2026-11-21"));
    let models = parts(&spells, &[], days, By::Model);
    assert_eq!(told(&models), [("b/y", "3".to_owned(), Some(1)), ("a/x", "2".to_owned(), Some(5))]);
    let providers = parts(&spells, &[], days, By::Provider);
    assert_eq!(told(&providers)[0], ("b", "3".to_owned(), Some(1)));
    let keys = parts(&spells, &[key("0")], days, By::Key);
    assert_eq!(told(&keys), [("ci 636900000000", "7".to_owned(), None)]);
}
