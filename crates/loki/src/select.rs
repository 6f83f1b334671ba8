//! `query` and `query_range`: answers LogQL with streams, vectors or matrices.

use axum::http::HeaderMap;
use execute::Answer;
use language::logql;
use language::logql::{LogQuery, Query};
use types::{TimeRange, Timestamp};

use super::lines::{self, LineRequest};
use super::{metric, times};
use crate::problem::in_time;
use crate::state::Call;
use door::{Outcome, Parameters, Problem, Reply, Result, Scope, Shared};

/// Default and limit of the number of lines, as in Loki.
const LINES_DEFAULT: usize = 100;
pub(crate) const LINES_MAX: usize = 10_000;

pub(crate) fn range(call: Call) -> Outcome {
    let Call { server, parameters, parts, .. } = &call;
    let range = times::range(parameters, server.now())?;
    let text = parameters.get("query").unwrap_or_default();
    logql::require_narrow_selectors(text)?;
    match logql::parse(text)? {
        Query::Log(log) => {
            let (request, interval_ns) = (line_request(parameters, &parts.headers)?, times::interval(parameters)?);
            Ok(log_lines(server, log, text, range, request, interval_ns))
        }
        Query::Metric(query) => {
            let step = times::step(parameters, range)?;
            metric::over_range(server, query, text, times::aligned(range, step), step)
        }
    }
}

pub(crate) fn instant(call: Call) -> Outcome {
    let Call { server, parameters, .. } = &call;
    let at = times::instant_of(parameters, "time")?.unwrap_or(server.now());
    let text = parameters.get("query").unwrap_or_default();
    logql::require_narrow_selectors(text)?;
    match logql::parse(text)? {
        Query::Log(_) => {
            let message = "log queries are not supported as an instant query type, \
                           please change your query to a range query type";
            Err(Problem::bad_request("log-query", message))
        }
        Query::Metric(query) => metric::at_instant(server, query, text, at),
    }
}

/// Parses the selector of a lookup: matchers of labels, at least one of which does not match everything.
pub(crate) fn lookup(text: &str) -> Result<LogQuery> {
    logql::selector(text, true)?;
    selector(text)
}

/// Parses a log query.
pub(crate) fn selector(text: &str) -> Result<LogQuery> {
    match logql::parse(text)? {
        Query::Log(log) => Ok(log),
        Query::Metric(_) => Err(Problem::bad_request("bad-selector", "only label matchers are supported")),
    }
}

/// Returns the error for a limit that is not a positive number, in Loki's words.
pub(crate) fn bad_limit() -> Problem {
    Problem::bad_parameter("limit must be a positive value")
}

/// Returns the limit in the parameter `name`.
pub(crate) fn limit(parameters: &Parameters, name: &str) -> Result<usize> {
    let limit = match parameters.number::<i64>(name)? {
        None => LINES_DEFAULT,
        Some(limit) => usize::try_from(limit).ok().filter(|limit| *limit > 0).ok_or_else(bad_limit)?,
    };
    if limit > LINES_MAX {
        let message = format!(
            "max entries limit per query exceeded, limit > max_entries_limit_per_query ({limit} > {LINES_MAX})"
        );
        return Err(Problem::bad_request("limit-too-large", message));
    }
    Ok(limit)
}

fn line_request(parameters: &Parameters, headers: &HeaderMap) -> Result<LineRequest> {
    let limit = limit(parameters, "limit")?;
    let is_forward = match parameters.get("direction").map(str::to_ascii_lowercase).as_deref() {
        None | Some("backward") => false,
        Some("forward") => true,
        Some(other) => {
            return Err(Problem::bad_parameter(format!("invalid direction {other:?}")));
        }
    };
    let flags = headers.get("x-loki-response-encoding-flags").and_then(|value| value.to_str().ok());
    let is_categorized = flags.is_some_and(|flags| flags.split(',').any(|flag| flag.trim() == "categorize-labels"));
    Ok(LineRequest { limit, is_forward, is_categorized })
}

fn log_lines(
    server: &Shared,
    log: LogQuery,
    text: &str,
    range: TimeRange,
    request: LineRequest,
    interval_ns: i64,
) -> Reply {
    let now = server.now();
    Reply::query(server, text, move |reading| {
        let scope = Scope { groups: log.sources.clone(), ..times::scope(now) };
        let snapshot = reading.snapshot(&scope.groups, range);
        let ask = |limit: usize, range: TimeRange| {
            let plan = lines::plan(&log, &snapshot.runs, LineRequest { limit, ..request });
            in_time(reading.execute_on(&snapshot, &plan, &scope, range)?)
        };
        let all = interval_ns == 0;
        let answer = if all { ask(request.limit, range) } else { thinned(ask, range, request, interval_ns) }?;
        Ok(Reply::pieces("application/json", Box::new(lines::gathered(lines::pieces(answer, request)))))
    })
}

/// Lines read at once if most of them are left out.
const THINNED_LINES: usize = 1_000;

/// The length of the parts in which Loki reads a range: they begin at full hours.
const PART_NS: i64 = Timestamp::HOUR;

/// Returns lines at least an interval apart within each hour: Loki counts intervals anew at each full hour, as it reads
/// hours one by one. `ask` returns the first lines of a range.
fn thinned(
    ask: impl Fn(usize, TimeRange) -> Result<Answer>,
    mut range: TimeRange,
    request: LineRequest,
    interval_ns: i64,
) -> Result<Answer> {
    let (mut whole, mut last): (Option<Answer>, Option<Timestamp>) = (None, None);
    loop {
        let mut answer = ask(THINNED_LINES, range)?;
        let rows = std::mem::take(&mut answer.rows);
        let n_rows = rows.len();
        let whole = whole.get_or_insert(answer);
        for row in rows {
            let at = lines::time_of(&row);
            let is_far = |last: Timestamp| {
                at.0.div_euclid(PART_NS) != last.0.div_euclid(PART_NS)
                    || at.0.abs_diff(last.0) >= interval_ns.unsigned_abs()
            };
            if last.is_none_or(is_far) && whole.rows.len() < request.limit {
                last = Some(at);
                whole.rows.push(row);
            }
        }
        match last {
            Some(Timestamp(last)) if n_rows == THINNED_LINES && whole.rows.len() < request.limit => {
                let part = last.div_euclid(PART_NS) * PART_NS;
                if request.is_forward {
                    range.from = Timestamp(last.saturating_add(interval_ns).min(part.saturating_add(PART_NS)));
                } else {
                    range.to = Timestamp(last.saturating_sub(interval_ns).saturating_add(1).max(part));
                }
            }
            _ => break,
        }
        if range.from >= range.to {
            break;
        }
    }
    whole.ok_or_else(|| Problem::bad_request("bad-range", "the range is empty"))
}
