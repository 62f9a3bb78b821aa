//! Whole answers, rewritten as they pass, however they are cut.

use bytes::BytesMut;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use upstream::{CAPTURE_BYTES_MAX, JsonAnswer, Malformed, Ours, Output, Reported, Surface, Usage};

const USAGE: &str = r#"{"cost":0.1}"#;

/// What an answer came to: the client's body, and what was told.
#[derive(Debug, PartialEq)]
struct Relayed {
    client: String,
    usage: Reported,
    error: Option<String>,
    has_choices: bool,
    choices_bytes: u64,
}

fn relay<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Relayed, Malformed> {
    let mut answer = JsonAnswer::new(&Ours::new("g", "m", "p", 5), Surface::Chat);
    let mut out = BytesMut::new();
    for piece in pieces {
        answer.push(piece, &mut out)?;
    }
    let end = answer.finish()?;
    out.extend_from_slice(&end.tail(USAGE));
    Ok(Relayed {
        client: String::from_utf8(out.to_vec()).unwrap(),
        usage: end.usage,
        error: end.error,
        has_choices: end.has_choices,
        choices_bytes: end.choices_bytes,
    })
}

fn whole(answer: &str) -> Relayed {
    relay([answer.as_bytes()]).expect(answer)
}

fn fault(answer: &str) -> &'static str {
    relay([answer.as_bytes()]).expect_err(answer).fault
}

const HEAD: &str = r#"{"id":"g","model":"m","provider":"p","object":"chat.completion""#;

fn recorded(answer: &str, client: &str, usage: Usage) {
    let relayed = whole(answer);
    assert_eq!(relayed.client, format!("{HEAD}{client}"));
    assert_eq!((relayed.usage, relayed.has_choices), (Reported::Usage(usage), true));
    serde_json::from_str::<Value>(&relayed.client).unwrap();
    for at in 0..=answer.len() {
        let (before, after) = answer.as_bytes().split_at(at);
        assert_eq!(relay([before, after]).unwrap(), relayed, "cut at {at}");
    }
    assert_eq!(relay(answer.as_bytes().chunks(1)).unwrap(), relayed);
}

#[test]
fn openai() {
    let answer = include_str!("../golden/openai.json");
    let choices =
        answer.split_once("\"choices\": ").unwrap().1.split_once(",\n  \"usage\"").unwrap().0;
    let client = format!(
        r#","created":1763779200,"choices":{choices},"service_tier":"default","system_fingerprint":null,"usage":{USAGE}}}"#
    );
    recorded(
        answer,
        &client,
        Usage { prompt_tokens: 19, completion_tokens: 10, ..Usage::default() },
    );
    let output = Output::of_answer(answer.as_bytes()).unwrap();
    assert_eq!(output.texts().collect::<Vec<_>>(), ["A \"quoted\\\" {brace} and é"]);
}

#[test]
fn llama_cpp() {
    let client = concat!(
        r#","choices":[{"finish_reason":"length","index":0,"message":{"role":"assistant","content":"Two plus\n"}}]"#,
        r#","created":1763779300,"system_fingerprint":"b7110-1fa4551af""#,
        r#","timings":{"cache_n":24,"prompt_n":13,"prompt_ms":41.2},"usage":{"cost":0.1}}"#
    );
    let answer = include_str!("../golden/llama_cpp.json");
    let usage =
        Usage { prompt_tokens: 37, completion_tokens: 3, cached_tokens: 24, ..Usage::default() };
    recorded(answer, client, usage);
    let output = Output::of_answer(answer.as_bytes()).unwrap();
    assert_eq!(output.finish_reason.as_deref(), Some("length"));
}

#[test]
fn deepseek() {
    let client = concat!(
        r#","created":1763779500,"choices":[{"index":0,"message":{"role":"assistant","content":"你好！","reasoning_content":"首先"},"logprobs":null,"finish_reason":"stop"}]"#,
        r#","system_fingerprint":"fp_ffc7281d48","usage":{"cost":0.1}}"#
    );
    let usage =
        Usage { prompt_tokens: 9, completion_tokens: 21, reasoning_tokens: 17, ..Usage::default() };
    recorded(include_str!("../golden/deepseek.json"), client, usage);
}

