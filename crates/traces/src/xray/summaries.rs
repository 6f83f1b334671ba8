//! `GetTraceSummaries`: the traces that begin in a range and match a filter expression.
//!
//! A plan finds the traces that have a span for each condition of the expression that is about one span; then the expression is
//! evaluated over all spans of these. Traces come in the order of their first spans that can match, the newest first, then by
//! their ids. A page ends after a number of summaries or of traces examined; its token names the last trace examined, so that
//! the next page begins after it, whatever was stored meanwhile.

use std::collections::BTreeMap;

use door::{QueryRun, Result};
use execute::PartialReason;
use plan::{Aggregate, AggregateKind, Comparison, Expr, Function, Name, Operator, Plan, balanced};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use types::{TimeRange, Timestamp, Value};
use xxhash_rust::xxh3::xxh3_64;

use super::attributes::{annotations, http, machine, outcomes, user};
use super::document::{seconds, xray_id};
use super::filter::evaluate::matches;
use super::filter::parse::parse;
use super::filter::{Filter, candidates};
use super::request::{Ends, bad, bad_filter};
use super::segments::{Segments, ServiceId};
use crate::plans::{aggregate, compare, field, is_span, literal, show, sort, span_groups};
use crate::read::{self, Reading, Trace};
use crate::times;

/// Summaries of a page.
const SUMMARIES_MAX: usize = 100;

/// Traces that are examined for a page.
const CANDIDATES_MAX: usize = 1_000;

/// Traces whose spans are read at once.
const TRACES_AT_ONCE: usize = 100;

/// Longest text of an annotation that a summary contains, as X-Ray has it.
const ANNOTATION_CHARS_MAX: usize = 1_000;

/// Prefix of the ids by which traces are ordered.
const KEY_PREFIX: &str = "t";

/// A request, as it was sent.
#[derive(Debug, Default, Deserialize)]
struct SummariesRequest {
    #[serde(flatten)]
    ends: Ends,
    #[serde(rename = "TimeRangeType")]
    time: Option<String>,
    #[serde(rename = "Sampling")]
    is_sampled: Option<bool>,
    #[serde(rename = "SamplingStrategy")]
    sampling: Option<Json>,
    #[serde(rename = "FilterExpression")]
    filter: Option<String>,
    #[serde(rename = "NextToken")]
    token: Option<String>,
}

/// A search for summaries.
#[derive(Debug)]
pub(super) struct Summaries {
    range: TimeRange,
    filter: Option<Filter>,
    /// The last trace of the page before.
    after: Option<Position>,
    /// The hash of the range and the filter, which a token must match.
    request_hash: u64,
}

/// A place in the order of traces.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Position {
    time: Timestamp,
    trace_id: String,
}

impl Summaries {
    /// Reads and checks a request.
    pub(super) fn read(body: &[u8]) -> Result<Self> {
        let request: SummariesRequest = super::request::body(body)?;
        let range = request.ends.range()?;
        match request.time.as_deref() {
            None | Some("TraceId" | "Event") => {}
            Some(other) => {
                let message =
                    format!("TimeRangeType {other:?} is not supported; traces are found by their start: use TraceId");
                return Err(bad(message));
            }
        }
        if request.is_sampled == Some(true) || request.sampling.is_some_and(|sampling| !sampling.is_null()) {
            return Err(bad("Sampling is not supported: all traces are looked at; leave it out or send false"));
        }
        let text = request.filter.unwrap_or_default();
        let filter = match text.trim() {
            "" => None,
            _ => Some(parse(&text).map_err(|error| bad_filter(&error))?),
        };
        let request_hash = xxh3_64(format!("{} {} {text}", range.from.0, range.to.0).as_bytes());
        let after = request.token.map(|token| Position::of_token(&token, request_hash)).transpose()?;
        Ok(Self { range, filter, after, request_hash })
    }

    /// Answers with one page.
    pub(super) fn page(&self, run: &QueryRun<'_>) -> Result<Json> {
        let mut reading = Reading::default();
        let conditions = self.filter.as_ref().map(candidates::conditions).unwrap_or_default();
        let range = match conditions.is_empty() {
            true => self.range,
            // The spans that match may begin after the trace.
            false => TimeRange { from: self.range.from, to: times::widened(self.range, read::MARGIN_NS).to },
        };
        let found = candidates_of(run, range, conditions, self.after.as_ref(), &mut reading)?;
        let (mut summaries, mut n_processed, mut last) = (Vec::new(), 0_usize, None);
        let is_more = found.len() > CANDIDATES_MAX;
        let found = &found[..found.len().min(CANDIDATES_MAX)];
        'page: for chunk in found.chunks(TRACES_AT_ONCE) {
            for (position, (trace, is_cut)) in chunk.iter().zip(read_traces(run, chunk, range, &mut reading)?) {
                if summaries.len() == SUMMARIES_MAX {
                    break 'page;
                }
                last = Some(position);
                let begins = trace.times().0;
                if trace.spans.is_empty() || begins < self.range.from || begins >= self.range.to {
                    continue;
                }
                n_processed += 1;
                let segments = Segments::of(&trace);
                if self.filter.as_ref().is_none_or(|filter| matches(filter, &segments)) {
                    summaries.push(summary(&trace.id, &segments, is_cut));
                }
            }
        }
        reading.whole()?;
        let is_end = !is_more && last == found.last();
        let mut answer = json!({
            "TraceSummaries": summaries, "TracesProcessedCount": n_processed,
            "ApproximateTime": seconds(run.server.now().0),
        });
        if let Some(last) = last.filter(|_| !is_end) {
            answer["NextToken"] = last.token(self.request_hash).into();
        }
        Ok(answer)
    }
}

