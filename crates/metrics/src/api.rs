//! Prometheus' HTTP API: queries at an instant and over a range, series and their labels.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use axum::Json;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use door::form_parameters::FormParameters;
use door::parameters::{Parameters, PathName};
use door::queries::{Extent, QueryTerms};
use door::query_run::{QueryRun, read, read_with};
use door::server::{FamilyServer, Shared};
use promql::{Annotations, Data, Labels, Matcher, Options, Query};
use serde_json::json;
use series::{SampleSource, query_options};
use types::Timestamp;

use crate::format::{self, AnswerWriter, JsonAnswer, LabelMap};
use crate::metadata::MetricsState;
use crate::problem::PrometheusProblem;
use crate::times::{duration_of, needed, time_of};
use door::problem::Problem;

/// Most steps of a range query, as in Prometheus.
const STEPS_MAX: i64 = 11_000;

type Outcome = Result<JsonAnswer, PrometheusProblem>;

/// Answers `query`.
pub(crate) async fn instant(
    server: FamilyServer<MetricsState>,
    FormParameters(parameters): FormParameters,
) -> Result<Response, PrometheusProblem> {
    let at = time_of(&parameters, "time")?.unwrap_or(server.now().0 / Timestamp::MILLISECOND);
    let asked = Asked::of(&parameters, Extent { span: Duration::ZERO, n_steps: 1 })?;
    evaluate(&server, asked, at, move |query, source, options| promql::instant(query, at, source, options)).await
}

/// Answers `query_range`.
pub(crate) async fn range(
    server: FamilyServer<MetricsState>,
    FormParameters(parameters): FormParameters,
) -> Result<Response, PrometheusProblem> {
    let (start, end) = (time_of(&parameters, "start")?, time_of(&parameters, "end")?);
    let (start, end) = (needed(start, "start")?, needed(end, "end")?);
    let step = needed(duration_of(&parameters, "step")?, "step")?;
    if step > 0 && end.saturating_sub(start) / step > STEPS_MAX {
        let message = "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)";
        return Err(Problem::bad_request("bad-parameter", message).into());
    }
    let span = u64::try_from(end.saturating_sub(start)).unwrap_or_default();
    let n_steps = span / u64::try_from(step).unwrap_or_default().max(1) + 1;
    let asked = Asked::of(&parameters, Extent { span: Duration::from_millis(span), n_steps })?;
    let work = move |query: &Query, source: &SampleSource<&QueryRun<'_>>, options: &Options| {
        source.range(query, (start, end), step, options)
    };
    evaluate(&server, asked, end, work).await
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
    fn of(parameters: &Parameters, extent: Extent) -> Result<Self, PrometheusProblem> {
        let text = parameters.get("query").unwrap_or_default();
        let query = promql::parse(text).map_err(|error| PrometheusProblem::of_text(&error, ("query", text)))?;
        let lookback = duration_of(parameters, "lookback_delta")?.filter(|lookback| *lookback > 0);
        Ok(Self { query, lookback, limit: limit_of(parameters)?, extent, timeout: timeout_of(parameters)? })
    }
}

/// Returns the parameter `timeout`; one that is not positive is over at once.
fn timeout_of(parameters: &Parameters) -> Result<Option<Duration>, Problem> {
    let timeout = duration_of(parameters, "timeout")?;
    Ok(timeout.map(|ms| Duration::from_millis(u64::try_from(ms).unwrap_or_default())))
}

/// Waits for an answer, at most until the client's timeout; the server's own limit holds as well.
async fn within<T>(
    timeout: Option<Duration>,
    answer: impl Future<Output = Result<T, Problem>>,
) -> Result<T, PrometheusProblem> {
    let Some(timeout) = timeout else { return Ok(answer.await?) };
    match tokio::time::timeout(timeout, answer).await {
        Ok(answer) => Ok(answer?),
        // The query, which may still have waited for its turn, was dropped; that ends its work.
        Err(_) => Err(PrometheusProblem::of_evaluation(&promql::EvalError::TimedOut)),
    }
}

/// Returns the parameter `limit`; 0 and none mean no limit.
fn limit_of(parameters: &Parameters) -> Result<usize, Problem> {
    let Some(text) = parameters.get("limit") else { return Ok(usize::MAX) };
    let message =
        || format!("invalid parameter \"limit\": {:?} is not a whole number", &text[..text.floor_char_boundary(100)]);
    let limit = text.parse().map_err(|_| Problem::bad_request("bad-parameter", message()))?;
    Ok(if limit == 0 { usize::MAX } else { limit })
}

