//! The master key: made once, never written over, replaced so that whenever that is cut short one of
//! two files reads every credential.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use gateway::credentials::{Credentials, encrypted};
use gateway::entropy::Entropy;
use gateway::master_key::{MasterKey, MasterKeyId};
use insta::assert_snapshot;
use ledger::Day;
use store::contract::sample::{NOW, bare_credential, edit};
use store::{CredentialRecord, Edit, Store as _};
use store_sqlite::SqliteStore;
use tempfile::TempDir;
use testkit::FakeUpstream;

use crate::transcript::{transcript, transcript_with};
use crate::world::{builder, provider};

/// The master keys `5a5a…` and `11…`.
const FIRST: &str = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";
const OTHER: &str = "1111111111111111111111111111111111111111111111111111111111111111";
const NAMED: &str = "[secrets]\nkey_file = \"master.key\"\n";

struct Chance;

impl Entropy for Chance {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0x5A);
    }
}

fn key(text: &str) -> MasterKey {
    MasterKey::parse(text).expect("a master key")
}

/// The secret of a credential, which must be nowhere but in memory.
fn secret(number: u8) -> String {
    format!("sk-provider-{number}-d41d8cd98f00b204")
}

/// A folder with a configuration and, in the book, two credentials under the first master key.
fn folder(config: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("tollgate.toml"), config).expect("a file");
    let store = SqliteStore::open(folder.path().join("tollgate.db")).expect("a store");
    for number in 1..=2 {
        let record = encrypted(&key(FIRST), bare_credential(number), &secret(number), &Chance);
        edit(&store, Edit::CreateCredential(Box::new(record)));
    }
    folder
}

/// One whose configuration names the file that the first master key is in.
fn with_key() -> TempDir {
    let folder = folder(NAMED);
    write_key(&folder.path().join("master.key"), FIRST);
    folder
}

fn write_key(path: &Path, text: &str) {
    fs::write(path, text).expect("a file");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("a mode");
}

fn kept(folder: &Path) -> Vec<CredentialRecord> {
    let store = SqliteStore::open_to_read(folder.join("tollgate.db")).expect("a store");
    store.snapshot(Day::of(NOW)).expect("a snapshot").credentials
}

/// What the credentials in the book come to, read with the master key in that file.
fn read_with(folder: &Path, file: &str) -> Result<Vec<String>, String> {
    let text = fs::read_to_string(folder.join(file)).map_err(|error| error.to_string())?;
    let opened = Credentials::open(kept(folder), Some(key(&text)));
    let opened = opened.map_err(|error| error.to_string())?;
    Ok(opened.current().all().iter().map(|known| known.text().to_owned()).collect())
}

/// Which master key is in that file.
fn id_in(folder: &Path, file: &str) -> MasterKeyId {
    key(&fs::read_to_string(folder.join(file)).expect("a file")).id()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path()).collect()
}

