//! How a node leaves its work to others: at once what only one does, after a while what senders bring.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use types::Hold;

/// How long senders are still served: load balancers notice by then that the node is not ready.
const GRACE: Duration = Duration::from_millis(if cfg!(test) { 500 } else { 10_000 });

/// How long after that what was under way is awaited, before the node may say that it has nothing left.
const UNDER_WAY: Duration = Duration::from_millis(if cfg!(test) { 100 } else { 2_000 });

/// What a node knows of an order to take no new work.
#[derive(Default)]
pub(crate) struct Drain(Mutex<Option<Instant>>);

impl Drain {
    fn since(&self) -> Option<Duration> {
        let since = *self.0.hold();
        since.map(|since| since.elapsed())
    }

    /// Notes whether there is an order.
    pub(crate) fn note(&self, is_ordered: bool) {
        let mut since = self.0.hold();
        *since = is_ordered.then(|| since.unwrap_or_else(Instant::now));
    }

    /// Reports whether the node is to take no new work.
    pub(crate) fn is_ordered(&self) -> bool {
        self.since().is_some()
    }

    /// Reports whether events are refused.
    pub(crate) fn refuses_events(&self) -> bool {
        self.since().is_some_and(|since| since >= GRACE)
    }

    /// Reports whether what came before is with the collector, if it is not done.
    pub(crate) fn is_over(&self) -> bool {
        self.since().is_some_and(|since| since >= GRACE + UNDER_WAY)
    }
}
