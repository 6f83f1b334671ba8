//! A condition that is asked of rows which are there anyway: an index says first which of them can fulfil it.

use plan::Expr;
use types::RowSet;

use crate::scan::scanner::Scan;
use evaluate::{BlockRows, Frame, Probe, Result};

/// An index looks through all rows of a block. Where no more than one in so many is asked for, reading their values, once for all
/// conditions on a field, takes less.
const ROWS_PER_ROW_ASKED: usize = 32;

/// A condition with what an index may be asked for it.
pub(crate) struct ProbedCondition<'e> {
    pub(crate) expr: &'e Expr,
    probe: Option<Probe>,
}

impl<'e> ProbedCondition<'e> {
    pub(crate) fn new(expr: &'e Expr) -> Self {
        Self { expr, probe: Probe::of(expr) }
    }

    /// Returns the rows of a frame that fulfil the condition.
    pub(crate) fn rows(&self, frame: &mut Frame<'_>, scan: &Scan<'_>) -> Result<RowSet> {
        let block = frame.stored().cloned();
        let asked = block.zip(self.probe.as_ref());
        let is_worth = |(block, _): &(BlockRows<'_>, &Probe)| {
            block.rows.count() * ROWS_PER_ROW_ASKED > block.source.run.block_rows(block.block)
        };
        let Some((block, probe)) = asked.filter(is_worth) else { return scan.env.truth(self.expr, frame) };
        let Some(question) = probe.for_source(block.source)? else { return scan.env.truth(self.expr, frame) };
        let narrowed = block.source.run.narrow(block.block, &question)?;
        let candidates = block.rows.places_of(&narrowed.rows);
        if candidates.is_empty() || (narrowed.exact && probe.settles) {
            return Ok(candidates);
        }
        if candidates.is_all() {
            return scan.env.truth(self.expr, frame);
        }
        let mut few = Frame::of_block(block);
        few.retain(&candidates);
        Ok(candidates.select(&scan.env.truth(self.expr, &mut few)?))
    }
}
