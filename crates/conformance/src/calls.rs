//! Every call that clients.py knows, made with the SDK; what the SDK gives is said under the names
//! and in the envelope of the wire, a list that it reads to the end as its items.

mod catalogue;
mod keys;
mod workspaces;

use client::{ChatRequest, Client, Error};
use futures_core::Stream;
use futures_util::TryStreamExt as _;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::Failed;
use crate::given::{Given, filled};

/// What the SDK gave, as the text of a JSON value.
type Value = Result<Box<RawValue>, Failed>;

/// Makes the call of that name.
pub(crate) async fn call(client: &Client, name: &str, given: Given) -> Value {
    let (noun, verb) = name.split_once('.').unwrap_or((name, ""));
    match noun {
        "keys" => keys::keys(client, verb, given).await,
        "key" => keys::key(client, given).await,
        "byok" => keys::byok(client, verb, given).await,
        "chat" => chat(client, given).await,
        "workspaces" => workspaces::workspaces(client, verb, given).await,
        "budgets" => workspaces::budgets(client, verb, given).await,
        "members" => workspaces::members(client, verb, given).await,
        "organization" => workspaces::organization(client, verb, given).await,
        _ => catalogue::call(client, noun, verb, given).await,
    }
}

async fn chat(client: &Client, mut given: Given) -> Value {
    let is_streamed = given.take("stream")?.unwrap_or(false);
    let request = filled!(given, ChatRequest::default(), model, messages, max_tokens);
    if is_streamed {
        return items(client.chat().stream(&request).await?).await;
    }
    whole(&client.chat().send(&request).await?)
}

fn whole(value: &impl Serialize) -> Value {
    Ok(to_raw_value(value)?)
}

/// What the wire has under `data`.
fn data(value: impl Serialize) -> Value {
    #[derive(Serialize)]
    struct Data<T> {
        data: T,
    }
    whole(&Data { data: value })
}

/// That something is gone, which the SDK says by giving nothing.
fn deleted((): ()) -> Value {
    #[derive(Serialize)]
    struct Deleted {
        deleted: bool,
    }
    whole(&Deleted { deleted: true })
}

async fn items<T: Serialize>(list: impl Stream<Item = Result<T, Error>>) -> Value {
    whole(&list.try_collect::<Vec<T>>().await?)
}

fn no_call(noun: &str, verb: &str) -> Value {
    Err(Failed::Unsayable(format!("no call {noun}.{verb}")))
}
