//! `sessionize`: rows of one identity that follow each other without a long pause.
//!
//! Sessions have numbers from 1 in the order in which they begin, whatever order the rows are in; of those that
//! begin at the same instant, the one whose row comes first. Rows that miss a field of the identity, or the time,
//! belong to none.

use std::collections::HashMap;
use std::sync::Arc;

use plan::{Sessionize, calendar as bins};
use types::{Column, Value};

use crate::scan::scanner::Scan;
use evaluate::{Cell, Frame, Result, write_key};

/// Rows between two looks at whether the query is over.
const ROWS_BETWEEN_LOOKS: usize = 1024;

/// Bytes held for each row: its identity, its place in the order of time, its session.
const ROW_BYTES: usize = 96;

/// Adds the column with the numbers of sessions.
pub(crate) fn apply(sessionize: &Sessionize, frame: &mut Frame<'static>, scan: &Scan<'_>) -> Result<()> {
    let n_rows = frame.n_rows();
    scan.hold(n_rows.saturating_mul(ROW_BYTES))?;
    let columns = sessionize.fields.iter().map(|name| frame.column(name)).collect::<Result<Vec<_>, _>>()?;
    let times = frame.column("@timestamp")?;
    let mut rows: Vec<(i64, usize)> = (0..n_rows)
        .filter(|row| columns.iter().all(|column| column.is_present(*row)))
        .filter_map(|row| Some((Cell::at(&times, row).time()?, row)))
        .collect();
    scan.budget().sort_by(&mut rows, |a, b| a.cmp(b))?;
    // Per identity its last session and the last instant that a row may have to belong to it.
    let mut open: HashMap<Vec<u8>, (i64, i64)> = HashMap::new();
    let mut sessions: Vec<Option<Value>> = vec![None; n_rows];
    let mut n_sessions = 0;
    for (at, (time, row)) in rows.into_iter().enumerate() {
        if at % ROWS_BETWEEN_LOOKS == 0 {
            scan.check()?;
        }
        let mut key = Vec::new();
        columns.iter().for_each(|column| write_key(Cell::at(column, row), &mut key));
        let end = bins::later(scan.env.time_zone, time, sessionize.pause).unwrap_or(i64::MAX);
        let session = open.entry(key).or_insert((0, i64::MIN));
        if session.0 == 0 || time > session.1 {
            n_sessions += 1;
            session.0 = n_sessions;
        }
        session.1 = end;
        sessions[row] = Some(Value::Integer(session.0));
    }
    frame.define(sessionize.name.clone(), Arc::new(Column::of_values(sessions)));
    Ok(())
}
