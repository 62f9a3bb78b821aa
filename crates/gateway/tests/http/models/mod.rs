//! `GET /models`: the catalogue for anyone, whole.

mod list;

use insta::assert_snapshot;

use crate::support::{MANAGER, TestGateway, shown};

#[tokio::test]
async fn listed_models_are_shown_to_anyone_with_exact_prices() {
    let gateway = TestGateway::with(
        r#"
        [[models]]
        id = "author/model"
        name = "Model"
        description = "For tests."
        created = 1700000000
        context_length = 8192
        input_modalities = ["text", "image"]
        [[models.endpoints]]
        provider = "alpha"
        max_completion_tokens = 1000
        [models.endpoints.pricing]
        prompt = "0.000000037"
        completion = "0.0000006"
        input_cache_read = "0"
        request = "0.01"
        overrides = [{ min_prompt_tokens = 4096, prompt = "0.000001" }]

        [[models]]
        id = "author/hidden"
        context_length = 8192
        listed = false
        endpoints = [{ provider = "alpha", free = true }]
        "#,
    )
    .await;
    let answer = gateway.ask(None, "GET /api/v1/models", "").await;
    assert_snapshot!(shown(&answer), @r#"
    200
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    {
      "object": "list",
      "data": [
        {
          "id": "author/model",
          "object": "model",
          "owned_by": "author",
          "canonical_slug": "author/model",
          "name": "Model",
          "created": 1700000000,
          "description": "For tests.",
          "context_length": 8192,
          "architecture": {
            "modality": "text+image->text",
            "input_modalities": [
              "text",
              "image"
            ],
            "output_modalities": [
              "text"
            ]
          },
          "pricing": {
            "prompt": "0.000000037",
            "completion": "0.0000006",
            "request": "0.01",
            "input_cache_read": "0",
            "overrides": [
              {
                "min_prompt_tokens": 4096,
                "prompt": "0.000001",
                "completion": "0.0000006",
                "input_cache_read": "0"
              }
            ]
          },
          "top_provider": {
            "context_length": 8192,
            "max_completion_tokens": 1000,
            "is_moderated": false
          },
          "per_request_limits": null,
          "supported_parameters": [
            "max_tokens",
            "temperature",
            "top_p",
            "stop",
            "seed",
            "frequency_penalty",
            "presence_penalty",
            "response_format",
            "tools"
          ],
          "default_parameters": null,
          "supported_voices": null,
          "links": {
            "details": "/api/v1/models/author/model/endpoints"
          }
        }
      ],
      "links": {
        "next": null
      },
      "total_count": 1
    }
    "#);
    for key in [Some(MANAGER), Some("sk-or-v1-nobody")] {
        assert_eq!(gateway.ask(key, "GET /v1/models/", "").await.body, answer.body);
    }
    gateway.close().await;
}

#[tokio::test]
async fn a_model_shows_what_its_endpoint_says_it_takes_and_when_it_ends() {
    let gateway = TestGateway::with(
        r#"
        [[models]]
        id = "author/model"
        expiration_date = "2027-01-14"
        context_length = 8192
        [[models.endpoints]]
        provider = "alpha"
        supported_parameters = ["reasoning"]
        pricing = { prompt = "1", completion = "1", input_audio_cache = "0.5" }
        "#,
    )
    .await;
    let shown = gateway.ask(None, "GET /api/v1/model/author/model", "").await.json();
    let shown = &shown["data"];
    assert_eq!(shown["expiration_date"], "2027-01-14");
    assert_eq!(shown["pricing"]["input_audio_cache"], "0.5");
    let taken = shown["supported_parameters"].as_array().unwrap();
    assert_eq!((taken.len(), taken.last().unwrap().as_str()), (8, Some("reasoning")));
    gateway.close().await;
}
