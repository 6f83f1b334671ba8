//! Names and values of tags, for the search builder.

use std::collections::BTreeSet;

use axum::Json;
use door::parameters::{Parameters, PathName};
use door::problem::Problem;
use door::query_run::read;
use door::server::Shared;
use plan::Operator;
use serde_json::{Value as Json_, json};
use types::Value;

use super::answer::metrics;
use super::parameters::{range, unfinished_traceql};
use crate::inside::{self, ObjectPart, SpanList};
use crate::plans::is_present;
use crate::read::Reading;
use crate::span::{field_of_attribute, is_of_resource, is_own_field};
use crate::values;

const PARAMETERS: [&str; 7] = ["start", "end", "scope", "q", "limit", "maxStaleValues", "maxTagsPerScope"];

/// TraceQL's names for the own fields of spans and traces.
const INTRINSICS: [&str; 10] = [
    "duration",
    "event:name",
    "kind",
    "name",
    "rootName",
    "rootServiceName",
    "status",
    "statusMessage",
    "trace:id",
    "traceDuration",
];

/// The scopes of names. Attributes of instrumentation scopes are stored as those of spans, and listed there.
const SCOPES: [&str; 6] = ["resource", "span", "intrinsic", "event", "link", "instrumentation"];

/// A scope and its names.
type ScopedNames = (&'static str, BTreeSet<String>);

/// Answers with all names in one list.
pub(crate) async fn names(server: Shared, parameters: Parameters) -> Result<Json<Json_>, Problem> {
    // Values are found by a name without a scope if it is of one of these two.
    let scopes = scope(&parameters)?.map_or_else(|| vec!["resource", "span"], |scope| vec![scope]);
    let (names, reading) = names_of(&server, &parameters, scopes).await?;
    let wanted: BTreeSet<String> = names.into_iter().flat_map(|(_, names)| names).collect();
    let wanted: Vec<String> = wanted.into_iter().take(limit(&parameters)?).collect();
    Ok(Json(json!({"tagNames": wanted, "metrics": metrics(&reading)})))
}

/// Answers with the names of each scope.
pub(crate) async fn scoped_names(server: Shared, parameters: Parameters) -> Result<Json<Json_>, Problem> {
    let scopes = scope(&parameters)?.map_or_else(|| SCOPES.to_vec(), |scope| vec![scope]);
    let (names, reading) = names_of(&server, &parameters, scopes).await?;
    let limit = limit(&parameters)?;
    let tags = |tags: BTreeSet<String>| tags.into_iter().take(limit).collect::<Vec<_>>();
    let scopes: Vec<Json_> = names.into_iter().map(|(name, all)| json!({"name": name, "tags": tags(all)})).collect();
    Ok(Json(json!({"scopes": scopes, "metrics": metrics(&reading)})))
}

/// Answers with the values of a tag as texts.
pub(crate) async fn values(
    server: Shared,
    PathName(tag): PathName,
    parameters: Parameters,
) -> Result<Json<Json_>, Problem> {
    let (found, reading) = values_of(&server, &tag, &parameters).await?;
    let texts: BTreeSet<String> = found.iter().map(Value::to_string).collect();
    Ok(Json(json!({"tagValues": texts, "metrics": metrics(&reading)})))
}

/// Answers with the values of a tag and their types, most frequent first.
pub(crate) async fn typed_values(
    server: Shared,
    PathName(tag): PathName,
    parameters: Parameters,
) -> Result<Json<Json_>, Problem> {
    let is_keyword = matches!(Tag::of(&tag), Tag::Field(field) if field == "status" || field == "kind");
    let (found, reading) = values_of(&server, &tag, &parameters).await?;
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
    Ok(Json(json!({"tagValues": found.iter().map(value).collect::<Vec<_>>(), "metrics": metrics(&reading)})))
}

/// Returns the scope that is asked for; `None` means all.
fn scope(parameters: &Parameters) -> Result<Option<&'static str>, Problem> {
    match parameters.get("scope") {
        None | Some("none") => Ok(None),
        Some(asked) => SCOPES.into_iter().find(|scope| *scope == asked).map(Some).ok_or_else(|| {
            let message = format!("scope is {}, not {asked:?}", SCOPES.join(", "));
            Problem::bad_request("bad-parameter", message)
        }),
    }
}

/// Returns the limit on the entries of a list: `limit`, or Grafana's name for it in requests for names. 0 means none.
fn limit(parameters: &Parameters) -> Result<usize, Problem> {
    let limit = parameters.number::<usize>("limit")?.or(parameters.number("maxTagsPerScope")?);
    Ok(limit.filter(|limit| *limit > 0).unwrap_or(usize::MAX))
}

/// Returns the names of the tags of some scopes, without scopes of events and links that have none.
async fn names_of(
    server: &Shared,
    parameters: &Parameters,
    scopes: Vec<&'static str>,
) -> Result<(Vec<ScopedNames>, Reading), Problem> {
    parameters.check_names(&PARAMETERS)?;
    let condition = unfinished_traceql(parameters).map(|query| traceql::prefilter(&query).condition);
    let range = range(parameters, server.now())?;
    read(server, "names of tags", move |run| {
        let mut reading = Reading::default();
        let conditions: Vec<Operator> = condition.iter().cloned().map(Operator::Filter).collect();
        let is_asked = |scope: &str| scopes.contains(&scope);
        let mut found: Vec<ScopedNames> = Vec::new();
        if is_asked("resource") || is_asked("span") {
            let names = match condition {
                Some(condition) => values::matched_names(run, range, condition, &mut reading)?,
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
                let names = inside::attribute_names(run, list, &conditions, range, &mut reading)?;
                found.extend((!names.is_empty()).then_some((scope, names)));
            }
        }
        found.retain(|(scope, _)| is_asked(scope));
        Ok((found, reading))
    })
    .await
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

async fn values_of(server: &Shared, tag: &str, parameters: &Parameters) -> Result<(Vec<Value>, Reading), Problem> {
    parameters.check_names(&PARAMETERS)?;
    let conditions = unfinished_traceql(parameters).map(|query| Operator::Filter(traceql::prefilter(&query).condition));
    let mut conditions: Vec<Operator> = conditions.into_iter().collect();
    let (range, limit) = (range(parameters, server.now())?, limit(parameters)?);
    let place = Tag::of(tag);
    read(server, &format!("values of {tag}"), move |run| {
        let mut reading = Reading::default();
        let mut found = match place {
            Tag::Field(field) => values::values(run, &field, &conditions, range, &mut reading)?,
            Tag::OfRoot(field) => {
                conditions.push(Operator::Filter(plan::not(is_present("parent_span_id"))));
                values::values(run, field, &conditions, range, &mut reading)?
            }
            Tag::Inside(list, part) => inside::values(run, (list, &part), &conditions, range, &mut reading)?,
            Tag::Unlisted => Vec::new(),
        };
        found.truncate(limit);
        Ok((found, reading))
    })
    .await
}
