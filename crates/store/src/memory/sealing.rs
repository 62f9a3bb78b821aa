//! Sealing as it reads: walk the rows in order, and put what may go into its sealed row.

use ledger::Day;

use super::book::Book;
use crate::{Entry, Outcome, Place, Seal, SealedRow, Sealing, may_seal};

impl Book {
    pub(super) fn seal(&mut self, seal: &Seal) -> Outcome {
        let (sealing, generations) = self.looked_at(seal.before, seal.from.as_ref(), seal.rows_max);
        for row in generations.iter().flatten() {
            self.sealed_ids.push((row.generation.clone(), row.attempt, row.kind));
            let more = SealedRow::of(row);
            match self.sealed.iter_mut().find(|kept| kept.sum() == more.sum()) {
                Some(kept) => kept.add(&more),
                None => self.sealed.push(more),
            }
            self.entries.retain(|kept| Place::of(kept) != Place::of(row));
        }
        if sealing.rows > 0 {
            self.audit_log.extend(seal.audit.clone());
        }
        Outcome::Sealed(sealing)
    }

    pub(super) fn sealable(&self, before: Day) -> Sealing {
        self.looked_at(before, None, usize::MAX).0
    }

    /// What the first `rows_max` rows after `from` come to, and the generations to be sealed.
    fn looked_at(
        &self,
        before: Day,
        from: Option<&Place>,
        rows_max: usize,
    ) -> (Sealing, Vec<Vec<Entry>>) {
        let mut places: Vec<Place> = self
            .entries
            .iter()
            .filter(|entry| entry.day() < before)
            .map(Place::of)
            .filter(|place| from.is_none_or(|from| place > from))
            .collect();
        places.sort();
        let mut sealing = Sealing::default();
        if places.len() > rows_max {
            places.truncate(rows_max);
            sealing.next = places.last().cloned();
        }
        let mut generations = Vec::new();
        for place in places {
            let rows = self.generation(&place.generation);
            // A generation is looked at once, where its first row stands.
            if rows.iter().map(Place::of).min() == Some(place) {
                let is_sealed = may_seal(&rows, before);
                sealing.count(rows.len(), is_sealed);
                generations.extend(is_sealed.then_some(rows));
            }
        }
        (sealing, generations)
    }
}
