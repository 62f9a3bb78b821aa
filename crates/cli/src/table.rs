//! Rows under a head, as wide as they must be, coloured where colours are shown.

use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, presets};

use crate::output::{plain, styled};

/// How a cell is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Usual,
    Good,
    Careful,
    Bad,
    Faint,
}

/// Rows to be printed.
pub(crate) struct Table(comfy_table::Table);

impl Table {
    /// A table of those columns; what stands before a `>` is written to the right, as numbers are.
    pub(crate) fn new(head: &[&str]) -> Table {
        let mut table = Table::empty();
        let names = head.iter().map(|name| name.trim_start_matches('>'));
        table.0.set_header(names.map(|name| Cell::new(name).add_attribute(Attribute::Bold)));
        for (place, name) in head.iter().enumerate() {
            if let (Some(column), true) = (table.0.column_mut(place), name.starts_with('>')) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.spaced(head.len());
        table
    }

    fn empty() -> Table {
        let mut table = comfy_table::Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled)
            .enforce_styling();
        Table(table)
    }

    fn spaced(&mut self, columns: usize) {
        for place in 0..columns {
            if let Some(column) = self.0.column_mut(place) {
                column.set_padding((0, if place + 1 == columns { 0 } else { 2 }));
            }
        }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        self.toned(cells.into_iter().map(|cell| (cell, Tone::Usual)));
    }

    pub(crate) fn toned(&mut self, cells: impl IntoIterator<Item = (impl Into<String>, Tone)>) {
        self.0.add_row(cells.into_iter().map(|(text, tone)| {
            let cell = Cell::new(plain(&text.into()));
            match tone {
                Tone::Usual => cell,
                Tone::Good => cell.fg(Color::DarkGreen),
                Tone::Careful => cell.fg(Color::DarkYellow),
                Tone::Bad => cell.fg(Color::DarkRed),
                Tone::Faint => cell.add_attribute(Attribute::Dim),
            }
        }));
    }

    /// On stdout, without spaces at the ends of lines.
    pub(crate) fn print(&self) {
        for line in self.0.lines() {
            styled(line.trim_end());
        }
    }
}

/// What there is to know about one thing, a line each.
pub(crate) struct Facts(Table);

impl Facts {
    pub(crate) fn new() -> Facts {
        Facts(Table::empty())
    }

    pub(crate) fn add(&mut self, name: &str, value: impl Into<String>) {
        self.toned(name, value, Tone::Usual);
    }

    pub(crate) fn toned(&mut self, name: &str, value: impl Into<String>, tone: Tone) {
        self.0.toned([(name.to_owned(), Tone::Faint), (value.into(), tone)]);
    }

    /// The same where there is one.
    pub(crate) fn maybe(&mut self, name: &str, value: Option<impl Into<String>>) {
        if let Some(value) = value {
            self.add(name, value);
        }
    }

    pub(crate) fn print(mut self) {
        self.0.spaced(2);
        self.0.print();
    }
}
