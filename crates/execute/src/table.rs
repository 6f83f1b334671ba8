//! Operators over rows in memory: what follows the first aggregation, sort or limit.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use types::{Column, RowSet, Value};

use super::aggregate::write_key;
use super::cell::Cell;
use super::expression::{Stop, evaluate};
use super::frame::Frame;
use super::functions::value_bytes;
use super::group::{Finished, Groups};
use super::rows::{compare_keys, key_columns};
use super::scan::Scan;
use super::steps::apply_one;
use super::{Answer, ColumnInfo, ColumnKind};
use super::{autoregress, compare, fill, join, outlier, patterns, rank, score, sessionize, totals, unnest};
use plan::fields::visit_fields;
use plan::{Compare, Expr, Name, Operator, SortKey};

/// Bytes of a row that is sorted, beside its keys.
const SORTED_ROW_BYTES: usize = 32;

/// Rows between two looks at whether the query is over.
const ROWS_BETWEEN_LOOKS: usize = 4096;

/// Rows in memory.
pub(crate) struct Table {
    frame: Frame<'static>,
    /// Columns that hold estimates.
    approximate: BTreeSet<Name>,
}

impl Table {
    /// Events that were read.
    pub(crate) fn of_events(frame: Frame<'static>) -> Self {
        Self { frame, approximate: BTreeSet::new() }
    }

    /// Groups.
    pub(crate) fn of_groups(finished: Finished) -> Self {
        let frame = Frame::of_columns(finished.n_rows, finished.columns);
        Self { frame, approximate: finished.approximate.into_iter().collect() }
    }

    /// Applies one operator; a projection is left to [`project`](Self::project).
    pub(crate) fn apply(&mut self, operator: &Operator, scan: &Scan<'_>) -> Result<(), Stop> {
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
                *self = Self::of_groups(groups.finish(scan.budget())?);
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
    pub(crate) fn compare(&mut self, compare: &Compare, before: &mut Self, scan: &Scan<'_>) -> Result<(), Stop> {
        compare::apply(compare, &mut self.frame, &mut before.frame, scan)
    }

    fn is_approximate(&self, expr: &Expr) -> bool {
        let mut is_approximate = false;
        visit_fields(expr, &mut |name| is_approximate |= self.approximate.contains(name));
        is_approximate
    }

    fn keep(&mut self, from: usize, to: usize) {
        self.frame.retain(&RowSet::of(self.frame.n_rows(), |row| (from..to).contains(&row)));
    }

    fn sort(&mut self, keys: &[SortKey], scan: &Scan<'_>) -> Result<(), Stop> {
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
    fn dedup(&mut self, names: &[Name], scan: &Scan<'_>) -> Result<(), Stop> {
        let columns: Vec<Arc<Column>> =
            names.iter().map(|name| self.frame.column(name).map_err(Stop::from)).collect::<Result<_, Stop>>()?;
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

    /// The columns shown.
    pub(crate) fn project(
        mut self,
        columns: &[(Name, Expr)],
        is_events: bool,
        scan: &Scan<'_>,
    ) -> Result<Answer, Stop> {
        let n_rows = self.frame.n_rows();
        let mut rows: Vec<Vec<Option<Value>>> = (0..n_rows).map(|_| Vec::with_capacity(columns.len())).collect();
        let mut infos = Vec::with_capacity(columns.len());
        for (name, expr) in columns {
            let approximate = self.is_approximate(expr);
            let column = evaluate(expr, &mut self.frame, &scan.env)?;
            let mut kind = KindOfColumn::default();
            let mut bytes = 0;
            for (row, out) in rows.iter_mut().enumerate() {
                if row % ROWS_BETWEEN_LOOKS == 0 {
                    scan.check()?;
                }
                let value = column.value(row);
                kind.see(value.as_ref());
                bytes += 32 + value.as_ref().map_or(0, value_bytes);
                out.push(value);
            }
            scan.hold(bytes)?;
            infos.push(ColumnInfo { name: name.to_string(), kind: kind.finish(expr), approximate });
        }
        let ids = if is_events { Some(self.ids()?) } else { None };
        Ok(Answer { columns: infos, rows, ids, ..Answer::default() })
    }

    fn ids(&mut self) -> Result<Vec<String>, Stop> {
        let ids = self.frame.column("@id")?;
        let text = |row| Cell::at(&ids, row).text().map(|id| id.into_owned()).unwrap_or_default();
        Ok((0..self.frame.n_rows()).map(text).collect())
    }

    /// The columns of an answer without rows.
    pub(crate) fn nothing(columns: &[(Name, Expr)]) -> Answer {
        let kind = |expr: &Expr| KindOfColumn::default().finish(expr);
        let info =
            |(name, expr): &(Name, Expr)| ColumnInfo { name: name.to_string(), kind: kind(expr), approximate: false };
        Answer { columns: columns.iter().map(info).collect(), ..Answer::default() }
    }

    /// How many rows there are.
    pub(crate) fn n_rows(&self) -> usize {
        self.frame.n_rows()
    }

    /// Leaves out rows from `n` on.
    pub(crate) fn truncate(&mut self, n: usize) {
        self.keep(0, n);
    }
}

/// The kind of the values seen in a column.
#[derive(Default)]
struct KindOfColumn(Option<ColumnKind>);

impl KindOfColumn {
    fn see(&mut self, value: Option<&Value>) {
        let Some(value) = value else { return };
        let kind = match value {
            Value::String(_) => ColumnKind::String,
            Value::Integer(_) => ColumnKind::Integer,
            Value::Float(_) => ColumnKind::Float,
            Value::Boolean(_) => ColumnKind::Boolean,
            Value::Timestamp(_) => ColumnKind::Timestamp,
            Value::List(_) => ColumnKind::List,
            Value::Object(_) => ColumnKind::Object,
        };
        self.0 = Some(match (self.0, kind) {
            (None, kind) => kind,
            (Some(known), kind) if known == kind => kind,
            (Some(ColumnKind::Integer), ColumnKind::Float) | (Some(ColumnKind::Float), ColumnKind::Integer) => {
                ColumnKind::Float
            }
            _ => ColumnKind::Any,
        });
    }

    /// Without any value, what the system field shown would have had.
    fn finish(self, expr: &Expr) -> ColumnKind {
        self.0.unwrap_or(match expr {
            Expr::Field(name) if matches!(&**name, "@timestamp" | "@ingestionTime") => ColumnKind::Timestamp,
            Expr::Field(name) if super::frame::is_system(name) => ColumnKind::String,
            _ => ColumnKind::Any,
        })
    }
}