impl Position {
    fn token(&self, request_hash: u64) -> String {
        format!("{}-{}-{request_hash:016x}", self.time.0, self.trace_id)
    }

    fn of_token(token: &str, request_hash: u64) -> Result<Self> {
        let parts = || {
            let mut parts = token.rsplitn(3, '-');
            let hash = u64::from_str_radix(parts.next()?, 16).ok()?;
            let trace_id = parts.next()?.to_owned();
            Some((hash, Self { trace_id, time: Timestamp(parts.next()?.parse().ok()?) }))
        };
        match parts() {
            Some((hash, position)) if hash == request_hash => Ok(position),
            Some(_) => Err(bad("NextToken belongs to a request with another range or filter expression")),
            None => Err(bad("NextToken is not one that an answer contained")),
        }
    }
}

/// Returns the traces that may match, in order, at most one more than a page examines.
fn candidates_of(
    run: &QueryRun<'_>,
    range: TimeRange,
    conditions: Vec<Expr>,
    after: Option<&Position>,
    reading: &mut Reading,
) -> Result<Vec<Position>> {
    let mut operators = vec![Operator::Filter(is_span())];
    if !conditions.is_empty() {
        operators.push(Operator::Filter(balanced(conditions.clone(), Expr::Or)));
    }
    // Each column is 1 if the trace has a span that fulfils the condition.
    let one_if = |condition| vec![condition, literal(Value::Integer(1)), literal(Value::Integer(0))];
    let has = conditions.into_iter().map(|condition| Expr::Call(Function::If, one_if(condition)));
    let has = has.enumerate().map(|(n, has)| aggregate(&format!("has_{n}"), AggregateKind::Max, Some(has)));
    let mut aggregates: Vec<Aggregate> = has.collect();
    let names: Vec<Name> = aggregates.iter().map(|aggregate| aggregate.name.clone()).collect();
    aggregates.push(aggregate("first", AggregateKind::Min, Some(field("@timestamp"))));
    // Ids of decimal digits would be ordered as numbers.
    let key = Expr::Call(Function::Concat, vec![literal(Value::text(KEY_PREFIX)), field("trace_id")]);
    operators.push(Operator::Aggregate { by: vec![("key".into(), key)], aggregates });
    let is_there = |name: &Name| Operator::Filter(compare(name, Comparison::Equal, Value::Integer(1)));
    operators.extend(names.iter().map(is_there));
    if let Some(Position { time, trace_id }) = after {
        let time = |comparison| compare("first", comparison, Value::Timestamp(*time));
        let same = Expr::And(
            Box::new(time(Comparison::Equal)),
            Box::new(compare("key", Comparison::Greater, Value::text(format!("{KEY_PREFIX}{trace_id}")))),
        );
        operators.push(Operator::Filter(Expr::Or(Box::new(time(Comparison::Less)), Box::new(same))));
    }
    operators.push(Operator::Sort(vec![sort("first", true), sort("key", false)]));
    operators.push(Operator::Limit(CANDIDATES_MAX as u64 + 1));
    operators.push(show(["key", "first"], false));
    let (scope, snapshot) = (times::scope(run.server.now()), run.snapshot(&span_groups(&[]), range));
    let rows = reading.add(run.execute_on(&snapshot, &Plan::new(operators), &scope, range)?);
    let position = |row: Vec<Option<Value>>| match row.as_slice() {
        [Some(Value::String(key)), Some(Value::Timestamp(time))] => {
            Some(Position { time: *time, trace_id: key.strip_prefix(KEY_PREFIX)?.to_owned() })
        }
        _ => None,
    };
    Ok(rows.into_iter().filter_map(position).collect())
}

/// Reads the spans of some traces, in order, and for each whether it has more spans than were read.
fn read_traces(
    run: &QueryRun<'_>,
    chunk: &[Position],
    range: TimeRange,
    reading: &mut Reading,
) -> Result<Vec<(Trace, bool)>> {
    let ids: Vec<String> = chunk.iter().map(|position| position.trace_id.clone()).collect();
    let (traces, part) = read::traces(run, &ids, range, &[])?;
    let too_many = read::too_many_spans();
    if part.partial_reasons.contains(&too_many) && chunk.len() > 1 {
        let (first, second) = chunk.split_at(chunk.len() / 2);
        let mut traces = read_traces(run, first, range, reading)?;
        traces.extend(read_traces(run, second, range, reading)?);
        return Ok(traces);
    }
    let is_cut = part.partial_reasons.contains(&too_many);
    let others: Vec<PartialReason> =
        part.partial_reasons.iter().filter(|reason| **reason != too_many).cloned().collect();
    reading.take(Reading { partial_reasons: others, ..part });
    let mut traces: BTreeMap<String, Trace> = traces.into_iter().map(|trace| (trace.id.clone(), trace)).collect();
    Ok(ids.iter().map(|id| (traces.remove(id).unwrap_or_default(), is_cut)).collect())
}

