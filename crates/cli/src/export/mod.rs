//! `tollgate export`: the whole book as JSON lines, in an order that depends on nothing else.

mod line;

use std::io::{self, BufWriter, ErrorKind, IsTerminal as _, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use store::{Store as _, StoreError};
use store_sqlite::SqliteStore;

pub(crate) use self::line::Audit;
use self::line::{FORMAT, Line};
use crate::book_file::BookFile;
use crate::new_file::NewFile;
use crate::print;
use crate::progress::Progress;

/// Written in pieces of this many bytes.
const BUFFER_BYTES: usize = 1 << 16;
/// A person is told after so many lines how many there are.
const TOLD_EVERY: u64 = 1_000;

#[derive(clap::Args)]
pub(crate) struct ExportArguments {
    #[command(flatten)]
    book: BookFile,
    /// Where to write; `-` is stdout.
    #[arg(long, value_name = "FILE", default_value = "-")]
    out: PathBuf,
    /// Write over a file that is there.
    #[arg(long)]
    force: bool,
}

pub(crate) fn export(arguments: &ExportArguments) -> Result<ExitCode> {
    let ExportArguments { book, out, force } = arguments;
    let store = book.open()?;
    if out.as_os_str() == "-" {
        // Lines on a terminal are progress enough.
        let progress = (!io::stdout().is_terminal()).then(progress);
        match write(&store, BufWriter::with_capacity(BUFFER_BYTES, print::stdout()), progress) {
            // Whoever read it has enough.
            Err(Failure::Out(error)) if error.kind() == ErrorKind::BrokenPipe => {}
            Err(failure) => bail!(failure),
            Ok(_) => {}
        }
        return Ok(ExitCode::SUCCESS);
    }
    let file = NewFile::create(out, *force, &book.path()?)?;
    let out_file = BufWriter::with_capacity(BUFFER_BYTES, file.open()?);
    let lines = write(&store, out_file, Some(progress()))?;
    file.keep()?;
    print::line(&format!("wrote {lines} lines to {}", out.display()));
    Ok(ExitCode::SUCCESS)
}

fn progress() -> Progress {
    Progress::of("lines written")
}

/// Why an export is not whole.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the book can't be read")]
    Book(#[source] StoreError),
    #[error("the export can't be written")]
    Out(#[source] io::Error),
}

/// Writes every line, and says how many there are.
fn write(store: &SqliteStore, out: impl Write, progress: Option<Progress>) -> Result<u64, Failure> {
    let mut lines = Lines { out, count: 0, progress };
    lines.put(&Line::Export { format: FORMAT }).map_err(Failure::Out)?;
    // The store passes on an error of the sink as one of its own.
    let mut failed = None;
    let exported = store.export(&mut |line| {
        lines.put(&Line::from(line)).map_err(|error| {
            let told = io::Error::from(error.kind());
            failed = Some(error);
            told
        })
    });
    match (exported, failed) {
        (_, Some(error)) => return Err(Failure::Out(error)),
        (Err(error), None) => return Err(Failure::Book(error)),
        (Ok(()), None) => {}
    }
    let end = Line::End { lines: lines.count + 1 };
    lines.put(&end).and_then(|()| lines.out.flush()).map_err(Failure::Out)?;
    Ok(lines.count)
}

struct Lines<W> {
    out: W,
    count: u64,
    progress: Option<Progress>,
}

impl<W: Write> Lines<W> {
    fn put(&mut self, line: &Line) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, line)?;
        self.count += 1;
        if let Some(progress) = &self.progress
            && self.count.is_multiple_of(TOLD_EVERY)
        {
            progress.counted(self.count);
        }
        self.out.write_all(b"\n")
    }
}
