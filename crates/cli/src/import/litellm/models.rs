//! LiteLLM's names of models, in the lists of keys and teams, as entries of `allowed_models`.

use std::collections::BTreeMap;

use super::config::Imported;
use crate::import::report::{Kind, Notes};

/// Names that mean every model.
const ALL: [&str; 3] = ["all-proxy-models", "*", "all-models"];
const OF_TEAM: &str = "all-team-models";
const NONE: &str = "no-default-models";
/// A list of a key may have so many.
const LIST_MAX: usize = api::keys::ALLOWED_MODELS_MAX;

/// What names mean here.
pub(super) struct Names {
    ids: BTreeMap<String, String>,
    patterns: BTreeMap<String, String>,
}

impl Names {
    /// Those of the configuration that is imported, and those that are served.
    pub(super) fn new(imported: &Imported, served: &[(String, String)]) -> Names {
        let mut ids: BTreeMap<String, String> = served.iter().cloned().collect();
        ids.extend(imported.ids.iter().map(|(name, id)| (name.clone(), id.clone())));
        Names { ids, patterns: imported.patterns.clone() }
    }

    /// The only models a key may use, which are those that it and its owner may; `None` is all. An
    /// error says why there are none.
    pub(super) fn allowed(
        &self,
        own: &[String],
        owners: &[String],
        place: &str,
        notes: &mut Notes,
    ) -> Result<Option<Vec<String>>, String> {
        let owners = self.list(owners, place, notes)?;
        let is_of_team = own.iter().any(|name| name == OF_TEAM);
        let own = if is_of_team { None } else { self.list(own, place, notes)? };
        let both = match (own, owners) {
            (None, list) | (list, None) => list,
            (Some(own), Some(owners)) => {
                let is_covered = |entry: &String| {
                    owners.iter().any(|other| {
                        let author = other.strip_suffix('*');
                        other == entry || author.is_some_and(|author| entry.starts_with(author))
                    })
                };
                let narrower = |entry: &String| {
                    own.iter().any(|own| {
                        own.strip_suffix('*').is_some_and(|author| entry.starts_with(author))
                    })
                };
                let mut both: Vec<String> =
                    own.iter().filter(|entry| is_covered(entry)).cloned().collect();
                let further =
                    owners.iter().filter(|entry| narrower(entry) && !both.contains(entry));
                let further: Vec<String> = further.cloned().collect();
                both.extend(further);
                Some(both)
            }
        };
        match both {
            Some(list) if list.is_empty() => Err("no model is left that it may use".to_owned()),
            Some(list) if list.len() > LIST_MAX => {
                Err(format!("{} models are more than a list may have, {LIST_MAX}", list.len()))
            }
            list => Ok(list),
        }
    }

    /// A list, by our ids; `None` is all.
    fn list(
        &self,
        names: &[String],
        place: &str,
        notes: &mut Notes,
    ) -> Result<Option<Vec<String>>, String> {
        if names.is_empty() || names.iter().any(|name| ALL.contains(&name.as_str())) {
            return Ok(None);
        }
        let mut list: Vec<String> = Vec::new();
        for name in names.iter().filter(|name| *name != NONE && *name != OF_TEAM) {
            let is_authors = name
                .strip_suffix("/*")
                .is_some_and(|author| !author.is_empty() && !author.contains(['/', '*']));
            let entry = match (self.ids.get(name), self.patterns.get(name)) {
                (Some(id), _) => id.clone(),
                (None, Some(pattern)) => pattern.clone(),
                (None, None) if name.contains('*') && !is_authors => {
                    let why = "a pattern that is not `author/*`: it is left out of the list";
                    notes.add(Kind::Approximated, place, format!("models: {name}"), why);
                    continue;
                }
                (None, None) => {
                    if !is_authors {
                        let why = "no model has this name here: it stands in the list and means nothing yet";
                        notes.add(Kind::Missing, place, format!("models: {name}"), why);
                    }
                    name.clone()
                }
            };
            if !list.contains(&entry) {
                list.push(entry);
            }
        }
        Ok(Some(list))
    }
}
