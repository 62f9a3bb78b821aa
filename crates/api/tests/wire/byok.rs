//! Bring-your-own-key credentials: the answers, and what the requests take and refuse.

use api::byok::{
    ByokDeleted, ByokKey, ByokList, ByokShown, CreateByok, ListByok, Region, SECRET_BYTES_MAX,
    Secret, UpdateByok,
};
use api::{Open, Slice, Utc};
use uuid::Uuid;

use crate::contract::checked;

const ID: &str = "123e4567-e89b-42d3-a456-426614174000";
const SECRET: &str = "sk-proj-nobody-may-read-this-AbCd";

fn id() -> Uuid {
    ID.parse().unwrap()
}

fn credential() -> ByokKey {
    ByokKey {
        id: id(),
        provider: "openai".to_owned(),
        workspace_id: Some(id()),
        name: Some("ours".to_owned()),
        label: "sk-...AbCd".to_owned(),
        disabled: false,
        is_fallback: false,
        is_required: true,
        is_byok_only: true,
        sort_order: 3,
        allowed_models: Some(vec!["openai/*".to_owned()]),
        allowed_api_key_hashes: Some(vec!["0e".repeat(32)]),
        allowed_user_ids: Some(vec!["user_1".to_owned()]),
        declared_region: Some(Region::Europe.into()),
        declared_zdr: Some(false),
        created_at: Utc("2026-11-21T22:50:00.123Z".parse().unwrap()),
    }
}

fn bare() -> ByokKey {
    ByokKey {
        workspace_id: None,
        name: None,
        allowed_models: None,
        allowed_api_key_hashes: None,
        allowed_user_ids: None,
        declared_region: None,
        declared_zdr: None,
        ..credential()
    }
}

fn create(body: &str) -> Result<CreateByok, String> {
    CreateByok::parse(body.as_bytes()).map_err(|error| error.to_string())
}

fn update(body: &str) -> Result<UpdateByok, String> {
    UpdateByok::parse(body.as_bytes()).map_err(|error| error.to_string())
}

#[test]
fn a_credential_is_sent_with_every_member_and_no_secret() {
    assert_eq!(
        checked("/components/schemas/BYOKKey", &credential()),
        format!(
            r#"{{"id":"{ID}","provider":"openai","workspace_id":"{ID}","name":"ours","label":"sk-...AbCd","disabled":false,"is_fallback":false,"is_required":true,"is_byok_only":true,"sort_order":3,"allowed_models":["openai/*"],"allowed_api_key_hashes":["{}"],"allowed_user_ids":["user_1"],"declared_region":"europe","declared_zdr":false,"created_at":"2026-11-21T22:50:00.123Z"}}"#,
            "0e".repeat(32),
        ),
    );
    let text = checked("/components/schemas/BYOKKey", &bare());
    assert_eq!(text.matches(":null").count(), 7);
}

#[test]
fn a_credential_survives_the_wire_beside_regions_not_known_yet() {
    for credential in [credential(), bare()] {
        let text = serde_json::to_string(&credential).unwrap();
        assert_eq!(serde_json::from_str::<ByokKey>(&text).unwrap(), credential);
    }
    let text = serde_json::to_string(&credential()).unwrap().replace("europe", "mars");
    let newer = Some(Open::Unknown("mars".to_owned()));
    let expected = ByokKey { declared_region: newer, ..credential() };
    assert_eq!(serde_json::from_str::<ByokKey>(&text).unwrap(), expected);
}

#[test]
fn answers_are_what_the_contract_says() {
    let schema = |path, method, status| {
        format!("/paths/{path}/{method}/responses/{status}/content/application~1json/schema")
    };
    let list = ByokList { data: vec![credential(), bare()], total_count: 2 };
    checked(&schema("~1byok", "get", "200"), &list);
    checked(&schema("~1byok", "post", "201"), &ByokShown { data: credential() });
    checked(&schema("~1byok~1{id}", "patch", "200"), &ByokShown { data: bare() });
    checked(&schema("~1byok~1{id}", "delete", "200"), &ByokDeleted::default());
}

