//! The machine: the disk and how fast it syncs, and how many files a process may have open.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use gateway::config::Config;

use super::{Check, bytes};

/// Free space below which a commit may soon fail, and below which something should be done.
const FREE_BYTES_MIN: u64 = 128 << 20;
const FREE_BYTES_LOW: u64 = 1 << 30;
/// How often a sync is tried, and of how many bytes.
const SYNCS: usize = 20;
const SYNC_BYTES: usize = 4_096;
/// An answer's last byte waits for a sync: longer ones are felt.
const SYNC_SLOW: Duration = Duration::from_millis(20);
/// No disk is as fast as this: what answers sooner has not written.
const SYNC_PLAUSIBLE: Duration = Duration::from_micros(15);
/// Files that are open besides those of requests.
const FILES_BESIDES: u64 = 100;

/// The file system that the book is on, and the room there.
pub(super) fn disk(folder: &Path, database: &Path) -> Vec<Check> {
    let space = match rustix::fs::statvfs(folder) {
        Ok(found) => {
            let book = fs::metadata(database).map_or(0, |file| file.len());
            space(found.f_bavail.saturating_mul(found.f_frsize), book)
        }
        Err(error) => unreadable(folder, &error.into()),
    };
    [space].into_iter().chain(file_system_of(folder)).collect()
}

fn unreadable(folder: &Path, error: &io::Error) -> Check {
    Check::problem(
        "disk",
        format!("{} can't be looked at: {error}", folder.display()),
        "make the folder, and give it to the user that serves",
    )
}

fn space(free: u64, book: u64) -> Check {
    const NAME: &str = "disk";
    let found = format!("{} free; the book has {}", bytes(free), bytes(book));
    if free < FREE_BYTES_MIN {
        Check::problem(NAME, found, "make room: what can't be written is not admitted")
    } else if free < FREE_BYTES_LOW {
        Check::warning(NAME, found, "make room, or set `store.retention_days`")
    } else {
        Check::fine(NAME, found)
    }
}

#[cfg(target_os = "linux")]
fn file_system_of(folder: &Path) -> Option<Check> {
    let found = rustix::fs::statfs(folder).ok()?;
    // The field's type differs from machine to machine; a magic number has 32 bits.
    let kind = i128::from(found.f_type) & i128::from(u32::MAX);
    file_system(u32::try_from(kind).ok()?)
}

#[cfg(not(target_os = "linux"))]
fn file_system_of(_folder: &Path) -> Option<Check> {
    None
}

/// What there is to say of a file system of that kind, by its magic number.
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only Linux has the numbers"))]
fn file_system(kind: u32) -> Option<Check> {
    const NAME: &str = "disk";
    match kind {
        0x0102_1994 => Some(Check::warning(
            NAME,
            "the book is in memory (tmpfs): it is gone with the machine",
            "put it on a disk",
        )),
        0x6969 | 0x517b | 0xff53_4d42 | 0xfe53_4d42 => Some(Check::problem(
            NAME,
            "the book is on a network file system, where SQLite's locks and log can't be relied on",
            "put it on a local disk",
        )),
        _ => None,
    }
}

/// How long a small write takes to be on the disk, beside the book.
pub(super) fn sync(folder: &Path) -> Check {
    match synced(folder) {
        Ok(mut taken) => {
            taken.sort_unstable();
            let middle = taken.get(taken.len() / 2).copied().unwrap_or_default();
            let longest = taken.last().copied().unwrap_or_default();
            speed(middle, longest)
        }
        Err(error) => Check::problem(
            "sync",
            format!("nothing can be written in {}: {error}", folder.display()),
            "make room there, and give the folder to the user that serves",
        ),
    }
}

fn synced(folder: &Path) -> io::Result<Vec<Duration>> {
    let mut file: File = tempfile::tempfile_in(folder)?;
    let mut taken = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        file.write_all(&[0x5a; SYNC_BYTES])?;
        let began = Instant::now();
        file.sync_data()?;
        taken.push(began.elapsed());
    }
    Ok(taken)
}

