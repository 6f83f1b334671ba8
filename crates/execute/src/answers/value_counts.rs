//! How often each value of every field comes among the events that match: what two sets of events are compared by.
//!
//! Every matching event is counted. Columns of few values are counted by the codes of their dictionaries; fields with too
//! many different values are pruned to the frequent ones, and from then on every sixteenth row is looked at for such. Their
//! counts are estimates, say so, and are counted again by whoever shows them
//! ([`condition_counts`](super::condition_counts)). Numbers also make a histogram whose buckets are narrower than 1 %.

mod dictionary;
mod field;
mod numbers;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use plan::{Operator, Plan, has_subqueries};
use types::{RowSet, Run};

use self::field::FieldCounter;
use crate::request::answer::{PartialReason, Stats};
use crate::request::error::ExecuteError;
use crate::request::parameters::Request;
use crate::scan::scanner::{Flow, Scan};
use crate::scan::simplify::simplify_over;
use crate::scan::steps::{Steps, is_row_wise};
use evaluate::columns::frame::BlockRows;
use evaluate::columns::stop::Stop;
use evaluate::expressions::elements::PreparedElements;

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

/// What one thread has counted.
#[derive(Default)]
struct Counter {
    n_events: u64,
    fields: HashMap<Arc<str>, FieldCounter, foldhash::fast::RandomState>,
    n_bytes: usize,
    n_bytes_held: usize,
}

/// Counts the values of all fields of the events that the conditions at the head of `plan` let through.
///
/// Fields are counted as they are stored, whatever the plan computes. Memory: a few thousand values per field and thread.
pub fn value_counts(plan: &Plan, runs: &[Arc<dyn Run>], request: &Request<'_>) -> Result<ValueCounts, ExecuteError> {
    if has_subqueries(plan) {
        return Err(ExecuteError::Subquery);
    }
    let lead: Vec<Operator> = simplify_over(plan.operators(), runs).into_iter().take_while(is_row_wise).collect();
    let mut scan = Scan::new(runs, request);
    scan.env.prepared = PreparedElements::of(&lead);
    let steps = Steps::new(&lead, &BTreeSet::new());
    let (names, is_cut) = names_of_sources(&scan);
    let items = scan.items();
    scan.expect(&items);
    let counted = scan.for_each(&items, Counter::default, |counter, _, item| {
        let frame = scan.frame(item, &steps)?;
        let Some(block) = frame.block().filter(|block| !block.rows.is_empty()) else { return Ok(Flow::Continue) };
        counter.add(block, &names[item.source])?;
        // Held is the most that there was: what is pruned comes again.
        scan.hold(counter.n_bytes.saturating_sub(counter.n_bytes_held))?;
        counter.n_bytes_held = counter.n_bytes_held.max(counter.n_bytes);
        Ok(Flow::Continue)
    })?;
    let mut all = Counter::default();
    counted.into_iter().for_each(|counter| all.merge(counter));
    if let Some(error) = scan.take_error() {
        return Err(error);
    }
    let fields = all.fields.into_iter().map(|(name, field)| (name, field.finish()));
    Ok(ValueCounts {
        n_events: all.n_events,
        fields: fields.filter(|(_, counts)| counts.n_events > 0).collect(),
        is_cut,
        stats: scan.stats(),
        partial_reasons: scan.take_reasons(),
    })
}

/// Returns the fields to count of each source, and whether some were left out. The message is compared by its patterns.
fn names_of_sources(scan: &Scan<'_>) -> (Vec<Vec<Arc<str>>>, bool) {
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

impl Counter {
    fn add(&mut self, block: &BlockRows<'_>, names: &[Arc<str>]) -> Result<(), Stop> {
        self.n_events += block.rows.count() as u64;
        for name in names {
            let counter = match self.fields.get_mut(name) {
                Some(counter) => counter,
                None => self.fields.entry(name.clone()).or_default(),
            };
            let before = counter.n_bytes();
            add_column(counter, block, name)?;
            self.n_bytes = (self.n_bytes + counter.n_bytes()).saturating_sub(before);
        }
        Ok(())
    }

    fn merge(&mut self, other: Self) {
        self.n_events += other.n_events;
        for (name, counter) in other.fields {
            self.fields.entry(name).or_default().merge(counter);
        }
    }
}

/// Counts a column, or every sixteenth row of one with too many values.
fn add_column(counter: &mut FieldCounter, block: &BlockRows<'_>, name: &str) -> Result<(), Stop> {
    let run = &block.source.run;
    let present = run.presence(block.block, name)?;
    if present.as_ref().is_some_and(RowSet::is_empty) {
        return Ok(());
    }
    if let Some(mut present) = present.filter(|_| counter.is_sparse()) {
        present.and(&block.rows);
        let sample = present.iter().step_by(field::SAMPLE_STEP);
        let rows = RowSet::of_places(present.n_rows(), sample);
        let column = run.read(block.block, &[name], &rows)?.into_iter().next();
        column.iter().for_each(|column| counter.add_sample(column));
        counter.count_present(present.count() as u64);
        return Ok(());
    }
    let column = run.read(block.block, &[name], &block.rows)?.into_iter().next();
    column.iter().for_each(|column| counter.add(column));
    Ok(())
}
