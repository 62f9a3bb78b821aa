//! Texts as vectors.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::page::Page;
use crate::patch::setters;
use crate::request::Call;
use crate::{Client, CostDetails, Error, Model, ProviderPreferences, Usd};

/// What is to be embedded.
///
/// ```
/// let request = tollgate::EmbeddingsRequest::new("openai/text-embedding-3-small", ["one", "two"]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct EmbeddingsRequest {
    /// The model.
    pub model: String,
    /// The texts.
    pub input: Vec<String>,
    /// How long each vector is to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<u64>,
    /// Who it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Which providers may do it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderPreferences>,
    /// Whatever else the model's provider takes, by name.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl EmbeddingsRequest {
    /// Those texts, by that model.
    ///
    /// ```
    /// let request = tollgate::EmbeddingsRequest::new("fake/embed", ["one text"]);
    /// ```
    pub fn new(
        model: impl Into<String>,
        input: impl IntoIterator<Item: Into<String>>,
    ) -> EmbeddingsRequest {
        let input = input.into_iter().map(Into::into).collect();
        EmbeddingsRequest { model: model.into(), input, ..EmbeddingsRequest::default() }
    }
}

setters!(EmbeddingsRequest, EmbeddingsRequest::new("openai/text-embedding-3-small", ["one"]);
    some dimensions: u64 = 256,
    text user = "customer-7",
    some provider: ProviderPreferences = ProviderPreferences::new().zdr(true),
    plain other: Map<String, Value> = serde_json::Map::from_iter([("input_type".to_owned(), "query".into())]),
);

/// The vectors of all texts.
///
/// ```
/// # fn show(embeddings: tollgate::Embeddings) {
/// println!("{} vectors", embeddings.data.len());
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Embeddings {
    /// The generation's id.
    #[serde(default)]
    pub id: Option<String>,
    /// The model that did it.
    pub model: String,
    /// The provider that did it, by its display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// One vector a text, in the order of the request.
    pub data: Vec<Embedding>,
    /// What it used and what it cost.
    #[serde(default)]
    pub usage: Option<EmbeddingsUsage>,
}

/// The vector of one text.
///
/// ```
/// # fn show(embedding: tollgate::Embedding) {
/// println!("{:?}", embedding.embedding.numbers());
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Embedding {
    /// Which text of the request.
    #[serde(default)]
    pub index: u64,
    /// Its vector.
    pub embedding: Vector,
}

/// A vector: its numbers, or what they are in base64 where the request's `encoding_format` says so.
///
/// ```
/// use tollgate::Vector;
///
/// let vector: Vector = serde_json::from_str(r#""AAAAPwAAgL4=""#).unwrap();
/// assert_eq!(vector.numbers(), Some(vec![0.5, -0.25]));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Vector {
    /// Its numbers.
    Numbers(Vec<f64>),
    /// 32-bit floats, their lowest byte first, in base64.
    Base64(String),
}

impl Vector {
    /// Its numbers; `None` where what should be base64 of floats is none.
    ///
    /// ```
    /// # fn length(embedding: tollgate::Embedding) -> usize {
    /// embedding.embedding.numbers().map_or(0, |numbers| numbers.len())
    /// # }
    /// ```
    pub fn numbers(&self) -> Option<Vec<f64>> {
        let text = match self {
            Vector::Numbers(numbers) => return Some(numbers.clone()),
            Vector::Base64(text) => text,
        };
        let bytes = BASE64_STANDARD.decode(text).ok()?;
        let (floats, rest) = bytes.as_chunks::<4>();
        let number = |float: &[u8; 4]| f64::from(f32::from_le_bytes(*float));
        rest.is_empty().then(|| floats.iter().map(number).collect())
    }
}

/// What a request for embeddings used and what it cost.
///
/// ```
/// # fn show(usage: tollgate::EmbeddingsUsage) {
/// println!("{:?}", usage.cost);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EmbeddingsUsage {
    /// Tokens of all texts.
    pub prompt_tokens: u64,
    /// The same.
    pub total_tokens: u64,
    /// What kinds of tokens they were. OpenRouter only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt_tokens_details: Option<EmbeddingsTokensDetails>,
    /// What was charged, in US dollars.
    #[serde(default)]
    pub cost: Option<Usd>,
    /// Whether the owner's own provider key paid the provider.
    #[serde(default)]
    pub is_byok: bool,
    /// What the provider's part came to.
    #[serde(default)]
    pub cost_details: Option<CostDetails>,
}

/// Kinds of tokens of what was embedded, each contained in `prompt_tokens`.
///
/// ```
/// # fn show(details: tollgate::EmbeddingsTokensDetails) {
/// println!("{:?} of texts, {:?} of images", details.text_tokens, details.image_tokens);
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct EmbeddingsTokensDetails {
    /// Of texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_tokens: Option<u64>,
    /// Of images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_tokens: Option<u64>,
    /// Of files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_tokens: Option<u64>,
    /// Heard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_tokens: Option<u64>,
    /// Seen moving.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video_tokens: Option<u64>,
}

/// The calls about embeddings.
///
/// ```no_run
/// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
/// let models = client.embeddings().models().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct EmbeddingsApi(Client);

impl Client {
    /// The calls about embeddings.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// let request = tollgate::EmbeddingsRequest::new("openai/text-embedding-3-small", ["one"]);
    /// println!("{} vectors", client.embeddings().create(&request).await?.data.len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn embeddings(&self) -> EmbeddingsApi {
        EmbeddingsApi(self.clone())
    }
}

impl EmbeddingsApi {
    /// Embeds texts; never sent again once it may have been paid for.
    ///
    /// # Errors
    ///
    /// 402 and 403 where the money is not there: [`Error::is_over_limit`].
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// let request = tollgate::EmbeddingsRequest::new("openai/text-embedding-3-small", ["one"]);
    /// let vector = &client.embeddings().create(&request).await?.data[0].embedding;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create(&self, request: &EmbeddingsRequest) -> Result<Embeddings, Error> {
        Call::post(["embeddings"]).json(request)?.send(&self.0).await
    }

    /// The models that embed.
    ///
    /// # Errors
    ///
    /// Where the server can't be asked.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// for model in client.embeddings().models().await? {
    ///     println!("{}", model.id);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn models(&self) -> Result<Vec<Model>, Error> {
        let call = Call::get(["embeddings", "models"]);
        call.send::<Page<_>>(&self.0).await.map(|page| page.data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_is_read_in_either_form_and_written_as_it_came() {
        for (text, numbers) in [
            ("[0.5,-0.25,0.125]", Some(vec![0.5, -0.25, 0.125])),
            (r#""AAAAPwAAgL4AAAA+""#, Some(vec![0.5, -0.25, 0.125])),
            (r#""""#, Some(vec![])),
            (r#""AAAAPwA=""#, None),
            (r#""no base64""#, None),
        ] {
            let vector: Vector = serde_json::from_str(text).unwrap();
            assert_eq!(vector.numbers(), numbers, "{text}");
            assert_eq!(serde_json::to_string(&vector).unwrap(), text);
        }
    }
}
