//! The bodies of `POST /workspaces` and `PATCH /workspaces/{id}` (SEMANTICS 7.1, 7.2).
//! What is omitted stays as it is, or as it usually is; `null` clears what may be absent.

use serde::Serialize;

use super::Share;
use crate::field::parse_uuid;
use crate::routing::SortBy;
use crate::{Field, Invalid, Object};

/// A name has at most this many characters.
pub const NAME_CHARS_MAX: usize = 100;
/// A slug has at most this many characters.
pub const SLUG_CHARS_MAX: usize = 50;
/// A description has at most this many characters.
pub const DESCRIPTION_CHARS_MAX: usize = 500;
/// A model's id or a tool's name has at most this many characters.
const TEXT_CHARS_MAX: usize = 255;
/// A list of keys or tools has at most this many entries.
const LIST_MAX: usize = 100;

/// A workspace to be made.
///
/// ```
/// # use api::workspaces::CreateWorkspace;
/// let wanted = CreateWorkspace::parse(br#"{"name": "Research", "slug": "research"}"#)?;
/// assert_eq!((wanted.name.as_str(), wanted.slug.as_str()), ("Research", "research"));
/// assert!(
///     CreateWorkspace::parse(br#"{"name": "Research", "slug": "Research"}"#)
///         .unwrap_err()
///         .to_string()
///         .starts_with("`slug` is no slug; allowed: 1 to 50 lower-case letters, digits"),
/// );
/// # Ok::<(), api::Invalid>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CreateWorkspace {
    /// Its name for people; names need not differ.
    pub name: String,
    /// Its name in paths, which no other workspace has.
    pub slug: String,
    /// All else.
    #[serde(flatten)]
    pub settings: WorkspaceSettings,
}

/// The changes to a workspace; `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UpdateWorkspace {
    /// A new name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A new slug.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// All else.
    #[serde(flatten)]
    pub settings: WorkspaceSettings,
}

/// What may be set of a workspace besides its names; `None` is as it is, `Some(None)` is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WorkspaceSettings {
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Option<String>>,
    /// The model of a chat that names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_text_model: Option<Option<String>>,
    /// The model of a request for an image that names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_image_model: Option<Option<String>>,
    /// What providers are sorted by where a request asks for no order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_provider_sort: Option<Option<SortBy>>,
    /// Whether prompts and answers may be logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_observability_io_logging_enabled: Option<bool>,
    /// Whether traces may be sent on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_observability_broadcast_enabled: Option<bool>,
    /// Whether providers may use its data for a discount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_data_discount_logging_enabled: Option<bool>,
    /// How much of its traffic is logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub io_logging_sampling_rate: Option<Share>,
    /// The only keys whose traffic is logged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub io_logging_api_key_ids: Option<Option<Vec<i64>>>,
    /// Tools run by providers that its requests may not use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_server_tools: Option<Option<Vec<String>>>,
}

impl CreateWorkspace {
    /// Reads the body; [`Invalid`] names the first field that is not what it may be.
    pub fn parse(body: &[u8]) -> Result<CreateWorkspace, Invalid> {
        let object = Object::parse(body)?;
        Ok(CreateWorkspace {
            name: object.field("name").line(NAME_CHARS_MAX)?,
            slug: slug(&object.field("slug"))?,
            settings: WorkspaceSettings::read(&object)?,
        })
    }
}

impl UpdateWorkspace {
    /// Reads the body; [`Invalid`] names the first field that is not what it may be, or says that
    /// there is nothing to update.
    pub fn parse(body: &[u8]) -> Result<UpdateWorkspace, Invalid> {
        let object = Object::parse(body)?;
        let given = |name| object.field(name).given();
        let update = UpdateWorkspace {
            name: given("name").map(|field| field.line(NAME_CHARS_MAX)).transpose()?,
            slug: given("slug").map(|field| slug(&field)).transpose()?,
            settings: WorkspaceSettings::read(&object)?,
        };
        if update == UpdateWorkspace::default() {
            return Err(Invalid::NothingToUpdate);
        }
        Ok(update)
    }
}

