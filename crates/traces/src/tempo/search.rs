//! `/tempo/api/search`: traces by TraceQL, or by tags of one of their spans, and by their durations.

mod logfmt;
mod matches;

use door::{Outcome, Parameters, Problem, QueryRun, Reply, Result, Shared};
use plan::Operator;
use serde_json::{Map, Value as Json_, json};

use self::logfmt::tags;
use self::matches::{MATCHING_SPANS_DEFAULT, MATCHING_SPANS_MAX, TraceMatch, found_in};
use super::answer::{metrics, with_status};
use super::parameters::{range, traceql};
use crate::candidates::Candidates;
use crate::read::{self as reading, Reading, SPANS_MAX, query};
use crate::search::{TRACES_DEFAULT, TRACES_MAX, TraceSearch, TraceSummary, add_tag, duration, summaries};
use crate::state::Call;
use crate::times::MILLISECOND;

const PARAMETERS: [&str; 9] =
    ["q", "tags", "minDuration", "maxDuration", "limit", "start", "end", "spss", "mostRecent"];

/// Candidates whose spans are read at once: few at first, since these may be enough.
const FIRST_AT_ONCE: usize = 20;
const AT_ONCE_MAX: usize = 2_560;
const AT_ONCE_GROWTH: usize = 4;

/// Approximate number of spans read at once: half of the limit.
const SPANS_AT_ONCE: usize = SPANS_MAX / 2;

/// A request.
struct SearchRequest {
    /// The search for candidates.
    candidates: TraceSearch,
    query: Option<traceql::Query>,
    min_ns: Option<i64>,
    max_ns: Option<i64>,
    limit: usize,
    /// Limit on the matching spans shown of each trace.
    n_spans: usize,
}

pub(crate) fn get(Call { server, parameters, .. }: Call) -> Outcome {
    parameters.check_names(&PARAMETERS)?;
    let request = request(&parameters, &server)?;
    let text = parameters.get("q").or(parameters.get("tags")).unwrap_or_default();
    query(&server, &format!("search traces {text}"), move |run, reading| {
        let (found, n_candidates) = request.run(run, reading)?;
        if let (true, Some(reason)) = (found.is_empty(), reading.not_whole()) {
            let message = format!("none of the {n_candidates} newest traces that may match does, and {reason}");
            return Err(Problem::bad_request("search-cut", message).hint("shorten the range or add conditions"));
        }
        let mut answer = json!({"traces": found, "metrics": metrics(reading)});
        answer["metrics"]["inspectedTraces"] = n_candidates.into();
        answer["metrics"]["inspectedSpans"] = reading.stats.events_scanned.to_string().into();
        Ok(Reply::json(&with_status(answer, reading)))
    })
}

fn request(parameters: &Parameters, server: &Shared) -> Result<SearchRequest> {
    let query = traceql(parameters)?;
    if query.as_ref().is_some_and(traceql::Query::is_metrics) {
        let problem =
            Problem::bad_request("not-supported", "a query with a function over time gives series, not traces");
        return Err(problem.hint("ask /tempo/api/metrics/query_range"));
    }
    let mut candidates = TraceSearch::of(range(parameters, server.now())?);
    for (name, value) in tags(parameters.get("tags").unwrap_or_default())? {
        add_tag(&mut candidates, &name, &value);
    }
    let prefilter = query.as_ref().map(traceql::prefilter);
    candidates.filters.extend(prefilter.map(|prefilter| Operator::Filter(prefilter.condition)));
    let bound = |name: &str| parameters.get(name).map(|text| duration(name, text, MILLISECOND)).transpose();
    let (min_ns, max_ns) = (bound("minDuration")?, bound("maxDuration")?);
    let number = |name: &str, default: usize, most: usize| {
        let number = parameters.number::<usize>(name)?.filter(|number| *number > 0);
        Ok::<_, Problem>(number.unwrap_or(default).min(most))
    };
    let limit = number("limit", TRACES_DEFAULT, TRACES_MAX)?;
    candidates.limit = limit;
    Ok(SearchRequest {
        candidates,
        query,
        min_ns,
        max_ns,
        limit,
        n_spans: number("spss", MATCHING_SPANS_DEFAULT, MATCHING_SPANS_MAX)?,
    })
}

