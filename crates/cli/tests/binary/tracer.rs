//! A system that fails: `strace` between a gateway's thread and the kernel, answering one of its
//! calls with an error, or killing the process at it.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long the tracer may take to have its thread.
const ATTACHED_WITHIN: Duration = Duration::from_secs(20);

/// A tracer of one thread, which goes with this or with the process.
pub(crate) struct Tracer(Child);

impl Tracer {
    /// Injects a fault into the thread of that name, as in `fdatasync:error=EIO:when=1`.
    pub(crate) fn of(pid: u32, thread: &str, inject: &str) -> Tracer {
        let thread = thread_of(pid, thread);
        let calls = inject.split(':').next().expect("a call");
        let mut command = Command::new("strace");
        command.args(["-qq", "-o", "/dev/null", "-p", &thread]);
        command.args(["-e", &format!("trace={calls}"), "-e", &format!("inject={inject}")]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut tracer = command.spawn().expect("strace, which scripts/system-packages installs");
        let status = format!("/proc/{pid}/task/{thread}/status");
        let deadline = Instant::now() + ATTACHED_WITHIN;
        while is_untraced(&status) {
            let ended = tracer.try_wait().expect("an own child's state");
            assert_eq!(ended, None, "strace can't trace; it may have to be root");
            assert!(Instant::now() < deadline, "strace does not attach");
            std::thread::sleep(Duration::from_millis(2));
        }
        Tracer(tracer)
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        // One whose process has ended has ended, too.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The number of a process's thread.
fn thread_of(pid: u32, name: &str) -> String {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("a process");
    let mut found = threads.filter_map(|thread| {
        let path = thread.ok()?.path();
        let own = fs::read_to_string(path.join("comm")).ok()?;
        (own.trim_end() == name)
            .then(|| path.file_name().map(|id| id.to_string_lossy().into_owned()))?
    });
    found.next().unwrap_or_else(|| panic!("no thread is called {name}"))
}

fn is_untraced(status: &str) -> bool {
    let status = fs::read_to_string(status).unwrap_or_default();
    status.lines().any(|line| line.split_whitespace().eq(["TracerPid:", "0"]))
}
