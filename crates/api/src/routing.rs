//! Where a request may go, in its client's own words: `provider` of a chat completion or of
//! embeddings (SEMANTICS 11).
//! Members it does not know are ignored; those it knows are taken exactly or refused.

mod cutoffs;
mod max_price;

use crate::{Field, Invalid, Object};

pub use cutoffs::{Cutoffs, PERCENTILES};
pub use max_price::MaxPrice;

/// A list of providers or quantizations has at most this many entries.
pub const LIST_MAX: usize = 128;
/// A provider's name has at most this many characters.
const NAME_CHARS_MAX: usize = 255;

/// How coarsely a model's weights may be kept.
pub const QUANTIZATIONS: [&str; 12] = [
    "int4", "int8", "fp4", "mxfp4", "nvfp4", "fp6", "fp8", "mxfp8", "fp16", "bf16", "fp32",
    "unknown",
];

/// What a client says of the providers that may answer it.
///
/// ```
/// # use api::routing::{ProviderPreferences, SortBy};
/// let wish = ProviderPreferences::parse(r#"{"order": ["groq", "OpenAI"], "sort": "price"}"#)?;
/// assert_eq!((wish.order.len(), wish.sort), (2, Some(SortBy::Price)));
/// assert_eq!(
///     ProviderPreferences::parse(r#"{"order": "groq"}"#).unwrap_err().to_string(),
///     "`provider.order` is a string; allowed: an array of at most 128 providers' slugs or names, \
///      or null",
/// );
/// # Ok::<(), api::Invalid>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProviderPreferences {
    /// These first, in this order; empty where none are named.
    pub order: Vec<String>,
    /// None but these; empty where any will do.
    pub only: Vec<String>,
    /// None of these.
    pub ignore: Vec<String>,
    /// No endpoint but the first, or those of `order`, may be tried.
    pub no_fallbacks: bool,
    /// None but endpoints that take every parameter of the request.
    pub require_parameters: bool,
    /// None but providers that keep nothing of what they are sent for purposes of their own.
    pub deny_data_collection: bool,
    /// None but endpoints that keep nothing at all.
    pub zdr: bool,
    /// None but endpoints whose weights are kept so; empty where any will do.
    pub quantizations: Vec<String>,
    /// In this order, in the place of the default one.
    pub sort: Option<SortBy>,
    /// The endpoints of all models are sorted together.
    pub pools_models: bool,
    /// None that asks for more.
    pub max_price: MaxPrice,
    /// Those last that put out fewer tokens a second, in thousandths of a token.
    pub preferred_min_throughput: Option<Cutoffs>,
    /// Those last that take longer to begin, in milliseconds.
    pub preferred_max_latency: Option<Cutoffs>,
}

/// What endpoints are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SortBy {
    /// The cheapest first.
    Price,
    /// The most tokens a second first.
    Throughput,
    /// The quickest to begin first.
    Latency,
    /// As their operator prefers.
    Exacto,
}

