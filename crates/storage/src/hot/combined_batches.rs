//! Groups requests of samples into runs for queries.
//!
//! A query looks its series up in every run, and requests of samples are too many and too large to be merged. Queries therefore see
//! several requests as one run; the flush still sees each request. The grouping depends only on the order of the requests, so that
//! later requests leave earlier runs, and the answers cached for them, as they are.

use std::fmt::{Debug, Formatter};
use std::sync::{Arc, Mutex, OnceLock};

use types::{BatchRun, Hold, Run, SampleRun};

/// How many requests form a run before there are enough for a run of full size.
const FEW: usize = 8;

/// The runs that queries see of a group. A clone shares the runs made so far and groups its requests anew.
#[derive(Default)]
pub(crate) struct CombinedBatches {
    /// The runs made last.
    made: Arc<Mutex<Vec<Arc<SampleRun>>>>,
    shown: OnceLock<Vec<Arc<dyn Run>>>,
}

impl Debug for CombinedBatches {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CombinedBatches").finish_non_exhaustive()
    }
}

impl Clone for CombinedBatches {
    fn clone(&self) -> Self {
        Self { made: self.made.clone(), shown: OnceLock::new() }
    }
}

impl CombinedBatches {
    /// Returns the events of `runs` in fewer runs. Every call must pass the same `runs`.
    pub(crate) fn of<'r>(&self, runs: impl Iterator<Item = &'r Arc<BatchRun>>) -> &[Arc<dyn Run>] {
        self.shown.get_or_init(|| self.grouped(runs))
    }

    fn grouped<'r>(&self, runs: impl Iterator<Item = &'r Arc<BatchRun>>) -> Vec<Arc<dyn Run>> {
        let mut together = Vec::new();
        let (mut open, mut n_rows): (Vec<&Arc<BatchRun>>, usize) = Default::default();
        let mut alone: Vec<Arc<dyn Run>> = Vec::new();
        for run in runs {
            if !SampleRun::takes(run) {
                alone.push(run.clone());
                continue;
            }
            if n_rows + run.batch().len() > SampleRun::ROWS_MAX || open.len() == SampleRun::PARTS_MAX {
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
        let mut made = self.made.hold();
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
