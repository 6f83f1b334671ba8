//! Which of some conditions hold together, counted over events: exact numbers for what was found by other means, how far
//! findings are the same events, and one event for each.

use std::collections::HashMap;
use std::sync::Arc;

use plan::fields::fields_of_conditions;
use plan::{Expr, Operator, Patterns, Plan};
use types::{Run, Timestamp, Value};

use crate::answers::event::Event;
use crate::operators::patterns::ends::Spot;
use crate::operators::patterns::samples;
use crate::request::answer::PartialReason;
use crate::request::error::Result;
use crate::request::item::Item;
use crate::request::parameters::Request;
use crate::scan::fingerprint::Fingerprint;
use crate::scan::matches::Matcher;
use crate::scan::parts::{PartCounts, RunPart, count_parts};
use crate::scan::probed::ProbedCondition;
use crate::scan::scanner::{Flow, Scan};
use crate::scan::simplify::row_wise_lead;
use crate::scan::steps::Steps;
use evaluate::{Cell, Frame, Stop};

/// Conditions of one request: one bit each.
pub const CONDITIONS_MAX: usize = 64;

/// Bytes of a set with its count, roughly.
const SET_BYTES: usize = 24;

/// Whether all events are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// All of them.
    All,
    /// Only as many as it takes to find one event for each condition.
    OneEach,
}

/// Which conditions hold for how many events.
#[derive(Clone, Debug, Default)]
pub struct ConditionCounts {
    /// How many events there are.
    pub n_events: u64,
    /// Events by the set of conditions that hold for them, condition `n` being bit `n`.
    pub sets: HashMap<u64, u64, foldhash::fast::RandomState>,
    /// For each condition the newest event for which it holds; some such event where not all events were counted.
    pub events: Vec<Option<Event>>,
    /// Why events may be missing.
    pub partial_reasons: Vec<PartialReason>,
}

impl ConditionCounts {
    /// Returns for how many events all conditions of a set hold.
    pub fn count(&self, conditions: u64) -> u64 {
        self.sets.iter().filter(|(set, _)| **set & conditions == conditions).map(|(_, count)| count).sum()
    }
}

/// What one thread, or one part of a run, has counted.
struct Counter {
    n_events: u64,
    sets: HashMap<u64, u64, foldhash::fast::RandomState>,
    newest: Vec<Option<(i64, Spot)>>,
}

/// Counts the events that the conditions at the head of `plan` let through by which of `conditions` hold, at most
/// [`CONDITIONS_MAX`] of them; further ones are left out.
pub fn condition_counts(
    plan: &Plan,
    runs: &[Arc<dyn Run>],
    request: &Request<'_>,
    conditions: &[Expr],
    reach: Reach,
) -> Result<ConditionCounts> {
    let conditions = &conditions[..conditions.len().min(CONDITIONS_MAX)];
    let lead = row_wise_lead(plan, runs)?;
    let mut scan = Scan::over(&lead, runs, request);
    scan.env.prepared = scan.env.prepared.and(conditions);
    let needed = fields_of_conditions(conditions);
    let steps = Steps::new(&lead, &needed);
    let matcher = Matcher::new(&scan, (&lead, &needed), &steps);
    let conditions: Vec<ProbedCondition<'_>> = conditions.iter().map(ProbedCondition::new).collect();
    let counted = match reach {
        Reach::All => count_all(&scan, &lead, &matcher, &conditions)?,
        Reach::OneEach => find_one_each(&scan, &matcher, &conditions)?,
    };
    matcher.keep(&scan);
    let events = read_events(&scan, &counted.newest, &lead)?;
    if let Some(error) = scan.take_error() {
        return Err(error);
    }
    Ok(ConditionCounts { n_events: counted.n_events, sets: counted.sets, events, partial_reasons: scan.take_reasons() })
}

