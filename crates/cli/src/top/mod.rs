//! `tollgate top`: who spends, how fast, and what is on hold, live.

mod draw;
mod read;
mod screen;
mod view;

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::mpsc::{self, Sender};
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use self::read::Readings;
use self::screen::News;
#[cfg(test)]
pub(crate) use self::view::tests::key as a_key;
use self::view::{Sort, View};
use crate::connection::{Named, Need, Remote};
use crate::given::length;
use crate::output::{self, NOTHING, dollars, dollars_or, short};
use crate::print;
use crate::setup::Setup;
use crate::table::{Table, Tone};

#[derive(Args)]
pub(crate) struct TopArguments {
    #[command(flatten)]
    remote: Remote,
    /// How long between two readings.
    #[arg(long, value_name = "TIME", value_parser = length, default_value = "2s")]
    interval: Duration,
    /// What comes first.
    #[arg(long, value_enum, default_value_t)]
    sort: Sort,
    /// Read twice, print one table, and end.
    #[arg(long)]
    once: bool,
    /// Where the server serves metrics without a key: its `server.admin_listen`.
    #[arg(long, value_name = "HOST:PORT")]
    admin: Option<SocketAddr>,
}

pub(crate) fn run(arguments: &TopArguments) -> Result<ExitCode> {
    let TopArguments { remote, interval, sort, once, admin } = arguments;
    let to = remote.open(Need::Management)?;
    let setup = match &to.server.named {
        Named::Config(file) => Setup::read(file).ok(),
        _ => None,
    };
    let server = to.server.url.clone();
    let readings = Readings {
        admin: admin.or(to.server.admin),
        setup,
        runtime: tokio::runtime::Builder::new_current_thread().enable_all().build()?,
        start: Instant::now(),
        to,
    };
    if *once {
        let first = readings.read()?;
        readings.wait(*interval);
        let both = [first, readings.read()?];
        if let Some(view) = view::view(&both, *sort) {
            tell(remote, &view)?;
        }
    } else if remote.json {
        lines(&readings, *interval, *sort)?;
    } else {
        screen::is_there()?;
        let (sender, news) = mpsc::channel();
        end_by_signal(sender.clone())?;
        let interval = *interval;
        // It ends with the process: a server that does not answer keeps nobody here.
        std::thread::spawn(move || {
            let last = LastWord(sender);
            send(&readings, interval, &last.0);
        });
        screen::show(&server, *sort, &news)?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Readings {
    /// Lets that time pass.
    fn wait(&self, interval: Duration) {
        self.runtime.block_on(async { tokio::time::sleep(interval).await });
    }
}

/// A line of JSON for each reading, until a signal or a reader that has gone ends it.
fn lines(readings: &Readings, interval: Duration, sort: Sort) -> Result<()> {
    let mut read = Vec::new();
    loop {
        read.push(readings.read()?);
        view::kept(&mut read);
        if let Some(view) = view::view(&read, sort) {
            let line = serde_json::to_string(&view)?;
            if writeln!(print::stdout(), "{line}").is_err() {
                return Ok(());
            }
        }
        readings.wait(interval);
    }
}

/// Ends the screen when the readings do, by a panic too: that has given the terminal back already.
struct LastWord(Sender<News>);

impl Drop for LastWord {
    fn drop(&mut self) {
        let _ = self.0.send(News::End);
    }
}

/// Sends readings to the screen until it is gone.
fn send(readings: &Readings, interval: Duration, to: &Sender<News>) {
    loop {
        let news = match readings.read() {
            Ok(reading) => News::Read(Box::new(reading)),
            Err(error) => {
                let why = format!("{error:#}");
                News::Failed(why.lines().next().unwrap_or_default().to_owned())
            }
        };
        if to.send(news).is_err() {
            return;
        }
        readings.wait(interval);
    }
}

/// How long the screen has to end once a signal came.
const END_WAIT: Duration = Duration::from_secs(1);

/// Has SIGINT, SIGTERM and SIGHUP end the screen as a person would, from now on; and the process
/// where the screen does not, because the terminal is gone and a look at its keys never returns.
fn end_by_signal(to: Sender<News>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let listening = runtime.enter();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    drop(listening);
    std::thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
        });
        let _ = to.send(News::End);
        std::thread::sleep(END_WAIT);
        let _ = ratatui::try_restore();
        std::process::exit(1);
    });
    Ok(())
}

fn tell(remote: &Remote, view: &View) -> Result<()> {
    if remote.json {
        return output::json(view);
    }
    if remote.quiet {
        view.keys.iter().for_each(|row| print::line(&row.hash));
        return Ok(());
    }
    print::line(&format!(
        "{}   today {}   in all {}",
        draw::rate_told(view),
        dollars(view.usage_daily),
        dollars(view.usage)
    ));
    print::line(&draw::holds_told(&view.holds));
    let mut table =
        Table::new(&["KEY", "HASH", "STATE", ">$/MIN", ">TODAY", ">SPENT", ">LEFT", "RESET"]);
    for row in &view.keys {
        table.toned([
            (row.name.clone(), Tone::Usual),
            (short(&row.hash), Tone::Faint),
            (row.state.to_owned(), row.tone),
            (dollars_or(row.usd_per_minute, NOTHING), Tone::Usual),
            (dollars(row.usage_daily), Tone::Usual),
            (dollars(row.usage), Tone::Usual),
            (dollars_or(row.limit_remaining, NOTHING), Tone::Usual),
            (row.limit_reset.clone().unwrap_or(NOTHING.to_owned()), Tone::Usual),
        ]);
    }
    table.print();
    Ok(())
}
