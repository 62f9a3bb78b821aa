//! What providers say of the gateway's credentials stays between the two.

use serde_json::json;
use testkit::Behaviour;

use crate::support::TestGateway;

const CREDENTIAL: &str = "of-the-header-0123456789";
const SETTINGS: &str = r#"
    providers = [{ slug = "alpha", name = "Alpha", base_url = "URL", headers = { x-api-key = "of-the-header-0123456789", x-version = "2" } }]
    [[models]]
    id = "test/small"
    context_length = 8192
    endpoints = [{ provider = "alpha", upstream_model = "small", pricing = { prompt = "0.000001", completion = "0.000002" } }]
"#;

#[tokio::test]
async fn a_credential_in_a_configured_header_is_in_no_error_that_a_client_sees() {
    let gateway = TestGateway::with(SETTINGS).await;
    let key = gateway.key(json!({})).await;
    let said = format!(r#"{{"error":{{"message":"2 is not for {CREDENTIAL}"}}}}"#);
    for status in [200, 400, 403, 404, 429, 500] {
        gateway.upstream.on("small", Behaviour::new().status(status, &said));
        let whole = gateway.chat(&key, "test/small", json!({})).await;
        let stream = gateway.chat_stream(&key, "test/small", json!({})).await;
        for answer in [whole, stream.into_answer().await.unwrap()] {
            assert!(answer.status >= 400);
            assert!(!answer.text().contains(CREDENTIAL), "{status}: {}", answer.text());
            if status == 400 {
                let message = answer.exact("/error/message").unwrap();
                assert!(message.starts_with(r#""2 is not for "#), "a short value stays: {message}");
            }
        }
        // A refused credential lets the provider rest for a while.
        gateway.reload(SETTINGS);
    }
    assert_eq!(gateway.upstream.calls()[0].headers["x-api-key"], CREDENTIAL);
    gateway.close().await;
}
