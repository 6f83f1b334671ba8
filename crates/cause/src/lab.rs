//! Events made up for tests, and questions about them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use chrono_tz::Tz;
use execute::{EventSet, Request, Support};
use language::{ParseOptions, parse_insights};
use plan::Plan;
use types::{BatchBuilder, BatchRun, GroupName, Level, Run, TimeRange, Timestamp, Value};

/// When the days of tests begin: 2026-11-20T00:00:00Z.
pub(crate) const DAY: i64 = 1_795_132_800 * Timestamp::SECOND;

pub(crate) const SECOND: i64 = Timestamp::SECOND;
pub(crate) const MINUTE: i64 = Timestamp::MINUTE;
pub(crate) const HOUR: i64 = Timestamp::HOUR;

/// Random numbers that a seed decides.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def1)
    }

    /// Returns a number from 0 to 1.
    pub(crate) fn share(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((self.share() * n as f64) as usize).min(n - 1)
    }

    pub(crate) fn pick<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len())]
    }

    /// Returns the time until the next of events that come at a mean interval, each by itself.
    pub(crate) fn interval(&mut self, mean: i64) -> i64 {
        (-(1.0 - self.share()).ln() * mean as f64) as i64 + 1
    }
}

/// One event.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) at: i64,
    /// When it arrived, where its time is not that.
    pub(crate) arrived: i64,
    pub(crate) group: &'static str,
    pub(crate) text: String,
    pub(crate) level: Level,
    pub(crate) fields: Vec<(&'static str, Value)>,
}

impl Draft {
    pub(crate) fn new(at: i64, group: &'static str, level: Level, text: impl Into<String>) -> Self {
        Self { at, arrived: at, group, text: text.into(), level, fields: Vec::new() }
    }

    pub(crate) fn field(mut self, name: &'static str, value: impl ToString) -> Self {
        self.fields.push((name, Value::text(value.to_string())));
        self
    }

    pub(crate) fn number(mut self, name: &'static str, value: i64) -> Self {
        self.fields.push((name, Value::Integer(value)));
        self
    }
}

/// Puts events into runs, one for each group.
pub(crate) fn runs_of(drafts: &[Draft]) -> Vec<Arc<dyn Run>> {
    let mut groups: BTreeMap<&str, Vec<&Draft>> = BTreeMap::new();
    drafts.iter().for_each(|draft| groups.entry(draft.group).or_default().push(draft));
    let mut runs: Vec<Arc<dyn Run>> = Vec::new();
    for (n, (group, mut drafts)) in groups.into_iter().enumerate() {
        drafts.sort_by_key(|draft| draft.at);
        let mut builder = BatchBuilder::new();
        for draft in &drafts {
            builder.set_timestamp(Timestamp(draft.at));
            builder.set_message(&draft.text);
            builder.set_level(Some(draft.level));
            for (name, value) in &draft.fields {
                match value {
                    Value::Integer(number) => builder.field_integer(name, *number),
                    value => builder.field_text(name, &value.to_string()),
                }
            }
            builder.commit();
        }
        let mut batch = builder.finish();
        batch.ingestion_times = drafts.iter().map(|draft| draft.arrived.max(draft.at)).collect();
        batch.sequences = (0..drafts.len() as u64).collect();
        let group = GroupName::new(group).expect("a valid name");
        runs.push(Arc::new(BatchRun::new(group, n as u32 + 1, Arc::new(batch))));
    }
    runs
}

pub(crate) fn plan_of(query: &str) -> Plan {
    parse_insights(query, &ParseOptions { now: Timestamp(DAY), time_zone: Tz::UTC }).expect("a valid query")
}

/// Asks about a range of a day, `now` being its end.
pub(crate) fn ask<T>(query: &str, (from, to): (i64, i64), work: impl FnOnce(EventSet<'_>) -> T) -> T {
    let (plan, cancelled) = (plan_of(query), AtomicBool::new(false));
    let request = Request {
        range: TimeRange { from: Timestamp(DAY + from), to: Timestamp(DAY + to) },
        limit: None,
        time_zone: Tz::UTC,
        now: Timestamp(DAY + to),
        memory_bytes_max: 1 << 30,
        deadline: None,
        cancelled: &cancelled,
        n_threads: 2,
        progress: None,
        support: Support::default(),
    };
    work(EventSet { plan: &plan, request: &request })
}

/// Checks what holds for nearly all seeds: of what is known with 95 % confidence, one in twenty may be otherwise.
pub(crate) fn check_mostly(n_seeds: u64, check: impl Fn(u64, &mut Random) -> Result<(), String>) {
    let checked = (0..n_seeds).map(|seed| (seed, check(seed, &mut Random::new(seed + 1_000))));
    let misses: Vec<String> =
        checked.filter_map(|(seed, found)| Some(format!("seed {seed}: {}", found.err()?))).collect();
    assert!(misses.len() as u64 <= n_seeds / 20, "{misses:#?}");
}

/// Returns what was found instead, where something does not hold.
pub(crate) fn expect(holds: bool, found: &impl std::fmt::Debug) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("{found:?}")) }
}
