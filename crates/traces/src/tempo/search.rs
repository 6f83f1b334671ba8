//! `/tempo/api/search`: traces by tags of one of their spans, and by their durations.

use axum::Json;
use door::parameters::Parameters;
use door::problem::Problem;
use door::query_run::read;
use door::server::Shared;
use serde_json::{Map, Value as Json_, json};

use super::parameters::{range, refuse_traceql};
use crate::read::Reading;
use crate::search::{TRACES_DEFAULT, TRACES_MAX, TraceSearch, TraceSummary, add_tag, duration};
use crate::times::MILLISECOND;

const PARAMETERS: [&str; 9] =
    ["q", "tags", "minDuration", "maxDuration", "limit", "start", "end", "spss", "mostRecent"];

pub(crate) async fn get(server: Shared, parameters: Parameters) -> Result<Json<Json_>, Problem> {
    parameters.check_names(&PARAMETERS)?;
    refuse_traceql(&parameters, "q")?;
    let mut search = TraceSearch::of(range(&parameters, server.now())?);
    for (name, value) in tags(parameters.get("tags").unwrap_or_default())? {
        add_tag(&mut search, &name, &value);
    }
    let bound = |name: &str| parameters.get(name).map(|text| duration(name, text, MILLISECOND)).transpose();
    let (min_ns, max_ns) = (bound("minDuration")?, bound("maxDuration")?);
    let limit =
        parameters.number::<usize>("limit")?.filter(|limit| *limit > 0).unwrap_or(TRACES_DEFAULT).min(TRACES_MAX);
    // Durations are those of traces, which are known only once a trace is found.
    search.limit = if min_ns.or(max_ns).is_some() { TRACES_MAX } else { limit };
    let text = format!("search traces {}", parameters.get("tags").unwrap_or_default());
    read(&server, &text, move |run| {
        let mut reading = Reading::default();
        let mut traces = search.run(run, &mut reading)?;
        let n_inspected = traces.len();
        traces.retain(|trace| {
            let duration = trace.duration_ns();
            min_ns.is_none_or(|min| duration >= min) && max_ns.is_none_or(|max| duration <= max)
        });
        if n_inspected == TRACES_MAX && traces.len() < limit {
            let message = format!(
                "more than {TRACES_MAX} traces have these tags; fewer than {limit} of the newest have such a duration"
            );
            return Err(Problem::bad_request("too-many-traces", message).hint("shorten the range or add tags"));
        }
        traces.truncate(limit);
        Ok(Json(json!({
            "traces": traces.iter().map(summary_json).collect::<Vec<_>>(),
            "metrics": {
                "inspectedTraces": n_inspected, "inspectedBytes": reading.stats.bytes_read.to_string(),
                "inspectedSpans": reading.stats.events_scanned.to_string(), "completedJobs": 1, "totalJobs": 1,
            },
        })))
    })
    .await
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

/// Reads tags in logfmt: `name=value` pairs between white space, values in double quotes where they have some.
fn tags(text: &str) -> Result<Vec<(String, String)>, Problem> {
    let bad = |what: &str| {
        let problem = Problem::bad_request("bad-tags", format!("tags: {what} in {text:?}"));
        problem.hint("write tags as service.name=web http.target=\"/a b\"")
    };
    let (mut tags, mut rest) = (Vec::new(), text.trim());
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=').ok_or_else(|| bad("a name without ="))?;
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(bad("a name without ="));
        }
        let (value, after) = match after.strip_prefix('"') {
            None => {
                let end = after.find(char::is_whitespace).unwrap_or(after.len());
                (after[..end].to_owned(), &after[end..])
            }
            Some(quoted) => quoted_value(quoted).ok_or_else(|| bad("a quote without its end"))?,
        };
        tags.push((name.to_owned(), value));
        rest = after.trim_start();
    }
    Ok(tags)
}

/// Returns the value before the closing quote, and what follows it. A backslash stands before a quote or a backslash.
fn quoted_value(text: &str) -> Option<(String, &str)> {
    let (mut value, mut is_escaped) = (String::new(), false);
    for (at, c) in text.char_indices() {
        match c {
            '"' if !is_escaped => return Some((value, &text[at + 1..])),
            '\\' if !is_escaped => is_escaped = true,
            c => {
                value.push(c);
                is_escaped = false;
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_pairs_with_or_without_quotes() {
        let check = |text: &str, expected: &[(&str, &str)]| {
            let pairs = tags(text).expect("good tags");
            let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
            assert_eq!(pairs, expected, "{text}");
        };
        check("", &[]);
        check(" a=b  c=\"d e\\\"\\\\\" f=", &[("a", "b"), ("c", "d e\"\\"), ("f", "")]);
        check("url=x=y", &[("url", "x=y")]);
        for bad in ["a", "=b", "a b=c", "a=\"b"] {
            assert!(tags(bad).is_err(), "{bad}");
        }
    }
}
