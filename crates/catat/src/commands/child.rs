//! Servers and a shipper as processes of their own, which can be killed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::failure::{Failure, Result};

/// Longest time that a process takes to end once it is asked to.
const ENDING: Duration = Duration::from_secs(30);

/// How often a process that starts is asked.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// Last lines of a process's output that an error shows.
const LINES_SHOWN: usize = 5;

/// A process of this executable or another version of it, killed at the end at the latest.
pub(super) struct Child {
    executable: PathBuf,
    arguments: Vec<PathBuf>,
    /// Its output.
    log: PathBuf,
    process: std::process::Child,
}

impl Child {
    /// Starts a server on `dir/name`, on a free port: of this executable, or of another.
    pub(super) fn server(dir: &Path, name: &str, executable: Option<&Path>) -> Result<Self> {
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--data-dir"].map(PathBuf::from);
        let log = if name == "data" { "server.log".to_owned() } else { format!("{name}.log") };
        Self::start(dir, &log, executable, arguments.into_iter().chain([dir.join(name)]).collect())
    }

    /// Starts a shipper of `logs` to `url`.
    pub(super) fn shipper(dir: &Path, url: &str, logs: &Path) -> Result<Self> {
        let arguments = ["ship", "--url", url, "--state-dir"].map(PathBuf::from);
        let arguments = arguments.into_iter().chain([dir.join("ship"), logs.to_owned()]);
        Self::start(dir, "ship.log", None, arguments.collect())
    }

    fn start(dir: &Path, log: &str, executable: Option<&Path>, mut arguments: Vec<PathBuf>) -> Result<Self> {
        // A configuration of this machine has no say here.
        let config = dir.join("catat.toml");
        std::fs::write(&config, "").map_err(|error| Failure::usage(format!("{}: {error}", config.display())))?;
        arguments.insert(1, PathBuf::from("--config"));
        arguments.insert(2, config);
        let log = dir.join(log);
        let executable = executable.map_or_else(std::env::current_exe, |executable| Ok(executable.to_owned()));
        let executable = executable.map_err(|error| Failure::other(error.to_string()))?;
        let process = spawn(&executable, &arguments, &log)?;
        Ok(Self { executable, arguments, log, process })
    }

    /// Fails where it has ended.
    pub(super) fn assert_runs(&mut self) -> Result<()> {
        match self.process.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(self.failure(&format!("ended with {status}"))),
            Err(error) => Err(self.failure(&error.to_string())),
        }
    }

    /// Asks again and again for what a process that is ready can give. `ask` gets the time that was waited.
    pub(super) fn wait_for<T>(&mut self, longest: Duration, mut ask: impl FnMut(Duration) -> Option<T>) -> Result<T> {
        let began = Instant::now();
        loop {
            self.assert_runs()?;
            if let Some(found) = ask(began.elapsed()) {
                return Ok(found);
            }
            types::ensure!(began.elapsed() <= longest, self.failure("does not answer"));
            std::thread::park_timeout(ASK_EVERY);
        }
    }

    /// `kill -9`.
    pub(super) fn kill(&mut self) -> Result<()> {
        let killed = self.process.kill().and_then(|()| self.process.wait().map(drop));
        killed.map_err(|error| self.failure(&error.to_string()))
    }

    /// Starts it with the same arguments.
    pub(super) fn start_again(&mut self) -> Result<()> {
        self.process = spawn(&self.executable, &self.arguments, &self.log)?;
        Ok(())
    }

    /// Asks it to end, and waits until it has.
    pub(super) fn stop(&mut self) -> Result<()> {
        let pid = i32::try_from(self.process.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            let told = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            told.map_err(|error| self.failure(&error.to_string()))?;
        }
        let began = Instant::now();
        while let Ok(None) = self.process.try_wait() {
            types::ensure!(began.elapsed() <= ENDING, self.failure("does not end"));
            std::thread::park_timeout(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Returns the error text of the process.
    pub(super) fn failure(&self, problem: &str) -> Failure {
        let name = self.arguments.first().map(|name| name.display().to_string()).unwrap_or_default();
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(LINES_SHOWN)..].join("\n  ");
        let end = if last.is_empty() { String::new() } else { format!("; at its end:\n  {last}") };
        Failure::other(format!("`catat {name}` {problem}; its output is in {}{end}", self.log.display()))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended already; that is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(executable: &Path, arguments: &[PathBuf], log: &Path) -> Result<std::process::Child> {
    let failed = |path: &Path, error: &std::io::Error| Failure::other(format!("{}: {error}", path.display()));
    let log = File::options().create(true).append(true).open(log).map_err(|error| failed(log, &error))?;
    let mut command = Command::new(executable);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CATAT_")) {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    command.spawn().map_err(|error| failed(executable, &error))
}

/// Makes a directory for processes, which must be new or empty. Returns its absolute path: they may have other working directories
/// where their user does.
pub(super) fn empty_directory(dir: &Path) -> Result<PathBuf> {
    let failed =
        |error: std::io::Error| Failure::usage(format!("{}: {error}; choose another with --dir", dir.display()));
    std::fs::create_dir_all(dir).map_err(failed)?;
    let dir = dir.canonicalize().map_err(failed)?;
    if std::fs::read_dir(&dir).map_err(failed)?.next().is_some() {
        return Err(Failure::usage(format!("{} is not empty; choose a new directory with --dir", dir.display())));
    }
    Ok(dir)
}
