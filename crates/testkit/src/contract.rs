//! Whether an answer is what the published API (`docs/openapi.json`) says it is.
//! The document is compiled in; each schema is compiled once, when it is first needed.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use jsonschema::{Draft, Registry, RegistryBuilder, Validator};
use parking_lot::Mutex;
use serde_json::{Value, json};

/// Why an answer breaks the contract, in one sentence that shows the answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{method} {path} answered {status} against the contract: {reason}; body: {body}")]
pub struct Violation {
    method: String,
    path: String,
    status: u16,
    reason: String,
    body: String,
}

/// The name under which the document is known to the validator.
const DOCUMENT_URI: &str = "urn:tollgate:openapi";
/// Where the schema of one chunk of a stream is in the document.
const CHUNK_POINTER: &str = "/components/schemas/ChatStreamChunk";
/// How much of a body a violation shows.
const BODY_SHOWN_CHARS_MAX: usize = 2_000;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../docs/openapi.json")).expect("openapi.json is JSON")
});

static REGISTRY: LazyLock<Registry<'static>> = LazyLock::new(|| {
    let registry = Registry::new().draft(Draft::Draft202012).add(DOCUMENT_URI, &*DOCUMENT);
    registry.and_then(RegistryBuilder::prepare).expect("openapi.json is a document of schemas")
});

static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// The path of the document that a request's path (without `/api/v1` and query) is an instance of.
///
/// Where several fit, the one with the most literal segments: `/models/count` is no model.
pub fn template(path: &str) -> Option<&'static str> {
    let wanted: Vec<&str> = path.split('/').collect();
    let is_name = |segment: &str| segment.starts_with('{');
    let fits = |template: &str| {
        let segments: Vec<&str> = template.split('/').collect();
        segments.len() == wanted.len()
            && segments.iter().zip(&wanted).all(|(segment, part)| {
                if is_name(segment) { !part.is_empty() } else { segment == part }
            })
    };
    let names = |template: &str| template.split('/').filter(|segment| is_name(segment)).count();
    let paths = DOCUMENT["paths"].as_object()?;
    paths.keys().map(String::as_str).filter(|path| fits(path)).min_by_key(|path| names(path))
}

/// Holds a JSON answer against the schema of its operation and status.
///
/// `path` is the document's, as [`template`] gives it. Every error must be the error envelope, its
/// code the status; so must a status that the operation does not list, and any answer where there
/// is no such operation.
pub fn check(method: &str, path: &str, status: u16, body: &[u8]) -> Result<(), Violation> {
    let checked = parse(body).and_then(|answer| {
        match schema_pointer(method, path, status) {
            Some(pointer) => conforms(&pointer, &answer)?,
            None if status < 400 => return Err("a status that is not in the contract".to_owned()),
            None => {}
        }
        if status < 400 { Ok(()) } else { is_envelope(&answer, status) }
    });
    checked.map_err(|reason| Violation {
        method: method.to_owned(),
        path: path.to_owned(),
        status,
        reason,
        body: shown(body),
    })
}

/// Holds the data of one event of a chat stream (`[DONE]` left out) against `ChatStreamChunk`.
pub fn check_chunk(data: &str) -> Result<(), Violation> {
    let checked = parse(data.as_bytes()).and_then(|chunk| conforms(CHUNK_POINTER, &chunk));
    checked.map_err(|reason| Violation {
        method: "POST".to_owned(),
        path: "/chat/completions (a chunk)".to_owned(),
        status: 200,
        reason,
        body: shown(data.as_bytes()),
    })
}

fn parse(body: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(body).map_err(|error| format!("not JSON: {error}"))
}

fn schema_pointer(method: &str, path: &str, status: u16) -> Option<String> {
    let path = path.replace('~', "~0").replace('/', "~1");
    let pointer = format!(
        "/paths/{path}/{}/responses/{status}/content/application~1json/schema",
        method.to_ascii_lowercase()
    );
    DOCUMENT.pointer(&pointer).is_some().then_some(pointer)
}

