//! What an import has to say besides what it adds: each thing with its place and the reason.

use serde::Serialize;

use crate::print;

/// How a thing came over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// Nothing here does what it does, or not in the same way.
    Unmapped,
    /// It came over as something that never allows more.
    Approximated,
    /// Something must be added before it can be served.
    Missing,
    /// A variable must be set.
    Variable,
    /// It came over, and a person should look at it.
    Warning,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Kind::Unmapped => "unmapped",
            Kind::Approximated => "approximated",
            Kind::Missing => "missing",
            Kind::Variable => "variable",
            Kind::Warning => "warning",
        }
    }
}

/// One thing to say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Note {
    pub(super) kind: Kind,
    /// Where it stands: a file's line, a key's name.
    pub(super) place: String,
    /// What it is.
    pub(super) what: String,
    /// What became of it, and why.
    pub(super) why: String,
}

/// All there is to say, in the order in which it was found.
#[derive(Debug, Default)]
pub(super) struct Notes(pub(super) Vec<Note>);

impl Notes {
    pub(super) fn add(
        &mut self,
        kind: Kind,
        place: impl Into<String>,
        what: impl Into<String>,
        why: impl Into<String>,
    ) {
        let note = Note { kind, place: place.into(), what: what.into(), why: why.into() };
        if !self.0.contains(&note) {
            self.0.push(note);
        }
    }

    /// Prints them under a head; nothing where there are none.
    pub(super) fn show(&self) {
        if self.0.is_empty() {
            return;
        }
        print::line("");
        let rows: Vec<Vec<String>> = self
            .0
            .iter()
            .map(|note| {
                let Note { kind, place, what, why } = note;
                vec![place.clone(), kind.as_str().to_owned(), plain(what), plain(why)]
            })
            .collect();
        print::table(&["PLACE", "NOTE", "WHAT", "WHY"], &rows);
    }
}

/// A text as one line of a terminal, whatever is in it.
pub(super) fn plain(text: &str) -> String {
    let escaped = |c: char| match c {
        c if c.is_control() => c.escape_default().collect::<String>(),
        c => c.to_string(),
    };
    text.chars().map(escaped).collect()
}