impl ProviderPreferences {
    /// Reads the JSON of `provider`, which is not `null`; [`Invalid`] names the first member that
    /// is not what it may be.
    ///
    /// An empty list is as none: clients send them for "no wish".
    pub fn parse(json: &str) -> Result<ProviderPreferences, Invalid> {
        if !json.starts_with('{') {
            let kind = crate::field::kind(json);
            return Err(Invalid::new("provider", kind, "a JSON object, or null"));
        }
        let object = Object::read("provider", "provider.".to_owned(), json)?;
        let value = |name| object.field(name).given().and_then(Field::or_null);
        let flag = |name| value(name).map_or(Ok(None), |field| field.flag().map(Some));
        let providers = |name| {
            let allowed = format!("an array of at most {LIST_MAX} providers' slugs or names");
            let name_of = |field: &Field<'_>| field.line(NAME_CHARS_MAX);
            value(name).map_or(Ok(Vec::new()), |field| list(&field, &allowed, name_of))
        };
        // Of no model here it is known that its author lets its text be learned from.
        if let Some(field) = value("enforce_distillable_text")
            && field.flag()?
        {
            return Err(field.invalid("is true, which no model here is known to allow", "false"));
        }
        let (sort, pools_models) = value("sort").map_or(Ok((None, false)), |field| sort(&field))?;
        let cutoffs = |name| value(name).map(|field| Cutoffs::read(&field)).transpose();
        Ok(ProviderPreferences {
            order: providers("order")?,
            only: providers("only")?,
            ignore: providers("ignore")?,
            no_fallbacks: flag("allow_fallbacks")? == Some(false),
            require_parameters: flag("require_parameters")?.unwrap_or(false),
            deny_data_collection: value("data_collection")
                .map_or(Ok(false), |field| word(&field, &["allow", "deny"]).map(|at| at == 1))?,
            zdr: flag("zdr")?.unwrap_or(false),
            quantizations: value("quantizations").map_or(Ok(Vec::new()), |field| {
                let allowed = format!("an array of {}", QUANTIZATIONS.join(", "));
                let name_of = |field: &Field<'_>| {
                    word(field, &QUANTIZATIONS).map(|at| QUANTIZATIONS[at].to_owned())
                };
                list(&field, &allowed, name_of)
            })?,
            sort,
            pools_models,
            max_price: value("max_price")
                .map_or(Ok(MaxPrice::default()), |field| MaxPrice::read(&field))?,
            preferred_min_throughput: cutoffs("preferred_min_throughput")?.flatten(),
            preferred_max_latency: cutoffs("preferred_max_latency")?.flatten(),
        })
    }
}

fn list(
    field: &Field<'_>,
    allowed: &str,
    read: impl Fn(&Field<'_>) -> Result<String, Invalid>,
) -> Result<Vec<String>, Invalid> {
    let elements = field.elements(allowed)?;
    if elements.len() > LIST_MAX {
        return Err(field.invalid("has too many entries", allowed));
    }
    elements.iter().map(read).collect()
}

/// The place of a word among those that are allowed.
fn word(field: &Field<'_>, allowed: &[&str]) -> Result<usize, Invalid> {
    let all = allowed.join(", ");
    let text = field.text(&all)?;
    let place = allowed.iter().position(|word| *word == text);
    place.ok_or_else(|| field.invalid("is none of the words there are", &all))
}

const SORTS: [&str; 4] = ["price", "throughput", "latency", "exacto"];

const SORTED_BY: [SortBy; 4] = [SortBy::Price, SortBy::Throughput, SortBy::Latency, SortBy::Exacto];

impl SortBy {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            SortBy::Price => "price",
            SortBy::Throughput => "throughput",
            SortBy::Latency => "latency",
            SortBy::Exacto => "exacto",
        }
    }

    /// What that word means.
    pub fn named(word: &str) -> Option<SortBy> {
        SORTED_BY.into_iter().find(|sort| sort.as_str() == word)
    }

    pub(crate) fn read(field: &Field<'_>) -> Result<SortBy, Invalid> {
        word(field, &SORTS).map(|at| SORTED_BY[at])
    }
}

/// `"price"`, or `{"by": "price", "partition": "none"}`.
fn sort(field: &Field<'_>) -> Result<(Option<SortBy>, bool), Invalid> {
    if !field.is_object() {
        field.text(&format!("{}, or an object of `by` and `partition`", SORTS.join(", ")))?;
        return Ok((Some(SortBy::read(field)?), false));
    }
    let object = field.object()?;
    let value = |name| object.field(name).given().and_then(Field::or_null);
    let by = value("by").map(|field| SortBy::read(&field)).transpose()?;
    let partition = value("partition").map(|field| word(&field, &["model", "none"])).transpose()?;
    Ok((by, partition == Some(1)))
}
