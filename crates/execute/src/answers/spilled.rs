//! Answers to queries that do not fit their memory: with the disk, in parts.
//!
//! A query first runs in memory, where nearly all stay. One that is refused there runs again from the beginning, here:
//! events come block by block, groups and rows that are too many wait on disk, and the answer leaves in parts. It is the
//! answer that memory would have given.

use std::sync::Arc;

use plan::{Operator, Plan, fields_of};
use types::Run;

use crate::answers::finish::finish;
use crate::answers::frontier;
use crate::answers::kept::AnswerKeeper;
use crate::operators::group::spilled::GroupCollector;
use crate::operators::pipeline::{Pipeline, RowForm, RowsRead, Sink, can_run};
use crate::operators::table::Table;
use crate::operators::unnest::Spread;
use crate::request::answer::Answer;
use crate::request::error::{ExecuteError, Result};
use crate::request::parameters::Request;
use crate::request::spilling::{LeasedSorter, Spilling};
use crate::scan::matches::Matcher;
use crate::scan::row_order::{RowOrder, key_columns};
use crate::scan::scanner::{Flow, Scan};
use crate::scan::selection::{Cut, EventSelection};
use crate::scan::stages::Stages;
use crate::scan::steps::Steps;
use evaluate::{Cell, Stop, Warnings, places, put_place_descending, put_sort_keys};

/// Event rows that are read at once: those of a block or two where memory permits, so that few blocks are read twice.
const ROWS_AT_ONCE: usize = 32_768;

/// The part of a query's memory for rows that are read at once, and for the places of rows of which few are read yet.
const ROWS_PART: usize = 16;

/// Bytes of a field of a row that is read, and of the places of a block's rows, roughly.
const FIELD_BYTES: usize = 256;
const BLOCK_BYTES: usize = 1 << 20;

/// The part of its memory with which a query is tried before the disk is used. What comes close to all of it takes more
/// than it counts: tables grow by doubling.
const IN_MEMORY_PART: usize = 2;

/// Returns the request with which a query runs in memory first, if it can be answered with the disk otherwise.
pub(crate) fn in_memory_first<'a>(operators: &[Operator], request: &Request<'a>) -> Option<Request<'a>> {
    let can_spill = request.support.spill.is_some() && can_run(operators);
    can_spill.then_some(Request { memory_bytes_max: request.memory_bytes_max / IN_MEMORY_PART, ..*request })
}

/// Answers `operators`, which are those of `plan` made simpler for `runs`.
pub(crate) fn execute_spilled(
    plan: &Plan,
    operators: &[Operator],
    runs: &[Arc<dyn Run>],
    request: &Request<'_>,
) -> Result<Answer> {
    let mut scan = Scan::over(operators, runs, request);
    scan.env.warnings = Warnings::of(plan);
    let (Some(Operator::Project { columns, is_events }), Some(space)) = (operators.last(), request.support.spill)
    else {
        return Err(ExecuteError::NoProjection);
    };
    let cut = Cut::of(plan.operators(), request);
    let most = match (cut, request.support.rows_max) {
        (Cut::At(limit), rows_max) => Some(limit.min(rows_max.unwrap_or(usize::MAX))),
        (Cut::No, rows_max) => rows_max,
    };
    let spilling = Spilling::new(space, scan.budget());
    let query = SpilledQuery { scan: &scan, spilling, stages: Stages::of(operators), cut };
    let sink = Sink::new(columns, *is_events, most, request.support.take_rows);
    let (answer, more) = match query.run(sink)? {
        Some(sink) => {
            let is_whole = sink.is_whole();
            let (answer, more) = sink.finish(&scan);
            // What was cut off for the caller alone is no answer to the same question of another one.
            let keeper =
                AnswerKeeper::of(&scan, operators, cut).filter(|_| is_whole && !(more && matches!(cut, Cut::No)));
            if let Some(keeper) = keeper.filter(|_| !scan.is_partial()) {
                keeper.keep(&scan, &Answer { stats: scan.stats(), more, ..answer.clone() });
            }
            (answer, more)
        }
        None => (Table::nothing(columns), false),
    };
    finish(&scan, Ok(answer), more)
}

/// A query as it runs with the disk.
struct SpilledQuery<'o, 's> {
    scan: &'s Scan<'s>,
    spilling: Spilling<'s>,
    stages: Stages<'o>,
    cut: Cut,
}

