//! Budgets of a workspace: as they are shown and as they are put.

use api::budgets::{Budgeted, Interval, PutBudget, WorkspaceBudget};
use api::keys::LimitReset;
use api::{Open, Usd, Utc};

use crate::contract::checked;

#[test]
fn budgets_survive_the_wire_with_what_their_workspace_says_of_them() {
    let moment = Utc("2026-11-21T22:50:00Z".parse().unwrap());
    let monthly = WorkspaceBudget {
        id: "123e4567-e89b-42d3-a456-426614174000".parse().unwrap(),
        workspace_id: "5b0a4d0e-6c1e-5d8e-9f0a-7b6f1c2d3e4f".parse().unwrap(),
        limit_usd: Usd("9007199.254740993".parse().unwrap()),
        reset_interval: Some(Open::Known(LimitReset::Monthly)),
        created_at: moment,
        updated_at: moment,
    };
    let lifetime = WorkspaceBudget { reset_interval: None, ..monthly.clone() };
    let one = Budgeted { data: monthly.clone(), include_byok_in_budgets: true };
    let text = checked("/components/schemas/GetWorkspaceBudgetResponse", &one);
    assert!(text.contains(r#""limit_usd":9007199.254740993,"reset_interval":"monthly""#), "{text}");
    assert_eq!(serde_json::from_str::<Budgeted<WorkspaceBudget>>(&text).unwrap(), one);
    let list = Budgeted { data: vec![lifetime, monthly], include_byok_in_budgets: false };
    let text = checked("/components/schemas/ListWorkspaceBudgetsResponse", &list);
    assert_eq!(serde_json::from_str::<Budgeted<Vec<WorkspaceBudget>>>(&text).unwrap(), list);
}

#[test]
fn a_budget_is_put_in_whole_nano_dollars_above_zero() {
    let put = |limit: &str| PutBudget::parse(format!(r#"{{"limit_usd":{limit}}}"#).as_bytes());
    for (limit, expected) in
        [("500", "500"), ("1e-9", "0.000000001"), ("0.0000000019", "0.000000001")]
    {
        assert_eq!(put(limit).unwrap().limit_usd.0.to_string(), expected);
    }
    for limit in ["0", "0.0000000009", "-1", "\"1\"", "null", "1e300"] {
        assert!(put(limit).is_err(), "{limit}");
    }
    for include_byok_in_budgets in [None, Some(true), Some(false)] {
        let put = PutBudget { include_byok_in_budgets, ..put("1").unwrap() };
        let text = checked("/components/schemas/UpsertWorkspaceBudgetRequest", &put);
        assert_eq!(PutBudget::parse(text.as_bytes()), Ok(put));
    }
}

#[test]
fn an_interval_is_one_of_four_words() {
    for interval in Interval::ALL {
        assert_eq!(Interval::parse(interval.as_str()), Ok(interval));
    }
    for word in ["", "Daily", "yearly", "null", "day"] {
        assert!(Interval::parse(word).is_err(), "{word}");
    }
}