impl SearchRequest {
    fn has_duration(&self, trace: &TraceSummary) -> bool {
        let duration = trace.duration_ns();
        self.min_ns.is_none_or(|min| duration >= min) && self.max_ns.is_none_or(|max| duration <= max)
    }

    /// Returns the newest traces that match, and the number of candidates. Candidates are read until enough match, none is left
    /// or the query runs out of time.
    fn run(&self, run: &QueryRun<'_>, reading: &mut Reading) -> Result<(Vec<Json_>, usize)> {
        let mut candidates = Candidates::new(&self.candidates, run);
        let (mut found, mut n) = (Vec::new(), FIRST_AT_ONCE);
        while found.len() < self.limit && !reading.is_ended() {
            let ids = candidates.next(n, run, reading)?;
            let n_spans = match &self.query {
                _ if ids.is_empty() => break,
                Some(query) => self.add_matching(run, query, ids, &mut found, reading)?,
                None => {
                    let mut traces = summaries(run, &ids, self.candidates.range, &[], reading)?;
                    traces.retain(|trace| self.has_duration(trace));
                    found.extend(traces.iter().map(summary_json));
                    1
                }
            };
            let fitting = n.saturating_mul(SPANS_AT_ONCE) / n_spans.max(1);
            n = fitting.clamp(1, n.saturating_mul(AT_ONCE_GROWTH).min(AT_ONCE_MAX));
        }
        found.truncate(self.limit);
        Ok((found, candidates.n_found()))
    }

    /// Adds the candidates that a query matches; returns the number of spans read.
    fn add_matching(
        &self,
        run: &QueryRun<'_>,
        query: &traceql::Query,
        ids: Vec<String>,
        found: &mut Vec<Json_>,
        reading: &mut Reading,
    ) -> Result<usize> {
        let (mut pending, mut n_spans) = (vec![ids], 0);
        while let Some(mut ids) = pending.pop() {
            let (traces, part) = reading::traces(run, &ids, self.candidates.range, &[])?;
            if ids.len() > 1 && part.partial_reasons.contains(&reading::too_many_spans()) {
                n_spans += SPANS_MAX;
                let rest = ids.split_off(ids.len() / 2);
                pending.extend([rest, ids]);
                continue;
            }
            let is_ended = part.is_ended();
            reading.take(part);
            if is_ended {
                // A trace with missing spans may match, or not match, by mistake.
                break;
            }
            for trace in traces {
                n_spans += trace.spans.len();
                let TraceMatch { summary, spansets } = found_in(&trace, query, self.n_spans);
                if spansets.is_empty() || !self.has_duration(&summary) {
                    continue;
                }
                let mut json = summary_json(&summary);
                json["spanSet"] = spansets[0].clone();
                json["spanSets"] = spansets.into();
                found.push(json);
            }
            if found.len() >= self.limit {
                break;
            }
        }
        Ok(n_spans)
    }
}

fn summary_json(trace: &TraceSummary) -> Json_ {
    let services = trace.services.iter().map(|(service, (n_spans, n_errors))| {
        (service.to_string(), json!({"spanCount": n_spans, "errorCount": n_errors}))
    });
    let root =
        |name: &str| if trace.is_root_missing { "<root span not yet received>".to_owned() } else { name.to_owned() };
    json!({
        "traceID": &*trace.trace_id,
        "rootServiceName": root(&trace.root_service), "rootTraceName": root(&trace.root_name),
        "startTimeUnixNano": trace.start.0.to_string(),
        // 32 bits in Tempo: one longer trace would make the whole list unreadable.
        "durationMs": (trace.duration_ns() / MILLISECOND).min(u32::MAX.into()),
        "serviceStats": services.collect::<Map<String, Json_>>(),
    })
}
