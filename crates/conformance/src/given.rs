//! The arguments of a call, under the wire's names, as the fields of the SDK's requests.

use std::collections::BTreeMap;

use client::Patch;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::Failed;

/// What is still to be said, by name, each as its JSON text.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Given(BTreeMap<String, Box<RawValue>>);

impl Given {
    /// The argument of that name as what the SDK takes, where it was given.
    pub(crate) fn take<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, Failed> {
        let Some(raw) = self.0.remove(name) else { return Ok(None) };
        let value = serde_json::from_str(raw.get());
        value.map(Some).map_err(|error| Failed::Unsayable(format!("{name}: {error}")))
    }

    /// The same of one that the call can't do without.
    pub(crate) fn need<T: DeserializeOwned>(&mut self, name: &str) -> Result<T, Failed> {
        self.take(name)?.ok_or_else(|| Failed::Unsayable(format!("{name} is missing")))
    }

    /// What a change does to the field of that name: null clears it.
    pub(crate) fn patch<T: DeserializeOwned>(&mut self, name: &str) -> Result<Patch<T>, Failed> {
        let Some(raw) = self.0.remove(name) else { return Ok(Patch::Unset) };
        let value: Option<T> = serde_json::from_str(raw.get())
            .map_err(|error| Failed::Unsayable(format!("{name}: {error}")))?;
        Ok(Patch::from(value))
    }

    /// Refuses what nothing took: a name that the call does not know is a mistake of the suite's.
    pub(crate) fn used_up(&self) -> Result<(), Failed> {
        match self.0.keys().next() {
            Some(name) => Err(Failed::Unsayable(format!("the call takes no {name}"))),
            None => Ok(()),
        }
    }
}

/// `request` with the fields that were given set: those named by themselves to what was given,
/// those behind `patch` to a change.
macro_rules! filled {
    ($given:ident, $request:expr $(, $field:ident)* $(; patch $($patch:ident),+)?) => {{
        let mut request = $request;
        $(if let Some(value) = $given.take(stringify!($field))? {
            request.$field = value;
        })*
        $($(request.$patch = $given.patch(stringify!($patch))?;)+)?
        $given.used_up()?;
        request
    }};
}

pub(crate) use filled;
