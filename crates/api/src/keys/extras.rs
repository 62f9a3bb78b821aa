//! What a key may have beyond the contract: models it may use, and how fast it may go.
//! The names are ours; servers and clients that do not know them pass over them.

use std::num::NonZeroU64;

use crate::{Field, Invalid};

/// How many entries a key's list of models may have.
pub const ALLOWED_MODELS_MAX: usize = 100;
/// How many characters an entry of that list may have.
pub const MODEL_CHARS_MAX: usize = 255;
/// The highest limit on requests or tokens a minute, or on requests at once.
pub const PACE_MAX: u64 = 1_000_000_000;

/// The models a key may use: exact ids, and `author/*` for all of an author's.
pub(super) fn allowed_models(field: &Field<'_>) -> Result<Vec<String>, Invalid> {
    let allowed = format!(
        "an array of 1 to {ALLOWED_MODELS_MAX} entries, each the id of a model or `author/*` (to \
         refuse every request, use `disabled`)"
    );
    let elements = field.elements(&allowed)?;
    if elements.is_empty() {
        return Err(field.invalid("is empty", &allowed));
    }
    if elements.len() > ALLOWED_MODELS_MAX {
        return Err(field.invalid(&format!("has {} entries", elements.len()), &allowed));
    }
    let mut models: Vec<String> = Vec::with_capacity(elements.len());
    for element in elements {
        let model = element.line(MODEL_CHARS_MAX)?;
        let problem = if models.contains(&model) {
            "is given twice"
        } else if model.contains('*') && !is_authors(&model) {
            "has a `*` that does not stand for all models of one author"
        } else {
            models.push(model);
            continue;
        };
        return Err(element.invalid(problem, "the id of a model, or `author/*`, each once"));
    }
    Ok(models)
}

/// A limit on how fast a key may go.
pub(super) fn limit(field: &Field<'_>) -> Result<NonZeroU64, Invalid> {
    let allowed =
        format!("a whole number from 1 to {PACE_MAX} (to refuse every request, use `disabled`)");
    field.positive(PACE_MAX, &allowed)
}

/// Whether it is `author/*`.
pub(crate) fn is_authors(model: &str) -> bool {
    let author = model.strip_suffix("/*");
    author.is_some_and(|author| !author.is_empty() && !author.contains(['/', '*']))
}
