//! `docs/sdk/`: a page for each type, made from its source, and checked for staleness.
//!
//! `TOLLGATE_WRITE_DOCS=1 cargo test --package tollgate --test sdk reference` writes it anew.

mod examples;
mod public;
mod schema;
mod source;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use examples::Examples;
use source::{Field, Item, Kind, items};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/sdk")
}

/// Every page, by its file's name.
fn pages() -> BTreeMap<String, String> {
    let items = items();
    let examples = Examples::of(&items);
    let mut pages: BTreeMap<String, String> =
        items.iter().map(|item| (format!("{}.md", item.name), page(item, &examples))).collect();
    pages.insert("README.md".to_owned(), index(&items));
    pages
}

fn index(items: &[Item]) -> String {
    let mut text = "# The Rust SDK: its types\n\n\
        The crate [`tollgate`](../../crates/client/README.md) is documented on its own pages \
        (`make docs`);\nthis is a reference of what it sends and reads, made from its source. *Required* is what every\n\
        generation of the API sends, `null` included, or what a request can't do without.\n\n\
        | type | what |\n|---|---|\n"
        .to_owned();
    for item in items {
        let what = first_sentence(&item.doc);
        writeln!(text, "| [{0}]({0}.md) | {what} |", item.name).unwrap();
    }
    text
}

fn page(item: &Item, examples: &Examples) -> String {
    let mut text = format!("# {}\n\n{}\n\n", item.name, item.doc);
    match &item.kind {
        Kind::Words(words) => {
            text.push_str("## Values\n\n| value | on the wire | what |\n|---|---|---|\n");
            for word in words {
                writeln!(text, "| `{}` | `{}` | {} |", word.name, word.wire, word.doc).unwrap();
            }
            text.push_str("| `Other` | any other | A word that this version does not know. |\n");
        }
        Kind::Fields(fields) => {
            text.push_str(
                "## Fields\n\n| field | type | required | description | example |\n|---|---|---|---|---|\n",
            );
            for field in fields {
                writeln!(
                    text,
                    "| `{}` | {} | {} | {} | {} |",
                    field.name,
                    linked(field, examples),
                    if field.is_required { "yes" } else { "no" },
                    field.doc,
                    examples.cell(item, field),
                )
                .unwrap();
            }
            if let Some(example) = examples.whole(item) {
                write!(text, "\n## Example\n\n```json\n{example}\n```\n").unwrap();
            }
        }
    }
    text
}

/// A field's type, and where there is a page about it.
fn linked(field: &Field, examples: &Examples) -> String {
    let inner = source::inner(&field.type_text);
    if examples.has_page(inner) {
        format!("`{}` ([{inner}]({inner}.md))", field.type_text)
    } else {
        format!("`{}`", field.type_text)
    }
}

fn first_sentence(doc: &str) -> String {
    let paragraph = doc.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    match paragraph.split_once(". ") {
        Some((sentence, _)) => format!("{sentence}."),
        None => paragraph,
    }
}

#[test]
fn the_reference_says_what_the_code_says() {
    let pages = pages();
    if std::env::var_os("TOLLGATE_WRITE_DOCS").is_some() {
        let _ = std::fs::remove_dir_all(folder());
        std::fs::create_dir_all(folder()).unwrap();
        for (name, text) in &pages {
            std::fs::write(folder().join(name), text).unwrap();
        }
    }
    let write = "TOLLGATE_WRITE_DOCS=1 cargo test --package tollgate --test sdk reference";
    for (name, text) in &pages {
        let found = std::fs::read_to_string(folder().join(name)).unwrap_or_default();
        assert!(&found == text, "docs/sdk/{name} is stale: {write}");
    }
    let mut kept: Vec<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    kept.sort();
    assert_eq!(kept, pages.into_keys().collect::<Vec<_>>(), "a page has no type any more: {write}");
}

#[test]
fn every_public_item_is_shown_in_an_example_that_is_compiled() {
    let items = public::items();
    let unshown: Vec<&str> =
        items.iter().filter(|item| !item.is_shown).map(|item| item.place.as_str()).collect();
    assert!(unshown.is_empty(), "these have no example in their comment: {unshown:#?}");
    for name in public::exported() {
        assert!(items.iter().any(|item| item.name == name), "{name} was not looked at");
    }
}

#[test]
fn an_item_without_an_example_is_found() {
    let text = "\
        /// Shown.\n///\n/// ```\n/// shown();\n/// ```\npub fn shown() {}\n\
        /// Not.\npub async fn told() {}\n\
        /// ```ignore\n/// ```\npub const IGNORED: u8 = 0;\n\
        #[doc = concat!(\n\"```\\n```\",\n)]\n#[must_use]\npub const fn made() {}\n\
        pub(crate) fn private() {}\npub field: u8,\npub struct Bare;\n";
    let mut items = Vec::new();
    public::read("keys.rs", text, &mut items);
    let found: Vec<_> = items.iter().map(|item| (item.place.as_str(), item.is_shown)).collect();
    let expected = [
        ("keys.rs:6 shown", true),
        ("keys.rs:8 told", false),
        ("keys.rs:11 IGNORED", false),
        ("keys.rs:16 made", true),
        ("keys.rs:19 Bare", false),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_key_has_the_fields_of_the_reference_pages() {
    let items = items();
    let key = items.iter().find(|item| item.name == "GetKeyData").unwrap();
    let Kind::Fields(fields) = &key.kind else { panic!("a key has fields") };
    let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    let expected = [
        "byok_usage",
        "byok_usage_daily",
        "byok_usage_monthly",
        "byok_usage_weekly",
        "created_at",
        "creator_user_id",
        "disabled",
        "expires_at",
        "hash",
        "include_byok_in_limit",
        "label",
        "limit",
        "limit_remaining",
        "limit_reset",
        "name",
        "updated_at",
        "usage",
        "usage_daily",
        "usage_monthly",
        "usage_weekly",
        "workspace_id",
    ];
    assert_eq!(names[..21], expected);
    assert_eq!(names[21..23], ["external_user", "last_used_at"]);
}
