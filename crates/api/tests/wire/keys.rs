//! Keys: the answers, and what the requests take and refuse.

use std::num::NonZeroU64;

use api::keys::{
    ApiKey, CreateKey, External, KeyCreated, KeyDeleted, KeyList, KeyUpdated, LimitReset, ListKeys,
    PlainKey, UpdateKey, hex, parse_hash,
};
use api::{Invalid, Open, Usd, Utc};
use money::Money;
use proptest::prelude::*;
use uuid::Uuid;

use crate::contract::checked;

const WORKSPACE: &str = "123e4567-e89b-42d3-a456-426614174000";
const SECRET: &str = "abcdefghijklmnopqrstuvwxyz012345";

fn usd(text: &str) -> Usd {
    Usd(text.parse().unwrap())
}

fn moment(text: &str) -> Utc {
    Utc(text.parse().unwrap())
}

fn workspace() -> Uuid {
    WORKSPACE.parse().unwrap()
}

fn key() -> ApiKey {
    ApiKey {
        hash: "0e".repeat(32),
        name: "ci".to_owned(),
        label: "sk-or-v1-0e6...1c96".to_owned(),
        disabled: false,
        limit: Some(usd("25.5")),
        limit_remaining: Some(usd("-0.4")),
        limit_reset: Some(LimitReset::Daily.into()),
        include_byok_in_limit: true,
        usage: usd("0.000004132"),
        usage_daily: usd("0"),
        usage_weekly: usd("1"),
        usage_monthly: usd("9007199.254740993"),
        byok_usage: usd("4"),
        byok_usage_daily: usd("1"),
        byok_usage_weekly: usd("2"),
        byok_usage_monthly: usd("3"),
        created_at: moment("2026-11-21T22:50:00.123Z"),
        updated_at: Some(moment("2026-11-21T22:51:00Z")),
        expires_at: Some(moment("2027-01-01T00:00:00Z")),
        creator_user_id: Some("user_1".to_owned()),
        workspace_id: workspace(),
        external_user: Some("end-user".to_owned()),
        last_used_at: Some(moment("2026-11-21T22:52:00Z")),
        allowed_models: Some(vec!["openai/*".to_owned(), "meta/llama".to_owned()]),
        requests_per_minute: Some(60),
        tokens_per_minute: Some(10_000),
        concurrent_requests: Some(5),
    }
}

fn bare_key() -> ApiKey {
    ApiKey {
        limit: None,
        limit_remaining: None,
        limit_reset: None,
        updated_at: None,
        expires_at: None,
        creator_user_id: None,
        external_user: None,
        last_used_at: None,
        allowed_models: None,
        requests_per_minute: None,
        tokens_per_minute: None,
        concurrent_requests: None,
        ..key()
    }
}

#[test]
fn a_key_is_sent_with_every_member() {
    assert_eq!(
        checked("/components/schemas/ApiKey", &key()),
        format!(
            r#"{{"hash":"{}","name":"ci","label":"sk-or-v1-0e6...1c96","disabled":false,"limit":25.5,"limit_remaining":-0.4,"limit_reset":"daily","include_byok_in_limit":true,"usage":0.000004132,"usage_daily":0,"usage_weekly":1,"usage_monthly":9007199.254740993,"byok_usage":4,"byok_usage_daily":1,"byok_usage_weekly":2,"byok_usage_monthly":3,"created_at":"2026-11-21T22:50:00.123Z","updated_at":"2026-11-21T22:51:00.000Z","expires_at":"2027-01-01T00:00:00.000Z","creator_user_id":"user_1","workspace_id":"{WORKSPACE}","external_user":"end-user","last_used_at":"2026-11-21T22:52:00.000Z","allowed_models":["openai/*","meta/llama"],"requests_per_minute":60,"tokens_per_minute":10000,"concurrent_requests":5}}"#,
            "0e".repeat(32),
        ),
    );
    let text = checked("/components/schemas/ApiKey", &bare_key());
    assert_eq!(text.matches(":null").count(), 12);
}

