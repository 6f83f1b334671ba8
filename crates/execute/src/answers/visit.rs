//! The columns of events, block by block: for work that needs neither rows nor their order.

use std::sync::Arc;

use plan::{Operator, Plan, fields_of};
use types::{Column, RowSet, Run, ScanError, Timestamp};

use crate::answers::finish::finish;
use crate::request::answer::Answer;
use crate::request::error::{ExecuteError, Result};
use crate::request::item::Item;
use crate::request::parameters::Request;
use crate::scan::scanner::{Flow, Scan};
use crate::scan::simplify::simplify_over;
use crate::scan::steps::Steps;

/// Receives the columns of blocks, from several threads.
pub trait BlockVisitor: Sync {
    /// Receives the times of the first and the last event of each block that may be visited, newest first. The number of a
    /// block is its index.
    fn expect(&self, _blocks: &[(Timestamp, Timestamp)]) {}

    /// Accepts streams, where the plan selects samples: runs that keep those by stream then leave the plan's filters out.
    fn streams(&self) -> Option<&(dyn Fn(&str) -> bool + Sync)> {
        None
    }

    /// Reads the samples of a block by itself, where the run keeps them by stream; returns how many. The block is not visited then.
    fn samples(&self, _run: &Arc<dyn Run>, _block: usize) -> Result<Option<usize>, ScanError> {
        Ok(None)
    }

    /// Receives the matching rows of a block as they are stored, before their columns.
    fn rows(&self, _run: &dyn Run, _block: usize, _rows: &RowSet) -> Result<(), ScanError> {
        Ok(())
    }

    /// Receives the columns of the matching rows of a block; there may be no such rows. A block is skipped if it cannot be
    /// read or the time limit is reached; the answer then gives the reason.
    fn visit(&self, block: usize, columns: &[Arc<Column>]);
}

/// Passes the columns of a plan of row-wise operators to `visitor`. The answer has no rows.
pub fn visit_blocks(
    plan: &Plan,
    runs: &[Arc<dyn Run>],
    request: &Request<'_>,
    visitor: &dyn BlockVisitor,
) -> Result<Answer> {
    let operators = simplify_over(plan.operators(), runs);
    let Some((projection @ Operator::Project { columns, .. }, lead)) = operators.split_last() else {
        return Err(ExecuteError::NoProjection);
    };
    let scan = Scan::over(&operators, runs, request);
    let steps = Steps::new(lead, &fields_of(std::slice::from_ref(projection)));
    let items = scan.items();
    scan.expect(&items);
    let times: Vec<(Timestamp, Timestamp)> = items.iter().map(|item| (item.first, item.last)).collect();
    visitor.expect(&times);
    let work = |(): &mut (), index, item: &Item| {
        if let Some(n_samples) = visitor.samples(&scan.sources[item.source].run, item.block)? {
            scan.note_opened(item.source);
            scan.count(item.source, n_samples as u64, n_samples as u64);
            return Ok(Flow::Continue);
        }
        let of_streams = visitor.streams().map(|is_wanted| scan.samples(item, is_wanted)).transpose()?.flatten();
        let mut frame = of_streams.map_or_else(|| scan.frame(item, &steps), Ok)?;
        frame.stored().map_or(Ok(()), |found| visitor.rows(&*found.source.run, found.block, &found.rows))?;
        let columns =
            columns.iter().map(|(_, expr)| scan.env.evaluate(expr, &mut frame)).collect::<Result<Vec<_>, _>>()?;
        visitor.visit(index, &columns);
        Ok(Flow::Continue)
    };
    scan.for_each(&items, || (), work)?;
    finish(&scan, Ok(Answer::default()), false)
}
