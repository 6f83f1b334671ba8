//! Operators over rows in memory: what follows the first aggregation, sort or limit.

use std::collections::BTreeSet;

use plan::{Expr, Name};
use types::Value;

use crate::operators::group::GroupRows;
use crate::request::answer::{Answer, ColumnInfo, ColumnKind};
use crate::scan::scanner::Scan;
use evaluate::{Cell, Frame, Result, value_bytes};

/// Bytes of a row that is sorted, next to its keys.
pub(crate) const SORTED_ROW_BYTES: usize = 32;

/// Rows between two looks at whether the query is over.
const ROWS_BETWEEN_LOOKS: usize = 4096;

/// Rows in memory.
pub(crate) struct Table {
    pub(crate) frame: Frame<'static>,
    /// Columns that hold estimates.
    pub(crate) approximate: BTreeSet<Name>,
}

impl Table {
    /// Returns events that were read.
    pub(crate) fn of_events(frame: Frame<'static>) -> Self {
        Self { frame, approximate: BTreeSet::new() }
    }

    /// Groups.
    pub(crate) fn of_groups(finished: GroupRows) -> Self {
        let frame = Frame::of_columns(finished.n_rows, finished.columns);
        Self { frame, approximate: finished.approximate.into_iter().collect() }
    }

    /// Returns the columns shown.
    pub(crate) fn project(self, columns: &[(Name, Expr)], is_events: bool, scan: &Scan<'_>) -> Result<Answer> {
        self.project_part(columns, is_events, scan, &mut vec![KindOfColumn::default(); columns.len()])
    }

    /// Returns the columns shown of rows of which others are shown too; `kinds` knows the values of all columns so far.
    pub(crate) fn project_part(
        mut self,
        columns: &[(Name, Expr)],
        is_events: bool,
        scan: &Scan<'_>,
        kinds: &mut [KindOfColumn],
    ) -> Result<Answer> {
        let n_rows = self.frame.n_rows();
        let mut rows: Vec<Vec<Option<Value>>> = (0..n_rows).map(|_| Vec::with_capacity(columns.len())).collect();
        let mut infos = Vec::with_capacity(columns.len());
        for ((name, expr), kind) in columns.iter().zip(kinds) {
            let approximate = self.is_approximate(expr);
            let column = scan.env.evaluate(expr, &mut self.frame)?;
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

    fn ids(&mut self) -> Result<Vec<String>> {
        let ids = self.frame.column("@id")?;
        let text = |row| Cell::at(&ids, row).text().map(|id| id.into_owned()).unwrap_or_default();
        Ok((0..self.frame.n_rows()).map(text).collect())
    }

    /// Returns the columns of an answer without rows.
    pub(crate) fn nothing(columns: &[(Name, Expr)]) -> Answer {
        let kind = |expr: &Expr| KindOfColumn::default().finish(expr);
        let info =
            |(name, expr): &(Name, Expr)| ColumnInfo { name: name.to_string(), kind: kind(expr), approximate: false };
        Answer { columns: columns.iter().map(info).collect(), ..Answer::default() }
    }

    /// Returns how many rows there are.
    pub(crate) fn n_rows(&self) -> usize {
        self.frame.n_rows()
    }

    /// Leaves out rows from `n` on.
    pub(crate) fn truncate(&mut self, n: usize) {
        self.keep(0, n);
    }
}

/// The kind of the values seen in a column.
#[derive(Clone, Copy, Default)]
pub(crate) struct KindOfColumn(Option<ColumnKind>);

impl KindOfColumn {
    fn see(&mut self, value: Option<&Value>) {
        let Some(value) = value else { return };
        let kind = match value {
            Value::String(_) => crate::request::answer::ColumnKind::String,
            Value::Integer(_) => crate::request::answer::ColumnKind::Integer,
            Value::Float(_) => crate::request::answer::ColumnKind::Float,
            Value::Boolean(_) => crate::request::answer::ColumnKind::Boolean,
            Value::Timestamp(_) => crate::request::answer::ColumnKind::Timestamp,
            Value::List(_) => crate::request::answer::ColumnKind::List,
            Value::Object(_) => crate::request::answer::ColumnKind::Object,
        };
        self.0 = Some(match (self.0, kind) {
            (None, kind) => kind,
            (Some(known), kind) if known == kind => kind,
            (Some(crate::request::answer::ColumnKind::Integer), crate::request::answer::ColumnKind::Float)
            | (Some(crate::request::answer::ColumnKind::Float), crate::request::answer::ColumnKind::Integer) => {
                crate::request::answer::ColumnKind::Float
            }
            _ => crate::request::answer::ColumnKind::Any,
        });
    }

    /// Without any value, what the system field shown would have had.
    pub(crate) fn finish(self, expr: &Expr) -> ColumnKind {
        self.0.unwrap_or(match expr {
            Expr::Field(name) if matches!(&**name, "@timestamp" | "@ingestionTime") => {
                crate::request::answer::ColumnKind::Timestamp
            }
            Expr::Field(name) if plan::fields::is_system(name) => crate::request::answer::ColumnKind::String,
            _ => crate::request::answer::ColumnKind::Any,
        })
    }
}
