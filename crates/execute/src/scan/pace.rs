//! Whether a thread that works off items alone needs help: starting another one takes as long as some items.

use std::time::{Duration, Instant};

/// How long the thread that asks works alone, if it does.
const ALONE: Duration = Duration::from_micros(300);

/// The estimated time of the remaining work from which on another thread is started.
const LEFT_MIN: Duration = Duration::from_micros(600);

/// How long the first item may take until it counts like the others. It also reads what all need, and little says of their time.
const FIRST_MAX: Duration = Duration::from_millis(1);

/// How fast a thread works items off.
pub(super) struct Pace {
    n_items: usize,
    began: Instant,
    /// When the first item was done.
    first: Option<Duration>,
}

impl Pace {
    /// Begins with the first of `n_items`.
    pub(super) fn new(n_items: usize) -> Self {
        Self { n_items, began: Instant::now(), first: None }
    }

    /// Reports whether the items after the first `n_done` are worth another thread.
    pub(super) fn needs_help(&mut self, n_done: usize) -> bool {
        self.needs_help_after(self.began.elapsed(), n_done)
    }

    fn needs_help_after(&mut self, spent: Duration, n_done: usize) -> bool {
        if n_done == 0 {
            return false;
        }
        let first = *self.first.get_or_insert(spent);
        let n_left = self.n_items.saturating_sub(n_done);
        let of_item = match n_done {
            1 if first < FIRST_MAX => return false,
            1 => first,
            _ => spent.saturating_sub(first) / u32::try_from(n_done - 1).unwrap_or(u32::MAX),
        };
        spent >= ALONE && of_item.saturating_mul(u32::try_from(n_left).unwrap_or(u32::MAX)) >= LEFT_MIN
    }
}

#[cfg(test)]
mod tests;