impl<'o: 's, 's> SpilledQuery<'o, 's> {
    /// Lets all rows arrive at `sink`; returns none where the query ended before.
    fn run(&self, sink: Sink<'o, 's>) -> Result<Option<Sink<'o, 's>>> {
        let filled = match Spread::of(self.stages.rest) {
            Some((spread, aggregate, after)) => self.groups(spread, aggregate, after, sink)?,
            None => self.events(sink)?,
        };
        match filled {
            Ok(sink) => Ok(Some(sink)),
            Err(stop) => {
                self.scan.or_nothing::<()>(Err(stop));
                Ok(None)
            }
        }
    }

    /// Groups events, and lets what follows work on the groups.
    fn groups(
        &self,
        spread: Spread<'o>,
        aggregate: &'o Operator,
        after: &'o [Operator],
        sink: Sink<'o, 's>,
    ) -> Result<Result<Sink<'o, 's>, Stop>> {
        let Operator::Aggregate { by, aggregates } = aggregate else { return Err(ExecuteError::NoProjection) };
        let fields = spread.fields(aggregate);
        let steps = Steps::new(self.stages.lead, &fields);
        let (scan, of) = (self.scan, (&**by, &**aggregates));
        let items = scan.items();
        scan.expect(&items);
        let n_threads = scan.request.n_threads.clamp(1, items.len().max(1));
        let collector = || GroupCollector::new(of, n_threads, self.spilling);
        let collect = |groups: &mut Option<GroupCollector<'o, 's>>, _, item: &_| {
            let mut frame = spread.apply(scan.frame(item, &steps)?, &fields, scan)?;
            match groups {
                Some(groups) => groups.add(&mut frame, &scan.env)?,
                None => groups.insert(collector()?).add(&mut frame, &scan.env)?,
            }
            Ok(Flow::Continue)
        };
        let mut collectors: Vec<_> = scan.for_each(&items, || None, collect)?.into_iter().flatten().collect();
        let finish = || {
            if collectors.is_empty() {
                // Without events there may be a group all the same: that of everything.
                collectors.push(collector()?);
            }
            let mut groups = GroupCollector::finish(of, self.spilling, std::mem::take(&mut collectors))?;
            let mut pipeline = Pipeline::new(after, scan, self.spilling, sink)?;
            while let Some(rows) = groups.next()? {
                if pipeline.push(Table::of_groups(rows))? == Flow::Done {
                    break;
                }
            }
            drop(groups);
            pipeline.finish()
        };
        Ok(finish())
    }

    /// Lets what follows work on events, in their order.
    fn events(&self, sink: Sink<'o, 's>) -> Result<Result<Sink<'o, 's>, Stop>> {
        let wanted = EventSelection::of(self.stages.lead, self.stages.rest, self.cut);
        let mut pipeline = match Pipeline::new(wanted.rest, self.scan, self.spilling, sink) {
            Ok(pipeline) => pipeline,
            Err(stop) => return Ok(Err(stop)),
        };
        if let RowOrder::Keys(_) = wanted.order {
            return self.sorted_events(&wanted, pipeline);
        }
        let n_bytes = self.scan.budget().memory_bytes() / ROWS_PART;
        let rows = frontier::Rows {
            scan: self.scan,
            lead: self.stages.lead,
            wanted: &wanted,
            n_at_once: (n_bytes / FIELD_BYTES / (1 + fields_of(wanted.rest).len())).clamp(1, ROWS_AT_ONCE),
            n_wave_max: (n_bytes / BLOCK_BYTES).max(self.scan.request.n_threads).max(1),
        };
        rows.give(&mut |table| Ok(pipeline.push(table)? == Flow::Continue))?;
        Ok(pipeline.finish())
    }

    /// Sorts events by fields of theirs. What is needed of an event is read once, with its block.
    fn sorted_events(
        &self,
        wanted: &EventSelection<'o>,
        mut pipeline: Pipeline<'o, 's>,
    ) -> Result<Result<Sink<'o, 's>, Stop>> {
        let scan = self.scan;
        let mut needed = fields_of(wanted.rest);
        needed.insert("@id".into());
        let form = RowForm::new(needed.clone());
        needed.extend(wanted.sort_fields.iter().cloned());
        let steps = Steps::new(self.stages.lead, &needed);
        let matcher = Matcher::new(scan, (self.stages.lead, &needed), &steps);
        let items = scan.items();
        scan.expect(&items);
        let n_threads = scan.request.n_threads.clamp(1, items.len().max(1));
        let collect = |sorter: &mut Option<LeasedSorter<'s>>, _, item: &_| {
            let mut frame = matcher.frame(scan, item)?;
            if frame.n_rows() == 0 {
                return Ok(Flow::Continue);
            }
            let keys = key_columns(wanted.order.keys(), &mut frame, scan)?;
            let (places, columns) = (places(&mut frame)?, form.columns(&mut frame, scan)?);
            let sorter = match sorter {
                Some(sorter) => sorter,
                None => sorter.insert(self.spilling.sorter(n_threads, wanted.cap)?),
            };
            let (mut key, mut payload) = (Vec::new(), Vec::new());
            for row in scan.budget().rows(frame.n_rows()) {
                key.clear();
                payload.clear();
                put_sort_keys(wanted.order.keys(), keys.iter().map(|column| Cell::at(column, row)), &mut key);
                put_place_descending(&places[row], &mut key);
                form.put(&columns, row, &mut payload);
                sorter.add(&key, &payload)?;
            }
            Ok(Flow::Continue)
        };
        let sorters = scan.for_each(&items, || None, collect)?.into_iter().flatten().collect();
        matcher.keep(scan);
        let finish = || {
            let merge = self.spilling.merge(sorters)?;
            let mut rows = RowsRead::new(form, 0, Default::default(), merge);
            let mut n_left = wanted.cap.unwrap_or(usize::MAX);
            while let Some(mut table) = rows.next()? {
                table.truncate(n_left);
                n_left -= table.n_rows();
                if pipeline.push(table)? == Flow::Done || n_left == 0 {
                    break;
                }
            }
            drop(rows);
            Ok(())
        };
        match finish() {
            Ok(()) => Ok(pipeline.finish()),
            Err(stop) => Ok(Err(stop)),
        }
    }
}

#[cfg(test)]
mod tests;
