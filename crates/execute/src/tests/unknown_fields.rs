//! Which fields no event has is asked of runs as cheaply as can be.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use chrono_tz::Tz;
use language::{ParseOptions, parse_insights};
use plan::UnknownFields;
use plan::unknown_fields::unknown_fields;
use types::{
    Column, FieldSummary, MinuteCounts, Narrowed, RowSet, Run, RunInfo, ScanError, TextProbe, Timestamp, TypeSet,
};

/// A run with two fields that counts how often it is asked for their summaries.
struct Counting {
    info: RunInfo,
    n_summaries: AtomicUsize,
}

impl Run for Counting {
    fn info(&self) -> &RunInfo {
        &self.info
    }

    fn n_blocks(&self) -> usize {
        0
    }

    fn block_rows(&self, _: usize) -> usize {
        0
    }

    fn block_times(&self, _: usize) -> (Timestamp, Timestamp) {
        (Timestamp(0), Timestamp(0))
    }

    fn fields(&self) -> Result<Vec<FieldSummary>, ScanError> {
        self.n_summaries.fetch_add(1, Relaxed);
        let names = self.field_names()?;
        Ok(names.into_iter().map(|name| FieldSummary { name, types: TypeSet(1), n_events: 1 }).collect())
    }

    fn field_names(&self) -> Result<Vec<Arc<str>>, ScanError> {
        Ok(vec!["status".into(), "http.path".into()])
    }

    fn minutes(&self) -> Result<Option<Vec<MinuteCounts>>, ScanError> {
        Ok(None)
    }

    fn narrow(&self, _: usize, _: &TextProbe<'_>) -> Result<Narrowed, ScanError> {
        Ok(Narrowed { rows: RowSet::none(0), exact: true })
    }

    fn read(&self, _: usize, _: &[&str], _: &RowSet) -> Result<Vec<Column>, ScanError> {
        Ok(Vec::new())
    }
}

#[test]
fn summaries_are_read_only_where_no_run_knows_the_name() {
    let check = |text: &str| {
        let group = types::GroupName::new("g").expect("a name");
        let (first, last) = (Timestamp(0), Timestamp(1));
        let info = RunInfo { group, group_id: 1, key: None, n_events: 1, first, last };
        let runs: Vec<Arc<Counting>> =
            (0..3).map(|_| Arc::new(Counting { info: info.clone(), n_summaries: AtomicUsize::new(0) })).collect();
        let as_runs: Vec<Arc<dyn Run>> = runs.iter().map(|run| run.clone() as Arc<dyn Run>).collect();
        let options = ParseOptions { now: Timestamp(0), time_zone: Tz::UTC };
        let plan = parse_insights(text, &options).expect("it is a query");
        let n_warnings = unknown_fields(UnknownFields::of(&plan, text), &as_runs).expect("fields can be read").len();
        (n_warnings, runs.iter().map(|run| run.n_summaries.load(Relaxed)).sum::<usize>())
    };
    assert_eq!(check("stats count(*) by status, http.path"), (0, 0));
    assert_eq!(check("stats count(*) by http"), (0, 1));
    assert_eq!(check("stats count(*) by stauts"), (1, 3));
}
