//! A YAML file as a tree that knows its lines and what of it was looked at.
//! Scalars stay the text they were written as: a price is never a float on its way through here.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;

use anyhow::{Context as _, Result, bail};
use saphyr_parser::{Event, Parser, ScalarStyle, Span};

/// Levels of lists and maps in each other.
const DEPTH_MAX: usize = 64;
/// How large a file may be.
pub(super) const BYTES_MAX: u64 = 16 << 20;

/// A part of the file.
#[derive(Debug)]
pub(super) struct Node {
    /// The line it begins on, from 1.
    pub(super) line: usize,
    pub(super) value: Value,
    /// Whether it was looked at; what was not is told to whoever imports it.
    seen: Cell<bool>,
}

/// What a part is.
#[derive(Debug)]
pub(super) enum Value {
    /// A text, a number, a word; `plain` where it stands without quotes.
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Rc<Node>>),
    /// In the order of the file.
    Map(Vec<(String, Rc<Node>)>),
}

impl Node {
    /// The first document in `text`; an empty map where there is none.
    pub(super) fn parse(text: &str) -> Result<Rc<Node>> {
        let mut reading = Reading { parser: Parser::new_from_str(text), anchors: HashMap::new() };
        loop {
            let (event, span) = reading.next()?;
            match event {
                Event::StreamStart | Event::DocumentStart(_) => {}
                Event::StreamEnd | Event::DocumentEnd => {
                    return Ok(node(1, Value::Map(Vec::new())));
                }
                event => return reading.node(event, span, 0),
            }
        }
    }

    /// The member of that name, looked at from now on.
    pub(super) fn get(&self, name: &str) -> Option<&Rc<Node>> {
        self.seen.set(true);
        let found = self.entries().iter().find(|(key, _)| key == name).map(|(_, node)| node)?;
        found.seen.set(true);
        Some(found)
    }

    /// The text of that member, where it has one; looked at.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.get(name)?.text()
    }

    /// The text, where it is a scalar and not null.
    pub(super) fn text(&self) -> Option<&str> {
        self.seen.set(true);
        match &self.value {
            Value::Scalar { text, plain } => {
                let is_null =
                    *plain && matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL");
                (!is_null).then_some(text.as_str())
            }
            _ => None,
        }
    }

    /// A whole number, underscores and a float's `.0` undone.
    pub(super) fn count(&self) -> Option<u64> {
        let text = self.text()?.replace('_', "");
        text.strip_suffix(".0").unwrap_or(&text).parse().ok()
    }

    /// The members of a map; none of anything else.
    pub(super) fn entries(&self) -> &[(String, Rc<Node>)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none of anything else.
    pub(super) fn items(&self) -> &[Rc<Node>] {
        self.seen.set(true);
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// Looks at all of it, where it was told as a whole.
    pub(super) fn look_at_all(&self) {
        loop {
            let mut unseen = Vec::new();
            self.unseen("", &mut unseen);
            if unseen.is_empty() {
                return;
            }
        }
    }

    /// What nobody has looked at, the outermost of it, each with its path; looked at from now on.
    pub(super) fn unseen(&self, path: &str, found: &mut Vec<(String, usize)>) {
        let inner: Vec<(String, &Rc<Node>)> = match &self.value {
            Value::Scalar { .. } => Vec::new(),
            Value::List(items) => {
                let each = items.iter().enumerate();
                each.map(|(place, item)| (format!("{path}[{place}]"), item)).collect()
            }
            Value::Map(entries) => {
                let dot = if path.is_empty() { "" } else { "." };
                entries.iter().map(|(key, node)| (format!("{path}{dot}{key}"), node)).collect()
            }
        };
        for (path, node) in inner {
            if node.seen.replace(true) {
                node.unseen(&path, found);
            } else {
                found.push((path, node.line));
            }
        }
    }
}

fn node(line: usize, value: Value) -> Rc<Node> {
    Rc::new(Node { line, value, seen: Cell::new(false) })
}

struct Reading<'a> {
    parser: Parser<'a, saphyr_parser::StrInput<'a>>,
    anchors: HashMap<usize, Rc<Node>>,
}

impl<'a> Reading<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span)> {
        let next = self.parser.next().context("the file ends in the middle")?;
        next.map_err(|error| anyhow::anyhow!("it is no YAML: {error}"))
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Rc<Node>> {
        let line = span.start.line();
        if depth > DEPTH_MAX {
            bail!("line {line}: more than {DEPTH_MAX} lists and maps in each other");
        }
        let (anchor, value) = match event {
            Event::Scalar(text, style, anchor, _) => {
                let plain = style == ScalarStyle::Plain;
                (anchor, Value::Scalar { text: text.into_owned(), plain })
            }
            Event::Alias(anchor) => {
                let known = self.anchors.get(&anchor).map(Rc::clone);
                return known.with_context(|| format!("line {line}: an alias of itself"));
            }
            Event::SequenceStart(anchor, _) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => break,
                        (event, span) => items.push(self.node(event, span, depth + 1)?),
                    }
                }
                (anchor, Value::List(items))
            }
            Event::MappingStart(anchor, _) => (anchor, Value::Map(self.map(depth)?)),
            other => bail!("line {line}: {other:?} where a value should be"),
        };
        let node = node(line, value);
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        Ok(node)
    }

    /// The members up to the map's end; what `<<` names is merged where it is not there.
    fn map(&mut self, depth: usize) -> Result<Vec<(String, Rc<Node>)>> {
        let mut entries: Vec<(String, Rc<Node>)> = Vec::new();
        let mut merged: Vec<Rc<Node>> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let line = span.start.line();
            let key = self.node(event, span, depth + 1)?;
            let Value::Scalar { text: key, .. } = &key.value else {
                bail!("line {line}: a name that is a list or a map");
            };
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            match &value.value {
                Value::List(maps) if key == "<<" => merged.extend(maps.iter().map(Rc::clone)),
                _ if key == "<<" => merged.push(value),
                // As in Python: the last of two wins.
                _ => match entries.iter_mut().find(|(known, _)| known == key) {
                    Some((_, known)) => *known = value,
                    None => entries.push((key.clone(), value)),
                },
            }
        }
        for (key, value) in merged.iter().flat_map(|map| map.entries()) {
            if !entries.iter().any(|(known, _)| known == key) {
                entries.push((key.clone(), Rc::clone(value)));
            }
        }
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_are_followed_and_what_was_not_looked_at_is_known_with_its_line() {
        let text = "a: &a {x: 1_000, y: \"null\"}\nb:\n  <<: *a\n  x: ~\nc:\n  - {d: 1}\n  - e\n";
        let root = Node::parse(text).unwrap();
        assert_eq!(root.get("a").unwrap().get("x").unwrap().count(), Some(1000));
        let b = root.get("b").unwrap();
        assert_eq!((b.text_of("x"), b.text_of("y")), (None, Some("null")));
        root.get("c").unwrap().items()[0].get("z");
        let mut unseen = Vec::new();
        root.unseen("", &mut unseen);
        assert_eq!(unseen, [("c[0].d".to_owned(), 6), ("c[1]".to_owned(), 7)]);
    }

    #[test]
    fn what_is_no_yaml_is_an_error_with_its_place() {
        for text in ["a: [1", "a: *b", "? [a]\n: b", "a: \""] {
            assert!(Node::parse(text).is_err(), "{text:?}");
        }
        assert!(Node::parse(&"[".repeat(100_000)).is_err());
        assert!(Node::parse("").unwrap().entries().is_empty());
        assert!(Node::parse("# nothing\n---\n...").is_ok());
    }
}
