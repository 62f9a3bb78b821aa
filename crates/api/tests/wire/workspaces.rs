//! Workspaces: as they are shown, and what their settings may be.

use api::routing::SortBy;
use api::workspaces::{CreateWorkspace, Share, UpdateWorkspace, Workspace, WorkspaceSettings};
use api::{Counted, Invalid, Utc};

use crate::contract::checked;

fn workspace() -> Workspace {
    Workspace {
        id: "123e4567-e89b-42d3-a456-426614174000".parse().unwrap(),
        slug: "research".to_owned(),
        name: "Research".to_owned(),
        description: None,
        default_text_model: None,
        default_image_model: None,
        default_provider_sort: None,
        is_observability_io_logging_enabled: false,
        is_observability_broadcast_enabled: false,
        is_data_discount_logging_enabled: false,
        io_logging_sampling_rate: Share::of_millionths(123_456).unwrap(),
        io_logging_api_key_ids: None,
        disabled_server_tools: None,
        include_byok_in_budgets: false,
        default_guardrail_id: "5b0a4d0e-6c1e-5d8e-9f0a-7b6f1c2d3e4f".parse().unwrap(),
        created_at: Utc("2026-11-21T22:50:00Z".parse().unwrap()),
        updated_at: None,
        created_by: None,
    }
}

#[test]
fn a_workspace_survives_the_wire_with_and_without_what_may_be_absent() {
    let full = Workspace {
        description: Some("for\nwhat".to_owned()),
        default_text_model: Some("a/b".to_owned()),
        default_image_model: Some("c/d".to_owned()),
        default_provider_sort: Some("price".to_owned()),
        io_logging_sampling_rate: Share::ALL,
        io_logging_api_key_ids: Some(vec![i64::MIN, 7]),
        disabled_server_tools: Some(vec!["web_search".to_owned()]),
        updated_at: Some(Utc("2026-11-21T22:50:01Z".parse().unwrap())),
        created_by: Some("ci".to_owned()),
        ..workspace()
    };
    let page = Counted { data: vec![workspace(), full], total_count: 9 };
    let text = checked("/components/schemas/ListWorkspacesResponse", &page);
    assert!(text.contains(r#""io_logging_sampling_rate":0.123456,"#), "{text}");
    assert!(text.contains(r#""io_logging_sampling_rate":1,"#), "{text}");
    assert_eq!(serde_json::from_str::<Counted<Workspace>>(&text).unwrap(), page);
}

#[test]
fn what_a_client_sends_is_what_is_read() {
    let settings = WorkspaceSettings {
        description: Some(None),
        default_text_model: Some(Some("a/b".to_owned())),
        default_image_model: Some(None),
        default_provider_sort: Some(Some(SortBy::Throughput)),
        is_observability_io_logging_enabled: Some(true),
        is_observability_broadcast_enabled: Some(false),
        is_data_discount_logging_enabled: Some(true),
        io_logging_sampling_rate: Share::of_millionths(100),
        io_logging_api_key_ids: Some(Some(vec![-1, 2])),
        disabled_server_tools: Some(Some(vec![])),
    };
    let update = UpdateWorkspace { settings: settings.clone(), ..UpdateWorkspace::default() };
    let text = checked("/components/schemas/UpdateWorkspaceRequest", &update);
    assert_eq!(UpdateWorkspace::parse(text.as_bytes()), Ok(update));
    let create = CreateWorkspace { name: "Ä".to_owned(), slug: "a-1".to_owned(), settings };
    let text = checked("/components/schemas/CreateWorkspaceRequest", &create);
    assert_eq!(CreateWorkspace::parse(text.as_bytes()), Ok(create));
    let nothing = UpdateWorkspace::parse(br#"{"created_by":"me"}"#);
    assert_eq!(nothing, Err(Invalid::NothingToUpdate));
}

#[test]
fn a_slug_is_words_with_single_hyphens_between_them() {
    let fifty = "a".repeat(50);
    for slug in ["a", "0", "a-b-c", "2fast", &fifty, "5b0a4d0e-6c1e-5d8e-9f0a-7b6f1c2d3e4"] {
        let body = format!(r#"{{"name":"x","slug":"{slug}"}}"#);
        assert_eq!(CreateWorkspace::parse(body.as_bytes()).unwrap().slug, slug);
    }
    let long = "a".repeat(51);
    for slug in ["", "-", "a-", "-a", "a--b", "A", "ä", "a.b", "a b", &long] {
        let body = format!(r#"{{"name":"x","slug":"{slug}"}}"#);
        assert!(CreateWorkspace::parse(body.as_bytes()).is_err(), "{slug}");
    }
}

#[test]
fn a_share_is_exact_to_the_millionth_and_within_its_bounds() {
    for (text, expected) in [
        ("1", Some("1")),
        ("1.0", Some("1")),
        ("0.0001", Some("0.0001")),
        ("1e-4", Some("0.0001")),
        ("0.1234569", Some("0.123456")),
        ("0.00009999999", None),
        ("1.000000001", None),
        ("0", None),
        ("-0.5", None),
        ("\"0.5\"", None),
        ("null", None),
        ("1e400", None),
    ] {
        let share: Option<Share> = serde_json::from_str(text).ok();
        let printed = share.map(|share| serde_json::to_string(&share).unwrap());
        assert_eq!(printed.as_deref(), expected, "{text}");
    }
}