impl WorkspaceSettings {
    fn read(object: &Object<'_>) -> Result<WorkspaceSettings, Invalid> {
        let given = |name| object.field(name).given();
        let flag = |name| given(name).map(|field| field.flag()).transpose();
        let model = |name| cleared_or(given(name), |field| field.line(TEXT_CHARS_MAX));
        Ok(WorkspaceSettings {
            description: cleared_or(given("description"), description)?,
            default_text_model: model("default_text_model")?,
            default_image_model: model("default_image_model")?,
            default_provider_sort: cleared_or(given("default_provider_sort"), SortBy::read)?,
            is_observability_io_logging_enabled: flag("is_observability_io_logging_enabled")?,
            is_observability_broadcast_enabled: flag("is_observability_broadcast_enabled")?,
            is_data_discount_logging_enabled: flag("is_data_discount_logging_enabled")?,
            io_logging_sampling_rate: given("io_logging_sampling_rate")
                .map(|field| field.share())
                .transpose()?,
            io_logging_api_key_ids: cleared_or(given("io_logging_api_key_ids"), key_ids)?,
            disabled_server_tools: cleared_or(given("disabled_server_tools"), tools)?,
        })
    }
}

/// A field that `null` clears: nothing where it was not given.
fn cleared_or<T>(
    given: Option<Field<'_>>,
    read: impl Fn(&Field<'_>) -> Result<T, Invalid>,
) -> Result<Option<Option<T>>, Invalid> {
    given.map(|field| field.or_null().map(|field| read(&field)).transpose()).transpose()
}

/// A name in paths. One that looks like an id would be taken for one.
fn slug(field: &Field<'_>) -> Result<String, Invalid> {
    let allowed = format!(
        "1 to {SLUG_CHARS_MAX} lower-case letters, digits, and single hyphens between them, not in \
         the form of a UUID"
    );
    let text = field.text(&allowed)?;
    let is_word = |word: &str| {
        let is_kept = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        !word.is_empty() && word.bytes().all(is_kept)
    };
    let problem = if text.len() > SLUG_CHARS_MAX {
        "is too long"
    } else if !text.split('-').all(is_word) {
        "is no slug"
    } else if parse_uuid(&text).is_some() {
        "has the form of a UUID"
    } else {
        return Ok(text);
    };
    Err(field.invalid(problem, &allowed))
}

/// A text that may have lines.
fn description(field: &Field<'_>) -> Result<String, Invalid> {
    let allowed = format!(
        "a string of at most {DESCRIPTION_CHARS_MAX} characters, no control characters but line \
         breaks and tabs"
    );
    let text = field.text(&allowed)?;
    let problem = if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        "has a control character"
    } else if text.chars().nth(DESCRIPTION_CHARS_MAX).is_some() {
        "is too long"
    } else {
        return Ok(text);
    };
    Err(field.invalid(problem, &allowed))
}

fn key_ids(field: &Field<'_>) -> Result<Vec<i64>, Invalid> {
    let allowed = format!("an array of at most {LIST_MAX} whole numbers");
    let elements = entries(field, &allowed)?;
    elements.iter().map(|element| element.integer("a whole number of 64 bits")).collect()
}

fn tools(field: &Field<'_>) -> Result<Vec<String>, Invalid> {
    let allowed = format!("an array of at most {LIST_MAX} names of tools");
    entries(field, &allowed)?.iter().map(|element| element.line(TEXT_CHARS_MAX)).collect()
}

fn entries<'a>(field: &Field<'a>, allowed: &str) -> Result<Vec<Field<'a>>, Invalid> {
    let elements = field.elements(allowed)?;
    if elements.len() > LIST_MAX {
        return Err(field.invalid(&format!("has {} entries", elements.len()), allowed));
    }
    Ok(elements)
}
