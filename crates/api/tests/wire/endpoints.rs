//! Endpoints and providers, with everything there is to say of them.

use std::collections::BTreeMap;

use api::Data;
use api::endpoints::{
    Endpoint, EndpointArchitecture, ModelEndpoints, NativeTool, Percentiles, ToolChoices,
};
use api::models::{Price, Pricing};
use api::providers::Provider;
use serde_json::Number;

use crate::contract::checked;

fn number(text: &str) -> Number {
    text.parse().unwrap()
}

fn percentiles() -> Percentiles {
    let [p50, p75, p90, p99] = ["250", "350.5", "480", "850"].map(number);
    Percentiles { p50, p75, p90, p99 }
}

fn pricing() -> Pricing {
    serde_json::from_str(r#"{"prompt":"0.00000015","completion":"0"}"#).unwrap()
}

#[test]
fn endpoints_survive_the_wire_with_all_there_is_to_say() {
    let endpoint = Endpoint {
        name: "OpenAI | openai/gpt-4o-mini".to_owned(),
        tag: "openai/eu".to_owned(),
        provider_name: "OpenAI".to_owned(),
        model_id: "openai/gpt-4o-mini".to_owned(),
        model_name: "GPT-4o mini".to_owned(),
        context_length: 128_000,
        max_completion_tokens: Some(16_384),
        max_prompt_tokens: Some(100_000),
        pricing: pricing(),
        quantization: Some("bf16".to_owned()),
        supported_parameters: vec!["tools".to_owned()],
        supports_implicit_caching: true,
        uptime_last_5m: Some(number("100")),
        uptime_last_30m: Some(number("99.5")),
        uptime_last_1d: Some(number("0")),
        latency_last_30m: Some(percentiles()),
        throughput_last_30m: Some(percentiles()),
        status: -2,
        native_tools: BTreeMap::from([(
            "openrouter:web_search".to_owned(),
            NativeTool { r#type: "web_search".to_owned() },
        )]),
        service_tier: Some("flex".to_owned()),
        supports_diarization: true,
        supports_tool_choice: ToolChoices {
            auto: true,
            function: true,
            none: false,
            required: false,
        },
    };
    assert_eq!(endpoint.pricing.completion, Price::Fixed(money::Rate::ZERO));
    let of_model = ModelEndpoints {
        id: endpoint.model_id.clone(),
        name: endpoint.model_name.clone(),
        created: 1_721_260_800,
        description: String::new(),
        architecture: EndpointArchitecture {
            modality: Some("text->text".to_owned()),
            input_modalities: vec!["text".to_owned()],
            output_modalities: vec!["text".to_owned()],
            tokenizer: "GPT".to_owned(),
            instruct_type: Some("chatml".to_owned()),
        },
        endpoints: vec![endpoint],
    };
    let path = "/paths/~1models~1{author}~1{slug}~1endpoints/get";
    let schema = format!("{path}/responses/200/content/application~1json/schema");
    let text = checked(&schema, &Data { data: of_model.clone() });
    assert!(text.contains(r#""throughput_last_30m":{"p50":250,"p75":350.5,"p90":480,"p99":850}"#));
    assert_eq!(serde_json::from_str::<Data<ModelEndpoints>>(&text).unwrap().data, of_model);
}

#[test]
fn a_provider_sends_every_member_and_is_read_without_the_newer_ones() {
    let schema = "/paths/~1providers/get/responses/200/content/application~1json/schema";
    let old = r#"{"name":"A","slug":"a","privacy_policy_url":null}"#;
    let read: Provider = serde_json::from_str(old).unwrap();
    let expected = Provider { name: "A".to_owned(), slug: "a".to_owned(), ..Provider::default() };
    assert_eq!(read, expected);
    let text = checked(schema, &Data { data: vec![read] });
    assert_eq!(text.matches(":null").count(), 5);
    let full = Provider {
        headquarters: Some("US".to_owned()),
        datacenters: Some(vec!["US".to_owned(), "IE".to_owned()]),
        ..expected
    };
    let text = checked(schema, &Data { data: vec![full.clone()] });
    assert_eq!(serde_json::from_str::<Data<Vec<Provider>>>(&text).unwrap().data, [full]);
}
