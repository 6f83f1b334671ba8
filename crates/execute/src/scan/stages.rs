//! The operators of a plan by how they are run.

use plan::Operator;

use crate::scan::steps::is_row_wise;

/// Operators that look at one row at a time, and those after them.
#[derive(Clone, Copy)]
pub(crate) struct Stages<'o> {
    /// Run block by block, while events are scanned.
    pub(crate) lead: &'o [Operator],
    /// Run over all rows.
    pub(crate) rest: &'o [Operator],
}

impl<'o> Stages<'o> {
    /// Splits operators after the last of those at the head that look at one row at a time.
    pub(crate) fn of(operators: &'o [Operator]) -> Self {
        let n_lead = operators.iter().position(|operator| !is_row_wise(operator)).unwrap_or(operators.len());
        let (lead, rest) = operators.split_at(n_lead);
        Self { lead, rest }
    }
}
