//! The audit log: a row on the wire, and what the query takes and refuses.

use api::audit_log::{AuditEvent, ListAuditLog};
use api::{Counted, Slice, Utc};
use serde_json::value::RawValue;

use crate::contract::checked;

#[test]
fn a_row_survives_the_wire_with_its_settings_to_the_letter() {
    let settings = r#"{"name":"ci","limit":"0.10"}"#;
    let event = AuditEvent {
        at: Utc("2026-11-21T22:50:00.123Z".parse().unwrap()),
        actor: "ci".to_owned(),
        action: "key.create".to_owned(),
        subject: "0e".repeat(32),
        before: None,
        after: Some(RawValue::from_string(settings.to_owned()).unwrap()),
    };
    let page = Counted { data: vec![event], total_count: 7 };
    let text = checked("/components/schemas/AuditLogResponse", &page);
    assert!(text.contains(&format!(r#""before":null,"after":{settings}}}],"total_count":7}}"#)));
    let read: Counted<AuditEvent> = serde_json::from_str(&text).unwrap();
    assert_eq!(read.total_count, 7);
    assert!(read.data[0].before.is_none());
    assert_eq!(read.data[0].after.as_ref().unwrap().get(), settings);
}

#[test]
fn a_query_reads_every_filter() {
    let nothing = ListAuditLog::parse([("utm", "x"), ("offset", ""), ("limit", "")]).unwrap();
    let expected = ListAuditLog {
        slice: Slice { offset: 0, limit: 50 },
        actor: None,
        action: None,
        subject: None,
        since: None,
        until: None,
    };
    assert_eq!(nothing, expected);
    let moment = "2026-11-21T22:50:00.5Z";
    let all = [
        ("offset", "18446744073709551615"),
        ("limit", "100"),
        ("actor", "command line"),
        ("action", "key."),
        ("subject", "0e"),
        ("since", moment),
        ("until", moment),
    ];
    let expected = ListAuditLog {
        slice: Slice { offset: u64::MAX, limit: 100 },
        actor: Some("command line".to_owned()),
        action: Some("key.".to_owned()),
        subject: Some("0e".to_owned()),
        since: Some(Utc(moment.parse().unwrap())),
        until: Some(Utc(moment.parse().unwrap())),
    };
    assert_eq!(ListAuditLog::parse(all), Ok(expected));
}

#[test]
fn a_query_that_means_nothing_is_refused() {
    for (name, value, problem) in [
        ("limit", "0", "`limit` is not such a number"),
        ("limit", "101", "`limit` is not such a number"),
        ("actor", "", "`actor` is empty"),
        ("since", "2026-11-21T22:50:00", "`since` has no offset"),
        ("until", "2026-11-21T22:50:00+02:00", "`until` is not in UTC"),
        ("since", "2026-11-21T22:50:01Z", "`until` is before `since`"),
    ] {
        let query = ListAuditLog::parse([("until", "2026-11-21T22:50:00Z"), (name, value)]);
        let query = match name {
            "until" => ListAuditLog::parse([(name, value)]),
            _ => query,
        };
        let message = query.unwrap_err().to_string();
        assert!(message.starts_with(&format!("{problem}; allowed: ")), "{message}");
    }
}
