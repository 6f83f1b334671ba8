//! The threads that work off a scan.
//!
//! Starting a thread takes longer than a query of a few blocks. The calling thread therefore works too, if its stack is large enough,
//! and `scanner` lets it begin alone.

use std::cell::Cell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::{Builder, Result as Joined, ScopedJoinHandle, scope};

use crate::request::error::{ExecuteError, Result};

/// Stack of a thread that works, in bytes. Expressions nest as deep as the checker lets them, and evaluating one is recursive.
pub const STACK_BYTES: usize = 16 << 20;

thread_local! {
    static TAKES_PART: Cell<bool> = const { Cell::new(false) };
}

/// Lets the calling thread, whose stack has room for [`STACK_BYTES`], work on the queries that it asks.
pub fn take_part() {
    TAKES_PART.set(true);
}

/// Reports whether the calling thread works on the queries that it asks.
pub(crate) fn takes_part() -> bool {
    TAKES_PART.get()
}

/// Runs `work` in up to `n_threads` threads at the same time, at least one, and returns what they return. Fewer do it where the system
/// has no more.
pub(crate) fn in_threads<W: Send>(n_threads: usize, work: impl Fn() -> W + Sync) -> Result<Vec<W>> {
    let takes_part = takes_part();
    let n_started = n_threads.max(1) - usize::from(takes_part);
    let finished: Vec<io::Result<Joined<W>>> = scope(|scope| {
        let started: Vec<_> =
            (0..n_started).map(|_| Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, &work)).collect();
        // A panic ends the query, not the thread, as in all others.
        let own = takes_part.then(|| Ok(catch_unwind(AssertUnwindSafe(&work))));
        let others = started.into_iter().map(|thread| thread.map(ScopedJoinHandle::join));
        others.chain(own).collect()
    });
    let (mut results, mut failure) = (Vec::with_capacity(finished.len()), ExecuteError::Panicked);
    for thread in finished {
        match thread {
            Ok(Ok(result)) => results.push(result),
            Ok(Err(_)) => return Err(ExecuteError::Panicked),
            Err(error) => failure = ExecuteError::NoThread(error),
        }
    }
    if results.is_empty() { Err(failure) } else { Ok(results) }
}

#[cfg(test)]
mod tests;
