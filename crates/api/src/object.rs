//! A request body as an object whose members are each read once, strictly.
//! It finds what serde would let pass: a name given twice, too many members, too deep a nesting.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::{Field, Invalid};

/// How deep objects and arrays may nest within a member, which is what serde_json will follow.
pub const DEPTH_MAX: usize = 127;
/// How many members an object may have at its top level.
pub const MEMBERS_MAX: usize = 256;

/// The members of one JSON object, in the order they were given, with no name given twice.
///
/// Names are compared with their escapes undone, so that `"na\u006de"` is `"name"` and no second
/// spelling can slip past whoever reads the first. Values are kept as the text they came as.
///
/// ```
/// # use api::Object;
/// let object = Object::parse(br#"{"name": "ci", "limit": 25.5}"#)?;
/// assert_eq!(object.field("name").line(255)?, "ci");
/// let twice = Object::parse(br#"{"name": "a", "na\u006de": "b"}"#).unwrap_err();
/// assert_eq!(twice.to_string(), "`name` is given twice; allowed: each name once");
/// # Ok::<(), api::Invalid>(())
/// ```
#[derive(Debug)]
pub struct Object<'a> {
    path: String,
    members: Vec<(Cow<'a, str>, &'a RawValue)>,
}

impl<'a> Object<'a> {
    /// Reads a request body; [`Invalid`] names the field, or the position of what is not JSON.
    pub fn parse(body: &'a [u8]) -> Result<Object<'a>, Invalid> {
        let text = std::str::from_utf8(body).map_err(|error| {
            let problem = format!("is not UTF-8 at byte {}", error.valid_up_to());
            Invalid::new("body", problem, "a JSON object in UTF-8")
        })?;
        Object::read("body", String::new(), text)
    }

    /// Reads the object that `text` is; `name` is what messages call it, and `path` what its
    /// members' names are preceded by.
    pub(crate) fn read(name: &str, path: String, text: &'a str) -> Result<Object<'a>, Invalid> {
        let mut members = Members { found: Vec::new(), count: 0, open: None };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let read = members.deserialize(&mut deserializer).and_then(|()| deserializer.end());
        if let Err(error) = read {
            return Err(match (error.classify(), members.open) {
                (Category::Data, _) => Invalid::new(name, "is not a JSON object", "a JSON object"),
                (_, Some(member)) => {
                    Invalid::new(&(path + &member), malformed(&error), "a JSON value")
                }
                (_, None) => Invalid::new(name, malformed(&error), "a JSON object"),
            });
        }
        if members.count > MEMBERS_MAX {
            let problem = format!("has {} members", members.count);
            return Err(Invalid::new(name, problem, format!("at most {MEMBERS_MAX} members")));
        }
        let members = members.found;
        for (place, (name, value)) in members.iter().enumerate() {
            if members[..place].iter().any(|(earlier, _)| earlier == name) {
                return Err(Invalid::new(&(path + name), "is given twice", "each name once"));
            }
            if is_too_deep(value.get()) {
                let allowed = format!("at most {DEPTH_MAX} levels of nesting");
                return Err(Invalid::new(&(path + name), "is nested too deep", allowed));
            }
        }
        Ok(Object { path, members })
    }

    /// The members as they came, for a reader that passes on what it does not know.
    pub fn members(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.members.iter().map(|(name, value)| (name.as_ref(), *value))
    }

    /// The member of that name, present or not.
    pub fn field(&self, name: &str) -> Field<'a> {
        let value = self.members().find(|(found, _)| *found == name).map(|(_, value)| value);
        Field::new(format!("{}{name}", self.path), value)
    }
}

fn malformed(error: &serde_json::Error) -> String {
    // serde_json's own words may repeat what was sent, a key's text among it.
    format!("is malformed JSON at line {} column {}", error.line(), error.column())
}

/// Whether `json`, known to be valid, nests deeper than [`DEPTH_MAX`].
fn is_too_deep(json: &str) -> bool {
    // Every level takes an opening byte and a closing one.
    if json.len() / 2 <= DEPTH_MAX {
        return false;
    }
    let mut depth = 0;
    let mut bytes = json.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => skip_string(&mut bytes),
            b'[' | b'{' if depth == DEPTH_MAX => return true,
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth -= 1,
            _ => {}
        }
    }
    false
}

fn skip_string(bytes: &mut std::str::Bytes<'_>) {
    while let Some(byte) = bytes.find(|byte| matches!(byte, b'"' | b'\\')) {
        if byte == b'"' {
            return;
        }
        bytes.next();
    }
}

/// A member's name, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// Collects the members, remembering whose value was being read when the text turned out not to
/// be JSON.
struct Members<'a> {
    found: Vec<(Cow<'a, str>, &'a RawValue)>,
    count: usize,
    open: Option<String>,
}

impl<'a> DeserializeSeed<'a> for &mut Members<'a> {
    type Value = ();

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for &mut Members<'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Name(name)) = map.next_key()? {
            let value = map.next_value().inspect_err(|_| self.open = Some(name.to_string()))?;
            self.count += 1;
            if self.count <= MEMBERS_MAX {
                self.found.push((name, value));
            }
        }
        Ok(())
    }
}
