//! Requests of samples that questions see as one run.
//!
//! A question looks a series up in every run. Samples come in many requests, too large to be merged; several of them together are
//! one run for whoever asks, and stay what they are for everybody else. Which ones belong together follows from their order alone,
//! so that a run remains the same while others come after it: answers that were kept for it stay valid.

use std::fmt::{Debug, Formatter};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use types::{BatchRun, Run, SampleRun};

/// Requests that are together until there are enough for a whole run.
const FEW: usize = 8;

/// What questions see of the requests of a group. A clone is for other requests, those before among them.
#[derive(Default)]
pub(crate) struct Together {
    /// The runs that were made the last time.
    made: Arc<Mutex<Vec<Arc<SampleRun>>>>,
    shown: OnceLock<Vec<Arc<dyn Run>>>,
}

impl Debug for Together {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Together").finish_non_exhaustive()
    }
}

impl Clone for Together {
    fn clone(&self) -> Self {
        Self { made: self.made.clone(), shown: OnceLock::new() }
    }
}

impl Together {
    /// Returns the events of `runs`, the same ones each time, in fewer runs.
    pub(crate) fn of<'r>(&self, runs: impl Iterator<Item = &'r Arc<BatchRun>>) -> &[Arc<dyn Run>] {
        self.shown.get_or_init(|| self.put_together(runs))
    }

    fn put_together<'r>(&self, runs: impl Iterator<Item = &'r Arc<BatchRun>>) -> Vec<Arc<dyn Run>> {
        let mut together = Vec::new();
        let (mut open, mut n_rows): (Vec<&Arc<BatchRun>>, usize) = Default::default();
        let mut alone: Vec<Arc<dyn Run>> = Vec::new();
        for run in runs {
            if !SampleRun::takes(run) {
                alone.push(run.clone());
                continue;
            }
            if n_rows + run.batch().len() > SampleRun::ROWS_MAX {
                together.push(std::mem::take(&mut open));
                n_rows = 0;
            }
            n_rows += run.batch().len();
            open.push(run);
        }
        together.extend(open.chunks(FEW).filter(|some| some.len() == FEW).map(<[_]>::to_vec));
        let rest = open.len() % FEW;
        alone.extend(open[open.len() - rest..].iter().map(|run| Arc::clone(run) as Arc<dyn Run>));
        if together.is_empty() {
            return alone;
        }
        // A list is whole between any two statements.
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<Arc<SampleRun>> = Vec::with_capacity(together.len());
        for parts in together {
            all.extend(found(&made, &parts).or_else(|| {
                let run = SampleRun::new(parts.into_iter().cloned().collect())?;
                Some(Arc::new(run.beside(all.iter().chain(&*made).map(|run| &**run))))
            }));
        }
        made.clone_from(&all);
        alone.extend(all.into_iter().map(|run| run as Arc<dyn Run>));
        alone
    }
}

/// Returns the run that consists of `parts`.
fn found(made: &[Arc<SampleRun>], parts: &[&Arc<BatchRun>]) -> Option<Arc<SampleRun>> {
    let is_it = |run: &&Arc<SampleRun>| {
        run.parts().len() == parts.len() && run.parts().iter().zip(parts).all(|(one, other)| Arc::ptr_eq(one, other))
    };
    made.iter().find(is_it).cloned()
}