/// Counts all events, by parts of runs.
fn count_all(
    scan: &Scan<'_>,
    lead: &[Operator],
    matcher: &Matcher<'_>,
    conditions: &[ProbedCondition<'_>],
) -> Result<Counter> {
    let exprs: Vec<Expr> = conditions.iter().map(|condition| condition.expr.clone()).collect();
    let fingerprint = Fingerprint::of_counts("sets", lead, &exprs, scan.request.time_zone);
    let mut sum = Counter::new(conditions.len());
    let count = |part: &RunPart| {
        let mut counter = Counter::new(conditions.len());
        let is_complete = part.for_each(scan, |item| {
            let mut frame = matcher.frame(scan, item)?;
            counter.add(&mut frame, item, conditions, scan)
        })?;
        let n_bytes = counter.n_bytes();
        scan.hold(n_bytes)?;
        Ok(PartCounts { n_matched: counter.n_events, counts: counter, n_bytes, is_complete })
    };
    count_parts(scan, fingerprint, count, |part, counter| {
        let before = sum.n_bytes();
        sum.merge(counter, Some(part.source));
        scan.hold(sum.n_bytes().saturating_sub(before))
    })?;
    Ok(sum)
}

/// Counts events, newest first, until there is one for each condition.
fn find_one_each(scan: &Scan<'_>, matcher: &Matcher<'_>, conditions: &[ProbedCondition<'_>]) -> Result<Counter> {
    let start = || Counter::new(conditions.len());
    let counted = scan.for_each(&scan.items(), start, |counter: &mut Counter, _, item| {
        let mut frame = matcher.frame(scan, item)?;
        counter.add(&mut frame, item, conditions, scan)?;
        let has_all = counter.newest.iter().all(Option::is_some);
        Ok(if has_all { Flow::Done } else { Flow::Continue })
    })?;
    let mut sum = start();
    counted.iter().for_each(|counter| sum.merge(counter, None));
    Ok(sum)
}

/// Reads the texts and ids of events.
fn read_events(scan: &Scan<'_>, newest: &[Option<(i64, Spot)>], lead: &[Operator]) -> Result<Vec<Option<Event>>> {
    let patterns = Patterns { text: Expr::Field("@message".into()), earlier: None, is_scored: false, counts: Some(1) };
    let spots: Vec<Option<Spot>> = newest.iter().map(|newest| newest.map(|(_, spot)| spot)).collect();
    let read = samples::read_spots(scan, &spots, lead, &patterns)?;
    let event = |(sample, newest): (Option<samples::Sample>, &Option<(i64, Spot)>)| {
        let (sample, (time, _)) = (sample?, (*newest)?);
        let Value::String(text) = sample.text else { return None };
        Some(Event { id: sample.id?, time: Timestamp(time), text })
    };
    Ok(read.into_iter().zip(newest).map(event).collect())
}

impl Counter {
    fn new(n_conditions: usize) -> Self {
        Self { n_events: 0, sets: HashMap::default(), newest: vec![None; n_conditions] }
    }

    fn n_bytes(&self) -> usize {
        SET_BYTES * self.sets.len() + std::mem::size_of::<Option<(i64, Spot)>>() * self.newest.len()
    }

    fn add(
        &mut self,
        frame: &mut Frame<'_>,
        item: &Item,
        conditions: &[ProbedCondition<'_>],
        scan: &Scan<'_>,
    ) -> Result<(), Stop> {
        let n_rows = frame.n_rows();
        if n_rows == 0 {
            return Ok(());
        }
        self.n_events += n_rows as u64;
        let mut sets = vec![0_u64; n_rows];
        let mut last = vec![None; conditions.len()];
        for (place, condition) in conditions.iter().enumerate() {
            let rows = condition.rows(frame, scan)?;
            for row in rows.iter() {
                sets[row] |= 1 << place;
                last[place] = Some(row);
            }
        }
        // Equal ones stand together: events of one kind come in runs.
        for run in sets.chunk_by(|a, b| a == b) {
            *self.sets.entry(run[0]).or_insert(0) += run.len() as u64;
        }
        self.note_newest(frame, item, &last)
    }

    /// Notes the last rows for which conditions hold, where they may be newer than those known.
    fn note_newest(&mut self, frame: &mut Frame<'_>, item: &Item, last: &[Option<usize>]) -> Result<(), Stop> {
        let may_move = |newest: &Option<(i64, Spot)>| newest.is_none_or(|(time, _)| time <= item.last.0);
        if !self.newest.iter().zip(last).any(|(newest, row)| row.is_some() && may_move(newest)) {
            return Ok(());
        }
        let Some(stored) = frame.block().map(|block| block.rows.iter().collect::<Vec<usize>>()) else { return Ok(()) };
        let times = frame.column("@timestamp")?;
        for (newest, row) in self.newest.iter_mut().zip(last) {
            let Some(row) = *row else { continue };
            let time = Cell::at(&times, row).time().unwrap_or_default();
            let spot = Spot { source: item.source, block: item.block, row: stored[row] };
            *newest = (*newest).max(Some((time, spot)));
        }
        Ok(())
    }

    /// Adds what was counted elsewhere; `source` is the number that the run has now.
    fn merge(&mut self, other: &Self, source: Option<usize>) {
        self.n_events += other.n_events;
        for (set, count) in &other.sets {
            *self.sets.entry(*set).or_insert(0) += count;
        }
        for (mine, other) in self.newest.iter_mut().zip(&other.newest) {
            let other = other.map(|(time, spot)| (time, Spot { source: source.unwrap_or(spot.source), ..spot }));
            *mine = (*mine).max(other);
        }
    }
}
