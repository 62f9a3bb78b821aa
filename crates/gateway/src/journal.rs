//! The record of holds: a file of fixed slots, one written before each request goes to a provider.
//!
//! What is written has reached the operating system, so it survives kill -9; it need not wait for
//! the disk (DESIGN step 7; SPIKES C.vii). A slot is free once its settlement is durable. It is
//! then only overwritten, or cleared once the writer has had nothing to do for a while: a slot whose
//! generation is in the book already is found settled at the next start and changes nothing.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use ledger::{Amounts, Dispatched, Hold};
use money::Money;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use store::{ApiType, KeyHash};
use uuid::Uuid;

use crate::core::OnBroken;

mod sync;
use sync::Syncer;

/// A slot's size; a record that does not fit is refused before anything is sent.
const SLOT_BYTES: usize = 2_048;
const HEADER_BYTES: usize = 8;
/// The version of a record's form; one of an unknown version is not read.
const VERSION: u8 = 3;
/// The form before there were owners' credentials: without its last field.
const VERSION_WITHOUT_CREDENTIAL: u8 = 2;
/// The form before there was anything but chat completions: without its last two fields.
const VERSION_WITHOUT_API_TYPE: u8 = 1;
/// Records cleared in one go, so that the writer is soon back at its queue.
const SWEEP_SLOTS: usize = 64;

/// What a hold's record says: enough to settle it without the process that wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldRecord {
    /// The generation's public id.
    pub generation: String,
    /// Which attempt of it.
    pub attempt: u32,
    /// The key that pays.
    pub key: [u8; 32],
    /// The workspace it was in at admission.
    pub workspace: [u8; 16],
    /// The member it was made for.
    pub creator: Option<String>,
    /// The gateway's model id.
    pub model: String,
    /// The provider's slug.
    pub provider: String,
    /// The provider's name for the model.
    pub upstream_model: String,
    /// When the request was admitted, in microseconds since the epoch.
    pub admitted_us: i64,
    /// The worst case in credits, in nano-dollars.
    pub credits: i64,
    /// The worst case as BYOK use, in nano-dollars.
    pub byok: i64,
    /// Whether the client asked for a stream.
    pub streamed: bool,
    /// What was asked for.
    pub api_type: ApiType,
    /// The owner's credential it goes with; `None` for the operator's own.
    pub credential: Option<[u8; 16]>,
}

impl HoldRecord {
    /// What it sets aside.
    pub fn held(&self) -> Amounts {
        Amounts { credits: Money::nanos(self.credits), byok: Money::nanos(self.byok) }
    }

    /// The row that settles this hold in full, for a process that ended while it was open.
    pub fn interrupted(&self) -> store::Entry {
        let held = self.held();
        store::Entry {
            generation: self.generation.clone(),
            api_type: self.api_type,
            attempt: self.attempt,
            kind: store::Kind::Attempt,
            key: KeyHash(self.key),
            workspace: Uuid::from_bytes(self.workspace),
            creator: self.creator.clone(),
            model: self.model.clone(),
            provider: self.provider.clone(),
            upstream_model: self.upstream_model.clone(),
            credential: self.credential.map(Uuid::from_bytes),
            admitted_at: Timestamp::from_microsecond(self.admitted_us)
                .unwrap_or(Timestamp::UNIX_EPOCH),
            cost: held,
            held,
            source: store::Source::Interrupted,
            tokens: store::Tokens::default(),
            cache_discount: None,
            upstream_id: None,
            streamed: self.streamed,
            cancelled: false,
            finish_reason: None,
            latency_ms: 0,
            generation_ms: 0,
            attempts: Vec::new(),
            referer: None,
            user_agent: None,
            session: None,
        }
    }
}

/// The file of slots.
pub struct Journal {
    file: Arc<File>,
    free: Mutex<Free>,
    syncer: Option<Syncer>,
}

struct Free {
    /// Slots to use again, the latest freed first, so that few are ever touched.
    slots: Vec<u32>,
    /// Slots never used by this process start here.
    next: u32,
    most: u32,
    /// Whether a free slot's old record still stands, by slot; and of how many it does.
    stale: Vec<bool>,
    stale_count: usize,
    open: OpenHolds,
}

impl Free {
    fn take(&mut self) -> Option<u32> {
        let slot = match self.slots.pop() {
            Some(slot) => slot,
            None if self.next == self.most => return None,
            None => {
                self.next += 1;
                self.stale.push(false);
                self.next - 1
            }
        };
        self.set_stale(slot, false);
        Some(slot)
    }

    fn give_back(&mut self, slot: u32, is_stale: bool) {
        self.slots.push(slot);
        self.set_stale(slot, is_stale);
    }

