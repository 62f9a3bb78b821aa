//! How a tollgate process is to be started.
//! What is not said is the same in every run, the management key too.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;

use super::port::Port;
use super::{CommandLine, Tollgate};

/// How long a start may take by itself.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// A tollgate about to be started.
pub struct Builder {
    command: CommandLine,
    config: String,
    key_seed: u64,
    ready_within: Duration,
}

impl Builder {
    pub(super) fn new(binary: PathBuf) -> Builder {
        let command = CommandLine { binary, wrapper: Vec::new(), env: Vec::new() };
        Builder { command, config: String::new(), key_seed: 1, ready_within: READY_WITHIN }
    }

    /// Adds TOML to the configuration.
    ///
    /// `server.listen`, and `store.url` where it is not said, are the harness's.
    pub fn config(mut self, toml: &str) -> Builder {
        self.config.push_str(toml);
        self.config.push('\n');
        self
    }

    /// Sets an environment variable for the server and every command.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Builder {
        self.command.env.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Runs the binary through another command, as `["faketime", "-f", "+1d"]`.
    ///
    /// It must replace itself by what it runs: signals go to the process that was started.
    pub fn wrapper(mut self, words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Builder {
        self.command.wrapper =
            words.into_iter().map(|word| OsString::from(word.as_ref())).collect();
        self
    }

    /// Draws another management key than the usual one.
    pub fn key_seed(mut self, seed: u64) -> Builder {
        self.key_seed = seed;
        self
    }

    /// Allows the start that long, in place of 30 seconds.
    pub fn ready_within(mut self, limit: Duration) -> Builder {
        self.ready_within = limit;
        self
    }

    /// Starts it in a new folder, and waits until it is ready.
    ///
    /// # Panics
    /// Where it ends or is not ready in time, with what it wrote.
    pub async fn start(self) -> Tollgate {
        let mut tollgate = Tollgate {
            command: self.command,
            folder: TempDir::with_prefix("tollgate-").expect("a folder for tollgate"),
            management_key: key_text(self.key_seed),
            config: self.config,
            ready_within: self.ready_within,
            port: Port::reserve(),
            child: None,
        };
        tollgate.start().await;
        tollgate
    }
}

/// A key's text drawn from a seed: the prefix and 64 lower-case hex digits.
fn key_text(seed: u64) -> String {
    // SplitMix64: four draws of 64 bits.
    let draw = |step: u64| {
        let mixed = seed.wrapping_add(step.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    };
    let digits: String = (1..=4).map(|step| format!("{:016x}", draw(step))).collect();
    format!("sk-or-v1-{digits}")
}

#[cfg(test)]
mod tests {
    use super::key_text;

    #[test]
    fn a_seed_always_draws_the_same_key_and_another_seed_another() {
        let key = key_text(1);
        assert_eq!(key, key_text(1));
        assert_ne!(key, key_text(2));
        let digits = key.strip_prefix("sk-or-v1-").expect("the prefix");
        assert_eq!(digits.len(), 64);
        assert!(digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')));
    }
}