#[test]
fn a_master_key_is_made_for_its_owner_alone_and_never_written_over() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("tollgate.toml"), "").expect("a file");
    let told = transcript(folder.path(), "secrets init");
    let file = folder.path().join("tollgate.key");
    let made = fs::read_to_string(&file).expect("a key");
    assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
    assert!(!told.contains(made.trim()), "it is not printed");
    let told = told.replace(&id_in(folder.path(), "tollgate.key").to_string(), "ID");
    assert_snapshot!(told, @r#"
    $ tollgate secrets init
    [0]
    wrote master key ID to ./tollgate.key
    Keep a copy elsewhere: no credential can be read without it.
    Name it in tollgate.toml, and start again:

    [secrets]
    key_file = "tollgate.key"
    "#);
    assert_snapshot!(transcript(folder.path(), "secrets init"), @r"
    $ tollgate secrets init
    [1]
    ! tollgate: ./tollgate.key is there already, and a master key is never written over; `tollgate secrets rotate` replaces it
    ");
    assert_eq!(fs::read_to_string(&file).expect("a key"), made);

    fs::write(folder.path().join("tollgate.toml"), NAMED).expect("a file");
    let told = transcript(folder.path(), "secrets init");
    let told = told.replace(&id_in(folder.path(), "master.key").to_string(), "ID");
    assert_snapshot!(told, @r"
    $ tollgate secrets init
    [0]
    wrote master key ID to ./master.key
    Keep a copy elsewhere: no credential can be read without it.
    ");
    assert_ne!(id_in(folder.path(), "master.key"), id_in(folder.path(), "tollgate.key"));
}

#[test]
fn a_book_with_credentials_is_opened_with_their_master_key_alone() {
    let folder = folder("");
    let opened =
        |variables: &[(&str, &str)]| transcript_with(folder.path(), "endpoints list", variables);
    assert_snapshot!(opened(&[]), @r"
    $ tollgate endpoints list
    [1]
    ! tollgate: can't open ./tollgate.db: the book has credentials of providers (2), encrypted under master key 0fa7ed48b0ae9486, and no master key is given: name its file as `secrets.key_file`, or set TOLLGATE_MASTER_KEY
    ");
    assert_snapshot!(opened(&[("TOLLGATE_MASTER_KEY", OTHER)]), @r"
    $ tollgate endpoints list
    [1]
    ! tollgate: can't open ./tollgate.db: credential 01010101-0101-0101-0101-010101010101 is encrypted under master key 0fa7ed48b0ae9486, and the one given is 55736480d84ee3f7: give that one; without it, `tollgate secrets discard` deletes what it alone can read
    ");
    assert_snapshot!(opened(&[("TOLLGATE_MASTER_KEY", "hunter2")]), @r"
    $ tollgate endpoints list
    [1]
    ! tollgate: TOLLGATE_MASTER_KEY is not 64 hex digits
    ");
    assert_snapshot!(opened(&[("TOLLGATE_MASTER_KEY", FIRST)]), @r"
    $ tollgate endpoints list
    [0]
    MODEL  PROVIDER  UPSTREAM MODEL  OVERHEAD  HELD AT MAXIMUM  BARRED
    ");

    fs::write(folder.path().join("tollgate.toml"), NAMED).expect("a file");
    assert_snapshot!(opened(&[]), @r"
    $ tollgate endpoints list
    [1]
    ! tollgate: setting `secrets.key_file`: there is no ./master.key; `tollgate secrets init` makes one
    ");
    assert_snapshot!(opened(&[("TOLLGATE_MASTER_KEY", FIRST)]), @r"
    $ tollgate endpoints list
    [1]
    ! tollgate: TOLLGATE_MASTER_KEY and the setting `secrets.key_file` are both there, and may differ; keep one of them
    ");
    write_key(&folder.path().join("master.key"), "not a key");
    assert_snapshot!(opened(&[]), @r"
    $ tollgate endpoints list
    [1]
    ! tollgate: the master key in ./master.key is not 64 hex digits
    ");
    write_key(&folder.path().join("master.key"), &format!("{FIRST}\n"));
    assert!(opened(&[]).contains("[0]"));

    let empty = tempfile::tempdir().expect("a folder");
    fs::write(empty.path().join("tollgate.toml"), "").expect("a file");
    let told = transcript(empty.path(), "management-keys create --name ci");
    assert!(told.contains("[0]"), "without a credential no master key is needed: {told}");
}

#[test]
fn rotated_all_is_read_by_the_new_key_and_nothing_by_the_old_one() {
    let folder = with_key();
    let told = transcript(folder.path(), "secrets rotate");
    let told = told.replace(&id_in(folder.path(), "master.key").to_string(), "NEW");
    assert_snapshot!(told, @r"
    $ tollgate secrets rotate
    [0]
    master key NEW is in ./master.key
    credentials encrypted under it: 2
    The old one is ./master.key.replaced-0fa7ed48b0ae9486; backups made before need it. Delete it with the last of them.
    ");
    let all = vec![secret(1), secret(2)];
    assert_eq!(read_with(folder.path(), "master.key"), Ok(all));
    let aside = format!("master.key.replaced-{}", key(FIRST).id());
    assert!(read_with(folder.path(), &aside).is_err());
    assert_eq!(fs::read_to_string(folder.path().join(&aside)).expect("a key"), FIRST);
    for file in ["master.key", &aside] {
        let mode = fs::metadata(folder.path().join(file)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    assert!(transcript(folder.path(), "audit log --json").contains("secrets.rotate"));
    assert_snapshot!(transcript(folder.path(), "secrets discard"), @r"
    $ tollgate secrets discard
    [0]
    every credential in the book can be read
    ");
}

/// The moments a rotation can be cut short at, as they leave the files.
#[test]
fn a_rotation_that_was_cut_short_is_finished_or_begun_again() {
    let all = || Ok(vec![secret(1), secret(2)]);

    // The new key was written, the book not yet.
    let folder = with_key();
    write_key(&folder.path().join("master.key.new"), OTHER);
    assert!(transcript(folder.path(), "endpoints list").contains("[0]"));
    assert_eq!(read_with(folder.path(), "master.key"), all());
    assert!(transcript(folder.path(), "secrets rotate").contains("[0]"));
    assert_eq!(id_in(folder.path(), "master.key"), key(OTHER).id(), "the one that was begun with");
    assert_eq!(read_with(folder.path(), "master.key"), all());
    assert!(!folder.path().join("master.key.new").exists());

    // The book was written, the files not yet: by a start, and by another rotation.
    let place = |name: &str| folder.path().join(name);
    let aside = place(&format!("master.key.replaced-{}", key(FIRST).id()));
    // The old one may be kept already, or not yet.
    let lines = ["endpoints list", "secrets rotate"];
    for (line, is_kept) in lines.into_iter().flat_map(|line| [(line, false), (line, true)]) {
        fs::rename(place("master.key"), place("master.key.new")).expect("moved");
        // One file by two names, as a rotation leaves it.
        fs::hard_link(&aside, place("master.key")).expect("linked");
        if !is_kept {
            fs::remove_file(&aside).expect("removed");
        }
        assert_eq!(read_with(folder.path(), "master.key.new"), all());
        let told = transcript(folder.path(), line);
        assert!(told.contains("[0]"), "{told}");
        assert_eq!(read_with(folder.path(), "master.key"), all(), "{line}");
        assert_eq!(id_in(folder.path(), "master.key"), key(OTHER).id());
        assert!(aside.exists() && !place("master.key.new").exists());
    }
}

#[tokio::test]
async fn a_running_server_rotates_and_starts_again_with_the_new_key() {
    let keys = tempfile::tempdir().expect("a folder");
    let file = keys.path().join("master.key");
    write_key(&file, FIRST);
    let upstream = FakeUpstream::start().await;
    let named = format!("[secrets]\nkey_file = {file:?}");
    let starting = builder().config(&provider(&upstream, "")).config(&named).start();
    let mut tollgate = starting.await;
    tollgate.kill9();
    let book = tollgate.folder().join("tollgate.db");
    let store = SqliteStore::open(&book).expect("a store");
    let record = encrypted(&key(FIRST), bare_credential(1), &secret(1), &Chance);
    edit(&store, Edit::CreateCredential(Box::new(record)));
    drop(store);
    tollgate.restart().await;

    let rotated = tollgate.run(["secrets", "rotate"]).await;
    assert!(rotated.status.success(), "{rotated:?}");
    assert_ne!(id_in(keys.path(), "master.key"), key(FIRST).id());
    let again = tollgate.run(["secrets", "rotate"]).await;
    assert!(again.status.success(), "the server has the new one in force: {again:?}");
    tollgate.kill9();
    tollgate.restart().await;
    let kept = kept(tollgate.folder());
    let text = fs::read_to_string(&file).expect("a key");
    let opened = Credentials::open(kept, Some(key(&text))).expect("all of it is read");
    assert_eq!(opened.current().all()[0].text(), secret(1));
    assert!(!tollgate.log().contains(&secret(1)) && !tollgate.log().contains(text.trim()));
}

#[test]
fn doctor_says_whether_the_master_key_reads_what_is_there() {
    let folder = with_key();
    let place = |name: &str| folder.path().join(name);
    let told = || {
        let all = transcript(folder.path(), "doctor");
        let lines = all.lines().skip_while(|line| !line.contains(" master key "));
        let lines = lines.take_while(|line| !line[9..].starts_with("providers"));
        lines.collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!(told(), @"fine     master key       0fa7ed48b0ae9486 reads every credential in the book (2)");
    fs::set_permissions(place("master.key"), fs::Permissions::from_mode(0o640)).expect("a mode");
    assert_snapshot!(told(), @r"
    fine     master key       0fa7ed48b0ae9486 reads every credential in the book (2)
    PROBLEM  master key       ./master.key may be opened by others (mode 640)
                              -> chmod 600 ./master.key
    ");
    write_key(&place("master.key"), OTHER);
    assert_snapshot!(told(), @r"
    PROBLEM  master key       credential 01010101-0101-0101-0101-010101010101 is encrypted under master key 0fa7ed48b0ae9486, and the one given is 55736480d84ee3f7: give that one; without it, `tollgate secrets discard` deletes what it alone can read
                              -> docs/operate.md#the-master-key
    ");
    write_key(&place("master.key.new"), FIRST);
    assert_snapshot!(told(), @r"
    warning  master key       a rotation was cut short after the book was written
                              -> the next start finishes it, or `tollgate secrets rotate`
    ");
    assert_eq!(id_in(folder.path(), "master.key"), key(OTHER).id(), "it changes nothing");
    fs::write(place("tollgate.toml"), "").expect("a file");
    assert_snapshot!(told(), @r"
    PROBLEM  master key       the book has credentials of providers (2), encrypted under master key 0fa7ed48b0ae9486, and no master key is given: name its file as `secrets.key_file`, or set TOLLGATE_MASTER_KEY
                              -> docs/operate.md#the-master-key
    ");
}

#[test]
fn a_master_key_in_the_environment_is_not_rotated() {
    let folder = folder("");
    let variables = [("TOLLGATE_MASTER_KEY", FIRST)];
    assert_snapshot!(transcript_with(folder.path(), "secrets rotate", &variables), @r"
    $ tollgate secrets rotate
    [1]
    ! tollgate: the master key is in TOLLGATE_MASTER_KEY, which can't be changed from here: put it into a file for its owner alone, name that as `secrets.key_file` instead, start again, and rotate
    ");
    assert_snapshot!(transcript(folder.path(), "secrets rotate"), @r"
    $ tollgate secrets rotate
    [1]
    ! tollgate: there is no master key yet; `tollgate secrets init` makes one
    ");
}

#[test]
fn what_nobody_can_read_any_more_is_deleted_when_that_is_said() {
    let folder = with_key();
    let store = SqliteStore::open(folder.path().join("tollgate.db")).expect("a store");
    let record = encrypted(&key(OTHER), bare_credential(3), &secret(3), &Chance);
    edit(&store, Edit::CreateCredential(Box::new(record)));
    drop(store);
    assert!(transcript(folder.path(), "endpoints list").contains("[1]"));
    assert_snapshot!(transcript(folder.path(), "secrets discard"), @r"
    $ tollgate secrets discard
    [1]
    ID                                    PROVIDER  LABEL       NAME  MASTER KEY
    03030303-0303-0303-0303-030303030303  openai    sk-...AbCd        55736480d84ee3f7
    ! tollgate: 1 of 3 credentials can't be read; `--yes` deletes them
    ");
    assert_eq!(kept(folder.path()).len(), 3);
    assert_snapshot!(transcript(folder.path(), "secrets discard --yes"), @r"
    $ tollgate secrets discard --yes
    [0]
    ID                                    PROVIDER  LABEL       NAME  MASTER KEY
    03030303-0303-0303-0303-030303030303  openai    sk-...AbCd        55736480d84ee3f7
    deleted 1 of 3 credentials
    ");
    assert_eq!(read_with(folder.path(), "master.key"), Ok(vec![secret(1), secret(2)]));
    assert!(transcript(folder.path(), "endpoints list").contains("[0]"));
    assert!(transcript(folder.path(), "audit log --json").contains("byok.discard"));
}

#[test]
fn no_file_but_the_key_has_anything_of_it_and_none_has_a_secret() {
    let folder = with_key();
    transcript(folder.path(), "secrets rotate");
    transcript(folder.path(), "backup copy.db");
    transcript(folder.path(), "export --out book.jsonl");
    let new = fs::read_to_string(folder.path().join("master.key")).expect("a key");
    let bytes = |text: &str| -> Vec<u8> {
        let pairs = text.trim().as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair));
        pairs.map(|pair| u8::from_str_radix(&pair, 16).expect("hex digits")).collect()
    };
    for file in files(folder.path()) {
        let kept = fs::read(&file).expect("a file");
        let has = |needle: &[u8]| kept.windows(needle.len()).any(|window| window == needle);
        for number in 1..=2 {
            assert!(!has(secret(number).as_bytes()), "{}", file.display());
        }
        if !file.to_string_lossy().contains("master.key") {
            for key in [FIRST, new.trim()] {
                assert!(!has(key.as_bytes()) && !has(&bytes(key)), "{}", file.display());
            }
        }
    }
}