fn speed(middle: Duration, longest: Duration) -> Check {
    const NAME: &str = "sync";
    let shown = |duration: Duration| match duration.as_micros() {
        micros @ 0..10_000 => format!("{micros} µs"),
        micros => format!("{} ms", micros / 1_000),
    };
    let found =
        format!("a write is on the disk after {}, at worst {}", shown(middle), shown(longest));
    if middle < SYNC_PLAUSIBLE {
        Check::warning(
            NAME,
            found,
            "no disk is as fast: it may say so before it has written, and a power cut then loses \
             settlements",
        )
    } else if middle > SYNC_SLOW {
        Check::warning(NAME, found, "every answer's last byte waits for this: take a faster disk")
    } else {
        Check::fine(NAME, found)
    }
}

/// How many files may be open: those of the server, where one runs, else those of this process.
pub(super) fn descriptors(config: &Config, server: Option<u32>) -> Check {
    let of_server = server.and_then(|process| {
        let limits = fs::read_to_string(format!("/proc/{process}/limits")).ok()?;
        let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
        Some((line.split_whitespace().next()?.parse().unwrap_or(u64::MAX), "the server"))
    });
    let (limit, whose) = of_server.unwrap_or_else(|| {
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        (limit.current.unwrap_or(u64::MAX), "a process started from here")
    });
    enough_descriptors(limit, whose, config.bounds.in_flight_max as u64)
}

fn enough_descriptors(limit: u64, whose: &str, in_flight_max: u64) -> Check {
    const NAME: &str = "open files";
    // A client's connection and a provider's.
    let needed = in_flight_max.saturating_mul(2).saturating_add(FILES_BESIDES);
    let shown = if limit == u64::MAX { "any number of".to_owned() } else { limit.to_string() };
    let found = format!(
        "{whose} may have {shown} files open; {in_flight_max} requests in flight need {needed}"
    );
    if limit >= needed {
        return Check::fine(NAME, found);
    }
    let advice =
        format!("LimitNOFILE={needed} or `ulimit -n {needed}`, or lower `bounds.in_flight_max`");
    Check::warning(NAME, found, advice)
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn little_room_is_warned_of_and_none_is_a_problem() {
        for (free, state) in [
            (0, State::Problem),
            (FREE_BYTES_MIN - 1, State::Problem),
            (FREE_BYTES_MIN, State::Warning),
            (FREE_BYTES_LOW - 1, State::Warning),
            (FREE_BYTES_LOW, State::Fine),
        ] {
            assert_eq!(space(free, 1).state, state, "{free}");
        }
        assert_eq!(space(3 << 30, 20_000).found, "3072 MiB free; the book has 19 KiB");
    }

    #[test]
    fn a_disk_that_is_slow_or_lies_is_warned_of() {
        let longest = Duration::from_millis(30);
        for (micros, state) in [
            (1, State::Warning),
            (15, State::Fine),
            (20_000, State::Fine),
            (20_001, State::Warning),
        ] {
            assert_eq!(speed(Duration::from_micros(micros), longest).state, state, "{micros}");
        }
        let found = speed(Duration::from_micros(900), longest).found;
        assert_eq!(found, "a write is on the disk after 900 µs, at worst 30 ms");
    }

    #[test]
    fn memory_and_the_network_are_no_place_for_the_book() {
        assert_eq!(file_system(0x0102_1994).map(|check| check.state), Some(State::Warning));
        assert_eq!(file_system(0x6969).map(|check| check.state), Some(State::Problem));
        assert_eq!(file_system(0xef53), None);
    }

    #[test]
    fn as_many_files_may_be_open_as_requests_need() {
        for (limit, state) in
            [(1_024, State::Warning), (20_100, State::Fine), (u64::MAX, State::Fine)]
        {
            assert_eq!(enough_descriptors(limit, "it", 10_000).state, state, "{limit}");
        }
        assert_eq!(enough_descriptors(1_024, "it", 400).state, State::Fine);
    }
}
