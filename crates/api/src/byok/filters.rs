//! Who may use a credential, and for what: lists that a request must be in, where they are given.
//! An empty one would shut everybody out without a word, so it is refused (SEMANTICS 8.3).

use super::Region;
use crate::keys::{MODEL_CHARS_MAX, USER_CHARS_MAX, is_authors, parse_hash};
use crate::{Field, Invalid};

/// How many entries such a list may have.
pub const FILTER_ENTRIES_MAX: usize = 100;

/// The models it may be used for: exact ids, and `author/*` for all of an author's.
pub(super) fn models(field: &Field<'_>) -> Result<Vec<String>, Invalid> {
    list(field, "the id of a model or `author/*`", |element| {
        let model = element.line(MODEL_CHARS_MAX)?;
        if model.contains('*') && !is_authors(&model) {
            let problem = "has a `*` that does not stand for all models of one author";
            return Err(element.invalid(problem, "the id of a model, or `author/*`"));
        }
        Ok(model)
    })
}

/// The hashes of the keys that may use it.
pub(super) fn hashes(field: &Field<'_>) -> Result<Vec<String>, Invalid> {
    const ALLOWED: &str = "the hash of a key: 64 lower-case hex digits";
    list(field, ALLOWED, |element| {
        let hash = element.text(ALLOWED)?;
        match parse_hash(&hash) {
            Some(_) => Ok(hash),
            None => Err(element.invalid("is not a hash", ALLOWED)),
        }
    })
}

/// The creators of the keys that may use it.
pub(super) fn users(field: &Field<'_>) -> Result<Vec<String>, Invalid> {
    list(field, "the id of a member", |element| element.line(USER_CHARS_MAX))
}

/// One of the regions by its name.
pub(super) fn region(field: &Field<'_>) -> Result<Region, Invalid> {
    const ALLOWED: &str = "`global`, `europe` or `us`";
    match field.text(ALLOWED)?.as_str() {
        "global" => Ok(Region::Global),
        "europe" => Ok(Region::Europe),
        "us" => Ok(Region::Us),
        _ => Err(field.invalid("is none of the regions there are", ALLOWED)),
    }
}

fn list(
    field: &Field<'_>,
    entry: &str,
    read: impl Fn(&Field<'_>) -> Result<String, Invalid>,
) -> Result<Vec<String>, Invalid> {
    let allowed = format!(
        "an array of 1 to {FILTER_ENTRIES_MAX} entries, each {entry} (for no request at all, set \
         `disabled`)"
    );
    let elements = field.elements(&allowed)?;
    if elements.is_empty() {
        return Err(field.invalid("is empty", &allowed));
    }
    if elements.len() > FILTER_ENTRIES_MAX {
        return Err(field.invalid(&format!("has {} entries", elements.len()), &allowed));
    }
    let mut entries: Vec<String> = Vec::with_capacity(elements.len());
    for element in elements {
        let read = read(&element)?;
        if entries.contains(&read) {
            return Err(element.invalid("is given twice", &format!("{entry}, each once")));
        }
        entries.push(read);
    }
    Ok(entries)
}
