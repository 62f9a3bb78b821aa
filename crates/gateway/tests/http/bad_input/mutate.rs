//! Good requests made wrong by chance from a seed: in their structure, their tokens, their bytes.
//! The same seed makes the same requests in every run.

/// Values that break what expects another kind, another size or another sign.
const VALUES: [&str; 40] = [
    "null",
    "true",
    "false",
    "0",
    "-0",
    "-1",
    "1",
    "1.5",
    "1e2",
    "1e400",
    "-1e400",
    "5e-324",
    "NaN",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999999999999999",
    "\"\"",
    "\" \"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"\\udfff\\ud800\"",
    "\"é\"",
    "\"\\u202e\"",
    "\"1\"",
    "\"null\"",
    "\"test/small\"",
    "\"daily\"",
    "\"2027-01-01T00:00:00+02:00\"",
    "\"function\"",
    "\"image_url\"",
    "[]",
    "[[]]",
    "[null]",
    "[{}]",
    "{}",
    "{\"\":{}}",
    "{\"type\":\"text\"}",
    "\"\\",
    "\"",
    "",
];

/// Names that the API acts on, or that only look like one.
const NAMES: [&str; 36] = [
    "name",
    "limit",
    "limit_reset",
    "disabled",
    "include_byok_in_limit",
    "expires_at",
    "external",
    "user",
    "api_key",
    "creator_user_id",
    "workspace_id",
    "model",
    "MODEL",
    "mod\\u0065l",
    "models",
    "messages",
    "role",
    "content",
    "type",
    "text",
    "image_url",
    "max_tokens",
    "max_to\\u212aens",
    "max_completion_tokens",
    "stream",
    "n",
    "session_id",
    "tools",
    "functions",
    "plugins",
    "service_tier",
    "best_of",
    "",
    "\\u0000",
    "\\ud800",
    "unknown",
];

/// Header lines that say something about the body, the caller or the connection.
const LINES: [&str; 26] = [
    "content-length: 0",
    "content-length: 5",
    "content-length: -1",
    "content-length: 99999999999",
    "transfer-encoding: chunked",
    "transfer-encoding: gzip",
    "content-encoding: gzip",
    "expect: 100-continue",
    "expect: x",
    "host: other",
    "host:",
    "connection: keep-alive",
    "connection: close, x",
    "upgrade: websocket",
    "authorization: Bearer x",
    "authorization:",
    "content-type: text/plain",
    "content-type: multipart/form-data",
    "idempotency-key: short",
    "idempotency-key: 0123456789-0123456789",
    "x-session-id: s",
    "te: trailers",
    "trailer: x",
    "accept-encoding: gzip",
    "origin: https://x",
    "x-a:\tb",
];

const TARGETS: [&str; 18] = [
    "/",
    "*",
    "//",
    "/%",
    "/%00",
    "/%ff",
    "?",
    "?offset=-1",
    "?id=%00",
    "&offset=1",
    "/..",
    "/.",
    "#x",
    "http://gate/api/v1/key",
    "/api/v1/models/test/small",
    "/v1/key/",
    "/health",
    "/ready",
];

const METHODS: [&str; 9] =
    ["GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS", "TRACE", "BREW"];

/// Chance from a seed (SplitMix64).
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Chance {
        Chance(seed)
    }

    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, 0 where that is 0.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap().max(1);
        usize::try_from(self.draw() % bound).unwrap()
    }

    pub(super) fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }
}

/// A request in its parts.
#[derive(Clone)]
pub(super) struct Parts {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) lines: Vec<String>,
    pub(super) body: String,
}

impl Parts {
    /// The request as it is sent, with its body's true length unless a line says another.
    fn bytes(&self) -> Vec<u8> {
        let Parts { method, target, lines, body } = self;
        let says_length = |line: &String| {
            let line = line.to_ascii_lowercase();
            line.starts_with("content-length") || line.starts_with("transfer-encoding")
        };
        let length = match lines.iter().any(says_length) {
            true => String::new(),
            false => format!("content-length: {}\r\n", body.len()),
        };
        let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        format!("{method} {target} HTTP/1.1\r\n{lines}{length}\r\n{body}").into_bytes()
    }
}

/// One good request made wrong in one to four places.
pub(super) fn wrong(good: &Parts, chance: &mut Chance) -> Vec<u8> {
    let mut parts = good.clone();
    let level = chance.below(8);
    for _ in 0..=chance.below(4) {
        match level {
            0..=2 => structure(&mut parts.body, chance),
            3 | 4 => tokens(&mut parts.body, chance),
            5 => head(&mut parts, chance),
            _ => {}
        }
    }
    let mut bytes = parts.bytes();
    if level >= 6 {
        for _ in 0..=chance.below(4) {
            spoil(&mut bytes, chance);
        }
    }
    bytes
}

