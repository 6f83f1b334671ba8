//! What operators do to rows in memory, one after the other.

use std::collections::HashSet;
use std::sync::Arc;

use plan::{Compare, Expr, Name, Operator, SortKey, visit_fields};
use types::{Column, RowSet, Value};

use crate::operators::group::Groups;
use crate::operators::table::{SORTED_ROW_BYTES, Table};
use crate::operators::{autoregress, compare, fill, join, outlier, patterns, rank, score, sessionize, totals, unnest};
use crate::scan::row_order::{compare_keys, key_columns};
use crate::scan::scanner::Scan;
use crate::scan::steps::apply_one;
use evaluate::{Cell, Result, write_key};

impl Table {
    /// Applies one operator; a projection is left to [`project`](Self::project).
    pub(crate) fn apply(&mut self, operator: &Operator, scan: &Scan<'_>) -> Result<()> {
        let n_rows = self.frame.n_rows();
        match operator {
            Operator::Extend { name, expr } => {
                let is_estimate = self.is_approximate(expr);
                apply_one(operator, &mut self.frame, &scan.env)?;
                if is_estimate {
                    self.approximate.insert(name.clone());
                } else {
                    self.approximate.remove(name);
                }
            }
            Operator::Filter(_) | Operator::Parse(_) | Operator::Lookup(_) => {
                apply_one(operator, &mut self.frame, &scan.env)?
            }
            Operator::Aggregate { by, aggregates } => {
                let mut groups = Groups::new(by, aggregates);
                scan.check()?;
                groups.add_table(&mut self.frame, &scan.env)?;
                scan.hold(groups.memory_bytes())?;
                let estimates: Vec<Name> = aggregates
                    .iter()
                    .filter(|aggregate| aggregate.argument.as_ref().is_some_and(|expr| self.is_approximate(expr)))
                    .map(|aggregate| aggregate.name.clone())
                    .collect();
                *self = Self::of_groups(groups.finish(None, scan.budget())?);
                self.approximate.extend(estimates);
            }
            Operator::Sort(keys) => self.sort(keys, scan)?,
            Operator::Limit(most) => self.keep(0, usize::try_from(*most).unwrap_or(usize::MAX).min(n_rows)),
            Operator::Tail(most) => {
                self.keep(n_rows - usize::try_from(*most).unwrap_or(usize::MAX).min(n_rows), n_rows);
            }
            Operator::Dedup(names) => self.dedup(names, scan)?,
            Operator::Unnest { list, name, most } => unnest::apply(list, name, *most, &mut self.frame, scan)?,
            Operator::Rank(rank) => rank::apply(rank, &mut self.frame, scan)?,
            Operator::FillBuckets(fill) => fill::buckets(fill, &mut self.frame, scan)?,
            Operator::FillDown(names) => fill::down(names, &mut self.frame, scan)?,
            Operator::AddTotals(apply) => totals::apply(apply, &mut self.frame, scan)?,
            Operator::Autoregress(apply) => autoregress::apply(apply, &mut self.frame, scan)?,
            Operator::Sessionize(apply) => sessionize::apply(apply, &mut self.frame, scan)?,
            Operator::Outlier(apply) => outlier::apply(apply, &mut self.frame, scan)?,
            Operator::Join(join) => join::join(join, &mut self.frame, scan)?,
            Operator::AppendColumns(append) => join::append_columns(append, &mut self.frame, scan)?,
            Operator::Patterns(patterns) => {
                *self = Self::of_groups(patterns::of_rows(patterns, &mut self.frame, scan)?)
            }
            Operator::Score(score) => score::apply(score, &mut self.frame, scan)?,
            // It needs rows of another time, which whoever has the events gets: `compare`.
            Operator::Compare(_) => {}
            Operator::Project { .. } => {}
        }
        Ok(())
    }

    /// Puts the rows beside those of an earlier time.
    pub(crate) fn compare(&mut self, compare: &Compare, before: &mut Self, scan: &Scan<'_>) -> Result<()> {
        compare::apply(compare, &mut self.frame, &mut before.frame, scan)
    }

    pub(crate) fn is_approximate(&self, expr: &Expr) -> bool {
        let mut is_approximate = false;
        visit_fields(expr, &mut |name| is_approximate |= self.approximate.contains(name));
        is_approximate
    }

    pub(crate) fn keep(&mut self, from: usize, to: usize) {
        self.frame.retain(&RowSet::of(self.frame.n_rows(), |row| (from..to).contains(&row)));
    }

    fn sort(&mut self, keys: &[SortKey], scan: &Scan<'_>) -> Result<()> {
        let columns = key_columns(keys, &mut self.frame, scan)?;
        let n_rows = self.frame.n_rows();
        scan.budget().holding(n_rows.saturating_mul(SORTED_ROW_BYTES + 24 * columns.len()), || {
            let of_row = |row| columns.iter().map(|column| column.value(row)).collect();
            let values: Vec<Vec<Option<Value>>> = scan.budget().rows(n_rows).map(of_row).collect();
            scan.check()?;
            let mut order: Vec<u32> = (0..n_rows as u32).collect();
            let compare = |a: &u32, b: &u32| compare_keys(keys, &values[*a as usize], &values[*b as usize]);
            scan.budget().sort_by(&mut order, compare)?;
            self.frame.reorder(&order);
            Ok(())
        })
    }

    /// Keeps the first row of each combination; a row that misses one of the fields is no duplicate.
    fn dedup(&mut self, names: &[Name], scan: &Scan<'_>) -> Result<()> {
        let columns: Vec<Arc<Column>> = names
            .iter()
            .map(|name| self.frame.column(name).map_err(evaluate::columns::stop::Stop::from))
            .collect::<Result<_>>()?;
        let mut seen: HashSet<Vec<u8>> = HashSet::new();
        let mut n_bytes = 0;
        let mut kept = RowSet::none(self.frame.n_rows());
        for row in scan.budget().rows(self.frame.n_rows()) {
            let mut key = Vec::new();
            let is_whole = columns.iter().all(|column| {
                let cell = Cell::at(column, row);
                write_key(cell, &mut key);
                cell.is_present()
            });
            n_bytes += key.len() + 48;
            if !is_whole || seen.insert(key) {
                kept.insert(row);
            }
            scan.budget().permits(n_bytes)?;
        }
        scan.check()?;
        self.frame.retain(&kept);
        Ok(())
    }
}
