//! `unnest`: a row for each element of a list.

use std::collections::BTreeSet;
use std::sync::Arc;

use plan::{Expr, Name, Operator, fields_of};
use types::{Column, Value};

use crate::operators::join;
use crate::scan::scanner::Scan;
use crate::scan::steps::{apply_one, is_row_wise};
use evaluate::{Frame, Result, value_bytes};

/// Repeats the rows of `frame` for the elements of `list`.
pub(crate) fn apply(
    list: &Expr,
    name: &Name,
    most: Option<u64>,
    frame: &mut Frame<'static>,
    scan: &Scan<'_>,
) -> Result<()> {
    let most = most.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
    let lists = scan.env.evaluate(list, frame)?;
    let (mut order, mut elements) = (Vec::new(), Vec::new());
    for row in scan.budget().rows(frame.n_rows()) {
        match lists.value(row) {
            None => {}
            Some(Value::List(items)) => {
                let items = &items[..items.len().min(most)];
                order.extend(std::iter::repeat_n(row as u32, items.len()));
                elements.extend(items.iter().cloned());
            }
            Some(value) => {
                order.push(row as u32);
                elements.push(Some(value));
            }
        }
    }
    scan.check()?;
    let bytes: usize = elements.iter().flatten().map(|value| 32 + value_bytes(value)).sum();
    // Each repeated row holds a value, or a reference to one, in every column.
    let n_bytes = bytes.saturating_add(order.len().saturating_mul(24 * (1 + frame.n_columns())));
    frame.add_lease(scan.budget().lease(n_bytes)?);
    frame.reorder(&order);
    frame.define(name.clone(), Arc::new(Column::of_values(elements)));
    Ok(())
}

/// What is between the events and an aggregation of the elements of their lists.
#[derive(Clone, Copy)]
pub(crate) struct Spread<'p> {
    /// The first `unnest` and what follows it.
    pub(crate) operators: &'p [Operator],
}

impl<'p> Spread<'p> {
    /// Takes `operators` apart where elements can be aggregated block by block: what comes before the aggregation,
    /// the aggregation, and what comes after it.
    pub(crate) fn of(operators: &'p [Operator]) -> Option<(Self, &'p Operator, &'p [Operator])> {
        let is_before = |operator: &Operator| {
            is_row_wise(operator) || matches!(operator, Operator::Unnest { .. } | Operator::Join(_))
        };
        let at = operators.iter().position(|operator| !is_before(operator))?;
        match &operators[at] {
            aggregate @ Operator::Aggregate { .. } => {
                Some((Self { operators: &operators[..at] }, aggregate, &operators[at + 1..]))
            }
            _ => None,
        }
    }

    /// Reports whether events themselves are aggregated.
    pub(crate) fn is_none(self) -> bool {
        self.operators.is_empty()
    }

    /// Returns fields that it and `aggregate` ask for.
    pub(crate) fn fields(&self, aggregate: &Operator) -> BTreeSet<Name> {
        let mut names = fields_of(self.operators);
        names.extend(fields_of(std::slice::from_ref(aggregate)));
        names
    }

    /// Returns the rows that are aggregated for those of `frame`.
    pub(crate) fn apply<'a>(
        &self,
        mut frame: Frame<'a>,
        fields: &BTreeSet<Name>,
        scan: &Scan<'_>,
    ) -> Result<Frame<'a>> {
        if self.operators.is_empty() {
            return Ok(frame);
        }
        let column = |name: &Name| Ok((name.clone(), scan.env.evaluate(&Expr::Field(name.clone()), &mut frame)?));
        let columns = fields.iter().map(column).collect::<Result<Vec<_>>>()?;
        let mut rows = Frame::of_columns(frame.n_rows(), columns);
        for operator in self.operators {
            match operator {
                Operator::Unnest { list, name, most } => apply(list, name, *most, &mut rows, scan)?,
                Operator::Join(join) => join::join(join, &mut rows, scan)?,
                operator => apply_one(operator, &mut rows, &scan.env)?,
            }
        }
        Ok(rows)
    }
}