#[test]
fn a_key_survives_the_wire_beside_members_and_words_not_known_yet() {
    for key in [key(), bare_key()] {
        let text = serde_json::to_string(&key).unwrap();
        assert_eq!(serde_json::from_str::<ApiKey>(&text).unwrap(), key);
    }
    let text = serde_json::to_string(&bare_key()).unwrap();
    let older = text.split_once(r#","allowed_models""#).unwrap().0.to_owned() + "}";
    assert_eq!(serde_json::from_str::<ApiKey>(&older).unwrap(), bare_key());
    let newer =
        serde_json::to_string(&key()).unwrap().replace(r#""daily""#, r#""hourly","new":[]"#);
    let expected = ApiKey { limit_reset: Some(Open::Unknown("hourly".to_owned())), ..key() };
    assert_eq!(serde_json::from_str::<ApiKey>(&newer).unwrap(), expected);
}

#[test]
fn answers_are_what_the_contract_says() {
    let schema = |path, method, status| {
        format!("/paths/{path}/{method}/responses/{status}/content/application~1json/schema")
    };
    let list = KeyList { data: vec![key(), bare_key()] };
    checked(&schema("~1keys", "get", "200"), &list);
    let updated = KeyUpdated { data: bare_key() };
    checked(&schema("~1keys~1{hash}", "patch", "200"), &updated);
    let deleted = checked(&schema("~1keys~1{hash}", "delete", "200"), &KeyDeleted::default());
    assert_eq!(deleted, r#"{"deleted":true}"#);
}

#[test]
fn a_new_keys_text_stands_in_both_places_and_in_no_debug_output() {
    let text = format!("sk-or-v1-{}", "0e".repeat(32));
    let created = KeyCreated { data: key(), key: PlainKey::from(text.clone()) };
    let schema = "/paths/~1keys/post/responses/201/content/application~1json/schema";
    let json = checked(schema, &created);
    let data = serde_json::to_string(&key()).unwrap();
    let inner = data.strip_suffix('}').unwrap();
    assert_eq!(json, format!(r#"{{"data":{inner},"key":"{text}"}},"key":"{text}"}}"#));

    let read: KeyCreated = serde_json::from_str(&json).unwrap();
    assert_eq!((read.data, read.key.expose()), (key(), text.as_str()));
    assert!(!format!("{created:?}").contains(&text));
}

#[test]
fn a_full_creation_is_read_and_written() {
    let body = format!(
        r#"{{"name":" ci ","limit":25.5,"limit_reset":"monthly","include_byok_in_limit":true,"expires_at":"2027-01-01T00:00:00.000Z","creator_user_id":"user_1","workspace_id":"{WORKSPACE}","external":{{"user":"u","api_key":"{SECRET}"}},"allowed_models":["openai/gpt-4o-mini","meta/*"],"requests_per_minute":1,"tokens_per_minute":1000000000,"concurrent_requests":7}}"#
    );
    let request = CreateKey::parse(body.as_bytes()).unwrap();
    assert_eq!(request.name, " ci ");
    assert_eq!(request.limit, Some(usd("25.5")));
    assert_eq!(request.limit_reset, Some(LimitReset::Monthly));
    assert!(request.include_byok_in_limit);
    assert_eq!(request.expires_at, Some(moment("2027-01-01T00:00:00Z")));
    assert_eq!(request.creator_user_id.as_deref(), Some("user_1"));
    assert_eq!(request.workspace_id, Some(workspace()));
    let models = request.allowed_models.as_deref().unwrap();
    assert_eq!(models, ["openai/gpt-4o-mini", "meta/*"]);
    assert_eq!(request.requests_per_minute, NonZeroU64::new(1));
    assert_eq!(request.tokens_per_minute, NonZeroU64::new(1_000_000_000));
    assert_eq!(request.concurrent_requests, NonZeroU64::new(7));
    let External { user, api_key } = request.external.as_ref().unwrap();
    assert_eq!((user.as_str(), api_key.as_ref().unwrap().expose()), ("u", SECRET));
    assert!(!format!("{request:?}").contains(SECRET));

    let schema = "/paths/~1keys/post/requestBody/content/application~1json/schema";
    assert_eq!(checked(schema, &request), body);
}

#[test]
fn what_a_creation_leaves_out_or_clears_has_its_default() {
    let nulls = br#"{"name":"ci","limit":null,"limit_reset":null,"expires_at":null,"creator_user_id":null,"allowed_models":null,"requests_per_minute":null,"tokens_per_minute":null,"concurrent_requests":null,"colour":{}}"#;
    for body in [br#"{"name":"ci"}"#.as_slice(), nulls] {
        let request = CreateKey::parse(body).unwrap();
        assert_eq!(
            serde_json::to_string(&request).unwrap(),
            r#"{"name":"ci","limit":null,"limit_reset":null,"include_byok_in_limit":false,"expires_at":null,"creator_user_id":null}"#,
        );
    }
}

#[test]
fn a_creation_is_refused_with_the_field_and_the_reason() {
    let cases = [
        (
            r#"{}"#,
            "`name` is missing; allowed: a string of 1 to 255 characters, not blank, no control characters",
        ),
        (
            r#"{"name":null}"#,
            "`name` is null; allowed: a string of 1 to 255 characters, not blank, no control characters",
        ),
        (r#"{"name":1}"#, "`name` is a number"),
        (r#"{"name":""}"#, "`name` is blank"),
        (r#"{"name":" \u00a0"}"#, "`name` is blank"),
        (r#"{"name":"a\u0000b"}"#, "`name` has a control character"),
        (r#"{"name":"a\u0085b"}"#, "`name` has a control character"),
        (r#"{"name":"a\nb"}"#, "`name` has a control character"),
        (r#"{"name":"\ud800"}"#, "`name` is not Unicode"),
        (
            r#"{"name":"n","limit":-0.01}"#,
            "`limit` is negative; allowed: a number of US dollars from 0 to 9223372036.854775807, or null",
        ),
        (r#"{"name":"n","limit":-1e-300}"#, "`limit` is negative"),
        (r#"{"name":"n","limit":-1e400}"#, "`limit` is negative"),
        (r#"{"name":"n","limit":"5"}"#, "`limit` is a string"),
        (r#"{"name":"n","limit":true}"#, "`limit` is a boolean"),
        (r#"{"name":"n","limit":[5]}"#, "`limit` is an array"),
        (r#"{"name":"n","limit":1e400}"#, "`limit` is too large"),
        (r#"{"name":"n","limit":9223372036.854775808}"#, "`limit` is too large"),
        (r#"{"name":"n","limit":1e99999999999}"#, "`limit` is too large"),
        (r#"{"name":"n","limit":NaN}"#, "`limit` is malformed JSON at line 1 column 21"),
        (r#"{"name":"n","limit":1,"limit":null}"#, "`limit` is given twice"),
        (
            r#"{"name":"n","limit_reset":"hourly"}"#,
            "`limit_reset` is none of the windows there are; allowed: `daily`, `weekly` or `monthly`, or null",
        ),
        (r#"{"name":"n","limit_reset":"Daily"}"#, "`limit_reset` is none of the windows there are"),
        (r#"{"name":"n","limit_reset":1}"#, "`limit_reset` is a number"),
        (
            r#"{"name":"n","include_byok_in_limit":null}"#,
            "`include_byok_in_limit` is null; allowed: true or false",
        ),
        (r#"{"name":"n","include_byok_in_limit":"true"}"#, "`include_byok_in_limit` is a string"),
        (
            r#"{"name":"n","expires_at":"2027-01-01T00:00:00"}"#,
            "`expires_at` has no offset; allowed: a time in UTC with seconds that ends in `Z`, such as `2026-11-21T22:50:00Z`, or null",
        ),
        (r#"{"name":"n","expires_at":"2027-01-01T00:00:00+02:00"}"#, "`expires_at` is not in UTC"),
        (r#"{"name":"n","expires_at":1798761600}"#, "`expires_at` is a number"),
        (r#"{"name":"n","creator_user_id":""}"#, "`creator_user_id` is blank"),
        (r#"{"name":"n","creator_user_id":"a\tb"}"#, "`creator_user_id` has a control character"),
        (r#"{"name":"n","creator_user_id":7}"#, "`creator_user_id` is a number"),
        (r#"{"name":"n","workspace_id":"default"}"#, "`workspace_id` is not a UUID"),
        (
            r#"{"name":"n","workspace_id":"123e4567e89b42d3a456426614174000"}"#,
            "`workspace_id` is not a UUID",
        ),
        (r#"{"name":"n","workspace_id":null}"#, "`workspace_id` is null"),
        (r#"{"name":"n","external":null}"#, "`external` is null; allowed: a JSON object"),
        (r#"{"name":"n","external":{}}"#, "`external.user` is missing"),
        (r#"{"name":"n","external":{"user":"a","user":"b"}}"#, "`external.user` is given twice"),
        (r#"{"name":"n","external":{"user":"u","api_key":null}}"#, "`external.api_key` is null"),
        (
            r#"{"name":"n","external":{"user":"u","api_key":"short"}}"#,
            "`external.api_key` is too short; allowed: a secret of 32 to 512 visible ASCII characters, at least 16 of them different",
        ),
        (
            r#"{"name":"n","external":{"user":"u","api_key":"abababababababababababababababababab"}}"#,
            "`external.api_key` is too easily guessed",
        ),
        (
            r#"{"name":"n","external":{"user":"u","api_key":"abcdefghijklmnopqrstuvwxyz 012345"}}"#,
            "`external.api_key` has a character that is not visible ASCII",
        ),
    ];
    for (body, expected) in cases {
        let message = CreateKey::parse(body.as_bytes()).unwrap_err().to_string();
        assert!(message.starts_with(expected), "{body}: {message}");
    }
}

#[test]
fn lengths_are_counted_in_characters_to_the_last_one() {
    let named =
        |chars| CreateKey::parse(format!(r#"{{"name":"{}"}}"#, "é".repeat(chars)).as_bytes());
    assert!(named(255).is_ok());
    assert!(named(256).unwrap_err().to_string().starts_with("`name` is too long"));

    let with = |secret: String| {
        let body = format!(r#"{{"name":"n","external":{{"user":"u","api_key":"{secret}"}}}}"#);
        CreateKey::parse(body.as_bytes())
    };
    assert!(with(SECRET.repeat(16)).is_ok());
    assert!(with(SECRET.repeat(16) + "a").is_err());
    assert!(with(SECRET[..16].repeat(2)).is_ok());
    assert!(with(SECRET[..15].repeat(3)).is_err());
}

#[test]
fn limits_are_read_exactly_and_rounded_down() {
    let cases = [
        ("0", 0),
        ("-0", 0),
        ("-0.0e5", 0),
        ("0e999999", 0),
        ("5e-05", 50_000),
        ("0.0000000019", 1),
        ("9223372036.8547758079", i64::MAX),
    ];
    for (number, nanos) in cases {
        let body = format!(r#"{{"name":"n","limit":{number}}}"#);
        let request = CreateKey::parse(body.as_bytes()).unwrap();
        assert_eq!(request.limit, Some(Usd(Money::nanos(nanos))), "{number}");
    }
}

#[test]
fn an_update_tells_null_from_nothing() {
    let parse = |body: &str| UpdateKey::parse(body.as_bytes()).unwrap();
    let none = UpdateKey::default();
    assert_eq!(parse(r#"{"limit":null}"#), UpdateKey { limit: Some(None), ..none.clone() });
    assert_eq!(
        parse(r#"{"limit_reset":null,"foo":1}"#),
        UpdateKey { limit_reset: Some(None), ..none.clone() },
    );
    assert_eq!(parse(r#"{"disabled":false}"#), UpdateKey { disabled: Some(false), ..none.clone() });
    let nulls = r#"{"expires_at":null,"allowed_models":null,"requests_per_minute":null,"tokens_per_minute":null,"concurrent_requests":null}"#;
    let cleared = UpdateKey {
        expires_at: Some(None),
        allowed_models: Some(None),
        requests_per_minute: Some(None),
        tokens_per_minute: Some(None),
        concurrent_requests: Some(None),
        ..none
    };
    assert_eq!(parse(nulls), cleared);
    assert_eq!(serde_json::to_string(&cleared).unwrap(), nulls);
    let full = format!(
        r#"{{"name":"n","disabled":true,"limit":2,"limit_reset":"weekly","include_byok_in_limit":false,"workspace_id":"{WORKSPACE}","expires_at":"2027-01-01T00:00:00.000Z","allowed_models":["meta/*"],"requests_per_minute":1,"tokens_per_minute":2,"concurrent_requests":3}}"#
    );
    let update = parse(&full);
    assert_eq!(
        update,
        UpdateKey {
            name: Some("n".to_owned()),
            disabled: Some(true),
            limit: Some(Some(usd("2"))),
            limit_reset: Some(Some(LimitReset::Weekly)),
            include_byok_in_limit: Some(false),
            workspace_id: Some(workspace()),
            expires_at: Some(Some(moment("2027-01-01T00:00:00Z"))),
            allowed_models: Some(Some(vec!["meta/*".to_owned()])),
            requests_per_minute: Some(NonZeroU64::new(1)),
            tokens_per_minute: Some(NonZeroU64::new(2)),
            concurrent_requests: Some(NonZeroU64::new(3)),
        },
    );
    let schema = "/paths/~1keys~1{hash}/patch/requestBody/content/application~1json/schema";
    assert_eq!(checked(schema, &update), full);
    assert_eq!(checked(schema, &parse(r#"{"limit":null}"#)), r#"{"limit":null}"#);
}

#[test]
fn an_update_of_nothing_says_so_in_the_fixed_words() {
    for body in ["{}", r#"{"foo":1}"#, r#"{"creator_user_id":"u","last_used_at":null}"#] {
        let error = UpdateKey::parse(body.as_bytes()).unwrap_err();
        assert_eq!(error, Invalid::NothingToUpdate);
        assert_eq!(error.to_string(), "No update fields provided");
    }
}

#[test]
fn an_update_refuses_null_where_it_clears_nothing() {
    let cases = [
        (r#"{"name":null,"disabled":true,"limit":null}"#, "`name` is null; allowed: a string of"),
        (r#"{"name":""}"#, "`name` is blank"),
        (r#"{"disabled":null}"#, "`disabled` is null; allowed: true or false"),
        (r#"{"disabled":1}"#, "`disabled` is a number"),
        (r#"{"include_byok_in_limit":null}"#, "`include_byok_in_limit` is null"),
        (r#"{"workspace_id":null}"#, "`workspace_id` is null"),
        (r#"{"limit":-1}"#, "`limit` is negative"),
        (r#"{"limit_reset":"never"}"#, "`limit_reset` is none of"),
        (r#"{"disabled":true,"dis\u0061bled":false}"#, "`disabled` is given twice"),
        (
            r#"{"expires_at":"2027-01-01T00:00:00"}"#,
            "`expires_at` has no offset; allowed: a time in UTC with seconds that ends in `Z`, such as `2026-11-21T22:50:00Z`, or null",
        ),
        (r#"{"expires_at":"2027-01-01T00:00Z"}"#, "`expires_at` has no seconds"),
        (r#"{"expires_at":false}"#, "`expires_at` is a boolean"),
        (r#"{"name":null,"expires_at":null}"#, "`name` is null"),
        (r#"[]"#, "`body` is not a JSON object"),
    ];
    for (body, expected) in cases {
        let message = UpdateKey::parse(body.as_bytes()).unwrap_err().to_string();
        assert!(message.starts_with(expected), "{body}: {message}");
    }
}

/// Both requests take the extensions, under the same rules.
#[test]
fn an_extension_is_refused_with_the_field_and_the_reason() {
    let long = format!(r#""allowed_models":["{}"]"#, "a".repeat(256));
    let many = format!(r#""allowed_models":[{}"z"]"#, r#""a/*","#.repeat(100));
    let cases = [
        (
            r#""requests_per_minute":0"#,
            "`requests_per_minute` is zero; allowed: a whole number from 1 to 1000000000 (to refuse every request, use `disabled`), or null",
        ),
        (r#""requests_per_minute":-0"#, "`requests_per_minute` is negative"),
        (r#""requests_per_minute":-1"#, "`requests_per_minute` is negative"),
        (r#""requests_per_minute":1.5"#, "`requests_per_minute` is not a whole number"),
        (r#""requests_per_minute":1e3"#, "`requests_per_minute` is not a whole number"),
        (r#""requests_per_minute":"60""#, "`requests_per_minute` is a string"),
        (r#""requests_per_minute":[60]"#, "`requests_per_minute` is an array"),
        (r#""tokens_per_minute":1000000001"#, "`tokens_per_minute` is too large"),
        (r#""tokens_per_minute":18446744073709551617"#, "`tokens_per_minute` is too large"),
        (r#""concurrent_requests":true"#, "`concurrent_requests` is a boolean"),
        (
            r#""concurrent_requests":1,"concurrent_requests":2"#,
            "`concurrent_requests` is given twice",
        ),
        (
            r#""allowed_models":[]"#,
            "`allowed_models` is empty; allowed: an array of 1 to 100 entries, each the id of a model or `author/*` (to refuse every request, use `disabled`), or null",
        ),
        (r#""allowed_models":"a/b""#, "`allowed_models` is a string; allowed: an array of 1 to"),
        (r#""allowed_models":{"0":"a/b"}"#, "`allowed_models` is an object"),
        (&many, "`allowed_models` has 101 entries"),
        (
            r#""allowed_models":["a/b","a/c","a/b"]"#,
            "`allowed_models[2]` is given twice; allowed: the id of a model, or `author/*`, each once",
        ),
        (r#""allowed_models":["a/b",null]"#, "`allowed_models[1]` is null; allowed: a string"),
        (r#""allowed_models":[7]"#, "`allowed_models[0]` is a number"),
        (r#""allowed_models":[["a/b"]]"#, "`allowed_models[0]` is an array"),
        (r#""allowed_models":["a/b",""]"#, "`allowed_models[1]` is blank"),
        (r#""allowed_models":["a\nb"]"#, "`allowed_models[0]` has a control character"),
        (&long, "`allowed_models[0]` is too long; allowed: a string of 1 to 255 characters"),
        (
            r#""allowed_models":["*"]"#,
            "`allowed_models[0]` has a `*` that does not stand for all models of one author; allowed: the id of a model, or `author/*`, each once",
        ),
        (r#""allowed_models":["a/b*"]"#, "`allowed_models[0]` has a `*` that"),
        (r#""allowed_models":["/*"]"#, "`allowed_models[0]` has a `*` that"),
        (r#""allowed_models":["*/*"]"#, "`allowed_models[0]` has a `*` that"),
        (r#""allowed_models":["a/b/*"]"#, "`allowed_models[0]` has a `*` that"),
    ];
    for (member, expected) in cases {
        let create = CreateKey::parse(format!(r#"{{"name":"n",{member}}}"#).as_bytes());
        let update = UpdateKey::parse(format!(r#"{{{member}}}"#).as_bytes());
        for message in [create.unwrap_err().to_string(), update.unwrap_err().to_string()] {
            assert!(message.starts_with(expected), "{member}: {message}");
        }
    }
    let longest = format!(r#"{{"allowed_models":["{}"]}}"#, "é".repeat(255));
    assert!(UpdateKey::parse(longest.as_bytes()).is_ok());
}

#[test]
fn a_list_is_asked_for_as_the_sdks_do() {
    assert_eq!(ListKeys::parse([]), Ok(ListKeys::default()));
    assert_eq!(
        ListKeys::parse([("offset", ""), ("page", "x"), ("page", "y")]),
        Ok(ListKeys::default())
    );
    let all = [
        ("offset", "200"),
        ("include_disabled", "true"),
        ("include_expired", "1"),
        ("workspace_id", WORKSPACE),
    ];
    let expected = ListKeys {
        offset: 200,
        include_disabled: true,
        include_expired: true,
        workspace_id: Some(workspace()),
    };
    assert_eq!(ListKeys::parse(all), Ok(expected));
    let none = [("include_disabled", "false"), ("include_expired", "0")];
    assert_eq!(ListKeys::parse(none), Ok(ListKeys::default()));
}

#[test]
fn a_list_refuses_what_it_cannot_mean() {
    let cases = [
        (
            vec![("offset", "-1")],
            "`offset` is not such a number; allowed: a whole number from 0 to",
        ),
        (vec![("offset", "+1")], "`offset` is not such a number"),
        (vec![("offset", "ten")], "`offset` is not such a number"),
        (vec![("offset", "18446744073709551616")], "`offset` is not such a number"),
        (
            vec![("include_disabled", "yes")],
            "`include_disabled` is another word; allowed: true, false, 1 or 0",
        ),
        (vec![("include_expired", "")], "`include_expired` is another word"),
        (vec![("workspace_id", "default")], "`workspace_id` is not a UUID"),
        (vec![("workspace_id", "")], "`workspace_id` is not a UUID"),
        (vec![("offset", "1"), ("offset", "2")], "`offset` is given twice"),
    ];
    for (pairs, expected) in cases {
        let message = ListKeys::parse(pairs.iter().copied()).unwrap_err().to_string();
        assert!(message.starts_with(expected), "{pairs:?}: {message}");
    }
}

#[test]
fn a_hash_is_64_lower_case_hex_digits() {
    let text = "0123456789abcdef".repeat(4);
    assert_eq!(parse_hash(&text).unwrap()[..3], [0x01, 0x23, 0x45]);
    for bad in [&text[1..], &text[2..], "", &text.to_uppercase(), &text.replace('f', "g")] {
        assert_eq!(parse_hash(bad), None, "{bad}");
    }
    assert_eq!(parse_hash(&format!("{text}0")), None);
    assert_eq!(parse_hash(&format!("{text}00")), None);
}

proptest! {
    #[test]
    fn a_hash_survives_its_text(hash: [u8; 32]) {
        prop_assert_eq!(parse_hash(&hex(&hash)), Some(hash));
    }
}
