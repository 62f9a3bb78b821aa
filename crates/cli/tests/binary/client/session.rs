//! A person at a shell of their own: a home folder, a few variables, and what was said to them.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::world::World;

/// What of the test's own environment a command must not see.
const FOREIGN: [&str; 11] = [
    "TOLLGATE_",
    "OPENROUTER_",
    "XDG_",
    "NO_COLOR",
    "CLICOLOR",
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// A shell without any server to begin with.
pub(crate) struct Session {
    home: TempDir,
    variables: Vec<(String, String)>,
    /// What differs from run to run, and the word for it.
    names: Vec<(String, String)>,
}

impl Session {
    pub(crate) fn new() -> Session {
        let home = TempDir::with_prefix("tollgate-home-").expect("a folder");
        let path = home.path().canonicalize().expect("a folder");
        let names = vec![(path.display().to_string(), "HOME".to_owned())];
        Session { home, variables: Vec::new(), names }
    }

    /// One that asks `world` with that key.
    pub(crate) fn at(world: &World, key: &str) -> Session {
        Session::new()
            .set("TOLLGATE_URL", &url(world))
            .set("TOLLGATE_API_KEY", key)
            .named(&world.tollgate.address().to_string(), "SERVER")
    }

    /// One that administers `world`.
    pub(crate) fn of_manager(world: &World) -> Session {
        Session::at(world, world.tollgate.management_key())
    }

    pub(crate) fn set(mut self, name: &str, value: &str) -> Session {
        self.variables.retain(|(variable, _)| variable != name);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same, with a word for what differs from run to run.
    pub(crate) fn named(mut self, text: &str, name: &str) -> Session {
        self.names.push((text.to_owned(), name.to_owned()));
        self
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// A file in the home folder.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, text).expect("a file");
        path
    }

    /// The command of those arguments, still to be run.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if FOREIGN.iter().any(|foreign| name.starts_with(foreign)) {
                command.env_remove(name);
            }
        }
        command.env("HOME", self.home.path().canonicalize().expect("a folder"));
        command.args(arguments).envs(self.variables.iter().cloned());
        command.current_dir(self.home());
        command
    }

    /// What is said to a line of arguments.
    pub(crate) async fn say(&self, line: &str) -> String {
        self.pipe(line, "").await
    }

    /// What is said to a line of arguments with that on stdin.
    pub(crate) async fn pipe(&self, line: &str, stdin: &str) -> String {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        let told = self.run(&arguments, stdin).await;
        let told = format!("$ tollgate {}\n{told}", line.trim_end());
        self.names.iter().fold(told, |told, (text, name)| told.replace(text, name))
    }

    /// What those arguments print on stdout; they must succeed.
    pub(crate) async fn printed(&self, line: &str) -> String {
        let mut command = self.command(&line.split_whitespace().collect::<Vec<_>>());
        command.stdin(Stdio::null());
        let run = tokio::task::spawn_blocking(move || command.output());
        let output = run.await.expect("a thread").expect("a binary that runs");
        assert!(output.status.success(), "{line}: {}", crate::world::said(&output));
        String::from_utf8(output.stdout).expect("text")
    }

    async fn run(&self, arguments: &[&str], stdin: &str) -> String {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let stdin = stdin.to_owned();
        // The provider of the test answers on this thread meanwhile.
        let run = tokio::task::spawn_blocking(move || {
            let mut child = command.spawn().expect("a binary that runs");
            let mut pipe = child.stdin.take().expect("its stdin");
            // It need not read what it is told.
            let _ = pipe.write_all(stdin.as_bytes());
            drop(pipe);
            child.wait_with_output().expect("its end")
        });
        let output = run.await.expect("a thread for the command");
        let mut told = match output.status.code() {
            Some(code) => format!("[{code}]\n"),
            None => format!("{}\n", output.status),
        };
        for (mark, bytes) in [("", output.stdout), ("! ", output.stderr)] {
            for line in String::from_utf8(bytes).expect("text").lines() {
                told.push_str(format!("{mark}{line}").trim_end());
                told.push('\n');
            }
        }
        told
    }
}

/// The address of that server's API.
pub(crate) fn url(world: &World) -> String {
    format!("http://{}/api/v1", world.tollgate.address())
}
