//! Bodies as objects, hostile ones above all.

use api::{DEPTH_MAX, MEMBERS_MAX, Object};
use proptest::prelude::*;
use serde_json::{Map, Value};

#[track_caller]
fn refusal(body: impl AsRef<[u8]>) -> String {
    Object::parse(body.as_ref()).unwrap_err().to_string()
}

#[test]
fn members_come_as_they_were_written() {
    let object = Object::parse(br#" {"b": 1e2, "a\n": [1, {"x": 2}] , "": "\u0041"} "#).unwrap();
    let members: Vec<_> = object.members().map(|(name, value)| (name, value.get())).collect();
    assert_eq!(members, [("b", "1e2"), ("a\n", r#"[1, {"x": 2}]"#), ("", r#""\u0041""#)]);
}

#[test]
fn a_name_given_twice_is_refused_however_it_is_spelt() {
    let expected = "`name` is given twice; allowed: each name once";
    assert_eq!(refusal(r#"{"name": 1, "x": 2, "name": 1}"#), expected);
    assert_eq!(refusal(r#"{"name": 1, "na\u006de": 1}"#), expected);
    assert_eq!(refusal(r#"{"n\u0061me": 1, "\u006eame": 1}"#), expected);
}

#[test]
fn malformed_json_is_refused_with_its_position() {
    let cases: &[(&[u8], &str)] = &[
        (b"", "`body` is malformed JSON at line 1 column 0; allowed: a JSON object"),
        (b"{", "`body` is malformed JSON at line 1 column 1; allowed: a JSON object"),
        (b"{}x", "`body` is malformed JSON at line 1 column 3; allowed: a JSON object"),
        (b"{\"a\": 1,}", "`body` is malformed JSON at line 1 column 9; allowed: a JSON object"),
        (
            b"{\n \"limit\": NaN}",
            "`limit` is malformed JSON at line 2 column 11; allowed: a JSON value",
        ),
        (
            b"{\"limit\": 01}",
            "`limit` is malformed JSON at line 1 column 12; allowed: a JSON value",
        ),
        (
            b"{\"name\": \"a\nb\"}",
            "`name` is malformed JSON at line 1 column 11; allowed: a JSON value",
        ),
        (b"{\"a\": \"\xff\"}", "`body` is not UTF-8 at byte 7; allowed: a JSON object in UTF-8"),
        (b"[]", "`body` is not a JSON object; allowed: a JSON object"),
        (b"null", "`body` is not a JSON object; allowed: a JSON object"),
        (b"\"sk-or-v1-secret\"", "`body` is not a JSON object; allowed: a JSON object"),
    ];
    for (body, expected) in cases {
        assert_eq!(refusal(body), *expected, "{}", String::from_utf8_lossy(body));
    }
}

#[test]
fn nesting_is_bounded_and_never_overflows_the_stack() {
    let nested = |depth| format!(r#"{{"a": {}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    let deepest = nested(DEPTH_MAX);
    let object = Object::parse(deepest.as_bytes()).unwrap();
    let (_, value) = object.members().next().unwrap();
    assert!(serde_json::from_str::<Value>(value.get()).is_ok());

    let expected = "`a` is nested too deep; allowed: at most 127 levels of nesting";
    assert_eq!(refusal(nested(DEPTH_MAX + 1)), expected);
    assert_eq!(refusal(nested(1_000_000)), expected);
    let objects = format!(r#"{{"a": {}1{}}}"#, r#"{"b":"#.repeat(128), "}".repeat(128));
    assert_eq!(refusal(objects), expected);
}

#[test]
fn brackets_in_strings_are_not_nesting() {
    let text = format!(r#"{{"a": ["\\\"{}", "\\"]}}"#, "[{".repeat(1_000));
    assert!(Object::parse(text.as_bytes()).is_ok());
    let wide = format!(r#"{{"a": [{}0]}}"#, "[],{},".repeat(1_000));
    assert!(Object::parse(wide.as_bytes()).is_ok());
}

#[test]
fn members_are_bounded() {
    let with = |count| {
        let members: Vec<_> = (0..count).map(|number| format!(r#""{number}": 0"#)).collect();
        format!("{{{}}}", members.join(","))
    };
    assert!(Object::parse(with(MEMBERS_MAX).as_bytes()).is_ok());
    assert_eq!(refusal(with(100_000)), "`body` has 100000 members; allowed: at most 256 members");
}

#[test]
fn a_hostile_name_is_cut_and_cleaned_in_the_message() {
    let name = format!("a\\u0000\\n{}", "x".repeat(1_000_000));
    let message = refusal(format!(r#"{{"{name}": 1, "{name}": 1}}"#));
    let cut = "x".repeat(61);
    assert_eq!(message, format!("`a\\0\\n{cut}` is given twice; allowed: each name once"));
}

proptest! {
    #[test]
    fn no_body_is_read_with_a_panic(body: Vec<u8>, near in "[{}\\[\\]\",:a\\\\u0 -]{0,60}") {
        let _ = (Object::parse(&body), Object::parse(near.as_bytes()));
    }

    #[test]
    fn what_is_read_is_what_serde_json_reads(
        members in proptest::collection::btree_map(".{0,5}", ".{0,5}", 0..8),
    ) {
        let expected: Map<String, Value> =
            members.into_iter().map(|(name, value)| (name, value.into())).collect();
        let text = serde_json::to_string(&expected).unwrap();
        let object = Object::parse(text.as_bytes()).unwrap();
        let read: Map<String, Value> = object
            .members()
            .map(|(name, value)| (name.to_owned(), serde_json::from_str(value.get()).unwrap()))
            .collect();
        prop_assert_eq!(read, expected);
    }
}
