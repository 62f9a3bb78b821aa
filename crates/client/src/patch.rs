//! A field of a change: leave it, clear it, or set it.

use serde::{Serialize, Serializer};

/// What a change does to one field. A PATCH leaves alone what it does not name and clears what it
/// names with `null`, and mixing the two up loses a limit.
///
/// Setters take a value, an `Option` (where `None` clears), or a `Patch`.
///
/// ```
/// use tollgate::{Patch, UpdateKey, Usd};
///
/// let untouched = UpdateKey::new().disabled(true);
/// assert_eq!(serde_json::to_string(&untouched).unwrap(), r#"{"disabled":true}"#);
/// let cleared = UpdateKey::new().limit(None);
/// assert_eq!(serde_json::to_string(&cleared).unwrap(), r#"{"limit":null}"#);
/// let set = UpdateKey::new().limit(Usd::from(25));
/// assert_eq!(set.limit, Patch::Set(Usd::from(25)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Patch<T> {
    /// It stays as it is; nothing is sent.
    #[default]
    Unset,
    /// It is cleared: `null` is sent.
    Null,
    /// It becomes this.
    Set(T),
}

impl<T> Patch<T> {
    /// Whether nothing is sent.
    ///
    /// ```
    /// assert!(tollgate::Patch::<bool>::default().is_unset());
    /// ```
    pub const fn is_unset(&self) -> bool {
        matches!(self, Patch::Unset)
    }
}

impl<T> From<T> for Patch<T> {
    fn from(value: T) -> Patch<T> {
        Patch::Set(value)
    }
}

impl<T> From<Option<T>> for Patch<T> {
    fn from(value: Option<T>) -> Patch<T> {
        value.map_or(Patch::Null, Patch::Set)
    }
}

impl From<&str> for Patch<String> {
    fn from(value: &str) -> Patch<String> {
        Patch::Set(value.to_owned())
    }
}

impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Patch::Unset | Patch::Null => serializer.serialize_none(),
            Patch::Set(value) => value.serialize(serializer),
        }
    }
}

/// Methods that set a request's fields, one each, named as the fields are: `plain` fields, `some`
/// and `text` of an `Option`, `words` of an optional list, `patch` of a [`Patch`]. Each is shown
/// with the value that it has here, on what is given for the whole.
macro_rules! setters {
    (
        $request:ident, $whole:expr;
        $($kind:ident $field:ident $(: $type:ty)? = $example:expr),+ $(,)?
    ) => {
        impl $request {
            $($crate::patch::setter!($request, $whole, $kind $field $(: $type)? = $example);)+
        }
    };
}

macro_rules! setter {
    ($request:ident, $whole:expr, plain $field:ident: $type:ty = $example:expr) => {
        $crate::patch::setter!(
            @ $request, $whole, $field: $type = $example, $field,
            concat!("wanted.", stringify!($field), ", ", stringify!($example))
        );
    };
    ($request:ident, $whole:expr, some $field:ident: $type:ty = $example:expr) => {
        $crate::patch::setter!(
            @ $request, $whole, $field: $type = $example, Some($field),
            concat!("wanted.", stringify!($field), ", Some(", stringify!($example), ")")
        );
    };
    ($request:ident, $whole:expr, text $field:ident = $example:expr) => {
        $crate::patch::setter!(
            @ $request, $whole, $field: impl Into<String> = $example, Some($field.into()),
            concat!("wanted.", stringify!($field), ".unwrap(), ", stringify!($example))
        );
    };
    ($request:ident, $whole:expr, words $field:ident = $example:expr) => {
        $crate::patch::setter!(
            @ $request, $whole, $field: impl IntoIterator<Item: Into<String>> = $example,
            Some($field.into_iter().map(Into::into).collect()),
            concat!("wanted.", stringify!($field), ".unwrap(), ", stringify!($example))
        );
    };
    ($request:ident, $whole:expr, patch $field:ident: $type:ty = $example:expr) => {
        $crate::patch::setter!(
            @ $request, $whole, $field: impl Into<$crate::Patch<$type>> = $example, $field.into(),
            concat!(
                "wanted.", stringify!($field), ", Patch::from(", stringify!($example), "));\n",
                "let cleared = ", stringify!($whole), ".", stringify!($field), "(None);\n",
                "assert_eq!(cleared.", stringify!($field), ", Patch::Null",
            )
        );
    };
    (
        @ $request:ident, $whole:expr, $field:ident: $type:ty = $example:expr, $value:expr,
        $equal:expr
    ) => {
        #[doc = concat!(
            "The same with [`", stringify!($field), "`](", stringify!($request), "::",
            stringify!($field), ") set.",
        )]
        #[doc = ""]
        #[doc = "```"]
        #[doc = "# use tollgate::*;"]
        #[doc = concat!(
            "let wanted = ", stringify!($whole), ".", stringify!($field), "(",
            stringify!($example), ");",
        )]
        #[doc = concat!("assert_eq!(", $equal, ");")]
        #[doc = "```"]
        #[must_use]
        pub fn $field(mut self, $field: $type) -> $request {
            self.$field = $value;
            self
        }
    };
}

pub(crate) use {setter, setters};
