//! The queries of `GET /models` and its relatives (SEMANTICS 10.3).
//! A filter by what only a hosted service knows, such as its scores, changes nothing; but no value
//! that means nothing is let pass.

use money::{ParseRateError, Rate};

use crate::{Invalid, Query};

const NAMES: [&str; 28] = [
    "offset",
    "limit",
    "q",
    "supported_parameters",
    "input_modalities",
    "output_modalities",
    "context",
    "min_price",
    "max_price",
    "min_output_price",
    "max_output_price",
    "providers",
    "model_authors",
    "zdr",
    "sort",
    "category",
    "distillable",
    "region",
    "min_age_days",
    "max_age_days",
    "min_intelligence_index",
    "max_intelligence_index",
    "min_coding_index",
    "max_coding_index",
    "min_agentic_index",
    "max_agentic_index",
    "min_tool_success_rate",
    "max_tool_success_rate",
];

/// Models on a page at most.
const LIMIT_MAX: u64 = 1_000;
/// Models on a page where only its place was given.
const LIMIT_DEFAULT: u64 = 500;

/// What may go into a model.
pub const INPUT_MODALITIES: [&str; 5] = ["text", "image", "file", "audio", "video"];

/// What may come out of one.
pub const OUTPUT_MODALITIES: [&str; 9] = [
    "text",
    "image",
    "embeddings",
    "audio",
    "video",
    "rerank",
    "speech",
    "transcription",
    "decisions",
];

/// The request parameters that a model may support.
pub const PARAMETERS: [&str; 26] = [
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "top_a",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "max_tokens",
    "max_completion_tokens",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "prediction",
    "seed",
    "response_format",
    "structured_outputs",
    "stop",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "include_reasoning",
    "reasoning",
    "reasoning_effort",
    "web_search_options",
    "verbosity",
];

/// What models may be good at, by the words for it.
const CATEGORIES: [&str; 12] = [
    "programming",
    "roleplay",
    "marketing",
    "marketing/seo",
    "technology",
    "science",
    "translation",
    "legal",
    "finance",
    "health",
    "trivia",
    "academia",
];

/// Which order models are listed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelSort {
    /// The latest to come out first.
    Newest,
    /// By the average of the prompt's and the completion's price, the cheapest first.
    PricingLowToHigh,
    /// The same, the dearest first.
    PricingHighToLow,
    /// The longest context first.
    ContextHighToLow,
    /// By name, which is what an order that nothing is known for falls back to.
    Name,
}

/// The words for an order, with what becomes of each.
const SORTS: [(&str, ModelSort); 12] = [
    ("newest", ModelSort::Newest),
    ("pricing-low-to-high", ModelSort::PricingLowToHigh),
    ("pricing-high-to-low", ModelSort::PricingHighToLow),
    ("context-high-to-low", ModelSort::ContextHighToLow),
    ("most-popular", ModelSort::Name),
    ("top-weekly", ModelSort::Name),
    ("throughput-high-to-low", ModelSort::Name),
    ("latency-low-to-high", ModelSort::Name),
    ("intelligence-high-to-low", ModelSort::Name),
    ("coding-high-to-low", ModelSort::Name),
    ("agentic-high-to-low", ModelSort::Name),
    ("design-arena-elo-high-to-low", ModelSort::Name),
];

/// A part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// How many are skipped.
    pub offset: u64,
    /// How many there are on it at most.
    pub limit: u64,
}

/// Which models to list, in which order, and which part of the list.
///
/// ```
/// # use api::models::{ListModels, ModelSort};
/// let query = ListModels::parse([("sort", "newest"), ("max_price", "0.5")])?;
/// assert_eq!(query.sort, Some(ModelSort::Newest));
/// assert_eq!(query.max_price.unwrap().to_string(), "0.0000005");
/// assert_eq!((query.output_modalities, query.page), (Some(vec!["text".to_owned()]), None));
/// # Ok::<(), api::Invalid>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListModels {
    /// The part that is asked for; `None` is the whole list.
    pub page: Option<Page>,
    /// A text in the id or the name, whatever its case.
    pub q: Option<String>,
    /// Parameters that all must be supported.
    pub supported_parameters: Vec<String>,
    /// What all must go in.
    pub input_modalities: Vec<String>,
    /// What one of must come out; `None` is anything.
    pub output_modalities: Option<Vec<String>>,
    /// The shortest context, in tokens.
    pub context: Option<u64>,
    /// The lowest price of a prompt token.
    pub min_price: Option<Rate>,
    /// The highest.
    pub max_price: Option<Rate>,
    /// The lowest price of a completion token.
    pub min_output_price: Option<Rate>,
    /// The highest.
    pub max_output_price: Option<Rate>,
    /// Providers, by slug or name, one of which must run it; any where there are none.
    pub providers: Vec<String>,
    /// Authors, one of which must have made it; any where there are none.
    pub model_authors: Vec<String>,
    /// Whether an endpoint of it must keep nothing.
    pub zdr: bool,
    /// The order; `None` is that of the configuration.
    pub sort: Option<ModelSort>,
}

