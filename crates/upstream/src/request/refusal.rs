//! Why a body is no request, in words that name the field, what was wrong and what is allowed.
//! The gateway answers it with 400.

/// A field's path is cut to this many bytes: an unknown name may be as long as the body.
const FIELD_BYTES_MAX: usize = 100;

/// A body that is refused; nothing of it was forwarded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BadRequest {
    /// The path of the field at fault, such as `messages[2].role`; `body` for the whole.
    pub field: String,
    /// What was wrong and what is allowed, for the caller.
    pub message: String,
}

impl BadRequest {
    pub(super) fn new(field: impl Into<String>, fault: &str) -> BadRequest {
        let mut field = field.into();
        if field.len() > FIELD_BYTES_MAX || field.contains(char::is_control) {
            field.truncate(field.floor_char_boundary(FIELD_BYTES_MAX));
            field = field.chars().flat_map(char::escape_debug).collect();
        }
        let message = format!("{field} {fault}");
        BadRequest { field, message }
    }

    /// A value of the wrong kind; says which kind it is and never repeats it.
    pub(super) fn kind(field: impl Into<String>, value: &str, allowed: &str) -> BadRequest {
        let is = match value.as_bytes().first() {
            None => "missing",
            Some(b'"') => "a string",
            Some(b'[') => "an array",
            Some(b'{') => "an object",
            Some(b't' | b'f') => "a boolean",
            Some(b'n') => "null",
            Some(_) => "a number",
        };
        BadRequest::new(field, &format!("is {is}; allowed is {allowed}"))
    }

    pub(super) fn twice(field: impl Into<String>) -> BadRequest {
        BadRequest::new(field, "is given twice; a name may stand once, however it is spelled")
    }
}

impl From<serde_json::Error> for BadRequest {
    fn from(cause: serde_json::Error) -> BadRequest {
        BadRequest::new("body", &format!("cannot be read as JSON: {cause}"))
    }
}
