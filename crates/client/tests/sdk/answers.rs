//! Every answer that `api` writes is read by the SDK's type, and written again with all of its
//! members: a new one that the SDK does not know fails here.

use api::{Open, Usd, Utc};
use money::Money;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

/// `theirs` as the SDK's `T` says it again. Amounts are compared as they were printed: both sides
/// are text of exact decimals, turned to JSON values only here, by the same rule.
fn reads<T: DeserializeOwned + Serialize>(theirs: &impl Serialize) -> T {
    let text = serde_json::to_string(theirs).unwrap();
    let read: T = serde_json::from_str(&text).unwrap();
    let again = serde_json::to_string(&read).unwrap();
    let (was, is): (Value, Value) =
        (serde_json::from_str(&text).unwrap(), serde_json::from_str(&again).unwrap());
    differences("", &was, &is);
    read
}

/// Nothing of `was` is missing in `is`; what is nothing may be left out.
fn differences(path: &str, was: &Value, is: &Value) {
    match (was, is) {
        (Value::Object(was), Value::Object(is)) => {
            for (name, value) in was {
                let path = format!("{path}/{name}");
                match is.get(name) {
                    Some(found) => differences(&path, value, found),
                    None => assert!(value.is_null(), "the SDK does not know {path}"),
                }
            }
        }
        (Value::Array(was), Value::Array(is)) => {
            assert_eq!(was.len(), is.len(), "{path}");
            was.iter().zip(is).for_each(|(was, is)| differences(path, was, is));
        }
        (Value::String(was), Value::String(is)) if was != is => {
            // Times are written with milliseconds there and as short as can be here.
            let moment = |text: &str| text.parse::<jiff::Timestamp>();
            assert_eq!(moment(was).ok(), moment(is).ok(), "{path}");
            assert!(moment(was).is_ok(), "{path}: {was} became {is}");
        }
        _ => assert_eq!(was, is, "{path}"),
    }
}

fn usd(nanos: i64) -> Usd {
    Usd(Money::nanos(nanos))
}

fn at(text: &str) -> Utc {
    Utc(text.parse().unwrap())
}

fn id() -> Uuid {
    "0df9e665-d932-5740-b2c7-b52af166bc11".parse().unwrap()
}

fn api_key() -> api::keys::ApiKey {
    api::keys::ApiKey {
        hash: "0e6f".to_owned(),
        name: "ci".to_owned(),
        label: "sk-or-v1-0e6...1c9".to_owned(),
        disabled: true,
        limit: Some(usd(100_000_000_001)),
        limit_remaining: Some(usd(-1)),
        limit_reset: Some(Open::Known(api::keys::LimitReset::Weekly)),
        include_byok_in_limit: true,
        usage: usd(1),
        usage_daily: usd(2),
        usage_weekly: usd(3),
        usage_monthly: usd(4),
        byok_usage: usd(5),
        byok_usage_daily: usd(6),
        byok_usage_weekly: usd(7),
        byok_usage_monthly: usd(8),
        created_at: at("2026-11-21T00:00:00.001Z"),
        updated_at: Some(at("2026-11-22T00:00:00Z")),
        expires_at: Some(at("2026-12-22T00:00:00Z")),
        creator_user_id: Some("ada".to_owned()),
        workspace_id: id(),
        external_user: Some("customer-7".to_owned()),
        last_used_at: Some(at("2026-11-23T00:00:00Z")),
        allowed_models: Some(vec!["openai/*".to_owned()]),
        requests_per_minute: Some(60),
        tokens_per_minute: Some(61),
        concurrent_requests: Some(62),
    }
}

#[test]
fn keys() {
    let read: tollgate::GetKeyData = reads(&api_key());
    assert_eq!(read.byok_usage_monthly.to_string(), "0.000000008");
    assert_eq!(read.limit.unwrap().to_string(), "100.000000001");
    let created = api::keys::KeyCreated {
        data: api_key(),
        key: api::keys::PlainKey::from("sk-1".to_owned()),
    };
    let text = serde_json::to_string(&created).unwrap();
    let created: tollgate::CreatedKey = serde_json::from_str(&text).unwrap();
    assert_eq!((created.key.expose(), created.data), ("sk-1", read));
}

