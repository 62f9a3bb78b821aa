//! Sealed rows: what old entries came to, in their place, and which entries they were.
//! The sums stay as they are: a sealed row adds up to what its entries did.

use jiff::Timestamp;
use ledger::Day;
use rusqlite::{Connection, OptionalExtension, Result, Row, named_params, params};
use sha2::{Digest as _, Sha256};
use store::{Entry, Outcome, Place, Seal, SealedRow, Sealing, Tokens, may_seal};

use crate::fields::{Fields, micros, stored};
use crate::{audit_log, entries};

macro_rules! columns {
    () => {
        "day, key, workspace, creator, model, provider, upstream_model, entries, requests, \
         credits, byok, prompt_tokens, completion_tokens, cached_tokens, cache_write_tokens, \
         reasoning_tokens, last_used_at"
    };
}

const MICROS_PER_DAY: i64 = 86_400_000_000;

const PUT: &str = concat!(
    "INSERT OR REPLACE INTO sealed (",
    columns!(),
    ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
);

const OF_SAME_SUM: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM sealed WHERE day = ? AND key = ? AND workspace = ? AND creator = ? AND model = ?
        AND provider = ? AND upstream_model = ?"
);

/// Every sealed row, in the order of an export.
pub(crate) const ALL: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM sealed ORDER BY day, key, workspace, creator, model, provider, upstream_model"
);

/// Where the next entries stand, in the order of their admission.
const PLACES: &str = "
    SELECT admitted_at, generation, attempt, kind FROM entries
    WHERE admitted_at >= :admitted_at AND admitted_at < :before
      AND (admitted_at, generation, attempt, kind) > (:admitted_at, :generation, :attempt, :kind)
    ORDER BY admitted_at, generation, attempt, kind LIMIT :most";

/// Entries looked at in one go where they are only counted.
const COUNTED_MAX: usize = 1_000;

/// Seals what may be of a batch.
pub(crate) fn seal(connection: &Connection, seal: &Seal) -> Result<Outcome> {
    let (sealing, generations) =
        looked_at(connection, seal.before, seal.from.as_ref(), seal.rows_max)?;
    let rows = || generations.iter().flatten();
    for row in rows() {
        connection
            .prepare_cached("INSERT OR IGNORE INTO sealed_entries (admitted_at, id) VALUES (?, ?)")?
            .execute(params![micros(row.admitted_at), id(row)])?;
        connection
            .prepare_cached(
                "DELETE FROM entries WHERE generation = ? AND attempt = ? AND kind = ?",
            )?
            .execute(params![row.generation, row.attempt, entries::number(row.kind)])?;
    }
    let mut sums: Vec<SealedRow> = rows().map(SealedRow::of).collect();
    sums.sort_by(|one, other| one.sum().cmp(&other.sum()));
    sums.dedup_by(|more, sum| {
        let is_same = more.sum() == sum.sum();
        if is_same {
            sum.add(more);
        }
        is_same
    });
    sums.into_iter().try_for_each(|sum| add(connection, sum))?;
    if let Some(row) = seal.audit.as_ref().filter(|_| sealing.rows > 0) {
        audit_log::insert(connection, row)?;
    }
    Ok(Outcome::Sealed(sealing))
}

/// What sealing all entries from before a day would come to.
pub(crate) fn sealable(connection: &Connection, before: Day) -> Result<Sealing> {
    let mut all = Sealing::default();
    loop {
        all.add(looked_at(connection, before, all.next.as_ref(), COUNTED_MAX)?.0);
        if all.next.is_none() {
            return Ok(all);
        }
    }
}

/// The latest admission among the sealed entries: what was admitted after it was never sealed.
pub(crate) fn newest(connection: &Connection) -> Result<Option<Timestamp>> {
    connection
        .prepare_cached("SELECT max(admitted_at) FROM sealed_entries")?
        .query_row([], |row| Fields::of(row).optional_time())
}

/// Whether `entry` was sealed.
pub(crate) fn is_known(connection: &Connection, entry: &Entry) -> Result<bool> {
    // Of what was sealed before the admission was kept, the day's last microsecond stands for it.
    let day_end = (i64::from(entry.day().number()) + 1) * MICROS_PER_DAY - 1;
    connection
        .prepare_cached("SELECT 1 FROM sealed_entries WHERE admitted_at IN (?, ?) AND id = ?")?
        .exists(params![micros(entry.admitted_at), day_end, id(entry)])
}

