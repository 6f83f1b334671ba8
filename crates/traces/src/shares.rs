//! Several traces in one answer: a trace with very many spans does not push the others out of it.

use plan::{Operator, Plan};
use types::{GroupPattern, TimeRange, Value};

use door::{QueryRun, Result};

use crate::plans::{count_by, is_span, one_of, show, span_groups};
use crate::read::{MARGIN_NS, Reading, SPANS_MAX, Trace, some_spans, too_many_spans, traces};
use crate::times;

/// Groups that a search reads: all with spans.
const GROUPS: &[GroupPattern] = &[];

/// Reads the spans of some traces and returns the traces in the order of `ids`. If they have too many spans together, each of
/// the large ones is cut to the same number.
pub(crate) fn traces_in_shares(
    run: &QueryRun<'_>,
    ids: &[String],
    range: TimeRange,
    reading: &mut Reading,
) -> Result<Vec<Trace>> {
    let (found, part) = traces(run, ids, range, GROUPS)?;
    if ids.len() < 2 || !part.partial_reasons.contains(&too_many_spans()) {
        reading.take(part);
        return Ok(found);
    }
    drop(found);
    let counts = counts(run, ids, range, reading)?;
    let most = share(&counts.iter().map(|(_, n_spans)| *n_spans).collect::<Vec<_>>());
    let (small, large): (Vec<_>, Vec<_>) = counts.into_iter().partition(|(_, n_spans)| *n_spans <= most);
    let small: Vec<String> = small.into_iter().map(|(id, _)| id).collect();
    let mut found = Vec::new();
    if !small.is_empty() {
        let (traces, part) = traces(run, &small, range, GROUPS)?;
        reading.take(part);
        found = traces;
    }
    for (id, n_spans) in large {
        if reading.is_ended() {
            break;
        }
        reading.cut(format!("trace {id} has {n_spans} spans; only the {most} oldest were read"));
        found.extend(some_spans(run, id, range, most, reading)?);
    }
    found.sort_by_key(|trace| ids.iter().position(|id| *id == trace.id));
    Ok(found)
}

/// Counts the spans of each trace.
fn counts(run: &QueryRun<'_>, ids: &[String], range: TimeRange, reading: &mut Reading) -> Result<Vec<(String, usize)>> {
    let range = times::widened(range, MARGIN_NS);
    let operators = vec![
        Operator::Filter(is_span()),
        Operator::Filter(one_of("trace_id", ids)),
        count_by(&["trace_id"]),
        show(["trace_id", "n"], false),
    ];
    let (scope, snapshot) = (times::scope(run.server.now()), run.snapshot(&span_groups(GROUPS), range));
    let rows = reading.add(run.execute_on(&snapshot, &Plan::new(operators), &scope, range)?);
    let count = |row: Vec<Option<Value>>| match row.as_slice() {
        [Some(Value::String(id)), Some(Value::Integer(n_spans))] => {
            let is_asked = ids.iter().any(|asked| **asked == **id);
            is_asked.then(|| (id.to_string(), usize::try_from(*n_spans).unwrap_or_default()))
        }
        _ => None,
    };
    Ok(rows.into_iter().filter_map(count).collect())
}

/// Returns the most spans that each trace may have, so that all together have at most [`SPANS_MAX`]; one at least.
fn share(counts: &[usize]) -> usize {
    let mut sorted = counts.to_vec();
    sorted.sort_unstable();
    let mut left = SPANS_MAX;
    for (place, n_spans) in sorted.iter().enumerate() {
        let most = left / (sorted.len() - place);
        if *n_spans > most {
            return most.max(1);
        }
        left -= n_spans;
    }
    SPANS_MAX
}

#[cfg(test)]
mod tests;
