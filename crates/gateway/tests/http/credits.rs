//! `/credits`: what the account was charged in all, and what is not sold here.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{MANAGER, TestGateway, shown};

#[tokio::test]
async fn all_that_was_ever_charged_is_counted_whatever_became_of_its_key() {
    let gateway = TestGateway::with("[api]\ntotal_credits = \"12.5\"").await;
    let empty = gateway.ask(MANAGER, "GET /api/v1/credits", "").await;
    assert_eq!(empty.text(), r#"{"data":{"total_credits":12.5,"total_usage":0}}"#);
    let (gone, key) = (gateway.key(json!({})).await, gateway.key(json!({ "limit": 1 })).await);
    for key in [&gone, &key, &key] {
        assert_eq!(gateway.chat(key, "test/small", json!({})).await.status, 200);
        gateway.clock.set("2027-01-01T00:00:00Z");
    }
    assert_eq!(gateway.ask(MANAGER, &format!("DELETE {}", gone.path()), "").await.status, 200);
    let credits = gateway.ask(MANAGER, "GET /api/v1/credits", "").await;
    assert_snapshot!(shown(&credits), @r#"
    200
    {
      "data": {
        "total_credits": 12.5,
        "total_usage": 0.00012
      }
    }
    "#);
    gateway.close().await;
}

#[tokio::test]
async fn credits_are_for_management_keys() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    assert_eq!(gateway.ask(key.text.as_str(), "GET /api/v1/credits", "").await.status, 403);
    assert_eq!(gateway.ask(None, "GET /api/v1/credits", "").await.status, 401);
    let credits = gateway.ask(MANAGER, "GET /v1/credits/", "").await;
    assert_eq!(credits.text(), r#"{"data":{"total_credits":0,"total_usage":0}}"#);
    gateway.close().await;
}

#[tokio::test]
async fn credits_are_not_sold_here_and_never_will_be() {
    let gateway = TestGateway::start().await;
    let line = "POST /api/v1/credits/coinbase";
    let gone = gateway.ask(MANAGER, line, r#"{"amount":100}"#).await;
    assert_snapshot!(shown(&gone), @r#"
    410
    {
      "error": {
        "code": 410,
        "message": "Credits are not sold here: this gateway spends on its operator's own provider accounts. `GET /credits` shows what was charged.",
        "metadata": {
          "error_type": "not_found"
        }
      }
    }
    "#);
    assert_eq!(gateway.ask(None, line, "").await.body, gone.body);
    assert_eq!(gateway.ask(None, "GET /api/v1/credits/coinbase", "").await.status, 405);
    gateway.close().await;
}