fn conforms(pointer: &str, answer: &Value) -> Result<(), String> {
    let validator = Arc::clone(
        VALIDATORS
            .lock()
            .entry(pointer.to_owned())
            .or_insert_with_key(|pointer| Arc::new(compile(pointer))),
    );
    let reasons: Vec<String> = validator
        .iter_errors(answer)
        .map(|error| format!("at {:?}: {error}", error.instance_path().as_str()))
        .collect();
    if reasons.is_empty() { Ok(()) } else { Err(reasons.join("; ")) }
}

fn compile(pointer: &str) -> Validator {
    // A template's braces are in the pointer, and a reference is a URI.
    let pointer = pointer.replace('{', "%7B").replace('}', "%7D");
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .with_registry(&REGISTRY)
        .should_validate_formats(true)
        .offline()
        .build(&json!({ "$ref": format!("{DOCUMENT_URI}#{pointer}") }))
        .unwrap_or_else(|error| panic!("the schema at {pointer} does not compile: {error}"))
}

fn is_envelope(answer: &Value, status: u16) -> Result<(), String> {
    let error = &answer["error"];
    if error["code"].as_u64() != Some(u64::from(status)) {
        return Err("error.code is not the status".to_owned());
    }
    if error["message"].as_str().is_none_or(str::is_empty) {
        return Err("error.message is missing".to_owned());
    }
    match error.get("metadata") {
        None | Some(Value::Null | Value::Object(_)) => Ok(()),
        Some(_) => Err("error.metadata is not an object".to_owned()),
    }
}

fn shown(body: &[u8]) -> String {
    String::from_utf8_lossy(body).chars().take(BODY_SHOWN_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_finds_its_most_literal_template() {
        assert_eq!(template("/models/count"), Some("/models/count"));
        assert_eq!(template("/keys/abc"), Some("/keys/{hash}"));
        assert_eq!(template("/guardrails/assignments/keys"), Some("/guardrails/assignments/keys"));
        assert_eq!(
            template("/guardrails/1/assignments/keys"),
            Some("/guardrails/{id}/assignments/keys")
        );
        assert_eq!(template("/keys/"), None);
        assert_eq!(template("/nowhere"), None);
    }

    #[test]
    fn every_schema_of_the_document_compiles() {
        for (path, operations) in DOCUMENT["paths"].as_object().expect("paths") {
            for (method, operation) in operations.as_object().expect("operations") {
                for status in operation["responses"].as_object().into_iter().flatten() {
                    let status = status.0.parse().expect("a status");
                    if let Some(pointer) = schema_pointer(method, path, status) {
                        compile(&pointer);
                    }
                }
            }
        }
        compile(CHUNK_POINTER);
    }

    #[test]
    fn a_wrong_body_is_a_violation_that_says_where() {
        let body = br#"{"data":{"total_credits":"ten","total_usage":0}}"#;
        let violation = check("GET", "/credits", 200, body).expect_err("a text is no number");
        assert!(violation.to_string().contains("/data/total_credits"), "{violation}");
        let body = br#"{"data":{"total_credits":10.5,"total_usage":0}}"#;
        assert_eq!(check("GET", "/credits", 200, body), Ok(()));
    }

    #[test]
    fn an_error_carries_its_status_whether_the_operation_lists_it_or_not() {
        for status in [401, 418] {
            let right = format!(r#"{{"error":{{"code":{status},"message":"no"}}}}"#);
            assert_eq!(check("GET", "/credits", status, right.as_bytes()), Ok(()));
            let wrong = br#"{"error":{"code":499,"message":"no"}}"#;
            assert!(check("GET", "/credits", status, wrong).is_err());
            let text = br#"{"error":{"code":"401","message":"no"}}"#;
            assert!(check("GET", "/credits", status, text).is_err());
        }
    }

    #[test]
    fn a_success_that_the_operation_does_not_list_is_a_violation() {
        assert!(check("GET", "/credits", 202, b"{}").is_err());
        assert!(check("PUT", "/credits", 200, b"{}").is_err());
    }

    #[test]
    fn a_chunk_with_a_null_fingerprint_is_a_violation() {
        let chunk =
            r#"{"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[]}"#;
        assert_eq!(check_chunk(chunk), Ok(()));
        let null = chunk.replace(r#""choices""#, r#""system_fingerprint":null,"choices""#);
        assert!(check_chunk(&null).is_err());
    }
}
