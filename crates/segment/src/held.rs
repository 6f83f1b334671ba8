//! What queries hold of runs while they read them: of a bounded number of runs, over all queries.
//!
//! A query goes through its runs one after the other and asks each many times while it is there. What it has read of a run
//! serves these questions; once it has moved on, nobody asks any more. Of more than [`RUNS_MAX`] runs, what was not
//! used for longest is let go, and read again where it is asked for after all.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::thread::available_parallelism;

use types::Hold;

/// Most runs whose decoded parts are kept at once. It is enough for a few queries at once, each of which alternates between the blocks of
/// several runs where their times overlap.
const RUNS_MAX: usize = 64;

/// The same for each processor, where there are many: each works on another run.
const RUNS_PER_PROCESSOR: usize = 4;

/// What a query holds of a run; nothing before it is asked for, and once it was let go.
pub(crate) struct Holding<T> {
    // It is one word.
    what: Mutex<Option<Arc<T>>>,
    was_used: AtomicBool,
}

/// Something that can be let go.
trait LetGo: Send + Sync {
    /// Reports whether it was used since this was asked last.
    fn was_used(&self) -> bool;

    fn let_go(&self);
}

/// What is held, in the order in which it came.
#[derive(Default)]
pub(crate) struct Holdings(Mutex<VecDeque<Weak<dyn LetGo>>>);

impl<T> Default for Holding<T> {
    fn default() -> Self {
        Self { what: Mutex::default(), was_used: AtomicBool::new(false) }
    }
}

impl<T> Holding<T> {}

impl<T: Default + Send + Sync + 'static> Holding<T> {
    /// Returns what is held, as one of `list` where there is one.
    pub(crate) fn get(self: &Arc<Self>, list: Option<&Holdings>) -> Arc<T> {
        self.was_used.store(true, Ordering::Relaxed);
        let mut what = self.what.hold();
        if let Some(held) = &*what {
            return held.clone();
        }
        let held = Arc::<T>::default();
        *what = Some(held.clone());
        drop(what);
        if let Some(list) = list {
            let held: Weak<Self> = Arc::downgrade(self);
            list.add(held);
        }
        held
    }
}

impl<T: Send + Sync> LetGo for Holding<T> {
    fn was_used(&self) -> bool {
        self.was_used.swap(false, Ordering::Relaxed)
    }

    fn let_go(&self) {
        let held = self.what.hold().take();
        drop(held);
    }
}

impl Holdings {
    fn add(&self, held: Weak<dyn LetGo>) {
        let n_max = RUNS_MAX.max(available_parallelism().map_or(0, |n| n.get() * RUNS_PER_PROCESSOR));
        // The list is whole between any two statements.
        let mut list = self.0.hold();
        list.push_back(held);
        while list.len() > n_max
            && let Some(first) = list.pop_front()
        {
            match first.upgrade() {
                Some(held) if held.was_used() => list.push_back(first),
                Some(held) => held.let_go(),
                None => {}
            }
        }
    }
}

impl fmt::Debug for Holdings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Holdings")
    }
}

#[cfg(test)]
mod tests;