async fn evaluate<F>(server: &Shared, asked: Asked, at: i64, work: F) -> Result<Response, PrometheusProblem>
where
    F: FnOnce(&Query, &SampleSource<&QueryRun<'_>>, &Options) -> Result<promql::Answer, promql::EvalError>
        + Send
        + 'static,
{
    let timeout = asked.timeout;
    let ends = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let terms = QueryTerms { extent: Some(asked.extent), ends, ..QueryTerms::default() };
    let ticket = server.start_on(asked.query.text(), terms);
    let answered = read_with(server, ticket, move |run| {
        let memory_bytes = run.server.app.limits.query_memory_bytes;
        let mut options = query_options(memory_bytes, run.running.cancelled.clone(), run.deadline());
        options.lookback = asked.lookback.unwrap_or(options.lookback);
        let source = SampleSource::new(run, options.samples_max);
        let answer = work(&asked.query, &source, &options);
        Ok(answer.map(|answer| (answer, source.into_missing(), asked.limit)))
    });
    let answered = within(timeout, answered).await?;
    let (answer, mut warnings, limit) = answered.map_err(|error| PrometheusProblem::of_evaluation(&error))?;
    let mut data = answer.data;
    if let Data::Vector(rows) | Data::Matrix(rows) = &mut data
        && rows.len() > limit
    {
        rows.truncate(limit);
        warnings.push("results truncated due to limit".to_owned());
    }
    let answer = AnswerWriter::answer(&data, at, warnings, &answer.annotations);
    let answer = answer.map_err(|error| Problem::internal(format!("the answer cannot be written: {error}")))?;
    Ok(([(CONTENT_TYPE, "application/json")], answer).into_response())
}

/// Answers `labels`: the names of labels.
pub(crate) async fn names(server: FamilyServer<MetricsState>, FormParameters(parameters): FormParameters) -> Outcome {
    let (sets, warnings) = label_sets(&server, &parameters).await?;
    let names = sets.iter().flat_map(|labels| labels.iter().map(|label| label.name.to_string()));
    limited(names.collect(), &parameters, warnings)
}

/// Answers `label/NAME/values`.
pub(crate) async fn values(
    server: FamilyServer<MetricsState>,
    PathName(name): PathName,
    parameters: Parameters,
) -> Outcome {
    let name = unescaped(&name);
    let (sets, warnings) = label_sets(&server, &parameters).await?;
    let values = sets.iter().map(|labels| labels.get(&name).to_owned()).filter(|value| !value.is_empty());
    limited(values.collect(), &parameters, warnings)
}

/// Answers `series`: label sets.
pub(crate) async fn series(server: FamilyServer<MetricsState>, FormParameters(parameters): FormParameters) -> Outcome {
    if parameters.get("match[]").is_none() {
        return Err(Problem::bad_request("bad-parameter", "no match[] parameter provided").into());
    }
    let (sets, mut warnings) = label_sets(&server, &parameters).await?;
    let limit = limit_of(&parameters)?;
    if sets.len() > limit {
        warnings.push("results truncated due to limit".to_owned());
    }
    let sets: Vec<LabelMap<'_>> = sets.iter().take(limit).map(LabelMap).collect();
    Ok(Json(format::success(json!(sets), warnings, &Annotations::default())))
}

fn limited(texts: BTreeSet<String>, parameters: &Parameters, mut warnings: Vec<String>) -> Outcome {
    let limit = limit_of(parameters)?;
    if texts.len() > limit {
        warnings.push("results truncated due to limit".to_owned());
    }
    let texts: Vec<String> = texts.into_iter().take(limit).collect();
    Ok(Json(format::success(json!(texts), warnings, &Annotations::default())))
}

/// Returns the label sets that any of the parameters `match[]` selects, all without one; and why some may be missing.
async fn label_sets(
    server: &Shared,
    parameters: &Parameters,
) -> Result<(BTreeSet<Labels>, Vec<String>), PrometheusProblem> {
    let mut selectors: Vec<Vec<Matcher>> = Vec::new();
    for text in parameters.all("match[]") {
        let query = promql::parse(text).map_err(|error| PrometheusProblem::of_text(&error, ("match[]", text)))?;
        let message = || format!("invalid parameter \"match[]\": {text:?} is not a selector of series");
        let not_one = || Problem::bad_request("bad-parameter", message());
        selectors.push(query.matchers().ok_or_else(not_one)?.to_vec());
    }
    if selectors.is_empty() {
        selectors.push(Vec::new());
    }
    let from = time_of(parameters, "start")?.unwrap_or(i64::MIN / Timestamp::MILLISECOND);
    let until = time_of(parameters, "end")?.unwrap_or(i64::MAX / Timestamp::MILLISECOND - 1);
    let found = read(server, "labels of series", move |run| {
        let source = SampleSource::new(run, usize::MAX);
        let mut sets = BTreeSet::new();
        for matchers in &selectors {
            sets.extend(source.label_sets(matchers, (from, until))?);
        }
        Ok((sets, source.into_missing()))
    });
    Ok(found.await?)
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
pub(crate) async fn formatted(
    _server: FamilyServer<MetricsState>,
    FormParameters(parameters): FormParameters,
) -> Outcome {
    let text = parameters.get("query").unwrap_or_default();
    let formatted = promql::format(text).map_err(|error| PrometheusProblem::of_text(&error, ("query", text)))?;
    Ok(Json(format::success(json!(formatted), Vec::new(), &Annotations::default())))
}

/// Answers `parse_query`: the tree of a query.
pub(crate) async fn parsed(_server: FamilyServer<MetricsState>, FormParameters(parameters): FormParameters) -> Outcome {
    let text = parameters.get("query").unwrap_or_default();
    let query = promql::parse(text).map_err(|error| PrometheusProblem::of_text(&error, ("query", text)))?;
    Ok(Json(format::success(query.tree(), Vec::new(), &Annotations::default())))
}

/// Answers `status/buildinfo`: clients look at the version to know which functions there are.
pub(crate) async fn buildinfo() -> JsonAnswer {
    let data = json!({"version": "3.0.0", "revision": "", "branch": "", "buildUser": "catat", "buildDate": "", "goVersion": ""});
    Json(format::success(data, Vec::new(), &Annotations::default()))
}

#[cfg(test)]
mod tests;
