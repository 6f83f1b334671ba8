//! Lines that a program prints: run once and read until it ends, or every so often.

use std::io::BufReader;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

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
            self.run_once(sink)?;
            sink.works();
            let pause = self.every.unwrap_or(Duration::from_secs(1));
            sink.wait(pause.saturating_sub(started.elapsed()));
        }
        Ok(())
    }
}

impl Command {
    pub(super) fn run_once(&self, sink: &Sink) -> Result<(), InputError> {
        let what = self.arguments.join(" ");
        let failed = |error| InputError::Read { what: what.clone(), error };
        let (program, arguments) =
            self.arguments.split_first().ok_or_else(|| InputError::Failed("command: it names no program".into()))?;
        let mut command = std::process::Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = Running(command.spawn().map_err(failed)?);
        let output = child.0.stdout.take().ok_or_else(|| InputError::Failed(format!("{what}: no output")))?;
        copy_lines(&mut BufReader::new(output), &what, sink)?;
        let status = child.0.wait().map_err(failed)?;
        if status.success() { Ok(()) } else { Err(InputError::Failed(format!("{what}: {status}"))) }
    }
}

/// A program that does not outlive who reads it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already where it was waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
