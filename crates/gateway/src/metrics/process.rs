//! What the operating system says of this process, from /proc; elsewhere there is none of it.

use std::fs;

/// Figures of a process, each where it is known.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Process {
    /// Memory in use, in bytes.
    pub(super) resident_bytes: Option<u64>,
    /// Open files, sockets included.
    pub(super) open_files: Option<u64>,
    /// The most files it may have open.
    pub(super) open_files_max: Option<u64>,
    /// Processor time used, in hundredths of a second.
    pub(super) cpu_centiseconds: Option<u64>,
    /// Its threads.
    pub(super) threads: Option<u64>,
}

impl Process {
    /// The figures of this process as they are now.
    pub(super) fn look() -> Process {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let open_files = fs::read_dir("/proc/self/fd").ok();
        Process {
            resident_bytes: first_number(&status, "VmRSS:").map(|kib| kib * 1_024),
            // Reading the folder takes one more.
            open_files: open_files.map(|files| (files.count() as u64).saturating_sub(1)),
            open_files_max: first_number(&limits, "Max open files"),
            cpu_centiseconds: cpu_centiseconds(&stat),
            threads: first_number(&status, "Threads:"),
        }
    }
}

/// The first number after `name` on the line that begins with it.
fn first_number(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// User and system time together. Linux counts them in hundredths of a second on every machine
/// that it tells processes about.
fn cpu_centiseconds(stat: &str) -> Option<u64> {
    // The second field is the program's name in brackets, which may hold anything.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    user.checked_add(system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_where_they_stand() {
        let status = "Name:\ta b\nVmRSS:\t   2048 kB\nThreads:\t7\n";
        assert_eq!(first_number(status, "VmRSS:"), Some(2_048));
        assert_eq!(first_number(status, "Threads:"), Some(7));
        assert_eq!(first_number(status, "VmSwap:"), None);
        let limits = "Max open files            1024                 524288               files\n";
        assert_eq!(first_number(limits, "Max open files"), Some(1_024));
        assert_eq!(
            first_number("Max open files            unlimited  unlimited\n", "Max open files"),
            None
        );
        let stat = "42 (a) b) S 1 42 42 0 -1 4194560 100 0 0 0 150 50 0 0 20 0 7 0 100 0 0";
        assert_eq!(cpu_centiseconds(stat), Some(200));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_them_all() {
        let process = Process::look();
        assert!(process.resident_bytes > Some(1 << 20), "{process:?}");
        assert!(process.open_files > Some(2), "{process:?}");
        assert!(process.threads >= Some(1), "{process:?}");
        assert!(process.cpu_centiseconds.is_some(), "{process:?}");
    }
}