/// Returns the summary of a trace. It is partial if not all spans were read.
fn summary(trace_id: &str, segments: &Segments<'_>, is_cut: bool) -> Json {
    let root = segments.root();
    let span = root.map(|root| segments.span(root));
    let ended = span.map(outcomes).unwrap_or_default();
    let start = segments.spans.iter().map(|span| span.start).min().unwrap_or_default();
    let http = span.map(http).unwrap_or_default();
    let mut request = Map::new();
    let texts = [
        ("HttpURL", http.url),
        ("HttpMethod", http.method),
        ("UserAgent", http.user_agent),
        ("ClientIp", http.client_ip),
    ];
    request.extend(texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.into()))));
    request.extend(http.status.map(|status| ("HttpStatus".to_owned(), status.into())));
    let (mut instances, mut zones) = (BTreeMap::new(), BTreeMap::new());
    for (instance, zone) in segments.spans.iter().map(machine) {
        instances.extend(instance.map(|id| (id.clone(), json!({ "Id": id }))));
        zones.extend(zone.map(|name| (name.clone(), json!({ "Name": name }))));
    }
    let duration = |ns: i64| ns as f64 / 1e9;
    let mut json = json!({
        "Id": xray_id(trace_id), "StartTime": seconds(start.0), "MatchedEventTime": seconds(start.0),
        "Duration": duration(segments.duration_ns()),
        "HasFault": ended.is_fault, "HasError": ended.is_error, "HasThrottle": ended.is_throttle,
        "IsPartial": is_cut || segments.is_partial(), "Http": request, "Annotations": annotations_json(segments),
        "Users": users_json(segments), "ServiceIds": segments.services().into_iter().map(service_json).collect::<Vec<_>>(),
        "InstanceIds": instances.into_values().collect::<Vec<_>>(),
        "AvailabilityZones": zones.into_values().collect::<Vec<_>>(), "Revision": 1,
    });
    if let (Some(root), Some(span)) = (root, span) {
        json["EntryPoint"] = service_json(&root.service);
        json["ResponseTime"] = duration(span.duration_ns).into();
    }
    json
}

/// Returns a service as answers name it.
pub(super) fn service_json(service: &ServiceId) -> Json {
    let mut json = json!({"Name": service.name, "Names": [service.name]});
    for (name, text) in [("Type", &service.kind), ("AccountId", &service.account)] {
        if let Some(text) = text {
            json[name] = text.as_str().into();
        }
    }
    json
}

/// Returns the services of the segments that have a value.
fn services_of(segments: &Segments<'_>, spans: &[usize]) -> Json {
    let mut services: Vec<&ServiceId> =
        spans.iter().map(|span| &segments.all[segments.of_span[*span]].service).collect();
    services.sort();
    services.dedup();
    services.into_iter().map(service_json).collect()
}

/// Returns the values of each annotation, each with the services that have it.
fn annotations_json(segments: &Segments<'_>) -> Json {
    let mut found: BTreeMap<String, BTreeMap<String, (Json, Vec<usize>)>> = BTreeMap::new();
    for (index, span) in segments.spans.iter().enumerate() {
        for (name, value) in annotations(span) {
            let value = match value {
                Value::Boolean(is) => json!({ "BooleanValue": is }),
                Value::Integer(number) => json!({ "NumberValue": number }),
                Value::Float(number) => json!({ "NumberValue": number }),
                text => {
                    let text = text.to_string();
                    json!({ "StringValue": text.chars().take(ANNOTATION_CHARS_MAX).collect::<String>() })
                }
            };
            let values = found.entry(name.to_owned()).or_default();
            values.entry(value.to_string()).or_insert_with(|| (value, Vec::new())).1.push(index);
        }
    }
    let one = |(value, spans): (Json, Vec<usize>)| json!({"AnnotationValue": value, "ServiceIds": services_of(segments, &spans)});
    let all = found.into_iter().map(|(name, values)| (name, values.into_values().map(one).collect::<Json>()));
    Json::Object(all.collect())
}

/// Returns the users, each with the services that name it.
fn users_json(segments: &Segments<'_>) -> Json {
    let mut users: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, span) in segments.spans.iter().enumerate() {
        if let Some(user) = user(span) {
            users.entry(user).or_default().push(index);
        }
    }
    let one =
        |(user, spans): (String, Vec<usize>)| json!({"UserName": user, "ServiceIds": services_of(segments, &spans)});
    users.into_iter().map(one).collect()
}
