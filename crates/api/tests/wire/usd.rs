//! Money as a JSON number.

use api::Usd;
use money::Money;
use proptest::prelude::*;

#[test]
fn amounts_are_written_as_the_shortest_number() {
    let cases =
        [(25_500_000_000, "25.5"), (4_132, "0.000004132"), (0, "0"), (-400_000_000, "-0.4")];
    for (nanos, json) in cases {
        assert_eq!(serde_json::to_string(&Usd(Money::nanos(nanos))).unwrap(), json);
    }
}

#[test]
fn amounts_are_read_from_any_json_number_and_rounded_down() {
    let cases = [
        ("25.50", 25_500_000_000),
        ("0.0", 0),
        ("-0", 0),
        (" 5e-05 ", 50_000),
        ("1E3", 1_000_000_000_000),
        ("0.1234567899", 123_456_789),
        ("-0.0000000001", -1),
        // Past 2^53: a binary float would end in …776.
        ("9007199.254740993", 9_007_199_254_740_993),
    ];
    for (json, nanos) in cases {
        assert_eq!(serde_json::from_str::<Usd>(json).unwrap(), Usd(Money::nanos(nanos)), "{json}");
    }
}

#[test]
fn what_is_no_number_or_does_not_fit_is_refused() {
    for json in ["\"25.5\"", "true", "[1]", "{}", "1e400", "1e99999999999", "NaN", "01", "+1"] {
        assert!(serde_json::from_str::<Usd>(json).is_err(), "{json}");
    }
    assert_eq!(serde_json::from_str::<Option<Usd>>("null").unwrap(), None);
}

proptest! {
    #[test]
    fn an_amount_survives_the_wire(nanos: i64) {
        let amount = Usd(Money::nanos(nanos));
        let json = serde_json::to_string(&amount).unwrap();
        prop_assert_eq!(serde_json::from_str::<Usd>(&json).unwrap(), amount);
        prop_assert_eq!(serde_json::from_reader::<_, Usd>(json.as_bytes()).unwrap(), amount);
    }
}
