//! Names and values of tags, for the search builder.

use std::collections::BTreeSet;

use door::{Outcome, Parameters, Problem, Reply, Result};
use plan::Operator;
use serde_json::{Value as Json_, json};
use types::Value;

use super::answer::metrics;
use super::parameters::{range, unfinished_traceql};
use crate::inside::{self, ObjectPart, SpanList};
use crate::plans::is_present;
use crate::read::{Reading, query};
use crate::span::{field_of_attribute, is_of_resource, is_own_field};
use crate::state::Call;
use crate::values;

const PARAMETERS: [&str; 7] = ["start", "end", "scope", "q", "limit", "maxStaleValues", "maxTagsPerScope"];

/// TraceQL's names for the own fields of spans and traces.
const INTRINSICS: [&str; 10] = [
    "duration", "event:name", "kind", "name", "rootName", "rootServiceName", "status", "statusMessage", "trace:id",
    "traceDuration",
];

/// The scopes of names. Attributes of instrumentation scopes are stored as those of spans, and listed there.
const SCOPES: [&str; 6] = ["resource", "span", "intrinsic", "event", "link", "instrumentation"];

/// A scope and its names.
type ScopedNames = (&'static str, BTreeSet<String>);

/// Answers with all names in one list.
pub(crate) fn names(call: Call) -> Outcome {
    // Values are found by a name without a scope if it is of one of these two.
    let scopes = scope(&call.parameters)?.map_or_else(|| vec!["resource", "span"], |scope| vec![scope]);
    let limit = limit(&call.parameters)?;
    with_names(&call, scopes, move |names| {
        let wanted: BTreeSet<String> = names.into_iter().flat_map(|(_, names)| names).collect();
        json!({"tagNames": wanted.into_iter().take(limit).collect::<Vec<_>>()})
    })
}

/// Answers with the names of each scope.
pub(crate) fn scoped_names(call: Call) -> Outcome {
    let scopes = scope(&call.parameters)?.map_or_else(|| SCOPES.to_vec(), |scope| vec![scope]);
    let limit = limit(&call.parameters)?;
    with_names(&call, scopes, move |names| {
        let tags = |tags: BTreeSet<String>| tags.into_iter().take(limit).collect::<Vec<_>>();
        let scope = |(name, all): ScopedNames| json!({"name": name, "tags": tags(all)});
        json!({"scopes": names.into_iter().map(scope).collect::<Vec<_>>()})
    })
}

/// Answers with the values of a tag as texts.
pub(crate) fn values(mut call: Call) -> Outcome {
    let tag = call.variable();
    with_values(&call, &tag, |found| {
        let texts: BTreeSet<String> = found.iter().map(Value::to_string).collect();
        json!({"tagValues": texts})
    })
}

/// Answers with the values of a tag and their types, most frequent first.
pub(crate) fn typed_values(mut call: Call) -> Outcome {
    let tag = call.variable();
    let is_keyword = matches!(Tag::of(&tag), Tag::Field(field) if field == "status" || field == "kind");
    with_values(&call, &tag, move |found| {
        let value = |value: &Value| {
            let kind = match value {
                _ if is_keyword => "keyword",
                Value::Integer(_) => "int",
                Value::Float(_) => "float",
                Value::Boolean(_) => "bool",
                _ => "string",
            };
            json!({"type": kind, "value": value.to_string()})
        };
        json!({"tagValues": found.iter().map(value).collect::<Vec<_>>()})
    })
}

/// Returns the scope that is asked for; `None` means all.
fn scope(parameters: &Parameters) -> Result<Option<&'static str>> {
    match parameters.get("scope") {
        None | Some("none") => Ok(None),
        Some(asked) => SCOPES.into_iter().find(|scope| *scope == asked).map(Some).ok_or_else(|| {
            let message = format!("scope is {}, not {asked:?}", SCOPES.join(", "));
            Problem::bad_parameter(message)
        }),
    }
}

/// Returns the limit on the entries of a list: `limit`, or Grafana's name for it in requests for names. 0 means none.
fn limit(parameters: &Parameters) -> Result<usize> {
    let limit = parameters.number::<usize>("limit")?.or(parameters.number("maxTagsPerScope")?);
    Ok(limit.filter(|limit| *limit > 0).unwrap_or(usize::MAX))
}

