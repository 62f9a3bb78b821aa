use std::cell::RefCell;
use std::collections::BTreeSet;

use serde::Deserialize as _;
use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor,
    value::Error,
};
use serde::forward_to_deserialize_any;

use super::*;
use crate::config::{Config, read};

/// Reads a value of any type out of nothing, and notes the name of every setting that is asked for.
struct Names<'a> {
    setting: String,
    names: &'a RefCell<BTreeSet<String>>,
}

/// The names of all settings that the code has; a list's item is `[]`.
fn names() -> BTreeSet<String> {
    let names = RefCell::default();
    Config::deserialize(Names { setting: String::new(), names: &names }).unwrap();
    names.into_inner()
}

impl<'a> Names<'a> {
    fn below(&self, name: &str) -> Names<'a> {
        let setting = match self.setting.as_str() {
            "" => name.to_owned(),
            setting => format!("{setting}.{name}"),
        };
        Names { setting, names: self.names }
    }
}

impl<'de> Deserializer<'de> for Names<'_> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        // Its fields are the settings.
        self.names.borrow_mut().remove(self.setting.trim_end_matches("[]"));
        visitor.visit_map(Fields { of: self, left: fields })
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(One(Some(Names { setting: format!("{}[]", self.setting), ..self })))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(Fields { of: self, left: &[] })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(variants[0].into_deserializer())
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bool(false)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        // An address is a text as well.
        visitor.visit_str("127.0.0.1:1")
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.setting.rsplit('.').next() {
            Some("total_credits" | "byok_fee_percent") => visitor.visit_i64(1),
            Some("models") => visitor.visit_str("all"),
            _ => Err(serde::de::Error::invalid_type(Unexpected::Other(&self.setting), &visitor)),
        }
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_u64(1)
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_u64(1)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_u64(1)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_u64(1)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_f64(1.0)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u128 f32 char bytes byte_buf unit unit_struct newtype_struct tuple
        tuple_struct identifier ignored_any
    }
}

struct Fields<'a> {
    of: Names<'a>,
    left: &'static [&'static str],
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let name = self.left.first();
        name.map(|name| seed.deserialize(StrDeserializer::new(name))).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let (name, left) = self.left.split_first().unwrap();
        self.left = left;
        let setting = self.of.below(name);
        setting.names.borrow_mut().insert(setting.setting.clone());
        seed.deserialize(setting)
    }
}

struct One<'a>(Option<Names<'a>>);

impl<'de> SeqAccess<'de> for One<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        self.0.take().map(|item| seed.deserialize(item)).transpose()
    }
}

/// The file with every example in force.
fn with_examples() -> String {
    let example = |line: &str| {
        let rest = line.strip_prefix('#').filter(|rest| !rest.is_empty());
        rest.filter(|rest| !rest.starts_with(' ')).map(str::to_owned)
    };
    DEFAULT.lines().map(|line| example(line).unwrap_or_else(|| line.to_owned()) + "\n").collect()
}

/// The names of all settings that a file has.
fn names_in(value: &Value, setting: &str, names: &mut BTreeSet<String>) {
    match value {
        Value::Table(table) if !setting.ends_with("headers") => {
            for (name, value) in table {
                let below = if setting.is_empty() { "" } else { "." };
                names_in(value, &format!("{setting}{below}{name}"), names);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_table) => {
            items.iter().for_each(|item| names_in(item, &format!("{setting}[]"), names));
        }
        _ => drop(names.insert(setting.to_owned())),
    }
}

#[test]
fn the_file_as_it_is_says_exactly_the_defaults() {
    let loaded = read::parse(DEFAULT, &BTreeMap::new()).unwrap();
    assert_eq!(format!("{:#?}", loaded.config), format!("{:#?}", Config::default()));
    assert_eq!(loaded.warnings, Vec::<String>::new());
}

#[test]
fn the_file_has_every_setting_of_the_code_and_no_other() {
    let text = with_examples();
    let table: Table = text.parse().unwrap();
    let mut written = BTreeSet::new();
    names_in(&Value::Table(table.clone()), "", &mut written);
    let known = names();
    let missing: Vec<&String> = known.difference(&written).collect();
    let unknown: Vec<&String> = written.difference(&known).collect();
    assert_eq!((missing, unknown), (vec![], vec![]));
    Config::deserialize(table).unwrap();
}

#[test]
fn a_setting_that_is_written_has_its_default() {
    let defaults = settings(&Table::new());
    assert_eq!(defaults["server.listen"].as_str(), Some("127.0.0.1:8787"));
    assert!(!defaults.contains_key("server.public_url"));
    let table: Table = "[server]\nworkers = 3\npublic_url = \"http://a\"\n[[models]]\nid = \"m\"\n"
        .parse()
        .unwrap();
    let written = settings(&table);
    let changed: Vec<&String> = written
        .iter()
        .filter(|(name, value)| defaults.get(*name) != Some(value))
        .map(|(n, _)| n)
        .collect();
    assert_eq!(changed, ["server.public_url", "server.workers"]);
}

#[test]
fn the_documentation_names_every_setting() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
    let text = std::fs::read_to_string(path).unwrap();
    let missing: Vec<String> = names()
        .into_iter()
        .filter(|name| {
            let last = name.rsplit('.').next().unwrap();
            !text.contains(&format!("`{last}`"))
        })
        .collect();
    assert_eq!(missing, Vec::<String>::new());
}
