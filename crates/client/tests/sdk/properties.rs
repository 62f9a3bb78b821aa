//! Any valid answer is read and written again without a loss.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::{Value, json};
use tollgate::{GetKeyData, LimitReset, Price, Usd};

/// Amounts as servers print them: nano-dollars, floats, exponents.
fn amount() -> impl Strategy<Value = String> {
    let nanos = (any::<i64>(), 0_u32..=18).prop_map(|(digits, places)| {
        let text = format!("{:0>20}", digits.unsigned_abs());
        let (whole, part) = text.split_at(text.len() - places as usize);
        let sign = if digits < 0 { "-" } else { "" };
        let whole = whole.trim_start_matches('0');
        let whole = if whole.is_empty() { "0" } else { whole };
        if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
    });
    let exponents = (-999_999_999_999_i64..999_999_999_999, -16_i32..=6, any::<bool>()).prop_map(
        |(digits, exponent, is_upper)| {
            format!("{digits}{}{exponent}", if is_upper { 'E' } else { 'e' })
        },
    );
    prop_oneof![nanos, exponents]
}

/// What a decimal text comes to, in units of 1e-30, without the library that is tested.
fn units(text: &str) -> i128 {
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().unwrap()),
        None => (text, 0),
    };
    let places = digits.split_once('.').map_or(0, |(_, part)| part.len());
    let whole: i128 = digits.replace('.', "").parse().unwrap();
    let shift = 18 + exponent - i32::try_from(places).unwrap();
    // Everything that is made above is a whole number of 1e-18.
    if shift >= 0 {
        whole * 10_i128.pow(shift.unsigned_abs())
    } else {
        let power = 10_i128.pow(shift.unsigned_abs());
        assert_eq!(whole % power, 0, "{text}");
        whole / power
    }
}

fn fine_enough(text: &str) -> bool {
    let exponent: i32 =
        text.split_once(['e', 'E']).map_or(0, |(_, exponent)| exponent.parse().unwrap());
    exponent >= -16
}

proptest! {
    #[test]
    fn amounts_are_exact(text in amount().prop_filter("units of 1e-18", |text| fine_enough(text))) {
        let read: Usd = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(units(&read.to_string()), units(&text));
        let written = serde_json::to_string(&read).unwrap();
        prop_assert_eq!(serde_json::from_str::<Usd>(&written).unwrap(), read);
        let price: Price = serde_json::from_str(&format!("{text:?}")).unwrap();
        let written = serde_json::to_string(&price).unwrap();
        prop_assert_eq!(serde_json::from_str::<Price>(&written).unwrap(), price);
    }

    #[test]
    fn what_is_no_amount_is_refused(text in "\\PC{0,12}") {
        if serde_json::from_str::<serde_json::Number>(&text).is_err() {
            prop_assert!(serde_json::from_str::<Usd>(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_key_round_trips(
        amounts in vec(amount(), 10),
        texts in vec("\\PC{0,20}", 5),
        options in vec(option::of("\\PC{1,20}"), 4),
        reset in option::of("[a-z]{1,9}|daily|weekly|monthly"),
        flags in any::<[bool; 2]>(),
        times in vec(option::of(-1_000_000_000_000_i64..100_000_000_000_000), 4),
        pace in vec(option::of(any::<u64>()), 3),
        models in option::of(vec("[a-z]{1,5}/[a-z*]{1,5}", 0..4)),
    ) {
        let moment = |at: &Option<i64>| {
            at.map(|at| jiff::Timestamp::from_millisecond(at).unwrap().to_string())
        };
        let mut key = json!({
            "hash": texts[0], "name": texts[1], "label": texts[2],
            "disabled": flags[0], "include_byok_in_limit": flags[1],
            "limit_reset": reset,
            "created_at": moment(&times[0].or(Some(0))),
            "updated_at": moment(&times[1]), "expires_at": moment(&times[2]),
            "creator_user_id": options[0], "workspace_id": options[1],
        });
        // What is not always sent is left out where it is nothing, as it is written.
        let extras = [
            ("external_user", json!(options[2])), ("last_used_at", json!(moment(&times[3]))),
            ("allowed_models", json!(models)), ("requests_per_minute", json!(pace[0])),
            ("tokens_per_minute", json!(pace[1])), ("concurrent_requests", json!(pace[2])),
        ];
        for (name, value) in extras {
            if !value.is_null() {
                key[name] = value;
            }
        }
        // Amounts are put in as texts: a Value would make floats of them.
        let names = ["usage", "usage_daily", "usage_weekly", "usage_monthly", "byok_usage",
            "byok_usage_daily", "byok_usage_weekly", "byok_usage_monthly", "limit", "limit_remaining"];
        let mut text = key.to_string();
        for (name, amount) in names.iter().zip(&amounts) {
            text.insert_str(text.len() - 1, &format!(",\"{name}\":{amount}"));
        }
        let read: GetKeyData = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(read.limit_reset.as_ref().map(LimitReset::as_str), reset.as_deref());
        prop_assert_eq!(units(&read.byok_usage_monthly.to_string()), units(&amounts[7]));
        let written = serde_json::to_string(&read).unwrap();
        prop_assert_eq!(&serde_json::from_str::<GetKeyData>(&written).unwrap(), &read);
        let mut again: Value = serde_json::from_str(&written).unwrap();
        for name in names {
            again.as_object_mut().unwrap().remove(name).unwrap();
        }
        prop_assert_eq!(again, key);
    }
}
