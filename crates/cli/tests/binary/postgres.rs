//! A PostgreSQL of the test's own, in a folder of its own, reached by a socket in it, or encrypted.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The file of the authority, in the folder.
const AUTHORITY: &str = "authority.crt";

/// A server, stopped when dropped.
pub(crate) struct Postgres {
    folder: TempDir,
    binaries: PathBuf,
    server: Child,
    /// Where it is reached encrypted.
    encrypted: Option<SocketAddr>,
}

impl Postgres {
    /// Makes a cluster and starts it. PostgreSQL does not run as root: there it runs as the user
    /// that its package makes.
    pub(crate) fn start() -> Postgres {
        Postgres::with(None)
    }

    /// One that is reached from the network too, but only encrypted. Its certificate is for
    /// `localhost`, by an authority that nobody knows but who reads [`Postgres::authority`].
    pub(crate) fn start_encrypted() -> Postgres {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|it| it.local_addr());
        Postgres::with(Some(port.expect("a port")))
    }

    fn with(encrypted: Option<SocketAddr>) -> Postgres {
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
        let mut settings = vec!["fsync=off".to_owned(), "listen_addresses=".to_owned()];
        if let Some(address) = encrypted {
            settings.extend(encryption(folder.path(), address));
        }
        let settings = settings.into_iter().flat_map(|setting| ["-c".to_owned(), setting]);
        let server = as_user("postgres")
            .arg("-D")
            .arg(&data)
            .args(settings)
            .arg("-k")
            .arg(folder.path())
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a server");
        let postgres = Postgres { folder, binaries, server, encrypted };
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

    /// The address at which it is reached encrypted, by that name of this machine.
    pub(crate) fn encrypted_url(&self, host: &str, query: &str) -> String {
        let port = self.encrypted.expect("one that is encrypted").port();
        format!("postgresql://postgres@{host}:{port}/postgres?{query}")
    }

    /// The file of the authority that its certificate is by.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.path().join(AUTHORITY)
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
        if let Some(address) = self.encrypted {
            command.args(["-p", &address.port().to_string()]);
        }
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

/// Makes an authority, a certificate by it, and the rule that nobody comes in from the network
/// without; the settings that say so.
fn encryption(folder: &Path, address: SocketAddr) -> Vec<String> {
    let authority_key = rcgen::KeyPair::generate().expect("a key");
    let mut authority = rcgen::CertificateParams::new(Vec::new()).expect("parameters");
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = rcgen::CertifiedIssuer::self_signed(authority, authority_key).expect("a CA");
    let key = rcgen::KeyPair::generate().expect("a key");
    let server = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("parameters");
    let server = server.signed_by(&key, &authority).expect("a certificate");
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("a file");
        // A key that others may read is refused.
        run(Command::new("chmod").arg("600").arg(&path));
        if is_root() && name != AUTHORITY {
            run(Command::new("chown").arg("postgres").arg(&path));
        }
        path.display().to_string()
    };
    write(AUTHORITY, &authority.pem());
    let rules = "local all all trust\nhostssl all all 127.0.0.1/32 trust\n";
    vec![
        "listen_addresses=127.0.0.1".to_owned(),
        format!("port={}", address.port()),
        "ssl=on".to_owned(),
        format!("ssl_cert_file={}", write("server.crt", &server.pem())),
        format!("ssl_key_file={}", write("server.key", &key.serialize_pem())),
        format!("hba_file={}", write("rules.conf", rules)),
    ]
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