    /// The hold in `slot` has ended.
    fn end(&mut self, slot: &Slot, is_stale: bool) {
        self.open.count -= 1;
        self.open.held = self.open.held.saturating_sub(slot.held);
        self.give_back(slot.number, is_stale);
    }

    fn is_stale(&self, slot: u32) -> bool {
        usize::try_from(slot).is_ok_and(|slot| self.stale.get(slot) == Some(&true))
    }

    fn set_stale(&mut self, slot: u32, is_stale: bool) {
        let Some(flag) = usize::try_from(slot).ok().and_then(|slot| self.stale.get_mut(slot))
        else {
            return;
        };
        match (std::mem::replace(flag, is_stale), is_stale) {
            (false, true) => self.stale_count += 1,
            (true, false) => self.stale_count -= 1,
            _ => {}
        }
    }
}

/// Holds that have a slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenHolds {
    /// How many there are.
    pub count: usize,
    /// What they hold in all.
    pub held: Amounts,
}

/// What an earlier process left on hold.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct LeftBehind {
    /// Its records.
    pub records: Vec<HoldRecord>,
    /// Slots that hold something else: torn by a power cut, or of another version.
    pub unreadable: usize,
}

impl LeftBehind {
    /// The records that stand in the file at `path`, whoever writes to it; none where it is not
    /// there. A request in flight all the while is among them.
    pub fn at(path: &Path) -> io::Result<LeftBehind> {
        match File::open(path) {
            Ok(file) => LeftBehind::in_file(&file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(LeftBehind::default()),
            Err(error) => Err(error),
        }
    }

    fn in_file(file: &File) -> io::Result<LeftBehind> {
        let mut left = LeftBehind::default();
        let mut slot = [0; SLOT_BYTES];
        for start in (0_u64..).step_by(SLOT_BYTES) {
            let mut end = 0;
            while let read @ 1.. = file.read_at(&mut slot[end..], start + end as u64)? {
                end += read;
            }
            match decode(&slot[..end]) {
                Some(record) => left.records.push(record),
                None if slot[..end.min(HEADER_BYTES)].iter().any(|byte| *byte != 0) => {
                    left.unreadable += 1;
                }
                None => {}
            }
            if end < SLOT_BYTES {
                break;
            }
        }
        Ok(left)
    }
}

/// A slot in use. It is given back by [`Journal::free`], or kept for the next start.
#[derive(Debug)]
pub struct Slot {
    number: u32,
    held: Amounts,
}

impl Slot {
    /// Its place in the file.
    #[cfg(test)]
    pub(crate) fn number(&self) -> u32 {
        self.number
    }
}

impl Journal {
    /// Opens the file at `path`, made where there is none, for at most `slots_max` holds at once.
    /// `hold_sync` makes every record wait for the disk.
    ///
    /// `on_broken` is called where a sync failed: what was written is then not known.
    pub fn open(
        path: &Path,
        slots_max: usize,
        hold_sync: bool,
        on_broken: OnBroken,
    ) -> io::Result<Journal> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        // The folder's entry for a new file must outlive the machine as well.
        let folder = Path::new(".").join(path.parent().unwrap_or(Path::new("")));
        File::open(folder)?.sync_all()?;
        let file = Arc::new(file);
        let most = u32::try_from(slots_max).unwrap_or(u32::MAX);
        let syncer =
            if hold_sync { Some(Syncer::start(Arc::clone(&file), on_broken)?) } else { None };
        let free = Free {
            slots: Vec::new(),
            next: 0,
            most,
            stale: Vec::new(),
            stale_count: 0,
            open: OpenHolds::default(),
        };
        Ok(Journal { file, free: Mutex::new(free), syncer })
    }

    /// The records an earlier process left, to be settled before [`Journal::clear`].
    pub fn left_behind(&self) -> io::Result<LeftBehind> {
        LeftBehind::in_file(&self.file)
    }

    /// Forgets every record. Only once all that was [left behind](Journal::left_behind) is settled.
    pub fn clear(&self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.sync_all()
    }

    /// A slot for a hold of so much, or `None` where all are in use.
    pub fn reserve(&self, held: Amounts) -> Option<Slot> {
        let mut free = self.free.lock();
        let number = free.take()?;
        free.open.count += 1;
        free.open.held = free.open.held.saturating_add(held);
        Some(Slot { number, held })
    }

    /// The holds that have a slot now.
    pub fn open_holds(&self) -> OpenHolds {
        self.free.lock().open
    }

