//! The most a client will pay a unit.

use money::{ParseRateError, Rate};

use crate::{Field, Invalid};

/// The most a client will pay: a price that is above any of these is too high.
///
/// Prompt and completion are given in dollars a million tokens and kept a token; all are rounded
/// down to what a price can be, which changes no comparison with one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MaxPrice {
    /// For a prompt token.
    pub prompt: Option<Rate>,
    /// For a completion token.
    pub completion: Option<Rate>,
    /// For a request.
    pub request: Option<Rate>,
    /// For a picture in the prompt.
    pub image: Option<Rate>,
    /// For a prompt token of sound.
    pub audio: Option<Rate>,
}

impl MaxPrice {
    pub(super) fn read(field: &Field<'_>) -> Result<MaxPrice, Invalid> {
        let object = field.object()?;
        let rate = |name, read: fn(&str) -> Result<Rate, ParseRateError>| {
            object
                .field(name)
                .given()
                .and_then(Field::or_null)
                .map_or(Ok(None), |field| field.rate(read).map(Some))
        };
        Ok(MaxPrice {
            prompt: rate("prompt", Rate::at_most_per_million)?,
            completion: rate("completion", Rate::at_most_per_million)?,
            request: rate("request", Rate::at_most)?,
            image: rate("image", Rate::at_most)?,
            audio: rate("audio", Rate::at_most)?,
        })
    }

    /// Whether nothing is bounded.
    pub fn is_none(&self) -> bool {
        *self == MaxPrice::default()
    }
}
