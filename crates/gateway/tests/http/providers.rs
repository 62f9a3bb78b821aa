//! `GET /providers`: who runs the models, as the configuration says it.

use insta::assert_snapshot;

use crate::support::{TestGateway, shown};

#[tokio::test]
async fn providers_are_shown_to_anyone_with_what_is_known_of_them() {
    let gateway = TestGateway::with(
        r#"
        providers = [
            { slug = "alpha", name = "Alpha", base_url = "URL", api_key = "secret-0123456789", privacy_policy_url = "https://alpha.example/privacy", terms_of_service_url = "https://alpha.example/terms", status_page_url = "https://status.alpha.example", headquarters = "US", datacenters = ["US", "DE"] },
            { slug = "plain", base_url = "URL" },
        ]
        models = []
        "#,
    )
    .await;
    let answer = gateway.ask(None, "GET /api/v1/providers", "").await;
    assert_snapshot!(shown(&answer), @r#"
    200
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    {
      "data": [
        {
          "name": "Alpha",
          "slug": "alpha",
          "privacy_policy_url": "https://alpha.example/privacy",
          "terms_of_service_url": "https://alpha.example/terms",
          "status_page_url": "https://status.alpha.example",
          "headquarters": "US",
          "datacenters": [
            "US",
            "DE"
          ]
        },
        {
          "name": "plain",
          "slug": "plain",
          "privacy_policy_url": null,
          "terms_of_service_url": null,
          "status_page_url": null,
          "headquarters": null,
          "datacenters": null
        }
      ]
    }
    "#);
    gateway.close().await;
}