#[test]
fn a_full_creation_is_read_and_written() {
    let body = format!(
        r#"{{"provider":"openai","key":"{SECRET}","name":"ours","workspace_id":"{ID}","disabled":true,"is_fallback":true,"is_required":true,"is_byok_only":false,"sort_order":0,"allowed_models":["openai/gpt-4o-mini","meta/*"],"allowed_api_key_hashes":["{}"],"allowed_user_ids":["user_1","user_2"],"declared_region":"us","declared_zdr":true}}"#,
        "0e".repeat(32),
    );
    let made = create(&body).unwrap();
    assert_eq!(made.key.expose(), SECRET);
    assert!(!format!("{made:?}").contains(SECRET));
    assert_eq!(checked("/components/schemas/CreateBYOKKeyRequest", &made), body);
}

#[test]
fn what_is_left_out_restricts_nothing_and_the_workspace_is_the_default_one() {
    let least = create(r#"{"provider":"openai","key":"k"}"#).unwrap();
    let none = r#"{"provider":"openai","key":"k","name":null,"allowed_models":null,"allowed_api_key_hashes":null,"allowed_user_ids":null,"declared_region":null,"declared_zdr":null,"sort":1}"#;
    assert_eq!(create(none).unwrap(), least);
    assert_eq!(least.workspace_id, None);
    let every = create(r#"{"provider":"openai","key":"k","workspace_id":null}"#).unwrap();
    assert_eq!(every, CreateByok { workspace_id: Some(None), ..least });
}

#[test]
fn an_update_leaves_clears_or_replaces() {
    let cleared = update(
        r#"{"name":null,"allowed_models":null,"allowed_api_key_hashes":null,"allowed_user_ids":null,"declared_region":null,"declared_zdr":null}"#,
    );
    let nothing_left = UpdateByok {
        name: Some(None),
        allowed_models: Some(None),
        allowed_api_key_hashes: Some(None),
        allowed_user_ids: Some(None),
        declared_region: Some(None),
        declared_zdr: Some(None),
        ..UpdateByok::default()
    };
    assert_eq!(cleared, Ok(nothing_left));
    let replaced = update(&format!(
        r#"{{"key":"{SECRET}","disabled":false,"is_fallback":true,"is_required":false,"is_byok_only":false,"sort_order":1000000}}"#
    ));
    let expected = UpdateByok {
        key: Some(Secret::from(SECRET.to_owned())),
        disabled: Some(false),
        is_fallback: Some(true),
        is_required: Some(false),
        is_byok_only: Some(false),
        sort_order: Some(1_000_000),
        ..UpdateByok::default()
    };
    assert_eq!(replaced, Ok(expected));
    for empty in ["{}", r#"{"provider":"x","workspace_id":null,"label":"x"}"#] {
        assert_eq!(update(empty), Err("No update fields provided".to_owned()));
    }
}

#[test]
fn what_a_field_may_not_be_is_refused_by_name() {
    let hash = "0e".repeat(32);
    let long = "x".repeat(SECRET_BYTES_MAX + 1);
    let many = |entry: &dyn Fn(usize) -> String| (0..101).map(entry).collect::<Vec<_>>().join(",");
    let models = many(&|number| format!(r#""a/{number}""#));
    let hashes = many(&|number| format!(r#""{number:064x}""#));
    let cases = [
        (r#""key":7"#.to_owned(), "`key` is a number"),
        (r#""key":null"#.to_owned(), "`key` is null"),
        (r#""key":"""#.to_owned(), "`key` is blank"),
        (r#""key":" \n""#.to_owned(), "`key` is blank"),
        (format!(r#""key":"{long}""#), "`key` is too long"),
        (r#""name":"""#.to_owned(), "`name` is blank"),
        (r#""name":"a\u0000b""#.to_owned(), "`name` has a control character"),
        (format!(r#""name":"{}""#, "n".repeat(256)), "`name` is too long"),
        (r#""disabled":null"#.to_owned(), "`disabled` is null"),
        (r#""is_fallback":"yes""#.to_owned(), "`is_fallback` is a string"),
        (r#""is_required":1"#.to_owned(), "`is_required` is a number"),
        (r#""is_byok_only":[]"#.to_owned(), "`is_byok_only` is an array"),
        (r#""sort_order":-1"#.to_owned(), "`sort_order` is negative"),
        (r#""sort_order":1.5"#.to_owned(), "`sort_order` is not a whole number"),
        (r#""sort_order":1000001"#.to_owned(), "`sort_order` is too large"),
        (r#""sort_order":null"#.to_owned(), "`sort_order` is null"),
        (r#""allowed_models":[]"#.to_owned(), "`allowed_models` is empty"),
        (r#""allowed_models":"a/b""#.to_owned(), "`allowed_models` is a string"),
        (r#""allowed_models":["a/b","a/b"]"#.to_owned(), "`allowed_models[1]` is given twice"),
        (r#""allowed_models":["*"]"#.to_owned(), "`allowed_models[0]` has a `*`"),
        (r#""allowed_models":[" "]"#.to_owned(), "`allowed_models[0]` is blank"),
        (format!(r#""allowed_models":[{models}]"#), "`allowed_models` has 101 entries"),
        (r#""allowed_api_key_hashes":[]"#.to_owned(), "`allowed_api_key_hashes` is empty"),
        (
            format!(r#""allowed_api_key_hashes":["{}"]"#, hash.to_uppercase()),
            "`allowed_api_key_hashes[0]` is not a hash",
        ),
        (
            format!(r#""allowed_api_key_hashes":["{hash}",null]"#),
            "`allowed_api_key_hashes[1]` is null",
        ),
        (
            format!(r#""allowed_api_key_hashes":[{hashes}]"#),
            "`allowed_api_key_hashes` has 101 entries",
        ),
        (r#""allowed_user_ids":[]"#.to_owned(), "`allowed_user_ids` is empty"),
        (r#""allowed_user_ids":[7]"#.to_owned(), "`allowed_user_ids[0]` is a number"),
        (r#""declared_region":"mars""#.to_owned(), "`declared_region` is none of the regions"),
        (r#""declared_zdr":"true""#.to_owned(), "`declared_zdr` is a string"),
    ];
    for (member, problem) in cases {
        let changed = update(&format!("{{{member}}}")).unwrap_err();
        let key = if member.starts_with(r#""key""#) { "" } else { r#""key":"k","# };
        let made = create(&format!(r#"{{"provider":"openai",{key}{member}}}"#)).unwrap_err();
        for refusal in [changed, made] {
            assert!(refusal.starts_with(problem), "{member}: {refusal}");
            assert!(refusal.contains("; allowed: "), "{member}: {refusal}");
        }
    }
    for (body, problem) in [
        (r#"{"key":"k"}"#, "`provider` is missing"),
        (r#"{"provider":"openai"}"#, "`key` is missing"),
        (r#"{"provider":7,"key":"k"}"#, "`provider` is a number"),
        (r#"{"provider":"openai","key":"k","workspace_id":"x"}"#, "`workspace_id` is not a UUID"),
        (r#"{"provider":"openai","key":"k","key":"k"}"#, "`key` is given twice"),
        (r#"{"provider":"openai","key":"sk-1"#, "`key` is malformed JSON"),
    ] {
        let refusal = create(body).unwrap_err();
        assert!(refusal.starts_with(problem) && !refusal.contains("sk-1"), "{body}: {refusal}");
    }
}

#[test]
fn a_list_is_of_one_workspace_and_may_be_of_one_provider() {
    let read = |pairs: &[(&'static str, &'static str)]| {
        ListByok::parse(pairs.iter().copied()).map_err(|error| error.to_string())
    };
    assert_eq!(read(&[("q", "x"), ("offset", "")]), Ok(ListByok::default()));
    let full = read(&[("offset", "7"), ("limit", "1"), ("workspace_id", ID), ("provider", "a")]);
    let slice = Slice { offset: 7, limit: 1 };
    let provider = Some("a".to_owned());
    assert_eq!(full, Ok(ListByok { slice, workspace_id: Some(id()), provider }));
    for (name, value, problem) in [
        ("limit", "0", "`limit` is not such a number; allowed: a whole number from 1 to 100"),
        ("limit", "101", "`limit` is not such a number; allowed: a whole number from 1 to 100"),
        ("workspace_id", "x", "`workspace_id` is not a UUID; allowed: a UUID"),
        ("provider", "", "`provider` is empty; allowed: a text"),
    ] {
        assert_eq!(read(&[(name, value)]), Err(problem.to_owned()));
    }
    assert!(read(&[("offset", "-1")]).unwrap_err().starts_with("`offset` is not such a number"));
}

#[test]
fn a_slice_ends_where_the_list_does() {
    let of = |offset, limit| Slice { offset, limit }.of(vec![0, 1, 2, 3, 4]);
    assert_eq!(of(0, 2), [0, 1]);
    assert_eq!(of(4, 2), [4]);
    assert_eq!(of(5, 2), [0; 0]);
    assert_eq!(of(u64::MAX, u64::MAX), [0; 0]);
}