#[test]
fn the_calling_key() {
    let budget = api::key::KeyBudget {
        scope: Open::Known(api::key::BudgetScope::Workspace),
        guardrail_id: None,
        budget_id: Some(id()),
        limit_usd: usd(10),
        spend_usd: usd(4),
        remaining_usd: usd(6),
        reset_interval: Some(Open::Known(api::keys::LimitReset::Daily)),
        resets_at: Some(at("2026-11-22T00:00:00Z")),
        include_byok: true,
    };
    let key = api::key::CurrentKey {
        label: "l".to_owned(),
        limit: Some(usd(1)),
        limit_remaining: Some(usd(1)),
        limit_reset: None,
        include_byok_in_limit: true,
        usage: usd(1),
        usage_daily: usd(2),
        usage_weekly: usd(3),
        usage_monthly: usd(4),
        byok_usage: usd(5),
        byok_usage_daily: usd(6),
        byok_usage_weekly: usd(7),
        byok_usage_monthly: usd(8),
        creator_user_id: Some("ada".to_owned()),
        organization_id: Some("o".to_owned()),
        workspace_id: Some(id()),
        expires_at: Some(at("2026-12-22T00:00:00Z")),
        is_free_tier: false,
        is_management_key: false,
        is_provisioning_key: false,
        rate_limit: api::key::RateLimit::default(),
        allowed_data_regions: vec!["global".to_owned()],
        free_model_daily_requests: api::key::FreeModelDailyRequests {
            limit: 3,
            used: 1,
            remaining: 2,
        },
        budgets: vec![budget.clone()],
        effective_budget: Some(budget),
        allowed_models: Some(vec!["a/*".to_owned()]),
        requests_per_minute: Some(1),
        tokens_per_minute: Some(2),
        concurrent_requests: Some(3),
    };
    let read: tollgate::CurrentKey = reads(&key);
    assert_eq!(read.budgets[0].scope, tollgate::BudgetScope::Workspace);
}

#[test]
fn reports() {
    reads::<tollgate::Credits>(&api::credits::Credits {
        total_credits: usd(5),
        total_usage: usd(3),
    });
    reads::<tollgate::ActivityItem>(&api::activity::ActivityItem {
        date: "2026-11-21".to_owned(),
        model: "a/b".to_owned(),
        model_permaslug: "a/b".to_owned(),
        endpoint_id: "e".to_owned(),
        provider_name: "P".to_owned(),
        usage: usd(1),
        byok_usage_inference: usd(2),
        requests: 3,
        prompt_tokens: 4,
        completion_tokens: 5,
        reasoning_tokens: 6,
        cached_tokens: 7,
        workspace_id: Some(id()),
    });
}

#[test]
fn workspaces_and_members() {
    use api::members::{MemberRole, OrgRole};
    reads::<tollgate::Workspace>(&api::workspaces::Workspace {
        id: id(),
        slug: "r".to_owned(),
        name: "R".to_owned(),
        description: Some("d".to_owned()),
        default_text_model: Some("a/b".to_owned()),
        default_image_model: Some("a/i".to_owned()),
        default_provider_sort: Some("price".to_owned()),
        is_observability_io_logging_enabled: true,
        is_observability_broadcast_enabled: true,
        is_data_discount_logging_enabled: true,
        io_logging_sampling_rate: api::workspaces::Share::of_millionths(250_000).unwrap(),
        io_logging_api_key_ids: Some(vec![1]),
        disabled_server_tools: Some(vec!["web".to_owned()]),
        include_byok_in_budgets: true,
        default_guardrail_id: id(),
        created_at: at("2026-11-21T00:00:00Z"),
        updated_at: Some(at("2026-11-22T00:00:00Z")),
        created_by: Some("root".to_owned()),
    });
    reads::<tollgate::WorkspaceBudget>(&api::budgets::WorkspaceBudget {
        id: id(),
        workspace_id: id(),
        limit_usd: usd(1),
        reset_interval: Some(Open::Known(api::keys::LimitReset::Monthly)),
        created_at: at("2026-11-21T00:00:00Z"),
        updated_at: at("2026-11-22T00:00:00Z"),
    });
    let member = api::members::WorkspaceMember {
        id: id(),
        workspace_id: id(),
        user_id: "ada".to_owned(),
        role: Open::Known(MemberRole::Admin),
        created_at: at("2026-11-21T00:00:00Z"),
    };
    reads::<tollgate::MembersAdded>(&api::members::MembersAdded {
        data: vec![member],
        added_count: 1,
    });
    reads::<tollgate::OrganizationMember>(&api::members::OrganizationMember {
        id: "ada".to_owned(),
        email: "ada@example.com".to_owned(),
        first_name: Some("Ada".to_owned()),
        last_name: Some("L".to_owned()),
        role: Open::Known(OrgRole::Admin),
    });
}

