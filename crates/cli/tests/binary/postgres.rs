//! A PostgreSQL of the test's own, in a folder of its own, reached by a socket in it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A server, stopped when dropped.
pub(crate) struct Postgres {
    folder: TempDir,
    binaries: PathBuf,
    server: Child,
}

impl Postgres {
    /// Makes a cluster and starts it. PostgreSQL does not run as root: there it runs as the user
    /// that its package makes.
    pub(crate) fn start() -> Postgres {
        let binaries = binaries();
        let folder = tempfile::tempdir().expect("a folder");
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(folder.path()));
        }
        let data = folder.path().join("data");
        let as_user = |program: &str| as_user(&binaries.join(program));
        run(as_user("initdb")
            .args(["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8"])
            .args(["--locale=C", "--pgdata"])
            .arg(&data));
        let server = as_user("postgres")
            .arg("-D")
            .arg(&data)
            .args(["-c", "listen_addresses=", "-c", "fsync=off", "-k"])
            .arg(folder.path())
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a server");
        let postgres = Postgres { folder, binaries, server };
        let began = Instant::now();
        while !postgres.psql("SELECT 1").status().expect("psql").success() {
            assert!(began.elapsed() < Duration::from_secs(60), "PostgreSQL does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        postgres
    }

    /// The address of its database.
    pub(crate) fn url(&self) -> String {
        let folder = self.folder.path().to_str().expect("text").replace('/', "%2F");
        format!("postgresql://postgres@{folder}/postgres?schema=public&connection_limit=10")
    }

    /// Does what `sql` says.
    pub(crate) fn execute(&self, sql: &str) {
        run(&mut self.psql(sql));
    }

    fn psql(&self, sql: &str) -> Command {
        let mut command = Command::new(self.binaries.join("psql"));
        command.args([
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-U",
            "postgres",
            "-d",
            "postgres",
            "-h",
        ]);
        command.arg(self.folder.path()).args(["-c", sql]);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.folder.path().join("data");
        let mut stop = as_user(&self.binaries.join("pg_ctl"));
        let _ = stop.args(["stop", "-m", "immediate", "-D"]).arg(data).output();
        let _ = self.server.wait();
    }
}

fn is_root() -> bool {
    rustix::process::getuid().is_root()
}

/// A program, run by whoever may run PostgreSQL.
fn as_user(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program);
    command.current_dir("/");
    command
}

fn binaries() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").expect("the package postgresql");
    let folders = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    folders.filter(|folder| folder.join("initdb").exists()).max().expect("a PostgreSQL")
}

fn run(command: &mut Command) {
    let output = command.output().expect("a program");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
