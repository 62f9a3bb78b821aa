//! A table's lines, read: what is sent, what must come back.

use super::connection::{Answer, Received};
use crate::support::{MANAGER, TestKey};

/// One line of a table.
pub(super) struct Case {
    /// What stands before the arrow.
    pub(super) line: String,
    /// What stands after it.
    pub(super) expected: String,
    /// What is sent.
    pub(super) bytes: Vec<u8>,
    /// Whether the line says if the connection is then open.
    pub(super) is_raw: bool,
}

impl Case {
    /// Whether that is what the line says, beyond being it word for word: `~ text` is a part of a body.
    pub(super) fn is_met_by(&self, received: &Received) -> bool {
        let (is_open, wanted) = self.wanted();
        is_open.is_none_or(|is_open| is_open == received.is_open)
            && wanted.len() == received.answers.len()
            && wanted.iter().zip(&received.answers).all(|(wanted, answer)| is_met(wanted, answer))
    }

    /// How many answers there are to come.
    pub(super) fn answers(&self) -> usize {
        self.wanted().1.len()
    }

    /// Whether the request reaches a provider.
    pub(super) fn is_paid(&self) -> bool {
        self.expected.contains(r#"~ "object":"chat.completion""#)
    }

    /// Whether the connection is then open, where the line says so, and each answer's text.
    fn wanted(&self) -> (Option<bool>, Vec<&str>) {
        let (is_open, answers) = match self.expected.split_once(' ') {
            Some(("open", rest)) if self.is_raw => (Some(true), rest),
            Some(("closed", rest)) if self.is_raw => (Some(false), rest),
            _ => (None, self.expected.as_str()),
        };
        (is_open, answers.split(" & ").filter(|answer| *answer != "nothing").collect())
    }
}

fn is_met(wanted: &str, answer: &Answer) -> bool {
    let Some((status, part)) = wanted.split_once(" ~ ") else {
        return answer.to_string() == wanted;
    };
    answer.status.to_string() == status && answer.body.contains(part)
}

/// What a heading says of the lines below it.
enum Heading {
    Body { line: String, head: String },
    Target { head: String },
    With { line: String, head: String },
    Raw,
}

impl Heading {
    fn read(text: &str, key: &TestKey) -> Heading {
        let text = text.strip_suffix(" with").map_or((text, false), |text| (text, true));
        let (text, is_with) = text;
        let (line, caller) = text.split_once(" as ").unwrap_or((text, "nobody"));
        let credential = match caller {
            "manager" => format!("authorization: Bearer {MANAGER}\r\n"),
            "key" => format!("authorization: Bearer {}\r\n", key.text),
            "nobody" => String::new(),
            other => panic!("a heading names {other:?}"),
        };
        let head = format!("host: gate\r\nconnection: close\r\n{credential}");
        let line = line.replace("⟨hash⟩", &key.hash);
        match (line.as_str(), is_with) {
            ("raw", false) => Heading::Raw,
            ("target", false) => Heading::Target { head },
            (_, false) => Heading::Body { line, head },
            (_, true) => Heading::With { line, head },
        }
    }

    fn request(&self, left: Vec<u8>) -> Vec<u8> {
        match self {
            Heading::Body { line, head } => {
                let length = left.len();
                let head = format!("{line} HTTP/1.1\r\n{head}content-length: {length}\r\n\r\n");
                [head.as_bytes(), &left].concat()
            }
            Heading::Target { head } => {
                [&left, &b" HTTP/1.1\r\n"[..], head.as_bytes(), b"\r\n"].concat()
            }
            Heading::With { line, head } => {
                let end =
                    if left.windows(4).any(|part| part == b"\r\n\r\n") { "" } else { "\r\n\r\n" };
                let start = format!("{line} HTTP/1.1\r\n{head}");
                [start.as_bytes(), &left, end.as_bytes()].concat()
            }
            Heading::Raw => left,
        }
    }
}

/// The cases of a table, for the key whose text and hash its lines name.
pub(super) fn cases(table: &str, key: &TestKey) -> Vec<Case> {
    let mut heading = None;
    let mut cases = Vec::new();
    for line in table.lines() {
        if let Some(text) = line.strip_prefix("## ") {
            heading = Some(Heading::read(text, key));
        } else if !line.is_empty() && !line.starts_with("# ") {
            let (left, expected) = line.split_once(" -> ").unwrap_or_else(|| panic!("{line}"));
            let heading = heading.as_ref().expect("a heading");
            cases.push(Case {
                line: left.to_owned(),
                expected: expected.to_owned(),
                bytes: heading.request(unescaped(left, key)),
                is_raw: matches!(heading, Heading::Raw),
            });
        }
    }
    cases
}

/// The bytes that a line's text stands for.
fn unescaped(text: &str, key: &TestKey) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '⏎' => bytes.extend(b"\r\n"),
            '␊' => bytes.push(b'\n'),
            '␍' => bytes.push(b'\r'),
            '␉' => bytes.push(b'\t'),
            '␀' => bytes.push(0),
            '⟨' => {
                let end = closing(rest).unwrap_or_else(|| panic!("{text}"));
                bytes.extend(named(&rest[..end], key));
                rest = &rest[end + '⟩'.len_utf8()..];
            }
            _ => bytes.extend(c.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    bytes
}

/// Where the bracket is closed that was opened before `text`.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1;
    text.char_indices().find_map(|(at, c)| {
        depth += i32::from(c == '⟨') - i32::from(c == '⟩');
        (depth == 0).then_some(at)
    })
}

fn named(inner: &str, key: &TestKey) -> Vec<u8> {
    match inner {
        "manager" => return MANAGER.into(),
        "key" => return key.text.clone().into(),
        "hash" => return key.hash.clone().into(),
        _ => {}
    }
    if let Some(hex) = inner.strip_prefix("x ") {
        let byte = |text| u8::from_str_radix(text, 16).unwrap_or_else(|_| panic!("⟨{inner}⟩"));
        return hex.split(' ').map(byte).collect();
    }
    let (count, text) = inner.split_once('*').unwrap_or_else(|| panic!("⟨{inner}⟩"));
    unescaped(text, key).repeat(count.parse().unwrap_or_else(|_| panic!("⟨{inner}⟩")))
}
