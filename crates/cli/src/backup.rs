//! `tollgate backup` and `tollgate restore`: a copy of the book as of one moment, and back.
//!
//! The moment is the one at which the record of holds is read. A request in flight then is in the
//! copy: with what it came to, if that was booked before the book itself was copied, else charged in
//! full as `interrupted`, as a crash at that moment would have left it. So nothing that was admitted
//! is missing, and nothing counts twice when the copy is restored, whatever record of holds lies
//! beside it: the first settlement wins.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use gateway::journal::LeftBehind;
use serde_json::json;
use store::{Entry, Report, Store as _};
use store_sqlite::SqliteStore;

use crate::new_file::NewFile;
use crate::progress::Progress;
use crate::setup::Setup;
use crate::{ConfigFile, print};

#[derive(clap::Args)]
pub(crate) struct BackupArguments {
    #[command(flatten)]
    file: ConfigFile,
    /// The file to write.
    dest: PathBuf,
    /// Write over a file that is there.
    #[arg(long)]
    force: bool,
    /// Audit the copy before it gets its name. On unless `--no-verify` is given.
    #[arg(long, overrides_with = "no_verify")]
    verify: bool,
    /// Don't audit the copy.
    #[arg(long)]
    no_verify: bool,
    /// Print what was done as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
pub(crate) struct RestoreArguments {
    #[command(flatten)]
    file: ConfigFile,
    /// The backup to restore; it stays as it is.
    backup: PathBuf,
    /// Print what was done as JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn backup(arguments: &BackupArguments) -> Result<ExitCode> {
    let BackupArguments { file, dest, force, verify: _, no_verify, json } = arguments;
    let setup = Setup::read(&file.config)?;
    let book = setup.database()?;
    let store = SqliteStore::open_to_read(&book)?;
    let copy = NewFile::create(dest, *force, &book)?;
    // Read first: what is booked meanwhile is found in the book, and nothing falls between the two.
    let holds = setup.beside(".holds")?;
    let in_flight = LeftBehind::at(&holds)
        .with_context(|| format!("can't read the record of holds {}", holds.display()))?;
    let in_flight: Vec<Entry> =
        in_flight.records.iter().map(gateway::journal::HoldRecord::interrupted).collect();
    let interrupted = {
        let progress = Progress::of("copying the book");
        let mut told = |done, of| progress.reached(done, of);
        store.backup_told(copy.path(), &in_flight, &mut told)?
    };
    let report = if *no_verify { None } else { Some(verified(&copy.path())?) };
    let bytes = std::fs::metadata(copy.path())?.len();
    copy.keep()?;
    if *json {
        let told = json!({
            "file": dest.display().to_string(),
            "bytes": bytes,
            "interrupted": interrupted,
            "verified": report.is_some(),
            "rows": report.map(|report| report.rows),
        });
        print::line(&serde_json::to_string_pretty(&told)?);
        return Ok(ExitCode::SUCCESS);
    }
    print::line(&format!("wrote {} ({bytes} bytes)", dest.display()));
    match report {
        Some(report) => print::line(&agrees(&report)),
        None => print::line("it was not audited"),
    }
    if interrupted > 0 {
        print::line(&format!(
            "{interrupted} requests were in flight: in the copy they are charged in full, as \
             `interrupted`"
        ));
    }
    Ok(ExitCode::SUCCESS)
}

fn verified(copy: &Path) -> Result<Report> {
    let _progress = Progress::of("auditing the copy");
    let copy = SqliteStore::open_to_read(copy)?;
    let problems = copy.quick_check()?;
    if !problems.is_empty() {
        bail!("the copy is damaged, and so most likely is the book: {}", problems.join("; "));
    }
    let report = copy.audit()?;
    if !report.differences.is_empty() {
        bail!(
            "the copy does not agree with itself, and neither does the book: `tollgate audit` says \
             where. Nothing was kept; `--no-verify` keeps it as it is"
        );
    }
    Ok(report)
}

fn agrees(report: &Report) -> String {
    format!(
        "it agrees: {} rows of {} keys, {} sums compared",
        report.rows, report.keys, report.sums
    )
}

pub(crate) fn restore(arguments: &RestoreArguments) -> Result<ExitCode> {
    let RestoreArguments { file, backup, json } = arguments;
    let setup = Setup::read(&file.config)?;
    let book = setup.database()?;
    let progress = Progress::of("checking the backup and putting it in place");
    let restored = store_sqlite::restore(backup, &book)?;
    drop(progress);
    if *json {
        let told = json!({
            "book": book.display().to_string(),
            "replaced": restored.replaced.map(|path| path.display().to_string()),
            "rows": restored.report.rows,
        });
        print::line(&serde_json::to_string_pretty(&told)?);
        return Ok(ExitCode::SUCCESS);
    }
    print::line(&format!("restored {} to {}", backup.display(), book.display()));
    print::line(&agrees(&restored.report));
    if let Some(replaced) = restored.replaced {
        print::line(&format!("the book that was there is {}", replaced.display()));
    }
    Ok(ExitCode::SUCCESS)
}
