//! The Rust SDK, doing what conformance/python/clients.py asks of it: a call a line on standard
//! input, and on standard output a line for each with what the SDK made of the answer, and what
//! crossed the wire below it.
//!
//! The SDK is used as its users have it, with the HTTP client that it makes itself; what it says
//! and hears passes through a [`recorder`]. Values stay JSON text all the way, so that no amount
//! becomes a float.

mod calls;
mod given;
mod recorder;

use std::io::{self, BufRead as _, Write as _};

use client::{Client, LimitFacts, Retries, Usd};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::given::Given;
use crate::recorder::{Exchange, Recorder};

/// One call that clients.py asks for.
#[derive(Deserialize)]
struct Question {
    call: String,
    base_url: String,
    key: String,
    arguments: Given,
}

/// What came of it, and what crossed the wire.
#[derive(Serialize)]
struct Reply {
    #[serde(flatten)]
    outcome: Outcome,
    exchanges: Vec<Exchange>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Value(Box<RawValue>),
    Error(Failure),
}

/// What a call ended with, in the form that clients.py compares, and what else the error knows.
#[derive(Serialize)]
struct Failure {
    kind: &'static str,
    status: Option<u16>,
    message: String,
    code: Option<i64>,
    error_type: Option<String>,
    limit: Option<Limit>,
}

/// The limit that refused, under the names that the wire has for it.
#[derive(Serialize)]
struct Limit {
    limit_source: Option<String>,
    scope: Option<String>,
    limit_usd: Option<Usd>,
    spend_usd: Option<Usd>,
    resets_at: Option<String>,
}

/// Why there is no value.
enum Failed {
    /// The SDK says so.
    Sdk(Box<client::Error>),
    /// Its types have no room for what was asked for.
    Unsayable(String),
}

impl From<client::Error> for Failed {
    fn from(error: client::Error) -> Failed {
        Failed::Sdk(Box::new(error))
    }
}

impl From<serde_json::Error> for Failed {
    fn from(error: serde_json::Error) -> Failed {
        Failed::Unsayable(error.to_string())
    }
}

impl From<Failed> for Failure {
    fn from(failed: Failed) -> Failure {
        match failed {
            Failed::Sdk(error) => {
                let message = error.message().map_or_else(|| error.to_string(), str::to_owned);
                Failure {
                    kind: "Error",
                    status: error.status(),
                    message,
                    code: error.code(),
                    error_type: error.error_type(),
                    limit: error.limit().map(Limit::from),
                }
            }
            Failed::Unsayable(message) => Failure {
                kind: "unsayable",
                status: None,
                message,
                code: None,
                error_type: None,
                limit: None,
            },
        }
    }
}

impl From<LimitFacts> for Limit {
    fn from(facts: LimitFacts) -> Limit {
        Limit {
            limit_source: facts.source,
            scope: facts.scope,
            limit_usd: facts.limit,
            spend_usd: facts.spent,
            resets_at: facts.resets_at.map(|moment| moment.to_string()),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let recorder = Recorder::start().await?;
    for line in io::stdin().lock().lines() {
        let question: Question = serde_json::from_str(&line?)?;
        let reply = serde_json::to_string(&answer(&recorder, question).await)?;
        let mut out = io::stdout().lock();
        writeln!(out, "{reply}")?;
        out.flush()?;
    }
    Ok(())
}

async fn answer(recorder: &Recorder, question: Question) -> Reply {
    let Question { call, base_url, key, arguments } = question;
    let made = Client::builder()
        .base_url(recorder.in_place_of(&base_url))
        .api_key(key)
        .retries(Retries::none())
        .build();
    let outcome = match made {
        Ok(client) => calls::call(&client, &call, arguments).await,
        Err(error) => Err(error.into()),
    };
    let outcome = match outcome {
        Ok(value) => Outcome::Value(value),
        Err(failed) => Outcome::Error(failed.into()),
    };
    Reply { outcome, exchanges: recorder.taken() }
}
