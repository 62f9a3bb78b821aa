//! Answers in the forms of three generations of the API, by the fields that their official SDKs
//! read: Python 0.0.22 (19 fields of a key), 0.11.46 (21, those of the reference pages) and
//! 1.3.84 (23).

use tollgate::{CurrentKey, GetKeyData, LimitReset};

/// The 19 fields of the first generation.
const FIRST: &str = r#"{
    "hash": "0e6fb9f2d1b0a5f3f8f2d6f1c7f0a9d3b1c6e0f7a2d4b8c9e1f3a5d7b9c0e2f4",
    "name": "ci", "label": "sk-or-v1-0e6...1c9", "disabled": false,
    "limit": 100.0, "limit_remaining": 74.49999999999999, "limit_reset": "monthly",
    "include_byok_in_limit": false,
    "usage": 25.5, "usage_daily": 2.5e-05, "usage_weekly": 12.75, "usage_monthly": 25.5,
    "byok_usage": 17.38, "byok_usage_daily": 0, "byok_usage_weekly": 17.38,
    "byok_usage_monthly": 17.38,
    "created_at": "2025-08-24T10:30:00Z", "updated_at": "2025-08-24T15:45:00.123456+00:00",
    "expires_at": "2027-12-31T23:59:59Z"
}"#;

fn with(members: &str) -> String {
    format!("{}, {members} }}", FIRST.trim_end().trim_end_matches('}'))
}

fn read(text: &str) -> GetKeyData {
    serde_json::from_str(text).unwrap()
}

#[test]
fn a_key_of_the_first_generation() {
    let key = read(FIRST);
    assert_eq!(key.limit_remaining.unwrap().to_string(), "74.49999999999999");
    assert_eq!(key.usage_daily.to_string(), "0.000025");
    assert_eq!(key.limit_reset, Some(LimitReset::Monthly));
    assert_eq!(key.updated_at.unwrap().to_string(), "2025-08-24T15:45:00.123456Z");
    assert_eq!((key.workspace_id, key.creator_user_id, key.last_used_at), (None, None, None));
}

#[test]
fn the_optional_expiry_may_be_left_out() {
    let key = read(
        &FIRST
            .replace(r#","expires_at""#, "")
            .replace(",\n    \"expires_at\": \"2027-12-31T23:59:59Z\"", ""),
    );
    assert_eq!(key.expires_at, None);
}

#[test]
fn a_key_of_the_reference_pages() {
    let key = read(&with(
        r#""creator_user_id": "user_2dHFtVWx2n56w6HkM0000000000",
           "workspace_id": "0df9e665-d932-5740-b2c7-b52af166bc11""#,
    ));
    assert_eq!(key.creator_user_id.as_deref(), Some("user_2dHFtVWx2n56w6HkM0000000000"));
    assert_eq!(key.workspace_id.as_deref(), Some("0df9e665-d932-5740-b2c7-b52af166bc11"));
}

#[test]
fn a_key_of_the_newest_generation_and_of_one_to_come() {
    let key = read(&with(
        r#""creator_user_id": null, "workspace_id": "0df9e665-d932-5740-b2c7-b52af166bc11",
           "external_user": "customer-7", "last_used_at": "2026-11-25T23:00:00.000Z",
           "colour": {"red": [1, 2]}"#,
    ));
    assert_eq!(key.external_user.as_deref(), Some("customer-7"));
    assert_eq!(key.last_used_at.unwrap().to_string(), "2026-11-25T23:00:00Z");
    let newer =
        read(&with(r#""creator_user_id": null"#).replace(": \"monthly\"", ": \"fortnightly\""));
    assert_eq!(newer.limit_reset, Some(LimitReset::Other("fortnightly".to_owned())));
}

#[test]
fn an_unlimited_key() {
    let text = FIRST
        .replace(r#""limit": 100.0"#, r#""limit": null"#)
        .replace("74.49999999999999", "null")
        .replace(r#""monthly""#, "null");
    let key = read(&text);
    assert_eq!((key.limit, key.limit_remaining, key.limit_reset), (None, None, None));
}

#[test]
fn a_key_without_its_hash_is_no_key() {
    let error = serde_json::from_str::<GetKeyData>(&FIRST.replace("\"hash\"", "\"has\""));
    assert_eq!(error.unwrap_err().to_string().split(" at ").next(), Some("missing field `hash`"));
}

#[test]
fn the_calling_key_of_each_generation() {
    let first = r#"{
        "label": "sk-or-v1-0e6...1c9", "limit": null, "usage": 25.5, "usage_daily": 25.5,
        "usage_weekly": 25.5, "usage_monthly": 25.5, "byok_usage": 0, "byok_usage_daily": 0,
        "byok_usage_weekly": 0, "byok_usage_monthly": 0, "is_free_tier": false,
        "is_provisioning_key": true, "limit_remaining": null, "limit_reset": null,
        "include_byok_in_limit": false,
        "rate_limit": {"requests": 1000, "interval": "1h", "note": "ignore this"}
    }"#;
    let key: CurrentKey = serde_json::from_str(first).unwrap();
    assert!(key.is_provisioning_key && !key.is_management_key && key.budgets.is_empty());
    let newest = format!(
        r#"{}, "is_management_key": true, "creator_user_id": null, "organization_id": null,
        "workspace_id": null, "allowed_data_regions": ["global"],
        "free_model_daily_requests": {{"limit": 1000, "used": 1, "remaining": 999}},
        "effective_budget": null,
        "budgets": [{{
            "scope": "galaxy", "guardrail_id": null, "budget_id": null, "limit_usd": 5,
            "spend_usd": 1.5, "remaining_usd": 3.5, "reset_interval": "daily",
            "resets_at": "2026-11-27T00:00:00.000Z", "include_byok": true
        }}] }}"#,
        first.trim_end().trim_end_matches('}'),
    );
    let key: CurrentKey = serde_json::from_str(&newest).unwrap();
    assert_eq!(key.budgets[0].scope.as_str(), "galaxy");
    assert_eq!(key.budgets[0].remaining_usd.to_string(), "3.5");
    assert_eq!(key.free_model_daily_requests.unwrap().remaining, 999);
}
