//! The public types of the crate, read from its source as rustfmt writes it.

use std::fs;
use std::path::Path;

/// A type that has a page.
pub(super) struct Item {
    pub(super) name: String,
    pub(super) doc: String,
    pub(super) kind: Kind,
    /// Whether it can be read from JSON.
    pub(super) is_read: bool,
    /// Whether it has a JSON form at all.
    pub(super) is_json: bool,
}

pub(super) enum Kind {
    Fields(Vec<Field>),
    Words(Vec<Word>),
}

pub(super) struct Field {
    pub(super) name: String,
    /// Its name in JSON; `None` where it is no member of its own.
    pub(super) wire: Option<String>,
    pub(super) type_text: String,
    pub(super) is_required: bool,
    pub(super) doc: String,
}

pub(super) struct Word {
    pub(super) name: String,
    pub(super) wire: String,
    pub(super) doc: String,
}

/// All of them, by name.
pub(super) fn items() -> Vec<Item> {
    let mut items = Vec::new();
    read_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut items);
    items.sort_by(|one, other| one.name.cmp(&other.name));
    items
}

fn read_folder(folder: &Path, items: &mut Vec<Item>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_folder(&path, items);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            read_file(&fs::read_to_string(&path).unwrap(), items);
        }
    }
}

fn read_file(text: &str, items: &mut Vec<Item>) {
    let mut doc = Vec::new();
    let mut attributes = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let line = line.trim();
        if let Some(comment) = line.strip_prefix("///") {
            doc.push(comment.strip_prefix(' ').unwrap_or(comment).to_owned());
        } else if line.starts_with("#[") {
            attributes.push_str(line);
        } else {
            let structure =
                line.strip_prefix("pub struct ").and_then(|rest| rest.strip_suffix(" {"));
            let words = line.strip_prefix("pub enum ").and_then(|rest| rest.strip_suffix(" {"));
            let kind = match (structure, words) {
                (Some(_), _) => Some(Kind::Fields(fields(&mut lines, &attributes))),
                (_, Some(_)) => words_of(&mut lines).map(Kind::Words),
                _ => None,
            };
            let name = structure.or(words).unwrap_or_default();
            let name = name.split('<').next().unwrap_or_default().to_owned();
            match kind {
                Some(_) if name.starts_with('$') => {}
                Some(Kind::Fields(fields)) if fields.is_empty() => {}
                Some(kind) => items.push(Item {
                    name,
                    doc: prose(&doc),
                    is_read: matches!(kind, Kind::Words(_)) || attributes.contains("Deserialize"),
                    is_json: matches!(kind, Kind::Words(_)) || attributes.contains("Serialize"),
                    kind,
                }),
                None => {}
            }
            doc.clear();
            attributes.clear();
        }
    }
}

/// A comment without its example.
fn prose(doc: &[String]) -> String {
    let mut text = String::new();
    for line in doc.iter().take_while(|line| !line.starts_with("```")) {
        text.push_str(&unlinked(line));
        text.push('\n');
    }
    text.trim().to_owned()
}

/// Links of rustdoc lead nowhere on a page: ``[`left`](Key::left)`` becomes `` `left` ``.
fn unlinked(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("[`") {
        text.push_str(before);
        let Some((name, after)) = after.split_once("`]") else { break };
        text.push_str(&format!("`{name}`"));
        rest = match after.strip_prefix('(').and_then(|target| target.split_once(')')) {
            Some((_, after)) => after,
            None => after,
        };
    }
    text + rest
}

fn fields<'a>(lines: &mut impl Iterator<Item = &'a str>, outer: &str) -> Vec<Field> {
    let (mut fields, mut doc, mut attributes) = (Vec::new(), Vec::new(), String::new());
    for line in lines.map(str::trim).take_while(|line| *line != "}") {
        if let Some(comment) = line.strip_prefix("///") {
            doc.push(unlinked(comment.trim()));
        } else if line.starts_with("#[") {
            attributes.push_str(line);
        } else if let Some((name, type_text)) =
            line.strip_prefix("pub ").and_then(|field| field.strip_suffix(',')?.split_once(": "))
        {
            let renamed =
                attributes.split_once("rename = \"").and_then(|(_, rest)| rest.split_once('"'));
            let is_member = !attributes.contains("flatten") && !attributes.contains("(skip)");
            let is_optional = type_text.starts_with("Option<") || type_text.starts_with("Patch<");
            let has_default = attributes.contains("default") || !is_member;
            // What is read is marked where it may be missing; in a request, what has no value is.
            let is_optional = is_optional && !outer.contains("Deserialize");
            fields.push(Field {
                name: name.to_owned(),
                wire: is_member.then(|| renamed.map_or(name, |(renamed, _)| renamed).to_owned()),
                type_text: type_text.to_owned(),
                is_required: !is_optional && !has_default && !is_always_there(outer, name),
                doc: doc.join(" "),
            });
            doc.clear();
            attributes.clear();
        } else {
            doc.clear();
            attributes.clear();
        }
    }
    fields
}

/// Whether a struct that reads what is left out as its default has this as one of those; names of
/// what is to be made are always given.
fn is_always_there(outer: &str, name: &str) -> bool {
    outer.contains("#[serde(default)]") && !matches!(name, "name" | "user")
}

/// The words of an enum that keeps others; `None` for any other enum.
fn words_of<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Option<Vec<Word>> {
    let (mut words, mut doc) = (Vec::new(), Vec::new());
    for line in lines.map(str::trim).take_while(|line| *line != "}") {
        if let Some(comment) = line.strip_prefix("///") {
            doc.push(unlinked(comment.trim()));
        } else {
            if let Some((name, wire)) = line.split_once(" = ") {
                let wire = wire.trim_matches(|c| c == '"' || c == ',').to_owned();
                words.push(Word { name: name.to_owned(), wire, doc: doc.join(" ") });
            }
            doc.clear();
        }
    }
    (!words.is_empty()).then_some(words)
}

/// What is in an `Option`, a list or a patch.
pub(super) fn inner(type_text: &str) -> &str {
    let within = ["Option<", "Vec<", "Patch<", "Box<"]
        .iter()
        .find_map(|outer| type_text.strip_prefix(outer)?.strip_suffix('>'));
    within.map_or(type_text, inner)
}
