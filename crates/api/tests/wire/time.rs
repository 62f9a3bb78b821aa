//! Moments out and expiries in.

use api::{Utc, parse_expiry};
use jiff::Timestamp;
use proptest::prelude::*;

const MOMENT: &str = "2026-11-21T22:50:00.123Z";

#[test]
fn moments_are_written_with_milliseconds_and_a_z() {
    let cases = [
        ("2026-11-21T22:50:00.123456789Z", MOMENT),
        ("2026-11-22T00:50:00.123+02:00", MOMENT),
        ("2026-11-21T22:50:00Z", "2026-11-21T22:50:00.000Z"),
        ("1969-12-31T23:59:59.9999Z", "1969-12-31T23:59:59.999Z"),
    ];
    for (text, written) in cases {
        let moment = Utc(text.parse().unwrap());
        assert_eq!(serde_json::to_string(&moment).unwrap(), format!("\"{written}\""));
    }
}

#[test]
fn moments_are_read_with_either_spelling_of_utc() {
    let moment = Utc(MOMENT.parse().unwrap());
    for json in ["\"2026-11-21T22:50:00.123Z\"", "\"2026-11-21T22:50:00.123000+00:00\""] {
        assert_eq!(serde_json::from_str::<Utc>(json).unwrap(), moment);
    }
    assert!(serde_json::from_str::<Utc>("\"2026-11-21\"").is_err());
    assert!(serde_json::from_str::<Utc>("1795301400").is_err());
}

#[test]
fn an_expiry_is_utc_with_seconds() {
    let whole: Timestamp = "2026-11-21T22:50:00Z".parse().unwrap();
    assert_eq!(parse_expiry("2026-11-21T22:50:00Z"), Ok(whole));
    assert_eq!(parse_expiry("2026-11-21T22:50:00+00:00"), Ok(whole));
    assert_eq!(parse_expiry(MOMENT), Ok(MOMENT.parse().unwrap()));
    assert!(parse_expiry("2026-11-21T22:50:00.123456+00:00").is_ok());
    assert!(parse_expiry("2024-02-29T00:00:00Z").is_ok());
}

#[test]
fn every_other_expiry_is_told_what_is_wrong() {
    let cases = [
        ("2026-11-21T22:50:00", "has no offset"),
        ("2026-11-21T22:50:00.5", "has no offset"),
        ("2026-11-21T22:50:00+02:00", "is not in UTC"),
        ("2026-11-21T22:50:00-00:00", "is not in UTC"),
        ("2026-11-21T22:50:00.5-11:30", "is not in UTC"),
        ("2026-11-21T22:50Z", "has no seconds"),
        ("2026-11-21T22:50", "has no seconds"),
        ("2026-11-21 22:50:00Z", "has a space where `T` belongs"),
        ("2026-11-21", "has no time of day after `T`"),
        ("2026-11-21t22:50:00Z", "has no time of day after `T`"),
        ("2026-11-21T22", "has no time of day after `T`"),
        ("2026-11-21T22:50:00z", "does not end in `Z`"),
        ("2026-11-21T22:50:00Z ", "does not end in `Z`"),
        ("2026-11-21T22:50:00+00", "does not end in `Z`"),
        ("2026-11-21T22:50:00Z[UTC]", "does not end in `Z`"),
        ("2026-11-21T22:50:00.Z", "has a fraction of a second that is not 1 to 9 digits"),
        ("2026-11-21T22:50:00.1234567890Z", "has a fraction of a second that is not 1 to 9 digits"),
        ("2026-02-30T00:00:00Z", "is not a moment from year 0 to the end of 9999-12-30"),
        ("2026-11-21T24:00:00Z", "is not a moment from year 0 to the end of 9999-12-30"),
        ("20261121T225000Z", "is not a date and time"),
        ("1795301400", "is not a date and time"),
        ("tomorrow", "is not a date and time"),
        ("", "is not a date and time"),
        ("٢026-11-21T22:50:00Z", "is not a date and time"),
    ];
    for (text, problem) in cases {
        assert_eq!(
            parse_expiry(text).unwrap_err().to_string(),
            format!(
                "`expires_at` {problem}; allowed: a time in UTC with seconds that ends in `Z`, \
                 such as `2026-11-21T22:50:00Z`"
            ),
            "{text:?}",
        );
    }
}

proptest! {
    #[test]
    fn a_written_moment_is_an_expiry(milliseconds in 0..253_402_207_200_000_i64) {
        let moment = Timestamp::from_millisecond(milliseconds).unwrap();
        let json = serde_json::to_string(&Utc(moment)).unwrap();
        prop_assert_eq!(parse_expiry(json.trim_matches('"')), Ok(moment));
    }

    #[test]
    fn no_text_is_read_with_a_panic(
        text in ".*",
        near in "[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?(\\.[0-9]{0,12})?(Z|[+-][0-9:]{0,6}|é)?",
    ) {
        let _ = (parse_expiry(&text), parse_expiry(&near));
    }
}
