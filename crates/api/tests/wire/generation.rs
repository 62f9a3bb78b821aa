//! `GET /generation`, with everything known and with almost nothing.

use api::generation::{GenerationData, ProviderResponse};
use api::{Data, Usd, Utc};

use crate::contract::checked;

const SCHEMA: &str = "/components/schemas/GenerationResponse";

/// As a crash leaves it: an id, a model, a cost and the moment it was admitted.
fn bare() -> GenerationData {
    let cost = Usd("0.000004132".parse().unwrap());
    GenerationData {
        id: "gen-1795301400-abcdefghij0123456789".to_owned(),
        upstream_id: None,
        request_id: None,
        session_id: None,
        model: "openai/gpt-4o-mini".to_owned(),
        provider_name: None,
        provider_responses: None,
        created_at: Utc("2026-11-21T22:50:00.123Z".parse().unwrap()),
        streamed: None,
        cancelled: None,
        finish_reason: None,
        native_finish_reason: None,
        origin: String::new(),
        app_id: None,
        http_referer: None,
        user_agent: None,
        api_type: None,
        router: None,
        preset_id: None,
        service_tier: None,
        data_region: "global".to_owned(),
        workspace_id: None,
        external_user: None,
        total_cost: cost,
        usage: cost,
        is_byok: false,
        upstream_inference_cost: None,
        cache_discount: None,
        latency: None,
        generation_time: None,
        moderation_latency: None,
        tokens_prompt: None,
        tokens_completion: None,
        native_tokens_prompt: None,
        native_tokens_completion: None,
        native_tokens_completion_images: None,
        native_tokens_reasoning: None,
        native_tokens_cached: None,
        num_media_prompt: None,
        num_input_audio_prompt: None,
        num_media_completion: None,
        num_search_results: None,
        num_fetches: None,
        web_search_engine: None,
        response_cache_source_id: None,
    }
}

#[test]
fn a_generation_sends_every_member_though_nearly_all_are_null() {
    let text = checked(SCHEMA, &Data { data: bare() });
    assert_eq!(text.matches(":null").count(), 37);
    assert_eq!(serde_json::from_str::<Data<GenerationData>>(&text).unwrap().data, bare());
}

#[test]
fn a_generation_survives_the_wire_with_its_attempts() {
    let full = GenerationData {
        upstream_id: Some("chatcmpl-1".to_owned()),
        provider_name: Some("OpenAI".to_owned()),
        provider_responses: Some(vec![
            ProviderResponse { status: None, ..ProviderResponse::default() },
            ProviderResponse {
                status: Some(200),
                id: Some("chatcmpl-1".to_owned()),
                endpoint_id: Some("openai/gpt-4o-mini".to_owned()),
                provider_name: Some("OpenAI".to_owned()),
                model_permaslug: Some("openai/gpt-4o-mini".to_owned()),
                is_byok: Some(false),
                latency: Some(420),
            },
        ]),
        streamed: Some(true),
        cancelled: Some(false),
        finish_reason: Some("stop".to_owned()),
        api_type: Some("completions".to_owned()),
        workspace_id: Some("123e4567-e89b-42d3-a456-426614174000".parse().unwrap()),
        upstream_inference_cost: Some(Usd("0.000004132".parse().unwrap())),
        latency: Some(1250),
        generation_time: Some(1200),
        tokens_prompt: Some(10),
        native_tokens_prompt: Some(10),
        ..bare()
    };
    let text = checked(SCHEMA, &Data { data: full.clone() });
    assert!(text.contains(r#""provider_responses":[{"status":null},{"status":200,"#));
    assert_eq!(serde_json::from_str::<Data<GenerationData>>(&text).unwrap().data, full);
}
