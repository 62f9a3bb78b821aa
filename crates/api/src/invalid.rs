//! The one error of every request parser.
//! It always says which field, what was wrong and what is allowed (DESIGN, "Bad input").

/// How much of a field's name is repeated to the caller: a hostile one may be megabytes.
const FIELD_CHARS_MAX: usize = 64;

/// Why a request was not understood; answered as 400 with this text as the message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// One field, or the body as a whole, is not what it may be.
    #[error("`{field}` {problem}; allowed: {allowed}")]
    Field {
        /// The field's name, with that of the object it lies in: `external.user`, or `body`.
        field: String,
        /// What was wrong, as the end of a sentence that begins with the field.
        problem: String,
        /// What would have been accepted.
        allowed: String,
    },
    /// An update that names no field there is to update (SEMANTICS 3.4, the words are fixed).
    #[error("No update fields provided")]
    NothingToUpdate,
}

impl Invalid {
    /// The refusal of `field`, whose name is cut and cleaned of control characters.
    pub fn new(field: &str, problem: impl Into<String>, allowed: impl Into<String>) -> Invalid {
        let field = field.chars().take(FIELD_CHARS_MAX).flat_map(char::escape_debug).collect();
        Invalid::Field { field, problem: problem.into(), allowed: allowed.into() }
    }
}
