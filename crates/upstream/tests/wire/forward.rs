//! The forwarded body is the client's, less what the gateway acts on, with the gateway's own.

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use upstream::{Plan, scan};

const PLAN: Plan<'_> = Plan { model: "up\"stream", max_tokens_field: "max_tokens", max_tokens: 77 };

fn forward(body: &str, plan: &Plan<'_>) -> String {
    let request = scan(&Bytes::copy_from_slice(body.as_bytes())).expect(body);
    String::from_utf8(request.forward(plan).concat()).unwrap()
}

#[test]
fn what_is_kept_keeps_its_bytes_and_its_order() {
    let body = r#" { "temperature" : 1.0e0 , "model":"x",
        "messages":[ {"role":"user","content":"\u00e9" } ],"user":"u" ,"stream":true, "seed":9007199254740993,
        "max_new_tokens":5, "zeta":[1.10],"provider":{} } "#;
    assert_eq!(
        forward(body, &PLAN),
        concat!(
            r#"{"model":"up\"stream","stream":true,"stream_options":{"include_usage":true},"max_tokens":77,"#,
            r#""temperature" : 1.0e0 , "messages":[ {"role":"user","content":"\u00e9" } ],"#,
            r#""seed":9007199254740993,"#,
            "\n        ",
            r#""zeta":[1.10]}"#
        )
    );
}

#[test]
fn segments_are_slices_of_the_body() {
    let body = Bytes::from_static(br#"{"seed":1,"messages":[{"role":"user"}],"top_p":1}"#);
    let segments = scan(&body).unwrap().forward(&PLAN);
    assert_eq!(segments.len(), 3);
    assert_eq!(segments[1].as_ptr(), body[1..].as_ptr());
}

#[test]
fn every_spelling_of_a_maximum_is_taken_out() {
    let spellings = [
        "max_tokens",
        "max_completion_tokens",
        "max_output_tokens",
        "max_new_tokens",
        "n_predict",
        "max_length",
        "num_predict",
        "max_gen_len",
        "maxOutputTokens",
        "MAX_TOKENS",
    ];
    for spelling in spellings {
        let body = format!(r#"{{"{spelling}":5,"messages":[{{"role":"user"}}],"min_tokens":2}}"#);
        assert_eq!(
            forward(&body, &PLAN),
            r#"{"model":"up\"stream","stream":false,"max_tokens":77,"messages":[{"role":"user"}],"min_tokens":2}"#
        );
    }
    let own = Plan { max_tokens_field: "budget", ..PLAN };
    let body = r#"{"Budget":5,"messages":[{"role":"user"}]}"#;
    assert_eq!(
        forward(body, &own),
        r#"{"model":"up\"stream","stream":false,"budget":77,"messages":[{"role":"user"}]}"#
    );
}

const TAKEN: [&str; 14] = [
    "model",
    "models",
    "route",
    "provider",
    "preset",
    "plugins",
    "transforms",
    "stream_options",
    "usage",
    "user",
    "trace",
    "metadata",
    "debug",
    "cache_control",
];
const MAXIMA: [&str; 4] = ["max_tokens", "max_completion_tokens", "num_predict", "max_length"];

/// JSON values whose text is not the one a printer would choose.
fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<i32>().prop_map(|number| number.to_string()),
        Just("1.50e3".to_owned()),
        Just(r#""\u0041\"}{,""#.to_owned()),
        "[a-zé€,:{}\\[\\] ]{0,8}".prop_map(|text| format!("\"{text}\"")),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|all| format!("[ {} ]", all.join(" ,\n"))),
            prop::collection::btree_map("[a-z]{1,5}", inner, 0..4).prop_map(|all| {
                let all: Vec<_> =
                    all.iter().map(|(name, value)| format!("\"{name}\" :{value}")).collect();
                format!("{{{} }}", all.join(", "))
            }),
        ]
    })
}

fn member() -> impl Strategy<Value = (String, String)> {
    prop_oneof![
        // A gateway field may be anything, save those whose kind is checked.
        (prop::sample::select(&TAKEN[..]), Just("null".to_owned())),
        (prop::sample::select(&["route", "provider", "trace", "debug", "usage"][..]), value()),
        (prop::sample::select(&MAXIMA[..]), Just("12".to_owned())),
        (prop::sample::select(&["zeta", "é", "seed", "response_format", "a\\\"b"][..]), value()),
        (Just("stream"), prop_oneof![Just("true".to_owned()), Just("false".to_owned())]),
        (Just("max_to\\u006bens"), Just("3".to_owned())),
    ]
    .prop_map(|(name, value)| (name.to_owned(), value))
}

proptest! {
    #[test]
    fn the_forwarded_body_is_the_clients_less_ours_plus_ours(
        mut members in prop::collection::vec(member(), 0..8),
        at in any::<prop::sample::Index>(),
        space in "[ \t\n\r]{0,2}",
    ) {
        let messages = r#"[{"role":"user","content":"},{\""}]"#;
        let at = at.index(members.len() + 1);
        members.insert(at, ("messages".to_owned(), messages.to_owned()));
        let joined: Vec<_> = members
            .iter()
            .map(|(name, value)| format!("{space}\"{name}\"{space}:{space}{value}{space}"))
            .collect();
        let body = format!("{space}{{{}}}{space}", joined.join(","));

        let before: Map<String, Value> = serde_json::from_str(&body).unwrap();
        let is_once = before.len() == members.len();
        let scanned = scan(&Bytes::copy_from_slice(body.as_bytes()));
        prop_assert_eq!(scanned.is_ok(), is_once, "{:?}", scanned);
        let Ok(request) = scanned else { return Ok(()) };

        let mut expected = before;
        let stream = expected.remove("stream").is_some_and(|stream| stream == true);
        expected.retain(|name, _| {
            !TAKEN.contains(&name.as_str()) && !MAXIMA.contains(&name.as_str())
        });
        expected.insert("model".into(), json!("up\"stream"));
        expected.insert("stream".into(), json!(stream));
        expected.insert("max_tokens".into(), json!(77));
        if stream {
            expected.insert("stream_options".into(), json!({"include_usage": true}));
        }
        let sent: Map<String, Value> = serde_json::from_slice(&request.forward(&PLAN).concat()).unwrap();
        prop_assert_eq!(sent, expected);
    }

    #[test]
    fn no_body_makes_the_scan_panic(body in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = scan(&Bytes::from(body));
    }

    #[test]
    fn no_json_like_body_makes_the_scan_panic(
        body in r#"(\{|\}|\[|\]|,|:|"messages"|"role"|"content"|"tools"|"type"|"x"|1|null| ){0,40}"#
    ) {
        if let Ok(request) = scan(&Bytes::from(body)) {
            serde_json::from_slice::<Value>(&request.forward(&PLAN).concat()).unwrap();
            prop_assert!(request.pieces().count() > 0);
        }
    }
}