impl ListModels {
    /// Reads the query's names and values, percent-decoded.
    pub fn parse<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<ListModels, Invalid> {
        let query = Query::read(NAMES, pairs)?;
        check_ignored(&query)?;
        let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect();
        Ok(ListModels {
            page: page(&query)?,
            q: query.get("q").map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned),
            supported_parameters: owned(query.words("supported_parameters", &PARAMETERS)?),
            input_modalities: owned(query.words("input_modalities", &INPUT_MODALITIES)?),
            output_modalities: output_modalities(&query)?,
            context: query.count("context", 1..=u64::MAX)?,
            min_price: price(&query, "min_price", Rate::at_least_per_million)?,
            max_price: price(&query, "max_price", Rate::at_most_per_million)?,
            min_output_price: price(&query, "min_output_price", Rate::at_least_per_million)?,
            max_output_price: price(&query, "max_output_price", Rate::at_most_per_million)?,
            providers: owned(query.list("providers")),
            model_authors: owned(query.list("model_authors")),
            zdr: query.word("zdr", &[("true", true)])?.unwrap_or(false),
            sort: query.word("sort", &SORTS)?,
        })
    }
}

fn page(query: &Query<'_>) -> Result<Option<Page>, Invalid> {
    let offset = query.count("offset", 0..=u64::MAX)?;
    let limit = query.count("limit", 1..=LIMIT_MAX)?;
    let is_asked_for = offset.is_some() || limit.is_some();
    Ok(is_asked_for
        .then_some(Page { offset: offset.unwrap_or(0), limit: limit.unwrap_or(LIMIT_DEFAULT) }))
}

/// `all`, or a list; `text` where none is given.
fn output_modalities(query: &Query<'_>) -> Result<Option<Vec<String>>, Invalid> {
    let words = [&["all"], &OUTPUT_MODALITIES[..]].concat();
    let given = query.words("output_modalities", &words)?;
    if given.contains(&"all") {
        return Ok(None);
    }
    let given = if given.is_empty() { vec!["text"] } else { given };
    Ok(Some(given.into_iter().map(str::to_owned).collect()))
}

/// How a text of so much a million is read.
type Read = fn(&str) -> Result<Rate, ParseRateError>;

/// A price in dollars a million tokens, as that of a token.
fn price(query: &Query<'_>, name: &str, read: Read) -> Result<Option<Rate>, Invalid> {
    number(query, name, read, "US dollars a million tokens, from 0 up")
}

/// A number from zero up, as a millionth of it.
fn number(
    query: &Query<'_>,
    name: &str,
    read: Read,
    allowed: &str,
) -> Result<Option<Rate>, Invalid> {
    let Some(text) = query.get(name).filter(|text| !text.is_empty()) else { return Ok(None) };
    match read(text) {
        Ok(number) => Ok(Some(number)),
        Err(ParseRateError::Negative) => Err(Invalid::new(name, "is negative", allowed)),
        Err(_) => Err(Invalid::new(name, "is not such a number", allowed)),
    }
}

/// Refuses what means nothing among the filters that change nothing.
fn check_ignored(query: &Query<'_>) -> Result<(), Invalid> {
    query.word("category", &CATEGORIES.map(|word| (word, ())))?;
    query.word("distillable", &[("true", ()), ("false", ())])?;
    query.word("region", &[("eu", ()), ("us", ())])?;
    for name in ["min_age_days", "max_age_days"] {
        query.count(name, 0..=u64::MAX)?;
    }
    for index in ["intelligence", "coding", "agentic"] {
        for end in ["min", "max"] {
            let name = format!("{end}_{index}_index");
            number(query, &name, Rate::at_most_per_million, "a number from 0 up")?;
        }
    }
    let one = Rate::at_least_per_million("1").ok();
    for name in ["min_tool_success_rate", "max_tool_success_rate"] {
        let allowed = "a number from 0 to 1";
        if number(query, name, Rate::at_least_per_million, allowed)? > one {
            return Err(Invalid::new(name, "is above 1", allowed));
        }
    }
    Ok(())
}