/// Changes a value, or a member, and leaves the rest of the JSON as it is.
fn structure(body: &mut String, chance: &mut Chance) {
    let mut tokens = split(body);
    if tokens.is_empty() {
        body.push_str(chance.one(&VALUES));
        return;
    }
    let start = chance.below(tokens.len());
    let end = value_end(&tokens, start);
    let value: String = tokens[start..end].concat();
    let depth = 1 << chance.below(9);
    let changed = match chance.below(7) {
        0 | 1 => chance.one(&VALUES).to_owned(),
        2 => format!("{}{value}{}", "[".repeat(depth), "]".repeat(depth)),
        3 => format!("{}{value}{}", "{\"a\":".repeat(depth), "}".repeat(depth)),
        4 => format!("{value},{value}"),
        5 => {
            let (name, with) = (chance.one(&NAMES), chance.one(&VALUES));
            format!("{value},\"{name}\":{with}")
        }
        _ => format!("\"{}\"", chance.one(&NAMES)),
    };
    tokens.splice(start..end, [changed.as_str()]);
    *body = tokens.concat();
}

/// Takes a token out, doubles it, puts another in its place, or changes two about.
fn tokens(body: &mut String, chance: &mut Chance) {
    let mut tokens = split(body);
    let at = chance.below(tokens.len());
    let other = match chance.below(3) {
        0 => chance.one(&["{", "}", "[", "]", ",", ":", " ", "\u{feff}"]),
        1 => chance.one(&VALUES),
        _ => chance.one(&["\"model\"", "\"name\"", "\"limit\"", "\"messages\"", "\"stream\""]),
    };
    match chance.below(4) {
        0 if !tokens.is_empty() => drop(tokens.remove(at)),
        1 if !tokens.is_empty() => tokens.insert(at, tokens[at]),
        2 if tokens.len() > 1 => {
            let second = chance.below(tokens.len());
            tokens.swap(at, second);
        }
        _ => tokens.insert(at, other),
    }
    *body = tokens.concat();
}

/// Changes the method, the target or a header.
fn head(parts: &mut Parts, chance: &mut Chance) {
    let at = chance.below(parts.lines.len());
    match chance.below(7) {
        0 => chance.one(&METHODS).clone_into(&mut parts.method),
        1 => parts.target.push_str(chance.one(&TARGETS)),
        2 => chance.one(&TARGETS).clone_into(&mut parts.target),
        3 if !parts.lines.is_empty() => drop(parts.lines.remove(at)),
        4 if !parts.lines.is_empty() => parts.lines.insert(at, parts.lines[at].clone()),
        5 => {
            let long = format!("x-long: {}", "v".repeat(1 << chance.below(17)));
            parts.lines.push(long);
        }
        _ => parts.lines.insert(at, chance.one(&LINES).to_owned()),
    }
}

/// Changes the request's bytes, whatever they mean.
fn spoil(bytes: &mut Vec<u8>, chance: &mut Chance) {
    let at = chance.below(bytes.len());
    let end = (at + 1 + chance.below(16)).min(bytes.len());
    let odd = [0, b'\n', b'\r', b' ', b'"', b'\\', 0x7f, 0x80, 0xc3, 0xff][chance.below(10)];
    match chance.below(6) {
        0 => bytes.truncate(at),
        1 if at < end => drop(bytes.drain(at..end)),
        2 if at < end => {
            let copy = bytes[at..end].to_vec();
            bytes.splice(at..at, copy);
        }
        3 if at < end => bytes[at] ^= 1 << chance.below(8),
        _ => bytes.insert(at, odd),
    }
}

/// The tokens of a JSON text, each with the white space before it; what is no JSON comes in
/// pieces, too.
fn split(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let blank = rest.len() - rest.trim_start().len();
        let length = match rest[blank..].chars().next() {
            None => 0,
            Some('"') => string_length(&rest[blank..]),
            Some(c) if "{}[],:".contains(c) => c.len_utf8(),
            Some(_) => {
                let is_end = |c: char| "{}[],:\"".contains(c) || c.is_whitespace();
                let word = &rest[blank..];
                word.find(is_end).unwrap_or(word.len())
            }
        };
        let (token, after) = rest.split_at(blank + length);
        tokens.push(token);
        rest = after;
    }
    tokens
}

fn string_length(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == '"' && !is_escaped {
            return at + 1;
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    text.len()
}

/// Where the value that begins at a token ends: brackets go with what is between them.
fn value_end(tokens: &[&str], start: usize) -> usize {
    let mut depth = 0_i32;
    for (at, token) in tokens.iter().enumerate().skip(start) {
        match token.trim_start() {
            "{" | "[" => depth += 1,
            "}" | "]" => depth -= 1,
            _ => {}
        }
        if depth <= 0 {
            return at + 1;
        }
    }
    tokens.len()
}
