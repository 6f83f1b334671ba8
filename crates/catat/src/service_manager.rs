//! What systemd is told where it asks for it: that we are ready, that we live, that we stop (`sd_notify(3)`).
//!
//! One datagram each, to the socket that `NOTIFY_SOCKET` names: a path, or a name without a file behind an `@`. Elsewhere,
//! and where the socket is gone, nothing happens.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
#[cfg(feature = "server")]
use std::sync::Arc;
#[cfg(feature = "server")]
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

/// Says that whoever waits for us need not wait any more, and in a word what we do.
pub(crate) fn ready(status: &str) {
    // A line end would begin another word.
    tell(&format!("READY=1\nSTATUS={}", status.replace('\n', " ")));
}

/// Says that we are on our way out.
fn stopping() {
    tell("STOPPING=1");
}

/// Returns when somebody asks the process to stop.
pub(crate) async fn stop_signal() {
    let (terminate, interrupt) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    match (terminate, interrupt) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            stopping();
        }
        // Without signal handlers the default action ends the process, which loses nothing that was acknowledged.
        _ => std::future::pending().await,
    }
}

/// Returns a flag that becomes true when the process is told to stop; `then` is done after that.
#[cfg(feature = "server")]
pub(crate) fn stop_flag(then: impl FnOnce() + Send + 'static) -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = flag.clone();
    std::thread::spawn(move || {
        // Without a runtime a signal ends the process, which loses nothing.
        if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() {
            runtime.block_on(stop_signal());
            set.store(true, Ordering::Relaxed);
            then();
        }
    });
    flag
}

/// Says again and again that we live, where that is waited for; never ends. A runtime that hangs says nothing.
pub(crate) async fn live() {
    let Some(interval) = watchdog_interval(std::env::var_os("WATCHDOG_USEC"), std::env::var_os("WATCHDOG_PID")) else {
        return std::future::pending().await;
    };
    let mut beats = tokio::time::interval(interval);
    loop {
        beats.tick().await;
        tell("WATCHDOG=1");
    }
}

/// Returns the interval of watchdog messages: half the timeout of the service manager.
fn watchdog_interval(usec: Option<OsString>, pid: Option<OsString>) -> Option<Duration> {
    let number = |text: &OsStr| text.to_str()?.parse::<u64>().ok();
    if pid.is_some_and(|pid| number(&pid) != Some(std::process::id().into())) {
        return None;
    }
    let usec = number(&usec?).filter(|usec| *usec > 1)?;
    Some(Duration::from_micros(usec / 2))
}

fn tell(words: &str) {
    let Some(name) = std::env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else { return };
    if let Err(error) = send(&name, words.as_bytes()) {
        tracing::debug!(%error, "the service manager is not told");
    }
}

fn send(name: &OsStr, words: &[u8]) -> io::Result<()> {
    let address = match name.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(name)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.send_to_addr(words, &address).map(|_| ())
}

#[cfg(test)]
mod tests;
