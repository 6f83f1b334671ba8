//! How often each value of every field comes among the events that match: what two sets of events are compared by.
//!
//! Every matching event is counted. Columns of few values are counted by the codes of their dictionaries; fields with too
//! many different values are pruned to the frequent ones, and from then on every sixteenth row is looked at for such. Their
//! counts are estimates, say so, and are counted again by whoever shows them
//! ([`condition_totals`](super::condition_totals)). Numbers also make a histogram whose buckets are narrower than 1 %.
//!
//! Runs are counted in parts, whose counts are kept: asked again, only the parts that are new are read. What all parts
//! have together that never change is kept as well ([`total`]).

mod dictionary;
mod field;
mod field_counter;
mod numbers;
mod part;
mod sum;
mod total;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use plan::Plan;
use types::Run;

use self::sum::Sum;
use self::total::TotalKeeper;
use crate::request::answer::{PartialReason, Stats};
use crate::request::error::Result;
use crate::request::parameters::Request;
use crate::scan::fingerprint::Fingerprint;
use crate::scan::matches::Matcher;
use crate::scan::parts::{PartCounts, RunPart, count_these, lasting_parts};
use crate::scan::scanner::Scan;
use crate::scan::simplify::row_wise_lead;
use crate::scan::steps::Steps;
use evaluate::Stop;

pub use self::field::{CountedValue, FieldCounts};
pub use self::numbers::NumberHistogram;

/// Columns that every event has, whose values say something about it.
const SYSTEM_FIELDS: [&str; 3] = ["@level", "@log", "@logStream"];

/// Fields of one run that are counted, those that most events have. A run with more is one whose field names hold values.
const FIELDS_MAX: usize = 1_000;

/// The values of all fields of some events.
#[derive(Clone, Debug, Default)]
pub struct ValueCounts {
    /// How many events there are.
    pub n_events: u64,
    /// The fields that any of them has.
    pub fields: BTreeMap<Arc<str>, FieldCounts>,
    /// Whether some fields were left out because a run has too many.
    pub is_cut: bool,
    /// What it took.
    pub stats: Stats,
    /// Why events may be missing.
    pub partial_reasons: Vec<PartialReason>,
}

impl ValueCounts {
    /// Takes away events that are among those counted.
    pub fn subtract(&mut self, part: &Self) {
        self.n_events = self.n_events.saturating_sub(part.n_events);
        for (name, counts) in &part.fields {
            if let Some(all) = self.fields.get_mut(name) {
                all.subtract(counts);
            }
        }
        self.fields.retain(|_, counts| counts.n_events > 0);
    }
}

/// Counts the values of all fields of the events that the conditions at the head of `plan` let through.
///
/// Fields are counted as they are stored, whatever the plan computes. Memory: a few thousand values per field, and per
/// thread as many.
pub fn value_counts(plan: &Plan, runs: &[Arc<dyn Run>], request: &Request<'_>) -> Result<ValueCounts> {
    let lead = row_wise_lead(plan, runs)?;
    let scan = Scan::over(&lead, runs, request);
    let needed = BTreeSet::new();
    let steps = Steps::new(&lead, &needed);
    let matcher = Matcher::new(&scan, (&lead, &needed), &steps);
    let (names, is_cut) = names_of_sources(&scan);
    let fingerprint = Fingerprint::of_counts("values", &lead, &[], request.time_zone);
    let is_damaged = AtomicBool::new(false);
    let count = |part: &RunPart| {
        let mut counter = part::Counter::new(names[part.source].clone());
        let is_complete = part.for_each(&scan, |item| {
            let frame = matcher.frame(&scan, item)?;
            let Some(block) = frame.block().filter(|block| !block.rows.is_empty()) else { return Ok(()) };
            counter.add(block, &scan)
        })?;
        is_damaged.fetch_or(!is_complete, Relaxed);
        let (counts, n_bytes) = counter.finish(&scan)?;
        Ok(PartCounts { n_matched: counts.n_events, counts, n_bytes, is_complete })
    };
    let (lasting, others) = lasting_parts(&scan, fingerprint);
    let keeper = TotalKeeper::of(&scan, fingerprint, &lasting);
    let known = keeper.as_ref().map_or(Ok(None), |keeper| keeper.find(&scan));
    let mut all = match scan.or_nothing(known) {
        Some(known) => known,
        None => {
            let mut all = Sum::default();
            count_these(&scan, fingerprint, &lasting, count, |_, counts| all.merge(counts, &scan))?;
            all.settle();
            let is_whole = !is_damaged.load(Relaxed) && !scan.is_over() && !scan.env.warnings.has_added();
            if let Some(keeper) = keeper.filter(|_| is_whole) {
                keeper.keep(&all, lasting.iter().map(|part| part.n_rows(&scan)).sum());
            }
            all
        }
    };
    count_these(&scan, fingerprint, &others, count, |_, counts| all.merge(counts, &scan))?;
    matcher.keep(&scan);
    let fields = all.fields.into_iter().map(|(name, field)| (name, Arc::unwrap_or_clone(field).finish()));
    Ok(ValueCounts {
        n_events: all.n_events,
        fields: fields.filter(|(_, counts)| counts.n_events > 0).collect(),
        is_cut,
        stats: scan.stats(),
        partial_reasons: scan.take_reasons(),
    })
}

/// Returns the fields to count of each source, and whether some were left out. The message is compared by its patterns.
fn names_of_sources(scan: &Scan<'_>) -> (Vec<Arc<[Arc<str>]>>, bool) {
    let mut is_cut = false;
    let names = scan.sources.iter().map(|source| {
        let run = &source.run;
        let system = SYSTEM_FIELDS.iter().map(|name| Arc::from(*name));
        let mut fields = run.fields().unwrap_or_else(|error| {
            scan.note_stop(Stop::Damaged(error));
            Vec::new()
        });
        fields.retain(|field| !run.is_message(&field.name) && !field.name.starts_with('@'));
        if fields.len() > FIELDS_MAX {
            is_cut = true;
            fields.sort_by(|a, b| b.n_events.cmp(&a.n_events).then_with(|| a.name.cmp(&b.name)));
            fields.truncate(FIELDS_MAX);
        }
        system.chain(fields.into_iter().map(|field| field.name)).collect()
    });
    (names.collect(), is_cut)
}
