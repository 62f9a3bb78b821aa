use std::sync::Arc;

use super::*;
use crate::meter::sample::endpoint;

const SECRET: &str = "credential-of-the-gateway";

fn provider() -> Arc<Provider> {
    Arc::clone(&endpoint(&format!("api_key = \"{SECRET}\""), "").provider)
}

fn told(status: u16, body: &str) -> (u16, String, bool, bool) {
    let status = StatusCode::from_u16(status).unwrap();
    let told = answered(&provider(), status, body.as_bytes(), None);
    let text = serde_json::to_string(told.error.body()).unwrap();
    (told.error.status().as_u16(), text, told.is_worth_another, told.is_credential)
}

#[test]
fn a_status_says_whether_another_endpoint_may_do_better() {
    // provider's status, the client's, worth another endpoint, the credential was refused
    for (status, client, is_worth_another, is_credential) in [
        (302, 404, true, false),
        (400, 400, false, false),
        (401, 502, true, true),
        (402, 502, true, false),
        (403, 502, true, true),
        (404, 404, true, false),
        (405, 400, true, false),
        (408, 504, true, false),
        (410, 400, true, false),
        (413, 413, false, false),
        (422, 400, false, false),
        (451, 400, true, false),
        (429, 429, true, false),
        (500, 502, true, false),
        (503, 503, true, false),
        (504, 504, true, false),
        (529, 503, true, false),
        (599, 502, true, false),
    ] {
        let (status_told, _, worth, credential) = told(status, "{}");
        assert_eq!(
            (status_told, worth, credential),
            (client, is_worth_another, is_credential),
            "{status}"
        );
    }
}

#[test]
fn a_403_about_the_prompt_does_not_rest_the_provider() {
    let body = r#"{"error":{"message":"flagged","metadata":{"reasons":["violence"],"flagged_input":"x"}}}"#;
    let (status, text, is_worth_another, is_credential) = told(403, body);
    assert_eq!((status, is_worth_another, is_credential), (400, true, false));
    assert!(text.contains("content_policy_violation"), "{text}");
}

#[test]
fn a_providers_words_are_passed_on_in_every_common_shape() {
    for body in [
        r#"{"error":{"message":"too hot"}}"#,
        r#"{"error":"too hot"}"#,
        r#"{"message":"too hot"}"#,
        r#"{"error":null,"message":"too hot"}"#,
    ] {
        assert!(told(400, body).1.contains(r#""message":"too hot""#), "{body}");
    }
    for body in ["", "too hot", "[]", r#"{"error":7}"#, r#"{"error":{"message":7}}"#] {
        assert!(told(400, body).1.contains(r#""message":"Provider returned error""#), "{body}");
    }
}

#[test]
fn no_credential_is_in_what_a_client_is_told() {
    let body = format!(
        r#"{{"error":{{"message":"bad key {SECRET} or Bearer abcdefghijklmnop or sk-0123456789abcdef0123"}}}}"#
    );
    for status in [400, 401, 403, 404, 429, 500] {
        let text = told(status, &body).1;
        for secret in [SECRET, "abcdefghijklmnop", "0123456789abcdef0123"] {
            assert!(!text.contains(secret), "{status}: {text}");
        }
    }
    for status in [401, 402, 403] {
        assert!(!told(status, &body).1.contains("bad key"), "nobody else's business");
    }
}

#[test]
fn a_long_error_text_is_cut() {
    let text = told(500, &"x".repeat(1 << 20)).1;
    assert!(text.len() < 3_000, "{} bytes", text.len());
}

#[test]
fn an_error_within_an_answer_has_the_status_its_code_says() {
    for (error, status) in [
        (r#"{"code":429,"message":"m"}"#, 429),
        (r#"{"code":400,"message":"m"}"#, 400),
        (r#"{"code":200,"message":"m"}"#, 502),
        (r#"{"code":"server_error"}"#, 502),
        (r#"{"code":99999}"#, 502),
        (r#"{"code":-1}"#, 502),
        (r#""words""#, 502),
        ("null", 502),
    ] {
        assert_eq!(embedded(&provider(), error).error.status().as_u16(), status, "{error}");
    }
}

#[test]
fn silence_is_a_timeout_and_a_failed_connection_is_not() {
    assert_eq!(unanswered(&provider(), true, "late").status(), 504);
    let failed = unanswered(&provider(), false, "refused by 10.0.0.7");
    assert_eq!(failed.status(), 502);
    assert!(!serde_json::to_string(failed.body()).unwrap().contains("10.0.0.7"));
}
