//! How many rows an answer as JSON has, and what says that there are more.

use execute::Answer;
use plan::Warning;

/// Rows of a JSON answer where neither the query nor the request says otherwise, and at most.
pub(super) const JSON_ROWS_DEFAULT: usize = 1_000;
pub(super) const JSON_ROWS_MAX: usize = 10_000;

/// Returns the warning that the default limit cut the answer, with the way to get the rest.
pub(super) fn more_rows(n_rows: usize) -> Warning {
    Warning {
        code: "more",
        message: format!("these are the first {n_rows} rows; there are more"),
        line: None,
        column: None,
        hint: Some("add limit to the query, or ask with Accept: application/x-ndjson for all rows".into()),
    }
}

/// Cuts an answer to `rows_max` rows, and says so.
pub(super) fn cut(answer: &mut Answer, rows_max: usize) {
    if answer.rows.len() <= rows_max {
        return;
    }
    answer.rows.truncate(rows_max);
    if let Some(ids) = &mut answer.ids {
        ids.truncate(rows_max);
    }
    answer.more = true;
    answer.warnings.push(more_rows(rows_max));
}
