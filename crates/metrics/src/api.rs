//! Prometheus' HTTP API: queries at an instant and over a range, series and their labels.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use door::queries::{Extent, QueryTerms};
use door::{Outcome, Parameters, Problem, QueryRun, Reply, Result, Shared};
use promql::{Data, Labels, Matcher, Options, Query};
use serde_json::json;
use series::{SampleSource, query_options};
use types::Timestamp;

use crate::format::{self, AnswerWriter, LabelMap};
use crate::metadata::Call;
use crate::problem::{of_evaluation, of_text, parsed as parsed_text};
use crate::times::{duration_of, needed, time_of};

/// Most steps of a range query, as in Prometheus.
const STEPS_MAX: i64 = 11_000;

/// Answers `query`.
pub(crate) fn instant(Call { server, parameters, .. }: Call) -> Outcome {
    let at = time_of(&parameters, "time")?.unwrap_or(server.now().0 / Timestamp::MILLISECOND);
    let asked = Asked::of(&parameters, Extent { span: Duration::ZERO, n_steps: 1 })?;
    evaluate(&server, asked, at, move |query, source, options| promql::instant(query, at, source, options))
}

/// Answers `query_range`.
pub(crate) fn range(Call { server, parameters, .. }: Call) -> Outcome {
    let (start, end) = (time_of(&parameters, "start")?, time_of(&parameters, "end")?);
    let (start, end) = (needed(start, "start")?, needed(end, "end")?);
    let step = needed(duration_of(&parameters, "step")?, "step")?;
    if step > 0 && end.saturating_sub(start) / step > STEPS_MAX {
        let message = "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)";
        return Err(Problem::bad_parameter(message));
    }
    let span = u64::try_from(end.saturating_sub(start)).unwrap_or_default();
    let n_steps = span / u64::try_from(step).unwrap_or_default().max(1) + 1;
    let asked = Asked::of(&parameters, Extent { span: Duration::from_millis(span), n_steps })?;
    let work = move |query: &Query, source: &SampleSource<&QueryRun<'_>>, options: &Options| {
        source.range(query, (start, end), step, options)
    };
    evaluate(&server, asked, end, work)
}

/// What both kinds of queries say.
struct Asked {
    query: Query,
    lookback: Option<i64>,
    limit: usize,
    extent: Extent,
    /// The time after which the client no longer waits.
    timeout: Option<Duration>,
}

impl Asked {
    fn of(parameters: &Parameters, extent: Extent) -> Result<Self> {
        let query = parsed_text("query", parameters.get("query").unwrap_or_default())?;
        let lookback = duration_of(parameters, "lookback_delta")?.filter(|lookback| *lookback > 0);
        Ok(Self { query, lookback, limit: limit_of(parameters)?, extent, timeout: timeout_of(parameters)? })
    }
}

/// Returns the parameter `timeout`; one that is not positive is over at once.
fn timeout_of(parameters: &Parameters) -> Result<Option<Duration>> {
    let timeout = duration_of(parameters, "timeout")?;
    Ok(timeout.map(|ms| Duration::from_millis(u64::try_from(ms).unwrap_or_default())))
}

/// Returns the parameter `limit`; 0 and none mean no limit.
fn limit_of(parameters: &Parameters) -> Result<usize> {
    let Some(text) = parameters.get("limit") else { return Ok(usize::MAX) };
    let message =
        || format!("invalid parameter \"limit\": {:?} is not a whole number", &text[..text.floor_char_boundary(100)]);
    let limit = text.parse().map_err(|_| Problem::bad_parameter(message()))?;
    Ok(if limit == 0 { usize::MAX } else { limit })
}

/// Evaluates a query, and waits at most until the client's timeout; the server's own limit holds as well.
fn evaluate<F>(server: &Shared, asked: Asked, at: i64, work: F) -> Outcome
where
    F: FnOnce(&Query, &SampleSource<&QueryRun<'_>>, &Options) -> Result<promql::Answer, promql::EvalError>
        + Send
        + 'static,
{
    let ends = asked.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let terms = QueryTerms { extent: Some(asked.extent), ends, ..QueryTerms::default() };
    let ticket = server.start_on(asked.query.text(), terms);
    let evaluate = move |run: &QueryRun<'_>| {
        let memory_bytes = run.server.app.limits.query_memory_bytes;
        let mut options = query_options(memory_bytes, run.running.cancelled.clone(), run.deadline());
        options.lookback = asked.lookback.unwrap_or(options.lookback);
        let source = SampleSource::new(run, options.samples_max);
        let answer = work(&asked.query, &source, &options).map_err(|error| of_evaluation(&error))?;
        written(answer, at, source.into_missing(), asked.limit)
    };
    let query = Reply::Query(server.clone(), ticket, Box::new(evaluate));
    Ok(match ends {
        Some(ends) => Reply::Until(ends, of_evaluation(&promql::EvalError::TimedOut), Box::new(query)),
        None => query,
    })
}