    /// Records `hold` in `slot` and marks it dispatched: the only way to a proof that the transport
    /// sends for. The record is out of this process's hands when the proof is returned.
    pub async fn dispatch(
        &self,
        slot: &Slot,
        hold: Hold,
        record: &HoldRecord,
    ) -> Result<Dispatched, (io::Error, Hold)> {
        let written = self.write(slot, record);
        let written = match (&self.syncer, written) {
            (Some(syncer), Ok(())) => syncer.synced().await,
            (_, written) => written,
        };
        match written {
            #[expect(clippy::disallowed_methods, reason = "the hold was recorded just above")]
            Ok(()) => Ok(hold.mark_dispatched()),
            Err(error) => Err((error, hold)),
        }
    }

    fn write(&self, slot: &Slot, record: &HoldRecord) -> io::Result<()> {
        let mut bytes = [0; SLOT_BYTES];
        let bytes = encode(record, &mut bytes)?;
        self.file.write_all_at(bytes, u64::from(slot.number) * SLOT_BYTES as u64)
    }

    /// Gives a slot back: its hold was settled durably, or nothing was billed for it.
    #[expect(clippy::needless_pass_by_value, reason = "a slot that was given back is used up")]
    pub fn free(&self, slot: Slot) {
        self.free.lock().end(&slot, true);
    }

    /// Clears the record of a hold that nothing was billed for, and gives its slot back. Unlike one
    /// that was settled, such a record would be charged at the next start.
    #[expect(clippy::needless_pass_by_value, reason = "a slot that was given back is used up")]
    pub fn release(&self, slot: Slot) -> io::Result<()> {
        let erased = self.erase(slot.number);
        // One that could not be erased is tried again by the sweep.
        self.free.lock().end(&slot, erased.is_err());
        erased
    }

    /// Whether settled records stand that nobody has overwritten.
    pub fn has_stale(&self) -> bool {
        self.free.lock().stale_count > 0
    }

    /// Clears some records that are settled, for when there is time: a row may leave the book by
    /// retention, and its record must not outlive it.
    pub fn sweep(&self) {
        let mut swept = Vec::with_capacity(SWEEP_SLOTS);
        {
            let mut free = self.free.lock();
            let due = free.stale_count.min(SWEEP_SLOTS);
            // The slots freed last lie on top, and the stale ones among them.
            let mut kept = Vec::new();
            while swept.len() < due {
                let Some(slot) = free.slots.pop() else { break };
                if free.is_stale(slot) { swept.push(slot) } else { kept.push(slot) }
            }
            free.slots.extend(kept.into_iter().rev());
        }
        // Out of the list, nobody can take a slot while its old record is erased.
        for slot in swept {
            let erased = self.erase(slot);
            if let Err(error) = &erased {
                tracing::warn!(%error, "a settled hold's record was not cleared");
            }
            self.free.lock().give_back(slot, erased.is_err());
        }
    }

    fn erase(&self, slot: u32) -> io::Result<()> {
        self.file.write_all_at(&[0; HEADER_BYTES], u64::from(slot) * SLOT_BYTES as u64)
    }
}

/// Length, checksum, record, written to the front of `slot`. A torn or cleared slot fails the
/// checksum.
fn encode<'a>(record: &HoldRecord, slot: &'a mut [u8; SLOT_BYTES]) -> io::Result<&'a [u8]> {
    slot[HEADER_BYTES] = VERSION;
    let written = postcard::to_slice(record, &mut slot[HEADER_BYTES + 1..])
        .map_err(|cause| io::Error::other(format!("a hold's record does not fit: {cause}")))?;
    let end = HEADER_BYTES + 1 + written.len();
    let length = u32::try_from(end - HEADER_BYTES).map_err(io::Error::other)?;
    let checksum = crc32fast::hash(&slot[HEADER_BYTES..end]);
    slot[..4].copy_from_slice(&length.to_le_bytes());
    slot[4..HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
    Ok(&slot[..end])
}

fn decode(slot: &[u8]) -> Option<HoldRecord> {
    let (header, rest) = slot.split_first_chunk::<HEADER_BYTES>()?;
    let length = u32::from_le_bytes(header[..4].try_into().ok()?);
    let checksum = u32::from_le_bytes(header[4..].try_into().ok()?);
    let record = rest.get(..usize::try_from(length).ok()?)?;
    if length == 0 || crc32fast::hash(record) != checksum {
        return None;
    }
    let (version, record) = record.split_first()?;
    match *version {
        VERSION => postcard::from_bytes(record).ok(),
        // The first of its kinds, which is all there was, is written as a zero; so is nothing.
        VERSION_WITHOUT_CREDENTIAL => postcard::from_bytes(&[record, &[0]].concat()).ok(),
        VERSION_WITHOUT_API_TYPE => postcard::from_bytes(&[record, &[0, 0]].concat()).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
