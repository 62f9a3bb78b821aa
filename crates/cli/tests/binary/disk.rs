//! A disk that is full or has become read-only: nothing is admitted, what is in flight ends before
//! its last byte and keeps its hold, and when there is room again all of it is booked.
//!
//! The file systems are real ones, mounted for the test, so these tests need root.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::world::{COMPLETION_TOKENS_MAX, Form, Key, Told, World, ask, times, worst};

const NAMED: Option<u64> = Some(COMPLETION_TOKENS_MAX);
const SOON: Duration = Duration::from_secs(30);

/// A file system of its own, gone with this.
struct Disk {
    folder: TempDir,
}

impl Disk {
    /// One in memory, of that many MiB.
    fn of_mib(mib: usize) -> Disk {
        let folder = TempDir::with_prefix("tollgate-disk-").expect("a folder");
        let (size, at) = (format!("size={mib}m"), folder.path().to_owned());
        run(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at));
        Disk { folder }
    }

    /// One of 32 MiB in a file, which is read-only from its first error on.
    fn with_errors(image: &Path) -> Disk {
        fs::File::create(image).expect("a file").set_len(32 << 20).expect("a size");
        run(Command::new("mkfs.ext4").arg("-q").arg(image));
        let disk = Disk { folder: TempDir::with_prefix("tollgate-disk-").expect("a folder") };
        disk.mount(image);
        disk
    }

    fn mount(&self, image: &Path) {
        let options = ["-o", "loop,errors=remount-ro"];
        run(Command::new("mount").args(options).arg(image).arg(self.path()));
    }

    fn unmount(&self) {
        run(Command::new("umount").arg(self.path()));
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Takes all the room there is; it is given back when the file goes.
    fn fill(&self) -> PathBuf {
        let filler = self.path().join("filler");
        let mut file = fs::File::create(&filler).expect("a file");
        let piece = vec![1; 4 << 10];
        while std::io::Write::write_all(&mut file, &piece).is_ok() {}
        filler
    }

    /// Makes it find an error in itself, as a failing disk does.
    fn break_down(&self) {
        let mounts = fs::read_to_string("/proc/mounts").expect("the mounts");
        let own = self.path().to_string_lossy().into_owned();
        let device = mounts.lines().find(|line| line.split(' ').nth(1) == Some(&*own));
        let device = device.and_then(|line| line.split(' ').next()?.rsplit('/').next());
        let device = device.expect("a mounted device");
        let trigger = format!("/sys/fs/ext4/{device}/trigger_fs_error");
        fs::write(&trigger, "a test").expect("an error");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a process that a failed test left behind may still have files open there.
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

fn run(command: &mut Command) {
    let output = command.output().expect("a command of the system");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}, which must be root's: {said}");
}

/// A gateway whose book is on that disk.
async fn world_on(disk: &Disk) -> World {
    let url = disk.path().join("tollgate.db");
    // A disk that breaks is as a power cut to what was not synced: holds as well must be.
    let store = format!("[store]\nurl = \"sqlite:{}\"\nhold_sync = true", url.display());
    let toml = format!("{store}\n[bounds]\nsettle_wait_ms = 300");
    World::with(&["small"], &toml, |builder| builder).await
}

async fn until_ready_is(world: &World, status: u16) {
    let (client, deadline) = (world.client().below(""), Instant::now() + SOON);
    while client.get(None, "/ready").await.expect("an answer").status != status {
        assert!(Instant::now() < deadline, "/ready never came to be {status}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Two answers in flight while the disk goes: neither may come to its last byte.
async fn two_in_flight_while(world: &World, key: &Key, goes: impl FnOnce()) {
    let gate = world.upstream.hold_answers("small");
    let mut asking = JoinSet::new();
    for form in [Form::Json, Form::Stream] {
        let (client, key) = (world.client(), key.clone());
        asking.spawn(async move { ask(&client, &key, "small", form, NAMED).await });
    }
    gate.until_waiting(2).await;
    goes();
    gate.release();
    for told in asking.join_all().await.into_iter().flatten() {
        assert_eq!(told.status, 503, "{}", told.body);
    }
}

/// Nothing is admitted and nothing is changed, and each is told when to come back.
async fn is_refused(world: &World, key: &Key) {
    let calls = world.upstream.calls().len();
    for form in [Form::Json, Form::Stream] {
        let told: Told = world.ask(key, "small", form, NAMED).await.expect("an answer");
        assert_eq!(told.status, 503, "{}", told.body);
        assert!(told.retry_after.is_some(), "{}", told.body);
    }
    let manager = world.tollgate.management_key();
    let made = world.client().post(manager, "/keys", &json!({ "name": "late" })).await;
    assert_eq!(made.expect("an answer").status, 503);
    assert_eq!(world.upstream.calls().len(), calls, "nothing may be admitted");
}

#[tokio::test]
async fn a_full_disk_admits_nothing_and_what_was_in_flight_is_booked_once_there_is_room() {
    let disk = Disk::of_mib(8);
    let mut world = world_on(&disk).await;
    let key = world.key_worth(times(worst(COMPLETION_TOKENS_MAX), 4)).await;
    let paid = world.ask(&key, "small", Form::Json, NAMED).await.expect("an answer").paid();
    let mut filler = PathBuf::new();
    two_in_flight_while(&world, &key, || {
        // What is left of the log's file must not do for a settlement.
        empty_log(&disk);
        filler = disk.fill();
    })
    .await;
    until_ready_is(&world, 503).await;
    is_refused(&world, &key).await;
    let health = world.client().below("").get(None, "/health").await.expect("an answer");
    assert_eq!(health.status, 200, "the process lives");
    assert_eq!(world.usage(&key).await, paid, "what is not booked is no usage");
    fs::remove_file(filler).expect("a file that goes");
    until_ready_is(&world, 200).await;
    assert_eq!(world.usage(&key).await, world.charged("small"));
    assert_eq!(world.holds().await, Vec::<Value>::new());
    world.ask(&key, "small", Form::Stream, NAMED).await.expect("an answer").paid();
    world.audit().await;
    world.tollgate.kill9();
    world.tollgate.restart().await;
    assert_eq!(world.usage(&key).await, world.charged("small"));
    world.audit().await;
}

/// Moves all of the log into the book, so that the next commit needs room on the disk.
fn empty_log(disk: &Disk) {
    let book = rusqlite::Connection::open(disk.path().join("tollgate.db")).expect("the book");
    book.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("a checkpoint");
}

#[tokio::test]
async fn a_disk_that_becomes_read_only_costs_no_limit_and_loses_nothing_told() {
    let images = TempDir::with_prefix("tollgate-image-").expect("a folder");
    let image = images.path().join("disk");
    let disk = Disk::with_errors(&image);
    let mut world = world_on(&disk).await;
    let limit = times(worst(COMPLETION_TOKENS_MAX), 4);
    let key = world.key_worth(limit).await;
    let told = world.ask(&key, "small", Form::Json, NAMED).await.expect("an answer");
    two_in_flight_while(&world, &key, || disk.break_down()).await;
    // It may refuse, or end because a sync failed: either way nothing is admitted.
    if world.tollgate.is_running()
        && let Ok(told) = world.ask(&key, "small", Form::Json, NAMED).await
    {
        assert_eq!(told.status, 503, "{}", told.body);
    }
    assert_eq!(world.upstream.calls().len(), 3);
    world.tollgate.kill9();
    disk.unmount();
    // What a person does: the file system is repaired and mounted again.
    let repaired = Command::new("e2fsck").args(["-p", "-f"]).arg(&image).status();
    assert!(repaired.expect("e2fsck").code().is_some_and(|code| code <= 2));
    disk.mount(&image);
    world.tollgate.restart().await;
    world.audit().await;
    let booked = world.generation(told.generation.as_deref().expect("an id")).await;
    assert_eq!(booked.status, 200, "{}", booked.text());
    let (charged, usage) = (world.charged("small"), world.usage(&key).await);
    assert!(charged <= usage && usage <= limit, "${charged} charged, ${usage} booked");
    if !world.holds().await.is_empty() {
        world.command(&["holds", "void", "--all-interrupted"]).await;
    }
    world.ask(&key, "small", Form::Stream, NAMED).await.expect("an answer").paid();
    world.audit().await;
}
