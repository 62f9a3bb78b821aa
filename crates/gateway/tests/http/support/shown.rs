//! Answers as text for snapshots: status, headers of ours, and the body indented with every digit
//! as it was sent.

use testkit::{Answer, Event};

/// Headers that every answer has, or that say nothing a test would look for.
const USUAL: [&str; 6] =
    ["content-length", "content-type", "date", "x-request-id", "transfer-encoding", "vary"];

/// An answer's status, its headers besides the usual ones, and its body.
pub(crate) fn shown(answer: &Answer) -> String {
    let mut text = answer.status.to_string();
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| !USUAL.contains(&name.as_str()))
        .map(|(name, value)| format!("\n{name}: {}", value.to_str().unwrap()))
        .collect();
    headers.sort();
    text.extend(headers);
    if !answer.body.is_empty() {
        text.push('\n');
        text.push_str(&indented(&answer.text()));
    }
    text
}

/// The events of a stream, one a line.
pub(crate) fn shown_events(events: &[Event]) -> String {
    let lines = events.iter().map(|event| match event {
        Event::Chunk(data) => data.clone(),
        Event::Done => "[DONE]".to_owned(),
        Event::Comment(text) => format!(": {text}"),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// JSON with a line a member. It is not parsed, since numbers must stay as they were printed.
fn indented(json: &str) -> String {
    let mut text = String::new();
    let (mut depth, mut in_string, mut is_escaped) = (0_usize, false, false);
    let mut last = ' ';
    for c in json.chars() {
        if in_string {
            text.push(c);
            in_string = is_escaped || c != '"';
            is_escaped = !is_escaped && c == '\\';
        } else {
            let line = |depth: usize| format!("\n{}", "  ".repeat(depth));
            match c {
                '}' | ']' => {
                    depth -= 1;
                    if !matches!(last, '{' | '[') {
                        text.push_str(&line(depth));
                    }
                    text.push(c);
                }
                _ => {
                    if matches!(last, '{' | '[') {
                        text.push_str(&line(depth));
                    }
                    text.push(c);
                    match c {
                        '{' | '[' => depth += 1,
                        ',' => text.push_str(&line(depth)),
                        ':' => text.push(' '),
                        '"' => in_string = true,
                        _ => {}
                    }
                }
            }
        }
        last = c;
    }
    text
}
