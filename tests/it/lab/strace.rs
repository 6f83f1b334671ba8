//! System calls under `strace`: seen, failed, left out, or answered with a signal.
//!
//! `strace -D` runs beside the server instead of as its parent, so that the child of the test is the server itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::server::{Launch, PATIENCE, Server};

/// The calls that make a file durable, in all their forms.
pub(crate) const SYNCS: &str = "fsync,fdatasync,sync_file_range,sync,syncfs,msync";

/// Tells whether `strace` is there and may trace; why not goes to standard error.
pub(crate) fn is_there() -> bool {
    let ran = Command::new("strace").args(["-f", "--seccomp-bpf", "-o", "/dev/null", "true"]).output();
    match ran {
        Ok(output) if output.status.success() => true,
        other => {
            eprintln!("left out: strace may not trace here: {other:?}");
            false
        }
    }
}

/// A server's launch under `strace` from its first instruction on, writing to `trace`.
pub(crate) fn traced(launch: Launch, trace: &Path, options: &[&str]) -> Launch {
    let trace = trace.to_str().expect("scratch paths are ASCII");
    // With the filter in the kernel only traced calls cost anything, but strace 6.1 then delivers no signals.
    let filter = if options.iter().any(|option| option.contains("signal=")) { "-y" } else { "--seccomp-bpf" };
    launch.under(&[&["strace", "-D", "-f", filter, "-o", trace][..], options].concat())
}

/// Waits until the trace of a process that has ended is whole, and returns it.
pub(crate) fn whole_trace(trace: &Path, pid: u32) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let text = fs::read_to_string(trace).unwrap_or_default();
        // The first thread is the last whose end is reported.
        let is_end = |line: &str| {
            line.split_once(' ')
                .is_some_and(|(of, rest)| of == pid.to_string() && rest.trim_start().starts_with("+++ "))
        };
        if text.lines().rev().any(is_end) {
            return text;
        }
        assert!(Instant::now() < deadline, "strace does not end");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// `strace` attached to a running server.
pub(crate) struct Strace {
    child: Child,
    trace: PathBuf,
}

impl Strace {
    /// Attaches with these options; `None`, and why on standard error, where it cannot.
    pub(crate) fn attach(server: &Server, scratch: &Path, options: &[&str]) -> Option<Strace> {
        let trace = scratch.join("trace");
        let mut command = Command::new("strace");
        command.args(["-f", "-s", "60", "-o"]).arg(&trace).args(options).args(["-p", &server.pid().to_string()]);
        let mut child = match command.stderr(Stdio::null()).spawn() {
            Ok(child) => child,
            Err(error) => {
                eprintln!("left out: strace: {error}");
                return None;
            }
        };
        let is_attached = server.until("strace has attached or given up", || {
            if child.try_wait().is_ok_and(|ended| ended.is_some()) {
                return Some(false);
            }
            let threads = fs::read_dir(format!("/proc/{}/task", server.pid())).ok()?;
            let is_traced =
                |status: String| status.lines().any(|line| line.starts_with("TracerPid:") && !line.ends_with("\t0"));
            let mut statuses = threads.flatten().map(|thread| fs::read_to_string(thread.path().join("status")));
            statuses.all(|status| status.is_ok_and(is_traced)).then_some(true)
        });
        if !is_attached {
            eprintln!("left out: strace may not attach here");
        }
        is_attached.then_some(Strace { child, trace })
    }

    /// Detaches and returns what was traced.
    pub(crate) fn detach(mut self) -> String {
        // SIGTERM makes it write what it has and let go.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
        fs::read_to_string(&self.trace).unwrap_or_default()
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