#[test]
fn credentials_and_providers() {
    reads::<tollgate::ByokKey>(&api::byok::ByokKey {
        id: id(),
        provider: "openai".to_owned(),
        workspace_id: Some(id()),
        name: Some("ours".to_owned()),
        label: "sk-...1".to_owned(),
        disabled: true,
        is_fallback: true,
        is_required: true,
        is_byok_only: true,
        sort_order: 4,
        allowed_models: Some(vec!["a/*".to_owned()]),
        allowed_api_key_hashes: Some(vec!["0e6f".to_owned()]),
        allowed_user_ids: Some(vec!["ada".to_owned()]),
        declared_region: Some(Open::Known(api::byok::Region::Europe)),
        declared_zdr: Some(true),
        created_at: at("2026-11-21T00:00:00Z"),
    });
    reads::<tollgate::Provider>(&api::providers::Provider {
        name: "P".to_owned(),
        slug: "p".to_owned(),
        privacy_policy_url: Some("https://p/privacy".to_owned()),
        terms_of_service_url: Some("https://p/terms".to_owned()),
        status_page_url: Some("https://p/status".to_owned()),
        headquarters: Some("DE".to_owned()),
        datacenters: Some(vec!["DE".to_owned()]),
    });
}

#[test]
fn prices_of_longer_prompts() {
    let text = r#"{"prompt": "0.000001", "completion": "0.000004", "overrides": [{
        "min_prompt_tokens": 200000, "prompt": "0.000002", "completion": "0.000008", "audio": "0",
        "input_cache_read": "0.0000002", "input_cache_write": "0.000003",
        "input_cache_write_1h": "0.000004"
    }]}"#;
    let theirs: api::models::Pricing = serde_json::from_str(text).unwrap();
    let read: tollgate::Pricing = reads(&theirs);
    assert_eq!(read.overrides[0].min_prompt_tokens, Some(200_000));
    assert_eq!(read.overrides[0].completion.unwrap().to_string(), "0.000008");
}

#[test]
fn what_a_chat_used() {
    let details = api::chat::CostDetails {
        upstream_inference_cost: Some(usd(9)),
        upstream_inference_prompt_cost: usd(4),
        upstream_inference_completions_cost: usd(5),
    };
    reads::<tollgate::EmbeddingsUsage>(&api::embeddings::Usage {
        prompt_tokens: 1,
        total_tokens: 1,
        cost: usd(9),
        is_byok: true,
        cost_details: details.clone(),
    });
    reads::<tollgate::ChatUsage>(&api::chat::Usage {
        prompt_tokens: 1,
        completion_tokens: 2,
        total_tokens: 3,
        cost: usd(9),
        is_byok: true,
        cost_details: details,
        prompt_tokens_details: api::chat::PromptTokensDetails {
            cached_tokens: 1,
            cache_write_tokens: Some(2),
            audio_tokens: Some(3),
            video_tokens: Some(4),
        },
        completion_tokens_details: api::chat::CompletionTokensDetails {
            reasoning_tokens: 1,
            audio_tokens: Some(2),
            image_tokens: Some(3),
            accepted_prediction_tokens: Some(4),
            rejected_prediction_tokens: Some(5),
        },
    });
}
