//! A tollgate process of a test's own: started, killed, ended and started again over one book.
//! It has a folder, a port and a management key, and leaves nothing behind.

mod builder;
mod config;
mod port;

use std::ffi::{OsStr, OsString};
use std::fs::OpenOptions;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

pub use builder::Builder;

use crate::client::Client;
use port::Port;

/// How long a process may take to exit once it was told to.
const EXIT_WITHIN: Duration = Duration::from_secs(60);
/// How often a process is looked at while something is expected of it.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// How many ports are tried before a clash fails the test.
const STARTS_MAX: usize = 5;
/// How much of the log a failure shows.
const LOG_SHOWN_BYTES: usize = 8_000;

/// A running (or killed) `tollgate serve`, with its folder and its book.
///
/// The process is killed when this is dropped, and the folder deleted.
pub struct Tollgate {
    command: CommandLine,
    folder: TempDir,
    management_key: String,
    config: String,
    ready_within: Duration,
    port: Port,
    child: Option<Child>,
}

/// The program and what every run of it gets.
struct CommandLine {
    binary: PathBuf,
    wrapper: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
}

impl Tollgate {
    /// A tollgate to be started from that binary.
    pub fn builder(binary: impl Into<PathBuf>) -> Builder {
        Builder::new(binary.into())
    }

    /// A client of its API.
    pub fn client(&self) -> Client {
        Client::new(self.address())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port.number()))
    }

    /// The text of the management key it was first started with.
    pub fn management_key(&self) -> &str {
        &self.management_key
    }

    /// Its folder: the configuration file, the book and the log.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its configuration file.
    pub fn config_path(&self) -> PathBuf {
        self.folder().join("tollgate.toml")
    }

    /// All it wrote to stdout and stderr so far, over all its starts.
    pub fn log(&self) -> String {
        let bytes = std::fs::read(self.log_path()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The id of the running process.
    ///
    /// A wrapper that replaces itself (`env`, `nice`, `faketime`) has the id of what it runs.
    ///
    /// # Panics
    /// Where none is running.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("no tollgate is running").id()
    }

    /// Sets an environment variable for the next start and every command.
    pub fn set_env(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) {
        self.command.env.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
    }

    /// Kills the process with SIGKILL and waits until it is gone; no matter, where none is running.
    pub fn kill9(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It fails only where the process has ended by itself, and that is waited for too.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Ends the process with SIGTERM and waits for it to exit.
    ///
    /// # Panics
    /// Where it does not exit with 0 within a minute, or none is running.
    pub async fn term(&mut self) {
        let child = self.child.as_ref().expect("no tollgate is running");
        kill_process(Pid::from_child(child), Signal::TERM).expect("a signal to an own child");
        let status = self.ended().await;
        assert!(status.success(), "tollgate ended with {status}: {}", self.log_end());
    }

    /// Waits for the process to end by itself, and says how it did.
    ///
    /// # Panics
    /// Where it does not end within a minute, or none is running.
    pub async fn ended(&mut self) -> ExitStatus {
        assert!(self.child.is_some(), "no tollgate is running");
        let deadline = Instant::now() + EXIT_WITHIN;
        loop {
            if let Some(status) = self.exited() {
                return status;
            }
            assert!(Instant::now() < deadline, "tollgate does not end: {}", self.log_end());
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Whether the process runs; one that has ended is gone from here then.
    pub fn is_running(&mut self) -> bool {
        self.child.is_some() && self.exited().is_none()
    }

    /// Starts it again on the same book, configuration and port, killing what still runs.
    ///
    /// # Panics
    /// Where it does not become ready, as [`Builder::start`]. A port that another process has taken
    /// meanwhile is replaced: ask for [`Tollgate::client`] anew.
    pub async fn restart(&mut self) {
        self.kill9();
        self.start().await;
    }

    /// Runs `tollgate audit --config FILE` and returns its exit status and output.
    ///
    /// # Panics
    /// Where it cannot be run at all.
    pub async fn audit(&self) -> Output {
        self.run(["audit"]).await
    }

    /// Runs another command of the same binary, `--config FILE` added at its end.
    ///
    /// # Panics
    /// Where it cannot be run at all.
    pub async fn run(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Output {
        let mut command = self.command(arguments);
        let ran = tokio::task::spawn_blocking(move || command.output()).await;
        ran.expect("a thread for the command").expect("a binary that runs")
    }

    /// The same command, still to be run, or to be left running beside the test.
    pub fn command(&self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        let mut command = self.command.build();
        command.args(arguments).arg("--config").arg(self.config_path());
        command.current_dir(self.folder()).stdin(Stdio::null());
        command
    }

    async fn start(&mut self) {
        for _ in 0..STARTS_MAX {
            let text = config::complete(&self.config, self.address());
            std::fs::write(self.config_path(), text).expect("a configuration file");
            let log_start = self.log().len();
            self.child = Some(self.spawn().expect("a binary that runs"));
            if self.until_ready().await {
                return;
            }
            let log = self.log();
            let log = &log[log_start.min(log.len())..];
            let is_clash = log.to_lowercase().contains("in use");
            assert!(is_clash, "tollgate ended before it was ready: {log}");
            self.port = Port::reserve();
        }
        panic!("no port was free for tollgate: {}", self.log_end());
    }

    fn spawn(&self) -> io::Result<Child> {
        let log = OpenOptions::new().create(true).append(true).open(self.log_path())?;
        let mut command = self.command.build();
        command.arg("serve").arg("--config").arg(self.config_path());
        command.env("TOLLGATE_MANAGEMENT_KEY", &self.management_key);
        command.current_dir(self.folder()).stdin(Stdio::null());
        command.stdout(log.try_clone()?).stderr(log).spawn()
    }

    /// Waits until it answers that it is ready; false where it ended before.
    async fn until_ready(&mut self) -> bool {
        let client = self.client().below("");
        let deadline = Instant::now() + self.ready_within;
        loop {
            if self.exited().is_some() {
                return false;
            }
            if client.get(None, "/ready").await.is_ok_and(|answer| answer.status == 200) {
                return true;
            }
            assert!(Instant::now() < deadline, "tollgate is not ready: {}", self.log_end());
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// How the process ended, where it has; it is gone from here then.
    fn exited(&mut self) -> Option<ExitStatus> {
        let child = self.child.as_mut()?;
        let status = child.try_wait().expect("an own child's state")?;
        self.child = None;
        Some(status)
    }

    fn log_path(&self) -> PathBuf {
        self.folder().join("output.log")
    }

    fn log_end(&self) -> String {
        let log = self.log();
        log[log.ceil_char_boundary(log.len().saturating_sub(LOG_SHOWN_BYTES))..].to_owned()
    }
}

impl Drop for Tollgate {
    fn drop(&mut self) {
        self.kill9();
    }
}

impl CommandLine {
    /// The command up to the binary's own arguments, without the tester's own settings.
    fn build(&self) -> Command {
        let mut words = self.wrapper.iter().map(OsString::as_os_str);
        let mut command = match words.next() {
            Some(wrapper) => {
                let mut command = Command::new(wrapper);
                command.args(words).arg(&self.binary);
                command
            }
            None => Command::new(&self.binary),
        };
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("TOLLGATE_") {
                command.env_remove(name);
            }
        }
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }
}
