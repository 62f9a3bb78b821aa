//! The public items of the crate, read from its source as rustfmt writes it, and whether each is
//! shown in an example.

use std::fs;
use std::path::{Path, PathBuf};

pub(super) struct Public {
    /// Where it is, for whoever has to add an example.
    pub(super) place: String,
    pub(super) name: String,
    pub(super) is_shown: bool,
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// All of them: what is at hand in modules, in `impl` blocks, and what macros make.
pub(super) fn items() -> Vec<Public> {
    let mut items = Vec::new();
    read_folder(&source(), &mut items);
    items
}

/// The names that the crate's root gives away.
pub(super) fn exported() -> Vec<String> {
    let root = fs::read_to_string(source().join("lib.rs")).unwrap();
    let uses = root.split("pub use ").skip(1).filter_map(|rest| rest.split_once(';'));
    let lists = uses.map(|(path, _)| path.rsplit("::").next().unwrap_or(path));
    let names = lists.flat_map(|list| list.trim_matches(['{', '}', '\n', ' ']).split(','));
    names.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

fn read_folder(folder: &Path, items: &mut Vec<Public>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_folder(&path, items);
        } else {
            let file = path.strip_prefix(source()).unwrap().display().to_string();
            read(&file, &fs::read_to_string(&path).unwrap(), items);
        }
    }
}

/// The public items of one file; what is in `mod tests` at its end is not looked at.
pub(super) fn read(file: &str, text: &str, items: &mut Vec<Public>) {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    if file == "lib.rs" || file == "blocking.rs" {
        let about: String = text.lines().take_while(|line| line.starts_with("//!")).collect();
        items.push(public(file, 1, "//!", &about));
    }
    // The comments and attributes above the line, and the brackets that they have open.
    let (mut above, mut open) = (String::new(), 0_i32);
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let is_comment = line.starts_with("///");
        if is_comment || open > 0 || line.starts_with("#[") || line.starts_with("$(#[") {
            above.push_str(line);
            above.push('\n');
            if !is_comment {
                open += line.chars().map(opened).sum::<i32>();
            }
            continue;
        }
        if let Some(name) = name_of(line) {
            items.push(public(file, number + 1, name, &above));
        }
        above.clear();
    }
}

fn public(file: &str, line: usize, name: &str, above: &str) -> Public {
    let is_other =
        ["ignore", "text", "json"].iter().any(|kind| above.contains(&format!("```{kind}")));
    let is_block = above.matches("```").count() >= 2 && !is_other;
    // `shown!` makes a block of an example's lines; `$meta` is the comment where a macro is called.
    let is_shown = is_block || above.contains("shown!(") || above.contains("$meta");
    Public { place: format!("{file}:{line} {name}"), name: name.to_owned(), is_shown }
}

fn opened(bracket: char) -> i32 {
    match bracket {
        '(' | '[' | '{' => 1,
        ')' | ']' | '}' => -1,
        _ => 0,
    }
}

/// The name of what the line begins, where that is a public item and neither a field nor a `use`;
/// modules are looked at in their own files.
fn name_of(line: &str) -> Option<&str> {
    let mut words = line.strip_prefix("pub ")?.split(' ');
    let mut kind = words.next()?;
    let mut name = words.next()?;
    while matches!((kind, name), ("async" | "const" | "unsafe", "fn" | "async" | "unsafe")) {
        (kind, name) = (name, words.next()?);
    }
    let is_item =
        matches!(kind, "fn" | "struct" | "enum" | "union" | "trait" | "type" | "const" | "static");
    let end = name.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$');
    is_item.then(|| &name[..end.unwrap_or(name.len())])
}
