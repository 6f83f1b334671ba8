//! How many rows an answer as JSON has, and what says that there are more.

use execute::Answer;
use plan::Warning;

/// Rows of a JSON answer where neither the query nor the request says otherwise, and at most.
pub(super) const JSON_ROWS_DEFAULT: usize = 1_000;
pub(super) const JSON_ROWS_MAX: usize = 10_000;

/// Returns the warning that an answer was cut where nobody asked for it, with the way to get the rest.
pub(super) fn more_rows(n_rows: usize) -> Warning {
    let limit = if n_rows < JSON_ROWS_MAX { "add limit to the query, or " } else { "" };
    Warning {
        code: "more",
        message: format!("these are the first {n_rows} rows; there are more"),
        line: None,
        column: None,
        hint: Some(format!("{limit}ask with Accept: application/x-ndjson for all rows")),
    }
}

/// Cuts an answer to `rows_max` rows, and says so; returns whether it had more.
pub(super) fn cut(answer: &mut Answer, rows_max: usize) -> bool {
    if answer.rows.len() <= rows_max {
        return false;
    }
    answer.rows.truncate(rows_max);
    if let Some(ids) = &mut answer.ids {
        ids.truncate(rows_max);
    }
    answer.more = true;
    answer.warnings.push(more_rows(rows_max));
    true
}
