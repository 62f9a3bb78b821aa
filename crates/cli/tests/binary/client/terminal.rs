//! Commands at a real terminal, by tmux: what fills it, what is coloured, and that it is given back.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use tempfile::TempDir;
use testkit::Behaviour;

use super::Session;
use super::session::url;
use crate::world::{Form, World};

/// How long something may take to appear.
const APPEARS_WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A terminal of 120 columns and 20 lines with a shell in it.
struct Terminal {
    socket: PathBuf,
    _folder: TempDir,
    /// Whose home folder the shell is in.
    _session: Session,
}

impl Terminal {
    /// One whose shell sees the variables of that person.
    fn of(session: Session) -> Terminal {
        let folder = TempDir::with_prefix("tollgate-tmux-").expect("a folder");
        let mut command = session.command(&[]);
        let socket = folder.path().join("socket");
        let terminal = Terminal { socket, _folder: folder, _session: session };
        // The command of a person, with tmux in the place of the program.
        let mut tmux = Command::new("tmux");
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => tmux.env(name, value),
                None => tmux.env_remove(name),
            };
        }
        tmux.current_dir(command.get_current_dir().expect("a folder"));
        command = tmux;
        command.arg("-S").arg(&terminal.socket).args(["-f", "/dev/null"]);
        command.args(["new-session", "-d", "-x", "120", "-y", "20", "env PS1='shell> ' sh"]);
        assert!(command.env("TERM", "xterm-256color").status().expect("tmux").success());
        terminal
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        let output = Command::new("tmux").arg("-S").arg(&self.socket).args(arguments).output();
        let output = output.expect("tmux, which scripts/system-packages installs");
        assert!(output.status.success(), "{arguments:?}: {}", crate::world::said(&output));
        String::from_utf8(output.stdout).expect("text")
    }

    /// Types a line.
    fn line(&self, text: &str) {
        self.tmux(&["send-keys", "-l", text]);
        self.tmux(&["send-keys", "Enter"]);
    }

    fn press(&self, key: &str) {
        self.tmux(&["send-keys", key]);
    }

    fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// The screen with its colours, as a terminal is told of them.
    fn coloured(&self) -> String {
        self.tmux(&["capture-pane", "-p", "-e"])
    }

    /// The screen, once `is_so` of it.
    async fn until(&self, what: &str, is_so: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + APPEARS_WITHIN;
        loop {
            let screen = self.screen();
            if is_so(&screen) {
                return screen;
            }
            assert!(Instant::now() < deadline, "no {what} appears:\n{screen}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// The program that the shell runs now.
    fn program(&self) -> Pid {
        let shell = self.tmux(&["display-message", "-p", "#{pane_pid}"]);
        let shell = shell.trim();
        let children = std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children"));
        let child = children.expect("its children").trim().parse().expect("one child");
        Pid::from_raw(child).expect("an id")
    }

    /// Whether something fills it.
    fn is_filled(&self) -> bool {
        self.tmux(&["display-message", "-p", "#{alternate_on}"]).trim() == "1"
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = Command::new("tmux").arg("-S").arg(&self.socket).arg("kill-server").output();
    }
}

/// A world with a key that has spent, and the manager's shell in a terminal.
async fn world() -> (World, Terminal) {
    let world = World::start(&["small"]).await;
    let ci = world.key(json!({ "name": "ci", "limit": 1 })).await;
    world.key(json!({ "name": "web", "limit": 0.5, "limit_reset": "daily" })).await;
    world.ask(&ci, "small", Form::Json, Some(50)).await.expect("an answer").paid();
    let program = PathBuf::from(env!("CARGO_BIN_EXE_tollgate"));
    let folder = program.parent().expect("a folder").display().to_string();
    let path = format!("{folder}:{}", std::env::var("PATH").expect("a path"));
    let me = Session::new()
        .set("TOLLGATE_URL", &url(&world))
        .set("TOLLGATE_API_KEY", world.tollgate.management_key())
        .set("PATH", &path)
        .set("FAKE_PROVIDER_KEY", crate::world::CREDENTIAL);
    let terminal = Terminal::of(me);
    (world, terminal)
}

#[tokio::test]
async fn top_fills_the_terminal_sorts_by_keys_and_gives_it_back() {
    let (_world, terminal) = world().await;
    terminal.line("echo before; tollgate top --interval 1s; echo ended $?");
    let screen = terminal.until("rate", |screen| screen.contains("a minute")).await;
    assert!(
        screen.contains("$/MIN ▼") && screen.contains("on hold $0.00 in 0 requests"),
        "{screen}"
    );
    assert!(screen.contains("q quit") && terminal.is_filled(), "{screen}");
    terminal.press("l");
    let screen = terminal.until("order", |screen| screen.contains("LEFT ▼")).await;
    let place = |name: &str| screen.lines().position(|line| line.starts_with(name));
    assert!(place("web") < place("ci") && place("web").is_some(), "{screen}");
    terminal.press("q");
    let screen = terminal.until("end", |screen| screen.contains("ended 0")).await;
    assert!(screen.contains("before") && !screen.contains("q quit"), "{screen}");
    assert!(!terminal.is_filled());
}

#[tokio::test]
async fn top_gives_the_terminal_back_on_signals_and_on_ctrl_c() {
    let (_world, terminal) = world().await;
    for (number, signal) in [Some(Signal::INT), Some(Signal::TERM), None].into_iter().enumerate() {
        terminal.line(&format!("tollgate top --interval 1s; echo end{number} $?"));
        terminal.until("table", |screen| screen.contains("a minute")).await;
        match signal {
            Some(signal) => kill_process(terminal.program(), signal).expect("a signal"),
            None => terminal.press("C-c"),
        }
        terminal.until("end", |screen| screen.contains(&format!("end{number} 0"))).await;
        assert!(!terminal.is_filled());
        // What is typed is shown again: the terminal is no longer raw.
        terminal.line(&format!("echo typed{number}"));
        let typed = format!("> echo typed{number}");
        terminal.until("typing", |screen| screen.contains(&typed)).await;
    }
}

#[tokio::test]
async fn top_ends_with_its_terminal() {
    let (_world, terminal) = world().await;
    terminal.line("tollgate top --interval 1s");
    terminal.until("table", |screen| screen.contains("a minute")).await;
    let program = terminal.program();
    drop(terminal);
    let deadline = Instant::now() + APPEARS_WITHIN;
    while rustix::process::test_kill_process(program).is_ok() {
        assert!(Instant::now() < deadline, "it runs on without a terminal");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

#[tokio::test]
async fn top_shows_that_the_server_is_away_and_goes_on_once_it_is_back() {
    let (mut world, terminal) = world().await;
    terminal.line("tollgate top --interval 1s");
    terminal.until("table", |screen| screen.contains("a minute")).await;
    world.tollgate.kill9();
    terminal.until("failure", |screen| screen.contains("can't connect to")).await;
    world.tollgate.restart().await;
    terminal.until("recovery", |screen| !screen.contains("can't connect to")).await;
    terminal.press("q");
}

#[tokio::test]
async fn colours_are_for_terminals_that_want_them_and_an_answer_can_not_command_one() {
    let (world, terminal) = world().await;
    terminal.line("tollgate keys list; echo listed");
    terminal.until("list", |screen| screen.contains("\nlisted")).await;
    assert!(terminal.coloured().contains("\u{1b}[38;5;2m"), "{:?}", terminal.coloured());
    terminal.line("clear; NO_COLOR=1 tollgate keys list; echo again");
    terminal.until("list", |screen| screen.contains("\nagain") && screen.contains("active")).await;
    assert!(!terminal.coloured().contains("\u{1b}[38;5;2m"), "{:?}", terminal.coloured());
    let key = world.key(json!({ "name": "chat" })).await;
    world.upstream.on("small", Behaviour::new().text("red\u{1b}[31malarm"));
    terminal.line(&format!(
        "clear; TOLLGATE_API_KEY={} tollgate chat --model test/small hello; echo asked",
        key.text
    ));
    let screen = terminal.until("answer", |screen| screen.contains("\nasked")).await;
    assert!(screen.contains("red\u{fffd}[31malarm") && screen.contains("tokens in"), "{screen}");
    assert!(!terminal.coloured().contains("\u{1b}[31m"), "{screen}");
}

#[tokio::test]
async fn long_work_shows_on_a_terminal_how_far_it_is_and_leaves_nothing_behind() {
    let (world, terminal) = world().await;
    let written = world.tollgate.folder().join("written");
    terminal.tmux(&["pipe-pane", &format!("cat > {}", written.display())]);
    let config = world.tollgate.config_path().display().to_string();
    for (line, shown) in [
        (format!("clear; tollgate backup copy.db --config {config}"), "auditing the copy"),
        (format!("clear; tollgate audit --config {config}"), "auditing the book"),
        (format!("clear; tollgate export --out book.jsonl --config {config}"), "lines written"),
    ] {
        terminal.line(&format!("{line} && echo worked"));
        let screen = terminal.until("end", |screen| screen.contains("\nworked")).await;
        assert!(!screen.contains(shown), "{screen}");
        let deadline = Instant::now() + APPEARS_WITHIN;
        loop {
            let written = std::fs::read(&written).unwrap_or_default();
            if String::from_utf8_lossy(&written).contains(shown) {
                break;
            }
            assert!(Instant::now() < deadline, "{shown} was never shown");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

#[tokio::test]
async fn a_deletion_asks_and_takes_no_for_an_answer() {
    let (_world, terminal) = world().await;
    terminal.line("tollgate keys delete web; echo ended $?");
    terminal.until("question", |screen| screen.contains("[y/N]")).await;
    terminal.line("");
    terminal.until("refusal", |screen| screen.contains("nothing was done\nended 1")).await;
    terminal.line("clear; tollgate keys delete web; echo ended $?");
    terminal.until("question", |screen| screen.contains("[y/N]")).await;
    terminal.line("y");
    let screen = terminal.until("deletion", |screen| screen.contains("ended 0")).await;
    assert!(screen.contains("deleted web"), "{screen}");
}