fn written(answer: promql::Answer, at: i64, mut warnings: Vec<String>, limit: usize) -> Outcome {
    let mut data = answer.data;
    if let Data::Vector(rows) | Data::Matrix(rows) = &mut data
        && rows.len() > limit
    {
        rows.truncate(limit);
        warnings.push("results truncated due to limit".to_owned());
    }
    let answer = AnswerWriter::answer(&data, at, warnings, &answer.annotations);
    let answer = answer.map_err(|error| Problem::internal(format!("the answer cannot be written: {error}")))?;
    Ok(Reply::content("application/json", answer))
}

/// Answers `labels`: the names of labels.
pub(crate) fn names(call: Call) -> Outcome {
    with_label_sets(call, |sets, warnings, parameters| {
        let names = sets.iter().flat_map(|labels| labels.iter().map(|label| label.name.to_string()));
        limited(names.collect(), parameters, warnings)
    })
}

/// Answers `label/NAME/values`.
pub(crate) fn values(mut call: Call) -> Outcome {
    let name = unescaped(&call.variable());
    with_label_sets(call, move |sets, warnings, parameters| {
        let values = sets.iter().map(|labels| labels.get(&name).to_owned()).filter(|value| !value.is_empty());
        limited(values.collect(), parameters, warnings)
    })
}

/// Answers `series`: label sets.
pub(crate) fn series(call: Call) -> Outcome {
    types::ensure!(call.parameters.get("match[]").is_some(), Problem::bad_parameter("no match[] parameter provided"));
    with_label_sets(call, |sets, mut warnings, parameters| {
        let limit = limit_of(parameters)?;
        if sets.len() > limit {
            warnings.push("results truncated due to limit".to_owned());
        }
        let sets: Vec<LabelMap<'_>> = sets.iter().take(limit).map(LabelMap).collect();
        Ok(format::reply(json!(sets), warnings))
    })
}

fn limited(texts: BTreeSet<String>, parameters: &Parameters, mut warnings: Vec<String>) -> Outcome {
    let limit = limit_of(parameters)?;
    if texts.len() > limit {
        warnings.push("results truncated due to limit".to_owned());
    }
    let texts: Vec<String> = texts.into_iter().take(limit).collect();
    Ok(format::reply(json!(texts), warnings))
}

/// Answers with what `then` makes of the label sets that any of the parameters `match[]` selects, all without one; and of why some
/// may be missing.
fn with_label_sets(
    Call { server, parameters, .. }: Call,
    then: impl FnOnce(BTreeSet<Labels>, Vec<String>, &Parameters) -> Outcome + Send + 'static,
) -> Outcome {
    let mut selectors: Vec<Vec<Matcher>> = Vec::new();
    for text in parameters.all("match[]") {
        let query = parsed_text("match[]", text)?;
        let message = || format!("invalid parameter \"match[]\": {text:?} is not a selector of series");
        let not_one = || Problem::bad_parameter(message());
        selectors.push(query.matchers().ok_or_else(not_one)?.to_vec());
    }
    if selectors.is_empty() {
        selectors.push(Vec::new());
    }
    let from = time_of(&parameters, "start")?.unwrap_or(i64::MIN / Timestamp::MILLISECOND);
    let until = time_of(&parameters, "end")?.unwrap_or(i64::MAX / Timestamp::MILLISECOND - 1);
    Ok(Reply::query(&server, "labels of series", move |run| {
        let source = SampleSource::new(run, usize::MAX);
        let mut sets = BTreeSet::new();
        for matchers in &selectors {
            sets.extend(source.label_sets(matchers, (from, until))?);
        }
        then(sets, source.into_missing(), &parameters)
    }))
}

/// Returns the name of a label that was escaped for an address: `U__a_2e_b` is `a.b`. Source: Prometheus' escaping schemes.
fn unescaped(name: &str) -> String {
    let Some(mut rest) = name.strip_prefix("U__") else { return name.to_owned() };
    let mut text = String::new();
    while let Some(at) = rest.find('_') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('_') {
            text.push('_');
            rest = after;
            continue;
        }
        let character = rest.split_once('_').and_then(|(digits, after)| {
            let character = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)?;
            Some((character, after))
        });
        let Some((character, after)) = character else { return name.to_owned() };
        text.push(character);
        rest = after;
    }
    text.push_str(rest);
    text
}

/// Answers `format_query`: the query in its usual layout.
pub(crate) fn formatted(call: Call) -> Outcome {
    let text = call.parameters.get("query").unwrap_or_default();
    let formatted = promql::format(text).map_err(|error| of_text(&error, ("query", text)))?;
    Ok(format::reply(json!(formatted), Vec::new()))
}

/// Answers `parse_query`: the tree of a query.
pub(crate) fn parsed(call: Call) -> Outcome {
    let query = parsed_text("query", call.parameters.get("query").unwrap_or_default())?;
    Ok(format::reply(query.tree(), Vec::new()))
}

/// Answers `status/buildinfo`: clients look at the version to know which functions there are.
pub(crate) fn buildinfo(_: Call) -> Outcome {
    let data = json!({"version": "3.0.0", "revision": "", "branch": "", "buildUser": "catat", "buildDate": "", "goVersion": ""});
    Ok(format::reply(data, Vec::new()))
}

#[cfg(test)]
mod tests;
