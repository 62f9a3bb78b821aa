//! Who is calling, and what the two kinds of keys may do.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{MANAGER, TestGateway, shown};

#[tokio::test]
async fn an_absent_credential_says_so_and_a_bad_one_not_why() {
    let gateway = TestGateway::start().await;
    let absent = gateway.ask(None, "GET /api/v1/key", "").await;
    assert_snapshot!(shown(&absent), @r#"
    401
    www-authenticate: Bearer
    {
      "error": {
        "code": 401,
        "message": "Missing Authentication header",
        "metadata": {
          "error_type": "authentication"
        }
      }
    }
    "#);
    let unknown = gateway.ask("sk-or-v1-nobody", "GET /api/v1/key", "").await;
    assert_snapshot!(shown(&unknown), @r#"
    401
    www-authenticate: Bearer
    {
      "error": {
        "code": 401,
        "message": "User not found.",
        "metadata": {
          "error_type": "authentication"
        }
      }
    }
    "#);

    let disabled = gateway.key(json!({})).await;
    gateway.patch(&disabled, json!({ "disabled": true })).await;
    let deleted = gateway.key(json!({})).await;
    gateway.ask(MANAGER, &format!("DELETE {}", deleted.path()), "").await;
    let expired = gateway.key(json!({ "expires_at": "2026-11-18T12:00:00Z" })).await;
    for key in [&disabled, &deleted, &expired] {
        for line in ["GET /api/v1/key", "POST /api/v1/chat/completions", "GET /api/v1/keys"] {
            let answer = gateway.ask(key.text.as_str(), line, "").await;
            assert_eq!((answer.status, answer.body), (401, unknown.body.clone()), "{line}");
        }
    }
    gateway.close().await;
}

#[tokio::test]
async fn the_scheme_is_read_in_any_case_and_no_other_scheme_is() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    for (header, status) in [
        (format!("bearer {}", key.text), 200),
        (format!("BEARER   {}  ", key.text), 200),
        (format!("Basic {}", key.text), 401),
        (key.text.clone(), 401),
        ("Bearer".to_owned(), 401),
        ("Bearer \u{e9}".to_owned(), 401),
    ] {
        let headers = [("authorization", header.as_str())];
        let answer = gateway.ask_with(None, "GET /api/v1/key", "", &headers).await;
        assert_eq!(answer.status, status, "{header}");
    }
    gateway.close().await;
}

#[tokio::test]
async fn each_kind_of_key_is_refused_what_is_the_others() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    let refused = gateway.ask(key.text.as_str(), "GET /api/v1/keys", "").await;
    assert_snapshot!(shown(&refused), @r#"
    403
    {
      "error": {
        "code": 403,
        "message": "Only management keys can perform this operation",
        "metadata": {
          "error_type": "permission_denied"
        }
      }
    }
    "#);
    for line in [
        "POST /api/v1/keys".to_owned(),
        format!("GET {}", key.path()),
        format!("PATCH {}", key.path()),
        format!("DELETE {}", key.path()),
    ] {
        let answer = gateway.ask(key.text.as_str(), &line, "").await;
        assert_eq!((answer.status, answer.body), (403, refused.body.clone()), "{line}");
    }
    let infers = gateway.ask(MANAGER, "POST /api/v1/chat/completions", "{}").await;
    assert_snapshot!(shown(&infers), @r#"
    403
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    {
      "error": {
        "code": 403,
        "message": "Management keys cannot be used for inference",
        "metadata": {
          "error_type": "permission_denied"
        }
      }
    }
    "#);
    assert_eq!(gateway.upstream.calls().len(), 0);
    gateway.close().await;
}

#[tokio::test]
async fn a_second_text_is_the_same_key_and_goes_with_it() {
    let gateway = TestGateway::start().await;
    let second = "partner-0123456789abcdefghijklmnopqrstuvwxyz";
    let key = gateway.key(json!({ "external": { "user": "u1", "api_key": second } })).await;
    let first = gateway.ask(key.text.as_str(), "GET /api/v1/key", "").await;
    let same = gateway.ask(second, "GET /api/v1/key", "").await;
    assert_eq!((same.status, same.body), (200, first.body));
    gateway.ask(MANAGER, &format!("DELETE {}", key.path()), "").await;
    assert_eq!(gateway.ask(second, "GET /api/v1/key", "").await.status, 401);
    gateway.close().await;
}
