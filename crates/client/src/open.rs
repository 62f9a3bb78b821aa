//! Words from lists that may grow after this was compiled.

/// An enum of the words known today that keeps any other as it came.
macro_rules! open_enum {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $($(#[$word_meta:meta])* $word:ident = $text:literal,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$word_meta])* #[doc = concat!(" On the wire `", $text, "`.")] $word,)+
            /// A word that this version does not know, as it came.
            Other(String),
        }

        impl $name {
            /// The word as it stands on the wire.
            ///
            /// ```
            #[doc = concat!("# use tollgate::", stringify!($name), ";")]
            $(#[doc = concat!(
                "assert_eq!(", stringify!($name), "::", stringify!($word), ".as_str(), ",
                stringify!($text), ");",
            )])+
            /// ```
            pub fn as_str(&self) -> &str {
                match self {
                    $($name::$word => $text,)+
                    $name::Other(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> $name {
                match word {
                    $($text => $name::$word,)+
                    _ => $name::Other(word.to_owned()),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                let word = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Ok($name::from(word.as_ref()))
            }
        }
    };
}

pub(crate) use open_enum;
