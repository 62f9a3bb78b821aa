//! Checks answers against the schemas of `docs/openapi.json`.
//! Date-time formats are checked, too, as the official SDKs do.

use jsonschema::{Registry, Validator};
use serde::Serialize;
use serde_json::{Value, json};

const ADDRESS: &str = "https://contract.test/openapi.json";

fn validator(pointer: &str) -> Validator {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let contract: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let registry = Registry::new().add(ADDRESS, contract).unwrap().prepare().unwrap();
    let fragment = pointer.replace('{', "%7B").replace('}', "%7D");
    jsonschema::options()
        .with_registry(&registry)
        .should_validate_formats(true)
        .build(&json!({ "$ref": format!("{ADDRESS}#{fragment}") }))
        .unwrap()
}

/// The JSON of `answer`, which must be what the schema at `pointer` asks for.
#[track_caller]
pub(crate) fn checked(pointer: &str, answer: &impl Serialize) -> String {
    let text = serde_json::to_string(answer).unwrap();
    let value = serde_json::from_str(&text).unwrap();
    let problems: Vec<String> = validator(pointer)
        .iter_errors(&value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(problems.is_empty(), "{problems:#?} in {text}");
    text
}

#[test]
fn the_check_finds_what_is_missing_and_what_is_malformed() {
    let budget = validator("/components/schemas/KeyBudget");
    assert_eq!(budget.iter_errors(&json!({})).count(), 9);
    let data =
        validator("/paths/~1keys~1{hash}/get/responses/200/content/application~1json/schema");
    let mut key = json!({ "data": { "last_used_at": "2026-11-21 22:50:00Z" } });
    let before = data.iter_errors(&key).count();
    key["data"]["last_used_at"] = json!("2026-11-21T22:50:00.000Z");
    assert_eq!(data.iter_errors(&key).count(), before - 1);
}
