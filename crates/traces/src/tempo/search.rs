//! `/tempo/api/search`: traces by TraceQL, or by tags of one of their spans, and by their durations.

mod logfmt;
mod matches;

use axum::Json;
use door::parameters::Parameters;
use door::problem::Problem;
use door::query_run::{QueryRun, read};
use door::server::Shared;
use plan::Operator;
use serde_json::{Map, Value as Json_, json};

use self::logfmt::tags;
use self::matches::{Found, MATCHING_SPANS_DEFAULT, MATCHING_SPANS_MAX, found_in};
use super::parameters::{range, traceql};
use crate::read::{self as reading, Reading};
use crate::search::{TRACES_DEFAULT, TRACES_MAX, TraceSearch, TraceSummary, add_tag, duration};
use crate::times::MILLISECOND;

const PARAMETERS: [&str; 9] =
    ["q", "tags", "minDuration", "maxDuration", "limit", "start", "end", "spss", "mostRecent"];

/// Candidates whose spans are read at once.
const TRACES_AT_ONCE: usize = 20;

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

pub(crate) async fn get(server: Shared, parameters: Parameters) -> Result<Json<Json_>, Problem> {
    parameters.check_names(&PARAMETERS)?;
    let request = request(&parameters, &server)?;
    let text = parameters.get("q").or(parameters.get("tags")).unwrap_or_default();
    read(&server, &format!("search traces {text}"), move |run| {
        let mut reading = Reading::default();
        let ids = request.candidates.ids(run, &mut reading)?;
        let found = match &request.query {
            Some(query) => request.matching(run, query, &ids, &mut reading)?,
            None => request.summaries(run, &ids, &mut reading)?,
        };
        if found.is_empty() && ids.len() == request.candidates.limit {
            let message =
                format!("none of the {TRACES_MAX} newest traces that may match does; older ones were not read");
            return Err(Problem::bad_request("too-many-traces", message).hint("shorten the range or add conditions"));
        }
        // Jobs that are not complete mean that there may be more.
        let is_whole = reading.partial_reasons.is_empty();
        Ok(Json(json!({
            "traces": found,
            "metrics": {
                "inspectedTraces": ids.len(), "inspectedBytes": reading.stats.bytes_read.to_string(),
                "inspectedSpans": reading.stats.events_scanned.to_string(),
                "completedJobs": u8::from(is_whole), "totalJobs": 1,
            },
        })))
    })
    .await
}

fn request(parameters: &Parameters, server: &Shared) -> Result<SearchRequest, Problem> {
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
    // Whether a trace matches, and how long it is, is known only once its spans are.
    let is_exact = query.is_none() && min_ns.or(max_ns).is_none();
    candidates.limit = if is_exact { limit } else { TRACES_MAX };
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

    /// Returns the candidates of the durations asked for.
    fn summaries(&self, run: &QueryRun<'_>, ids: &[String], reading: &mut Reading) -> Result<Vec<Json_>, Problem> {
        let mut traces = crate::search::summaries(run, ids, self.candidates.range, &[], reading)?;
        traces.retain(|trace| self.has_duration(trace));
        traces.truncate(self.limit);
        Ok(traces.iter().map(summary_json).collect())
    }

    /// Returns the candidates that a query matches.
    fn matching(
        &self,
        run: &QueryRun<'_>,
        query: &traceql::Query,
        ids: &[String],
        reading: &mut Reading,
    ) -> Result<Vec<Json_>, Problem> {
        let mut found = Vec::new();
        for ids in ids.chunks(TRACES_AT_ONCE) {
            let (traces, part) = reading::traces(run, ids, self.candidates.range, &[])?;
            reading.take(part);
            for trace in traces {
                let Found { summary, spansets } = found_in(&trace, query, self.n_spans);
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
        found.truncate(self.limit);
        Ok(found)
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
        "startTimeUnixNano": trace.start.0.to_string(), "durationMs": trace.duration_ns() / MILLISECOND,
        "serviceStats": services.collect::<Map<String, Json_>>(),
    })
}