/// One sealed row, its columns as listed above.
pub(crate) fn read(row: &Row<'_>) -> Result<SealedRow> {
    let mut fields = Fields::of(row);
    Ok(SealedRow {
        day: Day::from_number(fields.next()?),
        key: fields.hash()?,
        workspace: fields.uuid()?,
        creator: fields.next::<Option<String>>()?.filter(|creator| !creator.is_empty()),
        model: fields.next()?,
        provider: fields.next()?,
        upstream_model: fields.next()?,
        rows: fields.count()?,
        requests: fields.count()?,
        cost: fields.amounts()?,
        tokens: Tokens {
            prompt: fields.count()?,
            completion: fields.count()?,
            cached: fields.count()?,
            cache_write: fields.count()?,
            reasoning: fields.count()?,
        },
        last_used_at: fields.optional_time()?,
    })
}

/// What the first `rows_max` entries after `from` come to, and the generations that may be sealed.
fn looked_at(
    connection: &Connection,
    before: Day,
    from: Option<&Place>,
    rows_max: usize,
) -> Result<(Sealing, Vec<Vec<Entry>>)> {
    // One more than are looked at says whether there are more.
    let most = i64::try_from(rows_max).unwrap_or(i64::MAX).saturating_add(1);
    let mut statement = connection.prepare_cached(PLACES)?;
    let places = statement.query_map(
        named_params! {
            ":admitted_at": from.map_or(i64::MIN, |from| micros(from.admitted_at)),
            ":before": micros(before.start()),
            ":generation": from.map_or("", |from| from.generation.as_str()),
            ":attempt": from.map_or(0, |from| from.attempt),
            ":kind": from.map_or(0, |from| entries::number(from.kind)),
            ":most": most,
        },
        place,
    )?;
    let mut places: Vec<Place> = places.collect::<Result<_>>()?;
    let mut sealing = Sealing::default();
    if places.len() > rows_max {
        places.truncate(rows_max);
        sealing.next = places.last().cloned();
    }
    let mut generations = Vec::new();
    for place in places {
        let rows = entries::generation(connection, &place.generation)?;
        // A generation is looked at once, where its first row stands.
        if rows.iter().map(Place::of).min() == Some(place) {
            let is_sealed = may_seal(&rows, before);
            sealing.count(rows.len(), is_sealed);
            generations.extend(is_sealed.then_some(rows));
        }
    }
    Ok((sealing, generations))
}

fn place(row: &Row<'_>) -> Result<Place> {
    let mut fields = Fields::of(row);
    Ok(Place {
        admitted_at: fields.time()?,
        generation: fields.next()?,
        attempt: fields.count()?,
        kind: entries::kind(fields.count()?),
    })
}

/// Adds to the sealed row of the same sum, or makes it.
fn add(connection: &Connection, more: SealedRow) -> Result<()> {
    let creator = more.creator.clone().unwrap_or_default();
    let kept = connection
        .prepare_cached(OF_SAME_SUM)?
        .query_row(
            params![
                more.day.number(),
                more.key.0,
                more.workspace.as_bytes(),
                creator,
                more.model,
                more.provider,
                more.upstream_model,
            ],
            read,
        )
        .optional()?;
    let sum = match kept {
        Some(mut sum) => {
            sum.add(&more);
            sum
        }
        None => more,
    };
    connection.prepare_cached(PUT)?.execute(params![
        sum.day.number(),
        sum.key.0,
        sum.workspace.as_bytes(),
        creator,
        sum.model,
        sum.provider,
        sum.upstream_model,
        stored(sum.rows),
        stored(sum.requests),
        sum.cost.credits.as_nanos(),
        sum.cost.byok.as_nanos(),
        stored(sum.tokens.prompt),
        stored(sum.tokens.completion),
        stored(sum.tokens.cached),
        stored(sum.tokens.cache_write),
        stored(sum.tokens.reasoning),
        sum.last_used_at.map(micros),
    ])?;
    Ok(())
}

/// What tells an entry from others of its microsecond, in a fraction of its room. In the order of
/// their admission, entries that are sealed together are side by side.
fn id(entry: &Entry) -> [u8; 8] {
    let mut hash = Sha256::new();
    hash.update(entry.attempt.to_le_bytes());
    hash.update(entries::number(entry.kind).to_le_bytes());
    hash.update(&entry.generation);
    let hash: [u8; 32] = hash.finalize().into();
    let mut id = [0; 8];
    id.copy_from_slice(&hash[..8]);
    id
}
