//! Paid calls from the request to the row in the book.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{TestGateway, shown};

#[tokio::test]
async fn an_answer_is_metered_to_the_nano_dollar() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    let answer = gateway.chat(&key, "test/small", json!({})).await;
    assert_snapshot!(shown(&answer), @r#"
    200
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after
    cache-control: no-cache
    x-generation-id: gen-1795003200-byzS749KghVwfPKsTfA5
    {
      "id": "gen-1795003200-byzS749KghVwfPKsTfA5",
      "model": "test/small",
      "provider": "Alpha",
      "object": "chat.completion",
      "created": 1763769600,
      "system_fingerprint": null,
      "choices": [
        {
          "finish_reason": "stop",
          "index": 0,
          "logprobs": null,
          "message": {
            "content": "word0 word1 word2 word3 word4 word5 word6 word7 ",
            "refusal": null,
            "role": "assistant"
          }
        }
      ],
      "usage": {
        "prompt_tokens": 8,
        "completion_tokens": 16,
        "total_tokens": 24,
        "cost": 0.00004,
        "is_byok": false,
        "cost_details": {
          "upstream_inference_cost": null,
          "upstream_inference_prompt_cost": 0.000008,
          "upstream_inference_completions_cost": 0.000032
        },
        "prompt_tokens_details": {
          "cached_tokens": 0
        },
        "completion_tokens_details": {
          "reasoning_tokens": 0
        }
      }
    }
    "#);
    assert_eq!(gateway.fact(&key, "usage").await, "0.00004");
    gateway.close().await;
}