#[test]
fn what_is_missing_or_wrong_is_supplied() {
    let tail = r#","usage":{"cost":0.1}}"#;
    let cases = [
        ("{}", r#","created":5,"system_fingerprint":null"#),
        (" { } \n", r#","created":5,"system_fingerprint":null"#),
        (r#"{"created":7}"#, r#","created":7,"system_fingerprint":null"#),
        (r#"{"created":7.5}"#, r#","created":5,"system_fingerprint":null"#),
        (r#"{"created":"7"}"#, r#","created":5,"system_fingerprint":null"#),
        (
            r#"{"id":null,"object":[],"model":{},"provider":1}"#,
            r#","created":5,"system_fingerprint":null"#,
        ),
        (
            r#"{"a" : [ 1 ] , "b":-1.5e+3 ,"c":true}"#,
            r#","a":[ 1 ],"b":-1.5e+3,"c":true,"created":5,"system_fingerprint":null"#,
        ),
    ];
    for (answer, client) in cases {
        assert_eq!(whole(answer).client, format!("{HEAD}{client}{tail}"), "{answer}");
    }
}

#[test]
fn usage_is_taken_out_wherever_and_however_it_is_spelled() {
    let usage = |prompt_tokens| Reported::Usage(Usage { prompt_tokens, ..Usage::default() });
    let told = |answer| {
        let relayed = whole(answer);
        assert_eq!(relayed.client.matches("usage").count(), 1, "{}", relayed.client);
        relayed.usage
    };
    assert_eq!(told(r#"{"usage":{"prompt_tokens":1,"completion_tokens":0}}"#), usage(1));
    assert_eq!(told(r#"{"us\u0061ge":{"prompt_tokens":1,"completion_tokens":0}}"#), usage(1));
    assert_eq!(
        told(
            r#"{"usage":{"prompt_tokens":1,"completion_tokens":0},"usage":{"prompt_tokens":2,"completion_tokens":0}}"#
        ),
        usage(2)
    );
    assert_eq!(told(r#"{"usage":null}"#), Reported::Nothing);
    assert_eq!(told(r#"{"usage":7}"#), Reported::Unusable);
    let long = format!(
        r#"{{"usage":{{"x":"{}","prompt_tokens":1,"completion_tokens":1}}}}"#,
        "y".repeat(CAPTURE_BYTES_MAX)
    );
    assert_eq!(told(&long), Reported::Unusable);
}

#[test]
fn an_error_is_told_and_not_passed_on() {
    let error = r#"{"message":"no","code":429}"#;
    let relayed = whole(&format!(r#"{{"error": {error} ,"user_id":"u"}}"#));
    assert_eq!(relayed.error.as_deref(), Some(error));
    assert!(!relayed.has_choices && !relayed.client.contains("error"));
    assert_eq!(whole(r#"{"error":null}"#).error, None);
    let long = format!(r#"{{"error":"{}"}}"#, "x".repeat(CAPTURE_BYTES_MAX));
    assert_eq!(whole(&long).error.as_deref(), Some("{}"));
}

#[test]
fn choices_are_measured() {
    let relayed = whole(r#"{"choices": [{"message":{"content":"abc"}}] }"#);
    assert_eq!(relayed.choices_bytes, r#"[{"message":{"content":"abc"}}]"#.len() as u64);
}

#[test]
fn what_is_no_whole_object_is_malformed() {
    let cut = "ends before its JSON does";
    let object = "is not a JSON object";
    let value = "has a value that is no JSON";
    let brackets = "has brackets that do not match";
    let cases = [
        ("", cut),
        (" ", cut),
        ("{", cut),
        (r#"{"a"#, cut),
        (r#"{"a":1"#, cut),
        (r#"{"a":"b"#, cut),
        ("[]", object),
        ("7", object),
        ("{}x", object),
        ("{}{}", object),
        ("{,}", object),
        (r#"{"a":1,}"#, object),
        (r#"{"a" 1}"#, object),
        (r#"{"a":1 "b":2}"#, object),
        (r#"{a:1}"#, object),
        (r#"{"a":[1}]}"#, brackets),
        (r#"{"a":{]}"#, brackets),
        (r#"{"a":}"#, value),
        (r#"{"a":x}"#, value),
        (r#"{"a":1:2}"#, value),
        (r#"{"a":1"b"}"#, value),
    ];
    for (answer, fault_expected) in cases {
        assert_eq!(fault(answer), fault_expected, "{answer}");
    }
    let deep = |depth: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    assert_eq!(fault(&deep(128)), "is nested too deep");
    assert!(whole(&deep(127)).client.contains("[["));
    assert_eq!(fault(&format!(r#"{{"{}":1}}"#, "x".repeat(300))), "has a name that is too long");
}

#[test]
fn a_small_answer_can_be_checked_throughout() {
    // Brackets match and strings end, so it passes piece by piece; it is no JSON all the same.
    let odd = r#"{"choices":[1,,2]}"#;
    assert!(relay([odd.as_bytes()]).is_ok());
    assert!(Output::of_answer(odd.as_bytes()).is_err());
    assert!(Output::of_answer(b"{\"choices\":\"\xff\"}").is_err());
    assert!(Output::of_answer(b"{} x").is_err());
    assert_eq!(Output::of_answer(b"{}"), Ok(Output::default()));
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        r#"[a-z"\\{}\[\],:é\n ]{0,8}"#.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(r#"[a-z"\\]{1,4}"#, inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn the_clients_answer_is_the_providers_with_ours(
        members in prop::collection::btree_map(
            prop_oneof![
                r#"[a-z"\\é]{1,4}"#,
                "(id|object|model|provider|usage|choices|created|system_fingerprint|error)",
            ],
            value(),
            0..8,
        ),
        pretty in any::<bool>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let provider: Map<String, Value> = members.into_iter().collect();
        let text = if pretty {
            serde_json::to_string_pretty(&provider).unwrap()
        } else {
            serde_json::to_string(&provider).unwrap()
        };
        let (before, after) = text.as_bytes().split_at(cut.index(text.len() + 1));
        let relayed = relay([before, after]).unwrap();

        let mut expected = provider.clone();
        expected.insert("id".into(), json!("g"));
        expected.insert("model".into(), json!("m"));
        expected.insert("provider".into(), json!("p"));
        expected.insert("object".into(), json!("chat.completion"));
        expected.insert("usage".into(), json!({"cost": 0.1}));
        expected.remove("error");
        expected.entry("system_fingerprint").or_insert(Value::Null);
        let created = expected.get("created").and_then(Value::as_u64);
        if created.is_none_or(|created| created >= 1_000_000_000_000_000) {
            expected.insert("created".into(), json!(5));
        }
        let client: Map<String, Value> = serde_json::from_str(&relayed.client).unwrap();
        prop_assert_eq!(client, expected);
        let error = provider.get("error").filter(|error| !error.is_null());
        let told: Option<Value> = relayed.error.map(|error| serde_json::from_str(&error).unwrap());
        prop_assert_eq!(told.as_ref(), error);
    }

    #[test]
    fn no_bytes_make_the_reader_panic_and_cuts_change_nothing(
        bytes in r#"(\{|\}|\[|\]|,|:|"|\\|"usage"|"a"|1|t| ){0,30}"#,
        cut in any::<prop::sample::Index>(),
    ) {
        let (before, after) = bytes.as_bytes().split_at(cut.index(bytes.len() + 1));
        prop_assert_eq!(relay([before, after]), relay([bytes.as_bytes()]));
    }
}
