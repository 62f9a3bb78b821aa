//! Walks one level of a JSON text without building a tree: names unescaped, values as slices of it.
//! Requests and stream chunks are read this way, so that what passes through keeps its bytes.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use smallvec::SmallVec;

/// An object has at most this many members: comparing each name with all others stays cheap.
pub(crate) const MEMBERS_MAX: usize = 256;

/// One member of an object.
pub(crate) struct Member<'a> {
    /// The name, escapes undone.
    pub(crate) name: Cow<'a, str>,
    /// The value's bytes, without white space around it.
    pub(crate) value: &'a str,
    /// Where the member lies in the object's text, from the name's quote to the value's end.
    pub(crate) span: Range<usize>,
}

/// The members of the JSON object that `text` is, in their order; repeated names are all there.
pub(crate) fn members(text: &str) -> Result<SmallVec<[Member<'_>; 12]>, serde_json::Error> {
    let Entries(entries) = serde_json::from_str(text)?;
    let mut value_end_before = 0;
    let mut members = SmallVec::with_capacity(entries.len());
    for (name, value) in entries {
        let value = value.get();
        let at = span(text, value);
        // Between the value before and this one stand a comma, white space, the name and a colon;
        // the first quote is the name's.
        let gap = text.get(value_end_before..at.start).unwrap_or_default();
        let quote = memchr::memchr(b'"', gap.as_bytes()).unwrap_or(0);
        members.push(Member { name, value, span: value_end_before + quote..at.end });
        value_end_before = at.end;
    }
    Ok(members)
}

/// Calls `each` with the position and the bytes of every element of the JSON array that `text` is.
///
/// Nothing is collected, so an array of millions of elements costs no memory.
pub(crate) fn each_element<'a, E: From<serde_json::Error>>(
    text: &'a str,
    mut each: impl FnMut(usize, &'a str) -> Result<(), E>,
) -> Result<(), E> {
    let mut refused = None;
    let mut position = 0;
    let walk = Elements(|element: &'a str| match each(position, element) {
        Ok(()) => {
            position += 1;
            true
        }
        Err(error) => {
            refused = Some(error);
            false
        }
    });
    let mut reader = serde_json::Deserializer::from_str(text);
    let walked = (&mut reader).deserialize_seq(walk).and_then(|()| reader.end());
    match refused {
        Some(error) => Err(error),
        None => walked.map_err(E::from),
    }
}

/// Where `part`, a slice of `whole`, lies in it.
pub(crate) fn span(whole: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr().addr().saturating_sub(whole.as_ptr().addr());
    start..start + part.len()
}

/// Whether the value is `null`.
pub(crate) fn is_null(value: &str) -> bool {
    value == "null"
}

/// The text of a JSON string, or `None` where the value is anything else.
pub(crate) fn string(value: &str) -> Option<Cow<'_, str>> {
    if !value.starts_with('"') {
        return None;
    }
    serde_json::from_str(value).ok().map(|Text(text)| text)
}

/// A string that borrows from the text where it has no escapes (a bare `Cow` always copies).
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

struct Entries<'a>(SmallVec<[(Cow<'a, str>, &'a RawValue); 12]>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = SmallVec::new();
                while let Some(Text(name)) = map.next_key()? {
                    if entries.len() == MEMBERS_MAX {
                        return Err(A::Error::custom(format_args!(
                            "more than {MEMBERS_MAX} members in one object"
                        )));
                    }
                    entries.push((name, map.next_value()?));
                }
                Ok(Entries(entries))
            }
        }
        reader.deserialize_map(Collect)
    }
}

/// Hands each element on until it is told to stop.
struct Elements<F>(F);

impl<'de, F: FnMut(&'de str) -> bool> Visitor<'de> for Elements<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        while let Some(element) = elements.next_element::<&'de RawValue>()? {
            if !(self.0)(element.get()) {
                return Err(A::Error::custom("refused"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_spans_its_name_and_its_value() {
        let text = r#" { "a" : 1 , "b\u0061":[ "\"" ],"c":{} } "#;
        let seen: Vec<_> = members(text)
            .unwrap()
            .into_iter()
            .map(|member| (member.name.into_owned(), member.value, &text[member.span]))
            .collect();
        assert_eq!(
            seen,
            [
                ("a".to_owned(), "1", r#""a" : 1"#),
                ("ba".to_owned(), r#"[ "\"" ]"#, r#""b\u0061":[ "\"" ]"#),
                ("c".to_owned(), "{}", r#""c":{}"#),
            ]
        );
    }

    #[test]
    fn an_object_of_too_many_members_is_refused() {
        let object = |count: usize| {
            let all: Vec<_> = (0..count).map(|n| format!("\"{n}\":0")).collect();
            format!("{{{}}}", all.join(","))
        };
        assert_eq!(members(&object(MEMBERS_MAX)).unwrap().len(), MEMBERS_MAX);
        assert!(members(&object(MEMBERS_MAX + 1)).is_err());
    }

    #[test]
    fn the_walk_ends_at_the_first_refusal() {
        #[derive(Debug, PartialEq)]
        struct Stop(usize);
        impl From<serde_json::Error> for Stop {
            fn from(_: serde_json::Error) -> Stop {
                Stop(usize::MAX)
            }
        }
        let walk = |text| {
            each_element(text, |at, element| if element == "3" { Err(Stop(at)) } else { Ok(()) })
        };
        assert_eq!(walk("[1, 2, 3, 4]"), Err(Stop(2)));
        assert_eq!(walk("[1, 2]"), Ok(()));
        assert_eq!(walk("[1, 2] 3"), Err(Stop(usize::MAX)));
        assert_eq!(walk("{}"), Err(Stop(usize::MAX)));
    }
}
