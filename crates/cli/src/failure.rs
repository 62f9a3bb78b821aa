//! What a person is told where a server refuses or does not answer: what happened, which server and
//! which key it was, and what to do next.

use anyhow::anyhow;
use client::{Error, LimitFacts};

use crate::connection::{Connection, KeyFrom, Named, Server, is_openrouter};
use crate::output::{dollars, plain, second};

/// What was asked for by name: a noun, the name, and what to do where there is no such thing.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'a> {
    pub(crate) noun: &'a str,
    pub(crate) name: &'a str,
    pub(crate) next: &'a str,
}

/// An answer with its refusals explained.
pub(crate) trait Explained<T> {
    /// The same, for a person.
    fn explained(self, asked: &Connection) -> anyhow::Result<T>;

    /// The same, where one thing was asked for.
    fn explained_of(self, asked: &Connection, subject: Subject<'_>) -> anyhow::Result<T>;
}

impl<T> Explained<T> for Result<T, Error> {
    fn explained(self, asked: &Connection) -> anyhow::Result<T> {
        self.map_err(|error| anyhow!(told(&error, &asked.server, None)))
    }

    fn explained_of(self, asked: &Connection, subject: Subject<'_>) -> anyhow::Result<T> {
        self.map_err(|error| anyhow!(told(&error, &asked.server, Some(subject))))
    }
}

/// What happened, and below it what to do.
pub(crate) fn told(error: &Error, server: &Server, subject: Option<Subject<'_>>) -> String {
    let mut lines = vec![happened(error, server, subject)];
    lines.extend(next(error, server, subject));
    if error.status().is_some_and(|status| status >= 500)
        && let Some(request) = error.request_id()
    {
        lines.push(format!("the server's log knows it as request {request}"));
    }
    lines.join("\n  ")
}

fn happened(error: &Error, server: &Server, subject: Option<Subject<'_>>) -> String {
    let url = &server.url;
    if error.is_connect() {
        return format!("can't connect to {url} (from {}): {}", server.named, innermost(error));
    }
    if error.is_timeout() {
        return format!("{url} took too long: {error}");
    }
    if error.is_decode() {
        return format!("{url}: {error}");
    }
    let Some(status) = error.status() else { return format!("{url}: {error}") };
    if let (true, Some(subject)) = (error.is_not_found(), subject) {
        return format!("there is no {} {:?} at {url}", subject.noun, subject.name);
    }
    if let Some(limit) = error.limit().filter(|limit| limit.limit.is_some()) {
        return limit_told(&limit, error);
    }
    // A page for a person at a browser says nothing here.
    let message = error.message().filter(|message| !message.starts_with('<'));
    let message = message.unwrap_or("the server gave no reason");
    format!("{} ({status})", plain(message.trim_end_matches('.')))
}

/// Which limit it was, with its figures.
fn limit_told(limit: &LimitFacts, error: &Error) -> String {
    let whose = match limit.scope.as_deref() {
        Some("key_limit") => "this key's limit",
        Some("workspace") => "the budget of this key's workspace",
        Some("api_key" | "workspace_default_key") => "the guardrail of this key",
        Some("member" | "workspace_default_member") => "the guardrail of this key's owner",
        _ => "a limit",
    };
    let amount = limit.limit.map(|amount| format!(" of {}", dollars(amount))).unwrap_or_default();
    let spent = limit.spent.map(|spent| format!(": {} spent", dollars(spent))).unwrap_or_default();
    let resets = match limit.resets_at {
        Some(moment) => format!(", resets {}", second(moment)),
        None => ", never resets".to_owned(),
    };
    let state = match (limit.spent, limit.limit) {
        (Some(spent), Some(limit)) if spent >= limit => "is spent",
        _ => "leaves too little for this request",
    };
    let said = plain(error.message().unwrap_or_default());
    format!("{whose}{amount} {state}{spent}{resets}\n  the server says: {said}")
}

/// What to do next, a line each.
fn next(error: &Error, server: &Server, subject: Option<Subject<'_>>) -> Vec<String> {
    let message = error.message().unwrap_or_default();
    match error.status() {
        None if error.is_connect() => vec![not_running(server)],
        None if error.is_decode() => vec![is_that_it(server)],
        Some(400) if message.contains("is not a valid model ID") => {
            vec!["`tollgate models` lists what there is".to_owned()]
        }
        Some(401) => vec![
            format!(
                "the key is from {}, for {} ({})",
                server.key_origin(),
                server.url,
                server.named
            ),
            "it is unknown there, or disabled, expired or deleted".to_owned(),
            set_key(server),
        ],
        Some(403) if message.contains("Only management keys") => vec![
            format!("the key from {} is no management key", server.key_origin()),
            match is_openrouter(&server.url) {
                true => "https://openrouter.ai/settings/management-keys makes one".to_owned(),
                false => {
                    "`tollgate management-keys create --name NAME` makes one, beside the server"
                        .to_owned()
                }
            },
            set_key(server),
        ],
        Some(403) if message.contains("Management keys cannot") => vec![
            format!("the key from {} only administers", server.key_origin()),
            "`tollgate keys create NAME --limit 5` makes one for inference".to_owned(),
            set_key(server),
        ],
        Some(402 | 403) if error.is_over_limit() => vec![
            "`tollgate key` shows every limit it is under; whoever has a management key raises its \
             own: `tollgate keys update KEY --limit DOLLARS`"
                .to_owned(),
        ],
        Some(404) => match subject {
            Some(subject) => vec![subject.next.to_owned()],
            None => vec![is_that_it(server)],
        },
        Some(429 | 503) => {
            let wait = error.retry_after().map(|wait| wait.as_secs().max(1));
            wait.map(|seconds| format!("try again in {seconds} s")).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

fn is_that_it(server: &Server) -> String {
    format!(
        "is {} the API? its address mostly ends in /api/v1; this one is from {}",
        server.url, server.named
    )
}

fn not_running(server: &Server) -> String {
    match &server.named {
        Named::Config(file) => format!(
            "is the server running? `tollgate serve --config {}` starts it; `--url` or `--profile` \
             names another",
            file.display()
        ),
        Named::Profile(name) => format!(
            "is it running there? `tollgate serve` starts a server; `tollgate profile list` shows \
             the addresses, `tollgate profile add {name} --force --url URL` changes this one"
        ),
        Named::Argument | Named::Variable => {
            "is it running there? `tollgate serve` starts a server".to_owned()
        }
    }
}

/// How to have another key used.
fn set_key(server: &Server) -> String {
    match (&server.key, &server.named) {
        (KeyFrom::Profile(source), _) => {
            format!("put another into the {source}, or name another profile")
        }
        (KeyFrom::Variable(name), _) => format!("set {name} to another"),
        (KeyFrom::Nowhere, _) => "set TOLLGATE_API_KEY".to_owned(),
    }
}

/// The cause that says most: why there is no connection.
fn innermost(error: &Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