/// Answers with what is made of the names of the tags of some scopes, without scopes of events and links that have none.
fn with_names(
    Call { server, parameters, .. }: &Call,
    scopes: Vec<&'static str>,
    answer: impl FnOnce(Vec<ScopedNames>) -> Json_ + Send + 'static,
) -> Outcome {
    parameters.check_names(&PARAMETERS)?;
    let condition = unfinished_traceql(parameters).map(|query| traceql::prefilter(&query).condition);
    let range = range(parameters, server.now())?;
    query(server, "names of tags", move |run, reading| {
        let conditions: Vec<Operator> = condition.iter().cloned().map(Operator::Filter).collect();
        let is_asked = |scope: &str| scopes.contains(&scope);
        let mut found: Vec<ScopedNames> = Vec::new();
        if is_asked("resource") || is_asked("span") {
            let names = match condition {
                Some(condition) => values::matched_names(run, range, condition, reading)?,
                None => values::field_names(run, range, &[]),
            };
            let attributes = names.iter().filter(|name| !is_own_field(name));
            let sent = attributes.map(|name| name.strip_prefix("attributes.").unwrap_or(name).to_owned());
            let all = sent.chain(std::iter::once("service.name".to_owned()));
            let (resource, span) = all.partition(|name| is_of_resource(name));
            found.extend([("resource", resource), ("span", span)]);
        }
        found.push(("intrinsic", INTRINSICS.iter().map(|&name| name.to_owned()).collect()));
        for (scope, list) in [("event", SpanList::Events), ("link", SpanList::Links)] {
            if is_asked(scope) {
                let names = inside::attribute_names(run, list, &conditions, range, reading)?;
                found.extend((!names.is_empty()).then_some((scope, names)));
            }
        }
        found.retain(|(scope, _)| is_asked(scope));
        Ok(with_metrics(answer(found), reading))
    })
}

fn with_metrics(mut answer: Json_, reading: &Reading) -> Reply {
    answer["metrics"] = metrics(reading);
    Reply::json(&answer)
}

/// Where the values of a tag are, whose name may begin with its scope.
enum Tag {
    /// A field of a span.
    Field(String),
    /// A field of the root of a trace.
    OfRoot(&'static str),
    /// A part of the events or links of a span.
    Inside(SpanList, ObjectPart),
    /// Durations and ids: they have too many values to choose from.
    Unlisted,
}

impl Tag {
    fn of(tag: &str) -> Self {
        let own = match tag {
            "name" | "span:name" => "name",
            "status" | "span:status" => "status",
            "kind" | "span:kind" | "span.kind" => "kind",
            "statusMessage" | "span:statusMessage" => "status_message",
            "service.name" | "resource.service.name" | ".service.name" => "service",
            "instrumentation:name" => "scope.name",
            "instrumentation:version" => "scope.version",
            "rootName" | "trace:rootName" => return Self::OfRoot("name"),
            "rootServiceName" | "trace:rootService" => return Self::OfRoot("service"),
            "event:name" => return Self::Inside(SpanList::Events, ObjectPart::Own("name")),
            "duration"
            | "traceDuration"
            | "trace:id"
            | "span:id"
            | "span:duration"
            | "trace:duration"
            | "event:timeSinceStart"
            | "link:traceID"
            | "link:spanID" => return Self::Unlisted,
            tag => {
                for (prefix, list) in [("event.", SpanList::Events), ("link.", SpanList::Links)] {
                    if let Some(name) = tag.strip_prefix(prefix) {
                        return Self::Inside(list, ObjectPart::Attribute(name.to_owned()));
                    }
                }
                let scopes = ["resource.", "span.", "parent.", "instrumentation.", "."];
                let bare = scopes.iter().find_map(|scope| tag.strip_prefix(scope)).unwrap_or(tag);
                return Self::Field(field_of_attribute(bare));
            }
        };
        Self::Field(own.to_owned())
    }
}

/// Answers with what is made of the values of a tag.
fn with_values(
    Call { server, parameters, .. }: &Call,
    tag: &str,
    answer: impl FnOnce(&[Value]) -> Json_ + Send + 'static,
) -> Outcome {
    parameters.check_names(&PARAMETERS)?;
    let conditions = unfinished_traceql(parameters).map(|query| Operator::Filter(traceql::prefilter(&query).condition));
    let mut conditions: Vec<Operator> = conditions.into_iter().collect();
    let (range, limit) = (range(parameters, server.now())?, limit(parameters)?);
    let place = Tag::of(tag);
    query(server, &format!("values of {tag}"), move |run, reading| {
        let mut found = match place {
            Tag::Field(field) => values::values(run, &field, &conditions, range, reading)?,
            Tag::OfRoot(field) => {
                conditions.push(Operator::Filter(plan::not(is_present("parent_span_id"))));
                values::values(run, field, &conditions, range, reading)?
            }
            Tag::Inside(list, part) => inside::values(run, (list, &part), &conditions, range, reading)?,
            Tag::Unlisted => Vec::new(),
        };
        found.truncate(limit);
        Ok(with_metrics(answer(&found), reading))
    })
}
