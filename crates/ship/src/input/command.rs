//! Lines that a program prints: run once and read until it ends, or from time to time.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::input::program::{self, Program, StderrUse};
use crate::input::stdin::copy_lines;
use crate::input::{Input, InputError, Sink};

/// A program and its arguments; no shell is between.
#[derive(Clone, Debug)]
pub struct Command {
    /// The program, then its arguments.
    pub arguments: Vec<String>,
    /// How often it is run; without it, again when it has ended.
    pub every: Option<Duration>,
}

impl Input for Command {
    fn run(&mut self, sink: &Sink) -> Result<(), InputError> {
        while !sink.is_stopping() {
            let started = Instant::now();
            match self.run_once(sink) {
                Ok(()) => sink.works(),
                // The next run is at its time, whatever became of this one.
                Err(error) if self.every.is_some() && !sink.is_stopping() => {
                    tracing::warn!(%error, "command failed");
                    sink.fails(error.to_string());
                }
                Err(error) => return Err(error),
            }
            let pause = self.every.unwrap_or(Duration::from_secs(1));
            sink.wait(pause.saturating_sub(started.elapsed()));
        }
        Ok(())
    }
}

impl Command {
    pub(super) fn run_once(&self, sink: &Sink) -> Result<(), InputError> {
        let (path, arguments) =
            self.arguments.split_first().ok_or_else(|| InputError::Failed("command: no program named".into()))?;
        let program = Program { path: Path::new(path), arguments, trouble: StderrUse::Shown };
        let what = program.to_string();
        let ended = program::run(&program, sink, |output| {
            let printed = output.fill_buf().map_err(|error| InputError::Read { what: what.clone(), error })?;
            // What ended its last run is over for a program that prints again, however long it runs.
            if !printed.is_empty() {
                sink.works();
            }
            copy_lines(output, &what, sink)
        })?;
        if ended.status.success() { Ok(()) } else { Err(InputError::Failed(format!("{what}: {}", ended.status))) }
    }
}
