//! The catalogue, for OpenRouter's clients and for OpenAI's.

use api::models::{
    Architecture, DefaultParameters, ListLinks, ListObject, Model, ModelLinks, ModelList,
    ModelObject, PerRequestLimits, Price, Pricing, PricingOverride, TopProvider,
};
use api::{Data, Utc};
use money::Rate;
use serde_json::Number;

use crate::contract::checked;

fn price(text: &str) -> Price {
    Price::Fixed(text.parse().unwrap())
}

fn pricing() -> Pricing {
    Pricing {
        prompt: price("1.5e-7"),
        completion: price("0.0000006"),
        request: None,
        image: None,
        image_output: None,
        image_token: None,
        audio: None,
        audio_output: None,
        input_audio_cache: None,
        web_search: None,
        internal_reasoning: None,
        input_cache_read: Some(price("0.000000075")),
        input_cache_write: None,
        input_cache_write_1h: None,
        overrides: Vec::new(),
    }
}

fn model() -> Model {
    Model {
        id: "openai/gpt-4o-mini".to_owned(),
        object: ModelObject::Model,
        owned_by: "openai".to_owned(),
        canonical_slug: "openai/gpt-4o-mini".to_owned(),
        name: "GPT-4o mini".to_owned(),
        created: 1_721_260_800,
        description: None,
        context_length: Some(128_000),
        architecture: Architecture {
            modality: Some("text->text".to_owned()),
            input_modalities: vec!["text".to_owned()],
            output_modalities: vec!["text".to_owned()],
            tokenizer: None,
            instruct_type: None,
        },
        pricing: pricing(),
        top_provider: TopProvider {
            context_length: Some(128_000),
            max_completion_tokens: Some(16_384),
            is_moderated: false,
        },
        per_request_limits: None,
        supported_parameters: vec!["max_tokens".to_owned(), "tools".to_owned()],
        default_parameters: None,
        supported_voices: None,
        links: ModelLinks { details: "/api/v1/models/openai/gpt-4o-mini/endpoints".to_owned() },
        hugging_face_id: None,
        knowledge_cutoff: None,
        expiration_date: None,
    }
}

#[test]
fn a_list_reads_as_openrouters_and_as_openais() {
    let list = ModelList {
        object: ListObject::List,
        data: vec![model()],
        links: ListLinks::default(),
        total_count: 1,
    };
    let text = checked("/components/schemas/ModelsListResponse", &list);
    assert_eq!(
        text,
        r#"{"object":"list","data":[{"id":"openai/gpt-4o-mini","object":"model","owned_by":"openai","canonical_slug":"openai/gpt-4o-mini","name":"GPT-4o mini","created":1721260800,"context_length":128000,"architecture":{"modality":"text->text","input_modalities":["text"],"output_modalities":["text"]},"pricing":{"prompt":"0.00000015","completion":"0.0000006","input_cache_read":"0.000000075"},"top_provider":{"context_length":128000,"max_completion_tokens":16384,"is_moderated":false},"per_request_limits":null,"supported_parameters":["max_tokens","tools"],"default_parameters":null,"supported_voices":null,"links":{"details":"/api/v1/models/openai/gpt-4o-mini/endpoints"}}],"links":{"next":null},"total_count":1}"#,
    );
    assert_eq!(serde_json::from_str::<ModelList>(&text).unwrap(), list);
}

#[test]
fn a_model_with_all_there_is_to_say_survives_the_wire() {
    let some = Some(price("0.001"));
    let full = Model {
        description: Some("Small and quick.".to_owned()),
        architecture: Architecture {
            modality: Some("text+image->text".to_owned()),
            input_modalities: vec!["text".to_owned(), "image".to_owned()],
            output_modalities: vec!["text".to_owned()],
            tokenizer: Some("GPT".to_owned()),
            instruct_type: Some("chatml".to_owned()),
        },
        pricing: Pricing {
            prompt: Price::Dynamic,
            completion: Price::Fixed(Rate::ZERO),
            request: some,
            image: some,
            image_output: some,
            image_token: some,
            audio: some,
            audio_output: some,
            input_audio_cache: some,
            web_search: some,
            internal_reasoning: some,
            input_cache_read: some,
            input_cache_write: some,
            input_cache_write_1h: some,
            overrides: vec![PricingOverride {
                min_prompt_tokens: Some(200_000),
                prompt: some,
                completion: some,
                audio: some,
                input_cache_read: some,
                input_cache_write: some,
                input_cache_write_1h: some,
            }],
        },
        per_request_limits: Some(PerRequestLimits { prompt_tokens: 1, completion_tokens: 2 }),
        default_parameters: Some(DefaultParameters {
            temperature: Number::from_f64(0.7),
            top_k: Some(40),
            ..DefaultParameters::default()
        }),
        supported_voices: Some(vec!["alloy".to_owned()]),
        hugging_face_id: Some("openai/none".to_owned()),
        knowledge_cutoff: Some(Utc("2023-10-01T00:00:00Z".parse().unwrap()).0.to_string()),
        expiration_date: Some("2027-01-01".to_owned()),
        ..model()
    };
    let text = checked("/components/schemas/ModelResponse", &Data { data: full.clone() });
    assert!(text.contains(r#""pricing":{"prompt":"-1","completion":"0","request":"0.001""#));
    assert_eq!(serde_json::from_str::<Data<Model>>(&text).unwrap().data, full);
}

#[test]
fn a_price_is_a_decimal_string_and_nothing_else() {
    assert_eq!(serde_json::from_str::<Price>("\"1E-7\"").unwrap(), price("0.0000001"));
    for json in ["0.1", "\"-0.1\"", "\"free\"", "\"\"", "null"] {
        assert!(serde_json::from_str::<Price>(json).is_err(), "{json}");
    }
}
