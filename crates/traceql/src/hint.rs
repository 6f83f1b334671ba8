//! Hints: the names and values after `with`.

use plan::{QueryError, Result};

use crate::literal::Literal;
use crate::read_expression::with_near;
use crate::syntax::Hint;

/// Hints of Tempo that change how it works, not what the answer means.
const IGNORED: [&str; 13] = [
    "sample",
    "trace_sample",
    "span_sample",
    "job_size",
    "time_overlap_cutoff",
    "concurrent_blocks",
    "debug",
    "info",
    "debug_return_in",
    "debug_std_dev",
    "debug_data_factor",
    "skip_ast_transformations",
    "spanonly_fetch",
];

/// Hints that a caller reads.
const USED: [&str; 2] = ["most_recent", "exemplars"];

/// Refuses an unknown hint, and a hint that asks for an answer that is not supported.
pub(crate) fn check(hint: &Hint, text: &str) -> Result<()> {
    if IGNORED.contains(&hint.name.as_str()) || USED.contains(&hint.name.as_str()) {
        return Ok(());
    }
    if hint.name == "extrapolate" {
        if hint.value == Literal::Boolean(false) {
            return Ok(());
        }
        let message = "numbers are not extrapolated from sampled spans (extrapolate)";
        return Err(QueryError::new("not-supported", message, text, hint.span));
    }
    let error = QueryError::new("unknown-hint", format!("there is no hint `{}`", hint.name), text, hint.span);
    Err(with_near(error, &hint.name, IGNORED.into_iter().chain(USED)))
}
