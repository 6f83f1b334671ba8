//! How far much data is read, on a terminal: bytes, rate, and the time that is left.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use types::{ByteSize, counted};

/// Time after which progress is shown.
const SHOWN_AFTER: Duration = Duration::from_millis(300);

/// Time after which the rate is worth an estimate.
const ESTIMATE_AFTER: Duration = Duration::from_secs(1);

/// A line on a terminal that is written again and again.
pub(crate) struct StatusLine {
    started: Instant,
    is_shown: AtomicBool,
}

impl StatusLine {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), is_shown: AtomicBool::new(false) }
    }

    /// Shows the text for the time that it has taken, if that is some time and there is a terminal.
    pub(crate) fn show(&self, text: impl FnOnce(Duration) -> String) {
        let elapsed = self.started.elapsed();
        if elapsed >= SHOWN_AFTER && std::io::stderr().is_terminal() {
            eprint!("\r\u{1b}[K{}", text(elapsed));
            self.is_shown.store(true, Relaxed);
        }
    }

    pub(crate) fn clear(&self) {
        if self.is_shown.swap(false, Relaxed) {
            eprint!("\r\u{1b}[K");
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

/// How much is read of some bytes.
pub(crate) struct Progress {
    pub(crate) line: StatusLine,
    /// Bytes of all; `None` where that is not known.
    n_bytes: Option<u64>,
}

impl Progress {
    pub(crate) fn new(n_bytes: Option<u64>) -> Self {
        Self { line: StatusLine::new(), n_bytes }
    }

    /// Shows that so many bytes are read.
    pub(crate) fn show(&self, n_read: u64) {
        self.line.show(|elapsed| text(n_read, self.n_bytes, elapsed));
    }
}

fn text(n_read: u64, n_bytes: Option<u64>, elapsed: Duration) -> String {
    let rate = n_read as f64 / elapsed.as_secs_f64();
    let all = n_bytes.map_or(String::new(), |n_bytes| format!(" of {}", ByteSize(n_bytes)));
    let left = n_bytes.filter(|n_bytes| *n_bytes > n_read && rate >= 1.0 && elapsed >= ESTIMATE_AFTER);
    let left = left.map_or(String::new(), |n_bytes| format!(", {} left", span((n_bytes - n_read) as f64 / rate)));
    format!("{}{all} read, {}/s{left}", ByteSize(n_read), ByteSize(rate as u64))
}

/// Returns how many events are done before this run, by it, and of how many in all, with the time that is left.
pub(crate) fn events_done((n_before, n_new, n_all): (u64, u64, u64), verb: &str, elapsed: Duration) -> String {
    let n_done = n_before + n_new;
    let left = n_all.saturating_sub(n_done) as f64 * elapsed.as_secs_f64() / n_new as f64;
    let left = if n_new > 0 { format!(", {} left", span(left)) } else { String::new() };
    format!("{n_done} of {} {verb}{left}", counted(n_all, "event"))
}

/// A span of time as people say it.
pub(crate) fn span(seconds: f64) -> String {
    match seconds.ceil() as u64 {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds.div_ceil(60)),
        seconds => format!("{} h", seconds.div_ceil(3_600)),
    }
}

#[cfg(test)]
mod tests;
