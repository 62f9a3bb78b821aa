//! Another server of the same API: older, without workspaces, with amounts that floats have been at.

use axum::Router;
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::routing::get;
use insta::assert_snapshot;

use super::Session;

const KEY: &str = r#"{
    "hash": "0f0e0d0c0b0a09080706050403020100ffeeddccbbaa99887766554433221100",
    "name": "old", "label": "sk-or-v1-0e6...1c96", "disabled": false, "limit": 10,
    "limit_remaining": 9.999999999999998, "limit_reset": null, "include_byok_in_limit": false,
    "usage": 1.7763568394002505e-15, "usage_daily": 5e-05, "usage_weekly": 0.25,
    "usage_monthly": 0.25, "byok_usage": 0, "byok_usage_daily": 0, "byok_usage_weekly": 0,
    "byok_usage_monthly": 0, "created_at": "2025-08-24T10:30:00.000000+00:00", "updated_at": null,
    "something_new": {"is": ["ignored"]}
}"#;

/// A server that has the calls of its generation and no others.
async fn server() -> String {
    let json =
        |body: String| get(move || async move { ([("content-type", "application/json")], body) });
    // The second page is empty.
    let keys = get(|RawQuery(query): RawQuery| async move {
        let is_first = !query.unwrap_or_default().contains("offset=1");
        let data = if is_first { KEY } else { "" };
        ([("content-type", "application/json")], format!("{{\"data\": [{data}]}}"))
    });
    let router = Router::new()
        .route("/api/v1/keys", keys)
        .route("/api/v1/keys/{hash}", json(format!("{{\"data\": {KEY}}}")))
        .route(
            "/api/v1/credits",
            json(
                r#"{"data": {"total_credits": 100.5, "total_usage": 25.750000000000004}}"#
                    .to_owned(),
            ),
        )
        .fallback(|| async { (StatusCode::NOT_FOUND, "<!DOCTYPE html><html></html>") });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address").to_string();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

#[tokio::test]
async fn an_older_server_is_asked_for_what_it_has() {
    let address = server().await;
    let me = Session::new()
        .set("TOLLGATE_URL", &format!("http://{address}/api/v1"))
        .set("TOLLGATE_API_KEY", "sk-or-v1-0")
        .named(&address, "SERVER");
    let mut told = String::new();
    for line in [
        "keys list --all --workspace all",
        "keys get old --json",
        "keys get 0f0e0d0c",
        "credits",
        "top --once --interval 1s",
        "workspaces list",
        "byok list",
    ] {
        told.push_str(&me.say(line).await);
    }
    assert_snapshot!(told, @r#"
    $ tollgate keys list --all --workspace all
    [0]
    NAME  HASH          STATE    LIMIT  RESET                LEFT                            SPENT  LAST USED
    old   0f0e0d0c0b0a  active  $10.00  –      $9.999999999999998  $0.0000000000000017763568394003  –
    $ tollgate keys get old --json
    [0]
    {
      "byok_usage": 0,
      "byok_usage_daily": 0,
      "byok_usage_monthly": 0,
      "byok_usage_weekly": 0,
      "created_at": "2025-08-24T10:30:00Z",
      "creator_user_id": null,
      "disabled": false,
      "expires_at": null,
      "hash": "0f0e0d0c0b0a09080706050403020100ffeeddccbbaa99887766554433221100",
      "include_byok_in_limit": false,
      "label": "sk-or-v1-0e6...1c96",
      "limit": 10,
      "limit_remaining": 9.999999999999998,
      "limit_reset": null,
      "name": "old",
      "updated_at": null,
      "usage": 0.0000000000000017763568394003,
      "usage_daily": 0.00005,
      "usage_monthly": 0.25,
      "usage_weekly": 0.25,
      "workspace_id": null
    }
    $ tollgate keys get 0f0e0d0c
    [0]
    name             old
    hash             0f0e0d0c0b0a09080706050403020100ffeeddccbbaa99887766554433221100
    label            sk-or-v1-0e6...1c96
    state            active
    limit            $10.00 lifetime
    left             $9.999999999999998
    own credentials  does not count
    spent            $0.0000000000000017763568394003 ($0.00005 today, $0.25 this week, $0.25 this month)
    made             2025-08-24 10:30
    expires          never
    last used        never
    $ tollgate credits
    [0]
    credits  $100.50
    used     $25.750000000000004
    $ tollgate top --once --interval 1s
    [0]
    $0.00 a minute   today $0.00005   in all $0.0000000000000017763568394003
    holds unavailable: metrics at SERVER are refused (404)
    KEY  HASH          STATE   $/MIN     TODAY                            SPENT                LEFT  RESET
    old  0f0e0d0c0b0a  active  $0.00  $0.00005  $0.0000000000000017763568394003  $9.999999999999998  –
    $ tollgate workspaces list
    [1]
    ! tollgate: the server gave no reason (404)
    !   is http://SERVER/api/v1 the API? its address mostly ends in /api/v1; this one is from TOLLGATE_URL
    $ tollgate byok list
    [1]
    ! tollgate: the server gave no reason (404)
    !   is http://SERVER/api/v1 the API? its address mostly ends in /api/v1; this one is from TOLLGATE_URL
    "#);
}
