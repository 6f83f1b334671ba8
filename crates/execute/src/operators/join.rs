//! `join`, `lookup` and `appendcols`: rows with columns that come from elsewhere. What these are was fetched before the
//! plan runs (`subquery`).

use plan::{AppendColumns, Join, Name, Other};

use crate::scan::scanner::Scan;
use evaluate::expressions::lookup::define;
use evaluate::{Cell, Frame, Result};

/// Rows of a result between two looks at the memory that they need.
const ROWS_BETWEEN_LOOKS: usize = 4096;

/// Puts each row together with its partners, in their order; rows without one go or stay.
pub(crate) fn join(join: &Join, frame: &mut Frame<'static>, scan: &Scan<'_>) -> Result<()> {
    let Other::Rows(rows) = &join.other else { return Ok(()) };
    let mut mine = Vec::with_capacity(join.keys.len());
    for (name, _) in &join.keys {
        mine.push((frame.column(name)?, **name == *"@level"));
    }
    let theirs: Vec<Name> = join.keys.iter().map(|(_, column)| column.clone()).collect();
    let partners = scan.env.partners.of(rows, &theirs, &mine, &|n_bytes| scan.hold(n_bytes))?;
    let row_bytes = 24 * (1 + frame.n_columns() + join.columns.len());
    let (mut order, mut found) = (Vec::new(), Vec::new());
    let mut lease = scan.budget().lease(0)?;
    let mut n_held = 0;
    for row in scan.budget().rows(frame.n_rows()) {
        let places = partners.of_cells(mine.iter().map(|(column, _)| Cell::at(column, row)));
        // Partners of one row may be many: they are counted before they are written down.
        if order.len() + places.len() >= n_held + ROWS_BETWEEN_LOOKS {
            scan.check()?;
            let n_rows = order.len() + places.len();
            scan.budget().resize(&mut lease, n_rows.saturating_mul(row_bytes))?;
            n_held = n_rows;
        }
        order.extend(std::iter::repeat_n(row as u32, places.len()));
        found.extend(places.iter().map(|place| Some(*place)));
        if places.is_empty() && join.keeps_all {
            order.push(row as u32);
            found.push(None);
        }
    }
    scan.budget().resize(&mut lease, order.len().saturating_mul(row_bytes))?;
    frame.add_lease(lease);
    scan.check()?;
    frame.reorder(&order);
    define(rows, &join.columns, &found, frame, &scan.env)
}

/// Puts the first rows of another query next to the first rows.
pub(crate) fn append_columns(append: &AppendColumns, frame: &mut Frame<'static>, scan: &Scan<'_>) -> Result<()> {
    let Other::Rows(rows) = &append.other else { return Ok(()) };
    let most = usize::try_from(append.most).unwrap_or(usize::MAX).min(rows.rows.len());
    let found: Vec<Option<u32>> = (0..frame.n_rows()).map(|row| (row < most).then_some(row as u32)).collect();
    define(rows, &append.columns, &found, frame, &scan.env)
}
