//! A program whose output is read. It and what it has started end when the reading does, or when the shipper stops.

use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use types::{Hold, ensure};

use crate::input::{InputError, Sink};

/// Most bytes of a program's standard error that are kept.
const TROUBLE_BYTES_MAX: u64 = 4 << 10;

/// How long the wait for the stop of the shipper is at most; the end of the program ends it.
const LONG: Duration = Duration::from_secs(3600);

/// What is run; no shell is between.
#[derive(Clone, Debug)]
pub(super) struct Program<'p> {
    pub(super) path: &'p Path,
    pub(super) arguments: &'p [String],
    pub(super) trouble: StderrUse,
}

/// What becomes of what a program writes to standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StderrUse {
    /// It stands besides what the shipper writes there.
    Shown,
    /// It is kept.
    Kept,
}

/// How a program ended.
#[derive(Debug)]
pub(super) struct ExitReport {
    pub(super) status: ExitStatus,
    /// What was kept of its trouble, the beginning of it.
    pub(super) trouble: String,
}

/// Runs a program and lets `read` read its output; returns when both have ended.
///
/// # Errors
/// That it cannot be started, what `read` says, or that the shipper stops.
pub(super) fn run(
    program: &Program<'_>,
    sink: &Sink,
    read: impl FnOnce(&mut dyn BufRead) -> Result<(), InputError>,
) -> Result<ExitReport, InputError> {
    let failed = |error| InputError::Read { what: program.to_string(), error };
    let mut child = start(program).map_err(failed)?;
    let (output, trouble) = (child.stdout.take(), child.stderr.take());
    let running = Mutex::new(RunningProgram { child, has_ended: false });
    let (outcome, status, trouble) = std::thread::scope(|scope| {
        scope.spawn(|| {
            sink.stop.wait_unless(LONG, || running.hold().has_ended);
            running.hold().kill();
        });
        let trouble = scope.spawn(|| trouble.map(trouble_of).unwrap_or_default());
        let outcome = output.map_or(Ok(()), |output| read(&mut BufReader::with_capacity(64 << 10, output)));
        if outcome.is_err() {
            running.hold().kill();
        }
        let status = wait(&running);
        sink.stop.wake();
        (outcome, status, trouble.join().unwrap_or_default())
    });
    outcome?;
    ensure!(!sink.is_stopping(), InputError::Stopping);
    Ok(ExitReport { status: status.map_err(failed)?, trouble })
}

fn start(program: &Program<'_>) -> std::io::Result<Child> {
    let stderr = if program.trouble == StderrUse::Kept { Stdio::piped() } else { Stdio::inherit() };
    // A group of its own, so that what it starts can be ended with it.
    let mut command = Command::new(program.path);
    command.args(program.arguments).process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr).spawn()
}

impl fmt::Display for Program<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        self.arguments.iter().try_for_each(|argument| write!(f, " {argument}"))
    }
}

/// A program and whether it is known to have ended.
struct RunningProgram {
    child: Child,
    has_ended: bool,
}

impl RunningProgram {
    /// Kills it and all that it has started. No other process has its number before it was waited for.
    fn kill(&mut self) {
        if !self.has_ended {
            // They may have ended by themselves.
            let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        }
    }
}

/// Waits for the end of a program, during which it can be killed.
fn wait(running: &Mutex<RunningProgram>) -> std::io::Result<ExitStatus> {
    let id = WaitId::Pid(Pid::from_child(&running.hold().child));
    // It keeps its number until it is waited for once more.
    while let Err(rustix::io::Errno::INTR) = waitid(id.clone(), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {}
    let mut running = running.hold();
    running.kill();
    running.has_ended = true;
    running.child.wait()
}

/// Reads to the end, so that the program can write; keeps the beginning.
fn trouble_of(mut stderr: ChildStderr) -> String {
    let mut kept = Vec::new();
    // What cannot be read is not reported.
    let _ = Read::by_ref(&mut stderr).take(TROUBLE_BYTES_MAX).read_to_end(&mut kept);
    let _ = std::io::copy(&mut stderr, &mut std::io::sink());
    String::from_utf8_lossy(&kept).trim().replace('\n', "; ")
}
