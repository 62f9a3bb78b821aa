//! Health, readiness, and what lies on no path: each in the API's own form.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{MANAGER, TestGateway, shown};

#[tokio::test]
async fn a_server_that_serves_is_healthy_and_ready() {
    let gateway = TestGateway::start().await;
    let health = gateway.ask(None, "GET /health", "").await;
    assert_eq!((health.status, health.text().as_str()), (200, r#"{"status":"ok"}"#));
    let ready = gateway.ask(None, "GET /ready/", "").await;
    assert_eq!((ready.status, ready.text().as_str()), (200, r#"{"status":"ready"}"#));
    gateway.close().await;
}

/// SEMANTICS 1.12.
#[tokio::test]
async fn an_unknown_path_is_404_and_a_wrong_method_405_in_the_envelope() {
    let gateway = TestGateway::start().await;
    let unknown = gateway.ask(MANAGER, "GET /api/v1/nowhere", "").await;
    assert_snapshot!(shown(&unknown), @r#"
    404
    {
      "error": {
        "code": 404,
        "message": "Resource not found",
        "metadata": {
          "error_type": "not_found"
        }
      }
    }
    "#);
    for line in
        ["GET /", "GET /api", "POST /v2/keys", "GET /api/v1", "GET /api/v1/keys/a/b", "GET //"]
    {
        let answer = gateway.ask(MANAGER, line, "").await;
        assert_eq!((answer.status, answer.body), (404, unknown.body.clone()), "{line}");
    }
    let wrong = gateway.ask(MANAGER, "PUT /api/v1/keys", "").await;
    assert_snapshot!(shown(&wrong), @r#"
    405
    allow: GET,HEAD,POST
    {
      "error": {
        "code": 405,
        "message": "Method PUT is not allowed on this path",
        "metadata": {
          "error_type": "invalid_request"
        }
      }
    }
    "#);
    for line in
        ["GET /api/v1/chat/completions", "POST /api/v1/key", "DELETE /v1/models", "POST /health"]
    {
        assert_eq!(gateway.ask(MANAGER, line, "").await.status, 405, "{line}");
    }
    gateway.close().await;
}

#[tokio::test]
async fn every_answer_is_named_and_no_two_alike() {
    let gateway = TestGateway::start().await;
    let mut ids = Vec::new();
    for line in ["GET /health", "GET /nowhere", "GET /api/v1/keys", "POST /api/v1/chat/completions"]
    {
        let answer = gateway.ask(None, line, "").await;
        ids.push(answer.headers["x-request-id"].to_str().unwrap().to_owned());
    }
    assert!(ids.iter().all(|id| id.starts_with("req-") && id.len() == 20), "{ids:?}");
    ids.dedup();
    assert_eq!(ids.len(), 4);
    gateway.close().await;
}

/// SEMANTICS 20: what makes no sense self-hosted.
#[tokio::test]
async fn what_only_a_hosted_service_has_is_404_in_the_envelope() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    for line in [
        "GET /api/v1/benchmarks",
        "GET /api/v1/classifications/task",
        "GET /api/v1/datasets/app-rankings",
        "GET /api/v1/datasets/rankings-daily",
        "GET /api/v1/datasets/session-cost",
        "GET /api/v1/scim/groups",
        "GET /api/v1/scim/group-mappings",
        "POST /api/v1/scim/group-mappings",
        "GET /api/v1/scim/group-mappings/1",
        "PATCH /api/v1/scim/group-mappings/1",
        "DELETE /api/v1/scim/group-mappings/1",
        "GET /api/v1/private-endpoints",
        "GET /api/v1/containers/1/files",
        "POST /api/v1/systemone",
        "GET /api/v1/vault/1",
        "GET /api/v1/scim/sync-jobs",
    ] {
        for caller in [Some(MANAGER), Some(key.text.as_str()), None] {
            let answer = gateway.ask(caller, line, "").await;
            assert_eq!((answer.status, &answer.json()["error"]["code"]), (404, &json!(404)));
        }
    }
    gateway.close().await;
}

/// SEMANTICS 1.11.
#[tokio::test]
async fn browsers_may_call_inference_and_nothing_else() {
    let gateway = TestGateway::start().await;
    let preflight = |path: &str| {
        format!(
            "OPTIONS {path} HTTP/1.1\r\nhost: gate\r\nconnection: close\r\n\
             origin: https://app.example\r\naccess-control-request-method: POST\r\n\
             access-control-request-headers: authorization,content-type,x-title\r\n\r\n"
        )
    };
    for path in ["/api/v1/chat/completions", "/v1/models", "/v1/chat/completions/"] {
        let answer = gateway.raw(&preflight(path)).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(answer.contains("\r\naccess-control-allow-origin: *\r\n"), "{answer}");
        assert!(!answer.contains("access-control-allow-credentials"), "{answer}");
        let allowed =
            answer.lines().find_map(|line| line.strip_prefix("access-control-allow-headers: "));
        let allowed: Vec<_> = allowed.unwrap().split(',').map(str::trim).collect();
        for name in ["authorization", "content-type", "x-title", "http-referer", "x-session-id"] {
            assert!(allowed.contains(&name), "{name}: {allowed:?}");
        }
    }
    for path in ["/api/v1/keys", "/api/v1/key", "/api/v1/generation"] {
        assert!(gateway.raw(&preflight(path)).await.starts_with("HTTP/1.1 405 "), "{path}");
        let origin = [("origin", "https://app.example")];
        let answer = gateway.ask_with(MANAGER, &format!("GET {path}"), "", &origin).await;
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{path}");
    }
    let key = gateway.key(json!({})).await;
    let answer = gateway.chat(&key, "test/small", json!({})).await;
    assert_eq!(
        answer.headers["access-control-expose-headers"],
        "x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset"
    );
    gateway.close().await;
}
