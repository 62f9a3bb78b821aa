//! What there is to ask for, embeddings, and what was spent.

use client::{Client, EmbeddingsRequest, GetActivity, ListModels};
use serde::{Deserialize, Serialize};

use super::{Value, data, items, no_call, whole};
use crate::Failed;
use crate::given::{Given, filled};

pub(super) async fn call(client: &Client, noun: &str, verb: &str, mut given: Given) -> Value {
    match (noun, verb) {
        ("models", _) => models(client, verb, given).await,
        ("endpoints", "") => data(client.models().endpoints(&model(&mut given)?).await?),
        ("endpoints", "zdr") => data(client.endpoints().zdr().await?),
        ("providers", "") => data(client.providers().list().await?),
        ("embeddings", "") => embeddings(client, given).await,
        ("embeddings", "models") => whole(&client.embeddings().models().await?),
        ("credits", "") => data(client.credits().get().await?),
        ("activity", "") => activity(client, given).await,
        ("generation", "") => data(client.generations().get(&given.need::<String>("id")?).await?),
        _ => no_call(noun, verb),
    }
}

async fn models(client: &Client, verb: &str, mut given: Given) -> Value {
    #[derive(Serialize)]
    struct Count {
        count: u64,
    }
    match verb {
        "" => items(client.models().list_all(wanted(given)?)).await,
        "user" => whole(&client.models().list_for_user(&wanted(given)?).await?.data),
        "count" => data(Count { count: client.models().count().await? }),
        "get" => data(client.models().get(&model(&mut given)?).await?),
        _ => no_call("models", verb),
    }
}

fn wanted(mut given: Given) -> Result<ListModels, Failed> {
    // The wire has no other value of it than a true one, in quotes.
    let zdr = given.take::<String>("zdr")?.is_some();
    let wanted = filled!(
        given,
        ListModels::new(),
        offset,
        limit,
        q,
        category,
        supported_parameters,
        input_modalities,
        output_modalities,
        context,
        min_price,
        max_price,
        min_output_price,
        max_output_price,
        providers,
        model_authors,
        sort
    );
    Ok(wanted.zdr(zdr))
}

fn model(given: &mut Given) -> Result<String, Failed> {
    let (author, slug): (String, String) = (given.need("author")?, given.need("slug")?);
    Ok(format!("{author}/{slug}"))
}

async fn embeddings(client: &Client, mut given: Given) -> Value {
    /// One text by itself is to the SDK a list of one.
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Texts {
        One(String),
        Many(Vec<String>),
    }
    let model: String = given.need("model")?;
    let mut request = match given.need("input")? {
        Texts::One(text) => EmbeddingsRequest::new(model, [text]),
        Texts::Many(texts) => EmbeddingsRequest::new(model, texts),
    };
    if let Some(format) = given.take("encoding_format")? {
        request.other.insert("encoding_format".to_owned(), format);
    }
    whole(&client.embeddings().create(&filled!(given, request, dimensions, user)).await?)
}

async fn activity(client: &Client, mut given: Given) -> Value {
    let is_by_workspace = given.take::<String>("group_by")?.is_some();
    let wanted = filled!(given, GetActivity::new(), date, api_key_hash, user_id, workspace_id);
    let wanted = wanted.group_by_workspace(is_by_workspace);
    data(client.activity().get(&wanted).await?)
}
