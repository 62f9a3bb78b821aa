use super::*;
use crate::meter::sample::{endpoint, hello};

const SECRET: &str = "credential-of-the-gateway";

fn candidate() -> Candidate {
    Candidate::by_bytes(&endpoint(&format!("api_key = \"{SECRET}\""), ""), &hello())
}

fn told(status: u16, body: &str) -> (u16, String, Next, bool) {
    let status = StatusCode::from_u16(status).unwrap();
    let told = answered(&candidate(), status, body.as_bytes(), None);
    let text = serde_json::to_string(told.error.body()).unwrap();
    (told.error.status().as_u16(), text, told.next, told.is_credential)
}

#[test]
fn a_status_says_what_may_do_better_and_whose_fault_it_is() {
    use Next::{Endpoint, Model};
    // provider's status, the client's, what may do better, the endpoint's fault, the credential's
    for (status, client, next, is_fault, is_credential) in [
        (302, 404, Endpoint, true, false),
        (400, 400, Model, false, false),
        (401, 502, Endpoint, true, true),
        (402, 502, Endpoint, true, false),
        (403, 502, Endpoint, true, true),
        (404, 404, Endpoint, true, false),
        (405, 400, Endpoint, false, false),
        (408, 504, Endpoint, true, false),
        (410, 400, Endpoint, false, false),
        (413, 413, Model, false, false),
        (422, 400, Model, false, false),
        (451, 400, Endpoint, false, false),
        (429, 429, Endpoint, true, false),
        (500, 502, Endpoint, true, false),
        (503, 503, Endpoint, true, false),
        (504, 504, Endpoint, true, false),
        (529, 503, Endpoint, true, false),
        (599, 502, Endpoint, true, false),
    ] {
        let told = answered(&candidate(), StatusCode::from_u16(status).unwrap(), b"{}", None);
        assert_eq!(
            (told.error.status().as_u16(), told.next, told.is_fault, told.is_credential),
            (client, next, is_fault, is_credential),
            "{status}"
        );
    }
}

#[test]
fn a_prompt_that_is_too_long_may_fit_where_there_is_more_context() {
    for body in [
        r#"{"error":{"message":"long","code":"context_length_exceeded","type":"x"}}"#,
        r#"{"error":{"message":"long","type":"context_length_exceeded"}}"#,
    ] {
        let (status, text, next, _) = told(400, body);
        assert_eq!((status, next), (400, Next::LongerContext));
        assert!(text.contains(r#""error_type":"context_length_exceeded""#), "{text}");
        assert_eq!(told(500, body).2, Next::Endpoint);
    }
    assert_eq!(told(400, r#"{"error":{"message":"context_length_exceeded"}}"#).2, Next::Model);
}

#[test]
fn a_403_about_the_prompt_does_not_rest_the_provider() {
    let body = r#"{"error":{"message":"flagged","metadata":{"reasons":["violence"],"flagged_input":"x"}}}"#;
    let (status, text, next, is_credential) = told(403, body);
    assert_eq!((status, next, is_credential), (400, Next::Endpoint, false));
    let told = answered(&candidate(), StatusCode::FORBIDDEN, body.as_bytes(), None);
    assert!(!told.is_fault, "a prompt was");
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
        assert_eq!(embedded(&candidate(), error).error.status().as_u16(), status, "{error}");
    }
}

#[test]
fn silence_is_a_timeout_and_a_failed_connection_is_not() {
    assert_eq!(unanswered(&candidate(), true, "late").status(), 504);
    let failed = unanswered(&candidate(), false, "refused by 10.0.0.7");
    assert_eq!(failed.status(), 502);
    assert!(!serde_json::to_string(failed.body()).unwrap().contains("10.0.0.7"));
}
