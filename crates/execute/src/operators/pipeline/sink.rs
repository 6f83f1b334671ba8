//! The answer of a pipeline: rows as they are shown.

use plan::{Expr, Name};
use types::Value;

use crate::operators::table::{KindOfColumn, Table};
use crate::request::answer::{Answer, ColumnInfo};
use crate::request::parameters::TakeRows;
use crate::scan::scanner::{Flow, Scan};
use evaluate::Result;

/// Rows that are kept even where someone takes them: an answer of so few is worth being kept for whoever asks again.
const FIRST_ROWS: usize = 1_000;

/// The part of the query's memory that they may take.
const FIRST_PART: usize = 16;

/// Rows on their way to whoever asked.
pub(crate) struct Sink<'p, 's> {
    columns: &'p [(Name, Expr)],
    is_events: bool,
    take: Option<&'s TakeRows<'s>>,
    /// How many rows may still be shown; `None` for all.
    n_left: Option<usize>,
    kinds: Vec<KindOfColumn>,
    is_approximate: Vec<bool>,
    rows: Vec<Vec<Option<Value>>>,
    ids: Vec<String>,
    /// Bytes of the query's memory that the rows hold.
    n_bytes: usize,
    is_more: bool,
    has_given: bool,
}

impl<'p, 's> Sink<'p, 's> {
    /// Shows `columns` of at most `most` rows. `take` takes rows as they come; else they are all kept.
    pub(crate) fn new(
        columns: &'p [(Name, Expr)],
        is_events: bool,
        most: Option<usize>,
        take: Option<&'s TakeRows<'s>>,
    ) -> Self {
        Self {
            columns,
            is_events,
            take,
            n_left: most,
            kinds: vec![KindOfColumn::default(); columns.len()],
            is_approximate: vec![false; columns.len()],
            rows: Vec::new(),
            ids: Vec::new(),
            n_bytes: 0,
            is_more: false,
            has_given: false,
        }
    }

    /// Takes rows; [`Flow::Done`] where no more are wanted.
    ///
    /// # Errors
    /// The rows are kept, and the query may not hold that many.
    pub(crate) fn push(&mut self, mut table: Table, scan: &Scan<'_>) -> Result<Flow> {
        if let Some(n_left) = self.n_left {
            self.is_more = table.n_rows() > n_left;
            table.truncate(n_left);
            self.n_left = Some(n_left - table.n_rows());
        }
        let before = (scan.budget().held(), table.frame.leased_bytes());
        let part = table.project_part(self.columns, self.is_events && self.take.is_none(), scan, &mut self.kinds)?;
        self.n_bytes += scan.budget().held().saturating_sub(before.0.saturating_sub(before.1));
        self.is_approximate.iter_mut().zip(&part.columns).for_each(|(known, column)| *known |= column.approximate);
        self.rows.extend(part.rows);
        self.ids.extend(part.ids.into_iter().flatten());
        let is_much = self.rows.len() > FIRST_ROWS || self.n_bytes > scan.budget().memory_bytes() / FIRST_PART;
        if self.take.is_some() && (is_much || self.has_given) && !self.give(scan) {
            return Ok(Flow::Done);
        }
        Ok(if self.is_more { Flow::Done } else { Flow::Continue })
    }

    /// Gives rows away; `false` where no one takes them any more.
    fn give(&mut self, scan: &Scan<'_>) -> bool {
        let Some(take) = self.take else { return true };
        self.has_given = true;
        let rows = std::mem::take(&mut self.rows);
        let is_taken = scan.budget().pause(|| take(rows));
        scan.budget().release(std::mem::take(&mut self.n_bytes));
        if !is_taken {
            scan.budget().end("cancelled", "the reader of the rows is gone");
        }
        is_taken
    }

    /// Reports whether all rows are still here.
    pub(crate) fn is_whole(&self) -> bool {
        !self.has_given
    }

    /// Returns the answer with the rows that were not given away, and whether there are more than are shown.
    pub(crate) fn finish(mut self, scan: &Scan<'_>) -> (Answer, bool) {
        if self.has_given && !self.rows.is_empty() {
            self.give(scan);
        }
        let info = |((name, expr), (kind, approximate)): (&(Name, Expr), (KindOfColumn, bool))| ColumnInfo {
            name: name.to_string(),
            kind: kind.finish(expr),
            approximate,
        };
        let columns = self.columns.iter().zip(self.kinds.into_iter().zip(self.is_approximate)).map(info).collect();
        let ids = (self.is_events && self.take.is_none()).then_some(self.ids);
        let held = Some(scan.budget().keep(self.n_bytes));
        (Answer { columns, rows: self.rows, ids, held, ..Answer::default() }, self.is_more)
    }
}
