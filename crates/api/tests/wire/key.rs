//! `GET /key`, for a key with every fact and for one with none.

use api::key::{BudgetScope, CurrentKey, FreeModelDailyRequests, KeyBudget, RateLimit};
use api::keys::LimitReset;
use api::{Data, Open, Usd, Utc};

use crate::contract::checked;

const SCHEMA: &str = "/paths/~1key/get/responses/200/content/application~1json/schema";

fn usd(text: &str) -> Usd {
    Usd(text.parse().unwrap())
}

fn budget(scope: BudgetScope) -> KeyBudget {
    KeyBudget {
        scope: scope.into(),
        guardrail_id: None,
        budget_id: None,
        limit_usd: usd("10"),
        spend_usd: usd("9.999999999"),
        remaining_usd: usd("0.000000001"),
        reset_interval: Some(LimitReset::Weekly.into()),
        resets_at: Some(Utc("2026-11-23T00:00:00Z".parse().unwrap())),
        include_byok: false,
    }
}

fn key() -> CurrentKey {
    CurrentKey {
        label: "sk-or-v1-0e6...1c96".to_owned(),
        limit: Some(usd("10")),
        limit_remaining: Some(usd("0.000000001")),
        limit_reset: Some(LimitReset::Weekly.into()),
        include_byok_in_limit: false,
        usage: usd("12"),
        usage_daily: usd("0.5"),
        usage_weekly: usd("9.999999999"),
        usage_monthly: usd("11"),
        byok_usage: usd("4"),
        byok_usage_daily: usd("1"),
        byok_usage_weekly: usd("2"),
        byok_usage_monthly: usd("3"),
        creator_user_id: Some("user_1".to_owned()),
        organization_id: Some("org_1".to_owned()),
        workspace_id: Some("123e4567-e89b-42d3-a456-426614174000".parse().unwrap()),
        expires_at: Some(Utc("2027-01-01T00:00:00Z".parse().unwrap())),
        is_free_tier: false,
        is_management_key: false,
        is_provisioning_key: false,
        rate_limit: RateLimit::default(),
        allowed_data_regions: vec!["global".to_owned()],
        free_model_daily_requests: FreeModelDailyRequests { limit: 1000, used: 1, remaining: 999 },
        budgets: vec![budget(BudgetScope::Workspace), budget(BudgetScope::KeyLimit)],
        effective_budget: Some(budget(BudgetScope::KeyLimit)),
        allowed_models: Some(vec!["openai/*".to_owned()]),
        requests_per_minute: Some(60),
        tokens_per_minute: Some(10_000),
        concurrent_requests: Some(5),
    }
}

#[test]
fn a_key_says_all_of_itself() {
    let budget = r#"{"scope":"key_limit","guardrail_id":null,"budget_id":null,"limit_usd":10,"spend_usd":9.999999999,"remaining_usd":0.000000001,"reset_interval":"weekly","resets_at":"2026-11-23T00:00:00.000Z","include_byok":false}"#;
    let workspace = budget.replace("key_limit", "workspace");
    let text = checked(SCHEMA, &Data { data: key() });
    assert_eq!(
        text,
        format!(
            r#"{{"data":{{"label":"sk-or-v1-0e6...1c96","limit":10,"limit_remaining":0.000000001,"limit_reset":"weekly","include_byok_in_limit":false,"usage":12,"usage_daily":0.5,"usage_weekly":9.999999999,"usage_monthly":11,"byok_usage":4,"byok_usage_daily":1,"byok_usage_weekly":2,"byok_usage_monthly":3,"creator_user_id":"user_1","organization_id":"org_1","workspace_id":"123e4567-e89b-42d3-a456-426614174000","expires_at":"2027-01-01T00:00:00.000Z","is_free_tier":false,"is_management_key":false,"is_provisioning_key":false,"rate_limit":{{"requests":-1,"interval":"10s","note":"This field is deprecated and safe to ignore."}},"allowed_data_regions":["global"],"free_model_daily_requests":{{"limit":1000,"used":1,"remaining":999}},"budgets":[{workspace},{budget}],"effective_budget":{budget},"allowed_models":["openai/*"],"requests_per_minute":60,"tokens_per_minute":10000,"concurrent_requests":5}}}}"#
        ),
    );
    assert_eq!(serde_json::from_str::<Data<CurrentKey>>(&text).unwrap().data, key());
}

#[test]
fn a_key_without_limits_sends_null_for_each() {
    let bare = CurrentKey {
        limit: None,
        limit_remaining: None,
        limit_reset: None,
        creator_user_id: None,
        organization_id: None,
        workspace_id: None,
        expires_at: None,
        budgets: vec![KeyBudget {
            reset_interval: None,
            resets_at: None,
            ..budget(BudgetScope::Member)
        }],
        effective_budget: None,
        allowed_models: None,
        requests_per_minute: None,
        tokens_per_minute: None,
        concurrent_requests: None,
        ..key()
    };
    let text = checked(SCHEMA, &Data { data: bare.clone() });
    assert_eq!(text.matches(":null").count(), 16);
    assert_eq!(serde_json::from_str::<Data<CurrentKey>>(&text).unwrap().data, bare);
}

#[test]
fn scopes_are_ordered_as_they_are_enforced_and_newer_ones_are_kept() {
    let words = [
        "workspace_default_member",
        "workspace_default_key",
        "member",
        "api_key",
        "workspace",
        "key_limit",
    ];
    let scopes =
        words.map(|word| serde_json::from_str::<BudgetScope>(&format!("\"{word}\"")).unwrap());
    assert!(scopes.is_sorted_by(|earlier, later| earlier < later));
    let newer: Open<BudgetScope> = serde_json::from_str("\"organization\"").unwrap();
    assert_eq!(newer, Open::Unknown("organization".to_owned()));
}
