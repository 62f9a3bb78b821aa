//! The envelope and its vocabulary.

use api::Usd;
use api::error::{Availability, AvailabilityCode, Constraint, ErrorBody, ErrorEnvelope, ErrorType};
use money::Money;

use crate::contract::checked;

#[test]
fn a_spent_limit_says_its_numbers_exactly() {
    let body = ErrorBody::new(ErrorType::PermissionDenied, "Key limit exceeded (daily limit).")
        .with("limit_source", "openrouter_key_limit")
        .with("limit_usd", Usd(Money::nanos(9_007_199_254_740_993)))
        .with("resets_at", None::<&str>);
    let mut envelope = ErrorEnvelope::new(body);
    envelope.user_id = Some(None);
    assert_eq!(
        checked("/components/schemas/ForbiddenResponse", &envelope),
        r#"{"error":{"code":403,"message":"Key limit exceeded (daily limit).","metadata":{"error_type":"permission_denied","limit_source":"openrouter_key_limit","limit_usd":9007199.254740993,"resets_at":null}},"user_id":null}"#,
    );
}

#[test]
fn an_envelope_survives_the_wire() {
    let text = r#"{"error":{"code":409,"message":"m","metadata":{"error_type":"unmapped","limit_usd":9007199.254740993}},"user_id":"u"}"#;
    let envelope: ErrorEnvelope = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&envelope).unwrap(), text);
    let metadata = envelope.error.metadata.unwrap();
    assert_eq!(metadata.get("error_type"), Some(ErrorType::Unmapped));
    assert_eq!(metadata.get("limit_usd"), Some(Usd(Money::nanos(9_007_199_254_740_993))));
    assert_eq!(metadata.get::<u16>("error_type"), None);
    assert_eq!(metadata.get::<u16>("absent"), None);
}

#[test]
fn an_availability_says_what_is_known_and_survives_the_wire() {
    let models = vec!["a/b".to_owned()];
    let why = Availability {
        affected_providers: vec!["alpha".to_owned()],
        excluded_by: vec!["provider.max_price".to_owned()],
        constraint: Some(Constraint {
            field: "provider.max_price".to_owned(),
            detail: "too dear".to_owned(),
        }),
        ..Availability::new(AvailabilityCode::ConstraintFiltered, models, "https://d.example")
    };
    let body = ErrorBody::new(ErrorType::NotFound, "m").with_availability(why.clone());
    let text = checked("/components/schemas/NotFoundResponse", &ErrorEnvelope::new(body));
    assert_eq!(
        text,
        r#"{"error":{"code":404,"message":"m","metadata":{"error_type":"not_found"},"availability":{"code":"constraint_filtered","retryable":false,"requested_models":["a/b"],"docs_url":"https://d.example","affected_providers":["alpha"],"excluded_by":["provider.max_price"],"constraint":{"field":"provider.max_price","detail":"too dear"}}}}"#,
    );
    let read: ErrorEnvelope = serde_json::from_str(&text).unwrap();
    assert_eq!(read.error.availability.as_deref(), Some(&why));
}

#[test]
fn every_availability_code_has_its_word_and_its_status() {
    use AvailabilityCode::*;
    let all = [
        (ModelNotFound, "model_not_found", 400),
        (WrongEndpoint, "wrong_endpoint", 400),
        (NoEndpoints, "no_endpoints", 404),
        (ModelDeprecated, "model_deprecated", 404),
        (ModelUnavailableUpstream, "model_unavailable_upstream", 404),
        (PrivacyRestricted, "privacy_restricted", 404),
        (ConstraintFiltered, "constraint_filtered", 404),
        (FreeVariantEnded, "free_variant_ended", 404),
        (RegionRestricted, "region_restricted", 403),
        (CapacityExhausted, "capacity_exhausted", 429),
        (TemporarilyUnavailable, "temporarily_unavailable", 503),
    ];
    for (code, word, status) in all {
        assert_eq!(serde_json::to_value(code).unwrap(), word);
        assert_eq!((code.status(), code.is_retryable()), (status, status >= 429), "{word}");
    }
}

#[test]
fn a_user_is_null_named_or_not_mentioned() {
    for text in [
        r#"{"error":{"code":404,"message":"m"}}"#,
        r#"{"error":{"code":404,"message":"m"},"user_id":null}"#,
        r#"{"error":{"code":404,"message":"m"},"user_id":"u"}"#,
    ] {
        let envelope: ErrorEnvelope = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&envelope).unwrap(), text);
    }
}

#[test]
fn a_status_outside_the_vocabulary_can_be_said() {
    let body = ErrorBody::new(ErrorType::InvalidRequest, "Method not allowed").with_code(405);
    assert_eq!(
        checked("/components/schemas/BadRequestResponse", &ErrorEnvelope::new(body)),
        r#"{"error":{"code":405,"message":"Method not allowed","metadata":{"error_type":"invalid_request"}}}"#,
    );
}

#[test]
fn every_word_of_the_vocabulary_is_known_with_its_status() {
    let by_status: [(u16, &[&str]); 12] = [
        (401, &["authentication"]),
        (402, &["payment_required"]),
        (403, &["permission_denied"]),
        (404, &["not_found", "image_not_found"]),
        (412, &["precondition_failed"]),
        (413, &["payload_too_large"]),
        (422, &["unprocessable"]),
        (429, &["rate_limit_exceeded"]),
        (500, &["server", "unmapped"]),
        (502, &["provider_unavailable"]),
        (503, &["provider_overloaded"]),
        (504, &["timeout"]),
    ];
    let bad_requests = [
        "invalid_request",
        "invalid_prompt",
        "context_length_exceeded",
        "max_tokens_exceeded",
        "token_limit_exceeded",
        "string_too_long",
        "content_policy_violation",
        "refusal",
        "invalid_image",
        "image_too_large",
        "image_too_small",
        "unsupported_image_format",
        "image_download_failed",
    ];
    let all = by_status.iter().copied().chain([(400, bad_requests.as_slice())]);
    for (status, words) in all {
        for word in words {
            let error_type: ErrorType = serde_json::from_str(&format!("\"{word}\"")).unwrap();
            assert_eq!(error_type.status(), status, "{word}");
            checked("/components/schemas/ApiErrorType", &error_type);
        }
    }
}
