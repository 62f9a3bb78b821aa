use super::*;

/// A key that has spent so much, of a limit or of none.
pub(crate) fn key(name: &str, usage: &str, limit: Option<(&str, &str)>) -> GetKeyData {
    let hash = name.bytes().fold(String::new(), |hash, byte| format!("{hash}{byte:02x}"));
    let (limit, left) = limit.unwrap_or(("null", "null"));
    let text = format!(
        r#"{{"hash":"{hash:0<64}","name":"{name}","label":"l","disabled":false,"limit":{limit},
        "limit_remaining":{left},"limit_reset":null,"include_byok_in_limit":false,"usage":{usage},
        "usage_daily":{usage},"usage_weekly":{usage},"usage_monthly":{usage},"byok_usage":0,
        "byok_usage_daily":0,"byok_usage_weekly":0,"byok_usage_monthly":0,
        "created_at":"2026-11-21T22:50:00Z","updated_at":null,"expires_at":null,
        "creator_user_id":null,"workspace_id":null,"external_user":null,"last_used_at":null}}"#
    );
    serde_json::from_str(&text).unwrap()
}

pub(crate) fn reading(second: u64, keys: Vec<GetKeyData>) -> Reading {
    let start: Timestamp = "2026-11-21T22:50:00Z".parse().unwrap();
    Reading {
        since_start: Duration::from_secs(second),
        at: start + jiff::SignedDuration::from_secs(i64::try_from(second).unwrap()),
        keys,
        holds: Holds::Metrics { open: 3, credits: "0.25".parse().unwrap(), byok: Usd::ZERO },
    }
}

fn amount(text: &str) -> Usd {
    text.parse().unwrap()
}

#[test]
fn the_rate_is_what_was_spent_between_readings_a_minute_exactly() {
    let readings =
        [reading(0, vec![key("a", "1", None)]), reading(2, vec![key("a", "1.000000001", None)])];
    let view = view(&readings, Sort::Rate).unwrap();
    assert_eq!(view.keys[0].usd_per_minute, Some(amount("0.00000003")));
    assert_eq!(view.usd_per_minute, Some(amount("0.00000003")));
    assert_eq!(view.rate_over_ms, 2_000);
}

#[test]
fn the_rate_looks_back_a_minute_and_no_further() {
    let mut readings = vec![
        reading(0, vec![key("a", "0", None)]),
        reading(40, vec![key("a", "100", None)]),
        reading(100, vec![key("a", "101", None)]),
    ];
    assert_eq!(view(&readings, Sort::Rate).unwrap().usd_per_minute, Some(amount("1")));
    kept(&mut readings);
    assert_eq!(readings.len(), 2);
}

#[test]
fn one_reading_has_no_rate_and_neither_has_a_key_that_is_new() {
    let one = [reading(0, vec![key("a", "1", None)])];
    assert_eq!(view(&one, Sort::Rate).unwrap().usd_per_minute, None);
    let new = [reading(0, vec![]), reading(2, vec![key("a", "1", None)])];
    assert_eq!(view(&new, Sort::Rate).unwrap().keys[0].usd_per_minute, None);
    assert!(view(&[], Sort::Rate).is_none());
}

#[test]
fn rows_are_sorted_by_rate_by_usage_and_by_what_is_left() {
    let before =
        vec![key("calm", "50", None), key("busy", "1", None), key("tight", "2", Some(("3", "1")))];
    let after = vec![
        key("calm", "50", None),
        key("busy", "2", None),
        key("tight", "2.5", Some(("3", "0.5"))),
    ];
    let readings = [reading(0, before), reading(2, after)];
    let names = |sort| {
        let view = view(&readings, sort).unwrap();
        view.keys.into_iter().map(|row| row.name).collect::<Vec<_>>()
    };
    assert_eq!(names(Sort::Rate), ["busy", "tight", "calm"]);
    assert_eq!(names(Sort::Usage), ["calm", "tight", "busy"]);
    assert_eq!(names(Sort::Left), ["tight", "calm", "busy"]);
    let view = view(&readings, Sort::Rate).unwrap();
    assert_eq!(view.usage, amount("54.5"));
    assert_eq!(view.usd_per_minute, Some(amount("45")));
}
