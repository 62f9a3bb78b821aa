//! Activity: the rows, and what the query takes and refuses.

use api::activity::{ActivityItem, ListActivity};
use api::{Data, Usd};

use crate::contract::checked;

#[test]
fn a_day_survives_the_wire_with_and_without_its_workspace() {
    let item = ActivityItem {
        date: "2026-11-21".to_owned(),
        model: "openai/gpt-4o-mini".to_owned(),
        model_permaslug: "openai/gpt-4o-mini".to_owned(),
        endpoint_id: "26e51696-0c1d-8e91-bb2a-b332ce3318d8".to_owned(),
        provider_name: "OpenAI".to_owned(),
        usage: Usd("9007199.254740993".parse().unwrap()),
        byok_usage_inference: Usd("0.000000001".parse().unwrap()),
        requests: 2,
        prompt_tokens: 30,
        completion_tokens: 20,
        reasoning_tokens: 10,
        cached_tokens: 5,
        workspace_id: None,
    };
    let of_workspace = ActivityItem {
        workspace_id: Some("123e4567-e89b-42d3-a456-426614174000".parse().unwrap()),
        ..item.clone()
    };
    let data = vec![item, of_workspace];
    let text = checked("/components/schemas/ActivityResponse", &Data { data: data.clone() });
    assert!(text.contains(r#""usage":9007199.254740993,"byok_usage_inference":0.000000001"#));
    assert_eq!(text.matches("workspace_id").count(), 1);
    assert_eq!(serde_json::from_str::<Data<Vec<ActivityItem>>>(&text).unwrap().data, data);
}

#[test]
fn a_query_reads_every_filter() {
    assert_eq!(ListActivity::parse([("utm", "x")]), Ok(ListActivity::default()));
    let all = [
        ("date", "2028-02-29"),
        ("api_key_hash", &*"0e".repeat(32)),
        ("user_id", "user 1"),
        ("workspace_id", "123e4567-e89b-42d3-a456-426614174000"),
        ("group_by", "workspace"),
    ];
    let query = ListActivity::parse(all).unwrap();
    assert_eq!(query.date.unwrap().to_string(), "2028-02-29");
    assert_eq!(query.api_key_hash, Some([0x0e; 32]));
    assert_eq!(query.user_id.as_deref(), Some("user 1"));
    assert_eq!(query.workspace_id.unwrap().to_string(), "123e4567-e89b-42d3-a456-426614174000");
    assert!(query.by_workspace);
}

#[test]
fn a_date_has_one_form() {
    for text in [
        "2027-02-29",
        "2026-11-21Z",
        "2026-1-21",
        "+02026-11-21",
        "2026-11-21T00:00:00Z",
        "20261121",
        "2026 11 21",
        "today",
        "２０２６-11",
        "",
    ] {
        let message = ListActivity::parse([("date", text)]).unwrap_err().to_string();
        let expected = "`date` is not a date; allowed: a UTC day, such as 2026-11-21";
        assert_eq!(message, expected, "{text}");
    }
}
