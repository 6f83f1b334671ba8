//! Keeps the claim on a catalog that several servers could write to: its owner says now and then that it is alive,
//! learns that it was replaced, and notices when the catalog goes away and comes back.

use std::time::Duration;

use crate::segments::Segments;
use crate::writer::Writer;
use crate::writer::queue::CloseReason;
use database::DatabaseProblem;

/// How often the claim is renewed. Several times within the time after which another server may take over.
const RENEW: Duration = Duration::from_secs(2);

/// How often a catalog that is away is asked for.
const RETRY: Duration = Duration::from_millis(500);

/// Runs the thread that renews the claim and checks the control store.
pub(crate) fn run(segments: &Segments, writer: &Writer) {
    let mut pause = RENEW;
    while segments.claim.signal.pause(pause) {
        let renewed = segments.catalog().renew();
        if let Err(error) = &renewed
            && matches!(error.problem, DatabaseProblem::Replaced { .. })
        {
            // Before anyone can read that it was replaced, and before the control store is waited for.
            writer.queue.close(CloseReason::Poisoned(error.to_string()));
            segments.claim.note(Some(error));
            tracing::error!(%error, "this server accepts no more events");
            return;
        }
        let has_changed = segments.claim.note(renewed.as_ref().err());
        let control = segments.control().check();
        segments.claim.note_control(control.as_ref().err());
        pause = if control.is_ok() { RENEW } else { RETRY };
        match renewed {
            Ok(()) if has_changed => {
                tracing::warn!("catalog can be used again");
                segments.signals.flush.ring();
            }
            Ok(()) => {}
            Err(error) => {
                if has_changed {
                    tracing::error!(%error, "catalog cannot be used; events are kept in the wal meanwhile");
                }
                pause = RETRY;
            }
        }
    }
}
