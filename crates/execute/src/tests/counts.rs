//! Counting codes gives what counting rows gives.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use types::{
    BatchBuilder, BatchRun, Column, FieldMinutes, GroupName, MinuteCounts, Narrowed, RowSet, Run, RunInfo, ScanError,
    TextProbe, TimeRange, Timestamp, Value,
};

use super::{Asked, SECOND, hot, said_by_its_run, shown};

#[test]
fn counts_of_codes_and_counts_of_rows_agree() {
    let mut builder = BatchBuilder::new();
    for n in 0..9_000i64 {
        builder.set_timestamp(Timestamp(n / 7 * SECOND));
        builder.set_message("m");
        builder.field_integer("n", n);
        if n % 3 > 0 {
            builder.field_text("host", &format!("h{}", n * n % 11));
        }
        builder.commit();
    }
    let mut batch = builder.finish();
    batch.sequences = (20_000..29_000).collect();
    let some_missing = BatchRun::new(GroupName::new("g").expect("a valid name"), 2, Arc::new(batch));
    let runs: [Arc<dyn Run>; 2] = [hot(0, 5_000), Arc::new(some_missing)];
    for by in ["host", "bin(5m) as t, host", "host, bin(5m) as t", "bin(1s) as t, host", "bin(5m) as t, @level"] {
        let fields = by.replace("bin(5m) as ", "").replace("bin(1s) as ", "");
        let answer = |aggregates: &str| {
            let text = format!("stats {aggregates} by {by} | fields {fields}, c | sort c desc, {fields} | limit 10000");
            shown(&Asked::default().answer(&text, &runs).expect("an answer"))
        };
        let counted = answer("count(*) as c");
        assert_eq!(counted, answer("count(*) as c, sum(n) as s"), "{by}");
        assert!(counted.len() > 5, "{by}");
    }
}

/// A run that keeps counts by minute of every field that it is asked for.
struct Counting {
    run: BatchRun,
    n_asked: AtomicUsize,
}

impl Run for Counting {
    fn info(&self) -> &RunInfo {
        self.run.info()
    }

    said_by_its_run!();

    fn minutes(&self) -> Result<Option<Vec<MinuteCounts>>, ScanError> {
        self.run.minutes()
    }

    fn field_minutes(&self, name: &str) -> Result<Option<FieldMinutes>, ScanError> {
        self.n_asked.fetch_add(1, Ordering::Relaxed);
        let mut counted: BTreeMap<String, (Option<Value>, BTreeMap<i64, u32>)> = BTreeMap::new();
        let mut minutes: Vec<i64> = Vec::new();
        for block in 0..self.run.n_blocks() {
            let all = RowSet::all(self.run.block_rows(block));
            let columns = self.run.read(block, &["@timestamp", name], &all)?;
            let [Column::Timestamps(times), values] = &columns[..] else { return Ok(None) };
            for (row, time) in times.iter().enumerate() {
                let minute = time.div_euclid(Timestamp::MINUTE);
                let value = values.value(row);
                let counts = counted.entry(format!("{value:?}")).or_insert_with(|| (value, BTreeMap::new()));
                *counts.1.entry(minute).or_default() += 1;
                minutes.push(minute);
            }
        }
        minutes.sort_unstable();
        minutes.dedup();
        let of_minutes = |counts: &BTreeMap<i64, u32>| {
            minutes.iter().map(|minute| counts.get(minute).copied().unwrap_or(0)).collect::<Vec<u32>>()
        };
        let counts = counted.values().map(|(_, counts)| of_minutes(counts)).collect();
        let values = counted.into_values().map(|(value, _)| value).collect();
        Ok(Some(FieldMinutes { minutes, values, counts }))
    }

    fn narrow(&self, block: usize, probe: &TextProbe<'_>) -> Result<Narrowed, ScanError> {
        self.run.narrow(block, probe)
    }

    fn read(&self, block: usize, names: &[&str], rows: &RowSet) -> Result<Vec<Column>, ScanError> {
        self.run.read(block, names, rows)
    }
}

#[test]
fn counts_that_are_kept_and_counts_of_rows_agree() {
    let run = || {
        let mut builder = BatchBuilder::new();
        for n in 0..9_000i64 {
            builder.set_timestamp(Timestamp(n / 7 * SECOND));
            builder.set_message("m");
            builder.field_text("level", ["info", "warn", "Error"][n as usize % 3]);
            if n % 3 > 0 {
                builder.field_integer("status", 200 + n * n % 5 * 100);
            }
            builder.field_text("k8s.node", &format!("n{}", n % 4));
            builder.commit();
        }
        let mut batch = builder.finish();
        batch.sequences = (0..9_000).collect();
        BatchRun::new(GroupName::new("g").expect("a valid name"), 2, Arc::new(batch))
    };
    let plain: [Arc<dyn Run>; 1] = [Arc::new(run())];
    let counting: Arc<Counting> = Arc::new(Counting { run: run(), n_asked: AtomicUsize::new(0) });
    let ranges = [TimeRange::ALL, TimeRange { from: Timestamp(90 * SECOND), to: Timestamp(1_000 * SECOND + 7) }];
    for (text, is_counted) in [
        ("stats count(*) as c by level", true),
        ("stats count(*) as c by bin(5m) as t, level", true),
        ("stats count(*) as c, count(status) as s by status", true),
        ("filter status >= 500 | stats count(*) as c by bin(1m) as t", true),
        ("filter ispresent(status) | stats count(status) as c by status, @log", true),
        ("filter level = \"warn\" | stats count(*) as c", true),
        ("fields toupper(level) as big | filter big = \"WARN\" | stats count(*) as c by big", false),
        ("fields toupper(level) as level | stats count(*) as c by level", true),
        ("stats count(*) as c by k8s.node", true),
        ("stats count(*) as c by absent", false),
        ("stats count(*) as c by k8s", false),
        ("stats count(*) as c by level, status", false),
        ("stats count(*) as c by level, @level", false),
        ("stats count(*) as c by bin(10s) as t, level", false),
        ("stats count_distinct(level) as c", false),
    ] {
        for range in ranges {
            let asked = Asked { range, ..Asked::default() };
            let expected = asked.answer(text, &plain).expect("an answer");
            let n_asked = counting.n_asked.load(Ordering::Relaxed);
            let runs: [Arc<dyn Run>; 1] = [counting.clone()];
            let found = asked.answer(text, &runs).expect("an answer");
            assert_eq!(shown(&found), shown(&expected), "{text}");
            assert_eq!(found.stats.events_scanned, expected.stats.events_scanned, "{text}");
            assert_eq!(counting.n_asked.load(Ordering::Relaxed) > n_asked, is_counted, "{text}");
        }
    }
}

#[test]
fn the_first_rows_by_a_count_are_those_of_all_groups() {
    let runs: [Arc<dyn Run>; 2] = [hot(0, 700), hot(5_000, 333)];
    for (by, order) in
        [("n", "c desc"), ("n", "c"), ("host, n", "c desc, n"), ("host", "c, host desc"), ("host", "host")]
    {
        for limit in [1, 2, 4, 60, 5_000] {
            let counts = format!("filter n % 7 != 3 | fields n % 31 as n | stats count(*) as c by {by} | sort {order}");
            let all = Asked::default().answer(&format!("{counts} | limit 100000"), &runs).expect("an answer");
            let first = Asked::default().answer(&format!("{counts} | limit {limit}"), &runs).expect("an answer");
            let mut expected = shown(&all);
            expected.truncate(limit);
            assert_eq!(shown(&first), expected, "{by} {order} {limit}");
        }
    }
}
