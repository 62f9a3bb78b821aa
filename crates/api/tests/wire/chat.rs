//! Usage and the error that ends a stream.

use api::Usd;
use api::chat::{CompletionTokensDetails, CostDetails, ErrorChunk, PromptTokensDetails, Usage};
use api::error::{ErrorBody, ErrorType};

use crate::contract::checked;

fn usd(text: &str) -> Usd {
    Usd(text.parse().unwrap())
}

fn usage() -> Usage {
    Usage {
        prompt_tokens: 10,
        completion_tokens: 5,
        total_tokens: 15,
        cost: usd("0.0000045"),
        is_byok: false,
        cost_details: CostDetails {
            upstream_inference_cost: None,
            upstream_inference_prompt_cost: usd("0.0000015"),
            upstream_inference_completions_cost: usd("0.000003"),
        },
        prompt_tokens_details: PromptTokensDetails { cached_tokens: 2, ..Default::default() },
        completion_tokens_details: CompletionTokensDetails::default(),
    }
}

#[test]
fn usage_says_what_it_cost_and_leaves_out_what_was_not_counted() {
    let text = checked("/components/schemas/ChatUsage", &usage());
    assert_eq!(
        text,
        r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"cost":0.0000045,"is_byok":false,"cost_details":{"upstream_inference_cost":null,"upstream_inference_prompt_cost":0.0000015,"upstream_inference_completions_cost":0.000003},"prompt_tokens_details":{"cached_tokens":2},"completion_tokens_details":{"reasoning_tokens":0}}"#,
    );
    assert_eq!(serde_json::from_str::<Usage>(&text).unwrap(), usage());
}

#[test]
fn every_kind_of_token_survives_the_wire() {
    let full = Usage {
        is_byok: true,
        cost_details: CostDetails {
            upstream_inference_cost: Some(usd("0.0000045")),
            ..usage().cost_details
        },
        prompt_tokens_details: PromptTokensDetails {
            cached_tokens: 1,
            cache_write_tokens: Some(2),
            audio_tokens: Some(3),
            video_tokens: Some(4),
        },
        completion_tokens_details: CompletionTokensDetails {
            reasoning_tokens: 1,
            audio_tokens: Some(2),
            image_tokens: Some(3),
            accepted_prediction_tokens: Some(4),
            rejected_prediction_tokens: Some(5),
        },
        ..usage()
    };
    let text = checked("/components/schemas/ChatUsage", &full);
    assert_eq!(serde_json::from_str::<Usage>(&text).unwrap(), full);
}

#[test]
fn a_broken_stream_ends_with_an_integer_code_and_an_error_choice() {
    let chunk = ErrorChunk {
        id: "gen-1795301400-abcdefghij0123456789".to_owned(),
        created: 1_795_301_400,
        model: "openai/gpt-4o-mini".to_owned(),
        provider: "OpenAI".to_owned(),
        error: ErrorBody::new(ErrorType::ProviderUnavailable, "Provider returned error")
            .with("provider_code", "server_error"),
    };
    assert_eq!(
        checked("/components/schemas/ChatStreamChunk", &chunk),
        r#"{"id":"gen-1795301400-abcdefghij0123456789","object":"chat.completion.chunk","created":1795301400,"model":"openai/gpt-4o-mini","provider":"OpenAI","error":{"code":502,"message":"Provider returned error","metadata":{"error_type":"provider_unavailable","provider_code":"server_error"}},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}"#,
    );
}
