//! What an evaluation of PromQL may use, and when it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use promql::{Options, Stop};

/// Bytes of memory per sample that is read.
const SAMPLE_BYTES: usize = 40;

/// Returns the options of a query that may use so much memory, and ends when it is cancelled or at a time.
pub fn query_options(memory_bytes: usize, cancelled: Arc<AtomicBool>, deadline: Instant) -> Options {
    let stop = move || {
        if cancelled.load(Ordering::Relaxed) {
            return Some(Stop::Cancelled);
        }
        (Instant::now() > deadline).then_some(Stop::TimedOut)
    };
    Options { samples_max: memory_bytes / SAMPLE_BYTES, stop: Some(Arc::new(stop)), ..Options::default() }
}
