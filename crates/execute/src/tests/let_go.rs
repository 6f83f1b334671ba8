//! What questions over many runs hold of each of them.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, Weak};

use chrono_tz::Tz;
use types::{
    Column, Examples, Hold, MinuteCounts, Narrowed, RowSet, Run, RunInfo, RunKey, ScanError, TextProbe, TimeRange,
    Timestamp, Value,
};

use super::said_by_its_run;
use super::stored::{events, plan};
use crate::request::cache::PartialCache;
use crate::request::parameters::{Request, Support};
use crate::{EventSet, PatternTotals, pattern_counts, value_counts};

const N_RUNS: usize = 40;

/// What runs gave, and the most of it that was in use when one was asked.
struct Loans<T> {
    all: Vec<Weak<T>>,
    n_most: usize,
}

impl<T> Loans<T> {
    fn give(given: &Mutex<Self>, what: T) -> Arc<T> {
        let mut given = given.hold();
        given.n_most = given.n_most.max(given.n_in_use());
        let what = Arc::new(what);
        given.all.push(Arc::downgrade(&what));
        what
    }

    fn n_in_use(&self) -> usize {
        self.all.iter().filter(|weak| weak.strong_count() > 0).count()
    }
}

impl<T> Default for Loans<T> {
    fn default() -> Self {
        Self { all: Vec::new(), n_most: 0 }
    }
}

/// A stored run that keeps nothing: what belongs to it as a whole is made whenever it is asked for.
struct Forgetful {
    run: types::BatchRun,
    info: RunInfo,
    examples: Arc<Mutex<Loans<Examples>>>,
    dictionaries: Arc<Mutex<Loans<Vec<Value>>>>,
}

impl Run for Forgetful {
    fn info(&self) -> &RunInfo {
        &self.info
    }

    said_by_its_run!();

    fn minutes(&self) -> Result<Option<Vec<MinuteCounts>>, ScanError> {
        self.run.minutes()
    }

    fn narrow(&self, block: usize, probe: &TextProbe<'_>) -> Result<Narrowed, ScanError> {
        self.run.narrow(block, probe)
    }

    fn read(&self, block: usize, names: &[&str], rows: &RowSet) -> Result<Vec<Column>, ScanError> {
        let mut columns = self.run.read(block, names, rows)?;
        for (name, column) in names.iter().zip(&mut columns).filter(|(name, _)| **name == "host") {
            let values = (0..1000).map(|n| Value::text(format!("{name} {n}"))).collect();
            let values = Loans::give(&self.dictionaries, values);
            *column = Column::Dictionary { codes: (0..rows.count() as u32).map(|row| row % 1000).collect(), values };
        }
        Ok(columns)
    }

    fn examples(&self) -> Result<Option<Arc<Examples>>, ScanError> {
        Ok(Some(Loans::give(&self.examples, vec![None, Some("message 0 of worker-0".into())])))
    }

    fn example_numbers(&self, _block: usize, rows: &RowSet) -> Result<Vec<u32>, ScanError> {
        Ok(vec![1; rows.count()])
    }
}

#[test]
fn runs_that_were_counted_are_let_go_or_count_as_what_is_kept() {
    let (examples, dictionaries) =
        (Arc::<Mutex<Loans<Examples>>>::default(), Arc::<Mutex<Loans<Vec<Value>>>>::default());
    let run = |number: usize| -> Arc<dyn Run> {
        let run = events(number as i64 * 1000, 1000);
        let info = RunInfo { key: Some(RunKey { segment: number as u128, run: 0, version: 0 }), ..run.info().clone() };
        Arc::new(Forgetful { run, info, examples: examples.clone(), dictionaries: dictionaries.clone() })
    };
    let runs: Vec<Arc<dyn Run>> = (0..N_RUNS).map(run).collect();
    let cache = PartialCache::new(64 << 20);
    let (plan, cancelled) = (plan("fields @message"), AtomicBool::new(false));
    let request = Request {
        range: TimeRange::ALL,
        limit: None,
        time_zone: Tz::UTC,
        now: Timestamp(0),
        memory_bytes_max: 1 << 28,
        deadline: None,
        cancelled: &cancelled,
        n_threads: 2,
        progress: None,
        support: Support { cache: Some(&cache), ..Support::default() },
    };
    let set = EventSet { plan: &plan, request: &request };
    let mut choose = |totals: &[PatternTotals<'_>]| (0..totals.len()).collect::<Vec<usize>>();
    let counted = pattern_counts([set, set], &runs, &mut choose).expect("patterns");
    assert_eq!(counted.n_events, [40_000, 40_000]);
    let of_examples = examples.lock().expect("not poisoned");
    assert!(of_examples.all.len() >= N_RUNS && of_examples.n_most <= 8, "{} at once", of_examples.n_most);
    drop(of_examples);

    let before = cache.counts().n_bytes;
    value_counts(&plan, &runs, &request).expect("counts");
    let n_kept = dictionaries.lock().expect("not poisoned").n_in_use();
    let n_bytes = cache.counts().n_bytes - before;
    assert!(n_kept >= N_RUNS / 2 && n_bytes >= n_kept as u64 * 60_000, "{n_kept} dictionaries in {n_bytes} bytes");
}
