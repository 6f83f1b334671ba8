//! `catat selftest tail`: logs are written and rotated in every way while the shipper is killed; then what is stored
//! is compared with what was written.
//!
//! ```text
//! DIR/logs/KIND/     logs written and followed             DIR/server.log   output of the server
//! DIR/data, DIR/ship data of server and shipper            DIR/ship.log     output of the shipper
//! ```

mod filled_server;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use ship::torture::{Progress, Random, Rotation, Tally, Verdict, Writer, WriterSummary};

use self::filled_server::FilledServer;
use super::child::{Child, empty_directory};
use crate::arguments::{Printing, Selftest, SelftestCommand, SelftestTail};
use crate::failure::{Failure, Result, of_output};
use crate::output::{Column, printer_of};
use crate::service_manager::stop_flag;
use types::{counted, ensure};

/// How often the server is asked what it has, which writers wait for that take something away.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// The rest is lost when nothing more has arrived for so long: a half line is sent after five seconds, a failed
/// delivery tried again within thirty.
const QUIET: Duration = Duration::from_secs(12);

/// Longest pause before a killed shipper is started again.
const DEAD_MS_MAX: u64 = 500;

const COLUMNS: [&str; 8] = ["kind", "rotations", "written", "stored", "lost", "repeated", "altered", "result"];

pub(crate) fn selftest(options: Selftest) -> Result<()> {
    match options.command {
        SelftestCommand::Tail(options) => tail(&options),
    }
}

fn tail(options: &SelftestTail) -> Result<()> {
    let own = || std::env::temp_dir().join(format!("catat-selftest-{}", std::process::id()));
    let (dir, is_ours) = (empty_directory(&options.dir.clone().unwrap_or_else(own))?, options.dir.is_none());
    let seconds = options.seconds.max(1);
    let times = counted(options.rounds, "time");
    say!("catat writes logs to {} for {seconds} s and kills the shipper {times}", dir.display());
    let result = run(&dir, options.rounds, Duration::from_secs(seconds.into()));
    let tally = result.map_err(|failure| failure.with(&format!("What was written is in {}", dir.display())))?;
    print(&tally, &options.printing)?;
    if !tally.is_exact() {
        for text in &tally.strange {
            say!("catat: stored line that was never written: {}", crate::output::harmless(text, false));
        }
        return Err(Failure::other(format!("stored and written lines differ; both are in {}", dir.display())));
    }
    if is_ours {
        // A directory that could not be removed does no harm.
        let _ = std::fs::remove_dir_all(&dir);
    }
    Ok(())
}

/// Writes, kills, waits for the rest, and compares.
fn run(dir: &Path, n_kills: u32, duration: Duration) -> Result<Tally> {
    let logs = dir.join("logs");
    std::fs::create_dir(&logs).map_err(|error| Failure::usage(format!("{}: {error}", logs.display())))?;
    let mut server = Child::server(dir, "data", None)?;
    let stored = FilledServer::of(dir, &mut server)?;
    let mut shipper = Child::shipper(dir, &stored.url, &logs)?;
    // Its children end with it.
    let is_interrupted = stop_flag(|| {});
    let progress = Arc::new(Progress::default());
    let written = write(&logs, &progress, || {
        kill_again_and_again(&mut shipper, n_kills, duration, &is_interrupted, || stored.note(&progress).map(drop))
    })?;
    stored.wait_for(written.iter().map(|written| written.lines).sum(), QUIET, &is_interrupted)?;
    // What is on its way comes to an end, so that nothing arrives later.
    shipper.stop()?;
    let mut tally = Tally::new(&written);
    stored.each(|text| tally.take(text))?;
    ensure!(!is_interrupted.load(Ordering::Relaxed), Failure::other("interrupted"));
    Ok(tally)
}

/// Has every kind of writer write while `meanwhile` runs.
fn write(logs: &Path, progress: &Arc<Progress>, meanwhile: impl FnOnce() -> Result<()>) -> Result<Vec<WriterSummary>> {
    let failed = |error: std::io::Error| Failure::other(format!("{}: {error}", logs.display()));
    let writers = Rotation::ALL.map(|rotation| Writer::new(logs, rotation, progress.clone()));
    let stop = AtomicBool::new(false);
    let (result, written) = std::thread::scope(|scope| {
        let stop = &stop;
        let writing = writers.map(|writer| scope.spawn(move || writer?.write(stop)));
        let result = meanwhile();
        stop.store(true, Ordering::Relaxed);
        let joined = writing.map(|thread| thread.join().unwrap_or_else(|_| Err(std::io::Error::other("panicked"))));
        (result, joined)
    });
    result?;
    written.into_iter().collect::<Result<_, _>>().map_err(failed)
}

/// Kills the shipper `n_kills` times in the course of `duration`, and starts it again a moment later.
fn kill_again_and_again(
    shipper: &mut Child,
    n_kills: u32,
    duration: Duration,
    is_interrupted: &AtomicBool,
    look: impl Fn() -> Result<()>,
) -> Result<()> {
    let (began, mut n_killed) = (Instant::now(), 0);
    let mut random = Random::new(u64::from(std::process::id()));
    while began.elapsed() < duration && !is_interrupted.load(Ordering::Relaxed) {
        shipper.assert_runs()?;
        if n_killed < n_kills && began.elapsed() >= duration * (n_killed + 1) / (n_kills + 1) {
            shipper.kill()?;
            std::thread::park_timeout(Duration::from_millis(random.below(DEAD_MS_MAX)));
            shipper.start_again()?;
            n_killed += 1;
        }
        look()?;
        std::thread::park_timeout(ASK_EVERY);
    }
    Ok(())
}

fn print(tally: &Tally, printing: &Printing) -> Result<()> {
    let mut printer = printer_of(printing)?;
    printer.start(COLUMNS.map(Column::named).to_vec()).map_err(of_output)?;
    for verdict in tally.verdicts() {
        printer.row(cells(&verdict).map(|cell| cell.to_string()).to_vec()).map_err(of_output)?;
    }
    printer.finish().map_err(of_output)
}

fn cells(verdict: &Verdict) -> [serde_json::Value; 8] {
    let Verdict { rotation, rotations, written, stored, lost, repeated, altered } = *verdict;
    let result = if verdict.is_exact() { "exact" } else { "WRONG" };
    [
        json!(rotation.name()),
        json!(rotations),
        json!(written),
        json!(stored),
        json!(lost),
        json!(repeated),
        json!(altered),
        json!(result),
    ]
}
