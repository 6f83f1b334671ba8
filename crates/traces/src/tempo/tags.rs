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
use crate::plans::is_present;
use crate::read::Reading;
use crate::span::{field_of_attribute, is_of_resource, is_own_field};
use crate::values;

const PARAMETERS: [&str; 7] = ["start", "end", "scope", "q", "limit", "maxStaleValues", "maxTagsPerScope"];

/// TraceQL's names for the own fields of spans and traces.
const INTRINSICS: [&str; 9] =
    ["duration", "kind", "name", "rootName", "rootServiceName", "status", "statusMessage", "trace:id", "traceDuration"];

/// Answers with all names in one list.
pub(crate) async fn names(server: Shared, parameters: Parameters) -> Result<Json<Json_>, Problem> {
    let AttributeNames { resource, span, reading } = attribute_names(&server, &parameters).await?;
    let wanted: BTreeSet<String> = match scope(&parameters)? {
        None => resource.into_iter().chain(span).collect(),
        Some("resource") => resource,
        Some("span") => span,
        Some("intrinsic") => INTRINSICS.iter().map(|&name| name.to_owned()).collect(),
        Some(_) => BTreeSet::new(),
    };
    let wanted: Vec<String> = wanted.into_iter().take(limit(&parameters)?).collect();
    Ok(Json(json!({"tagNames": wanted, "metrics": metrics(&reading)})))
}

/// Answers with the names of each scope.
pub(crate) async fn scoped_names(server: Shared, parameters: Parameters) -> Result<Json<Json_>, Problem> {
    let AttributeNames { resource, span, reading } = attribute_names(&server, &parameters).await?;
    let (scope, limit) = (scope(&parameters)?, limit(&parameters)?);
    let intrinsics = INTRINSICS.iter().map(|&name| name.to_owned()).collect();
    let all = [("resource", resource), ("span", span), ("intrinsic", intrinsics)];
    let wanted = all.into_iter().filter(|(name, _)| scope.is_none_or(|scope| scope == *name));
    let tags = |tags: BTreeSet<String>| tags.into_iter().take(limit).collect::<Vec<_>>();
    let scopes: Vec<Json_> = wanted.map(|(name, all)| json!({"name": name, "tags": tags(all)})).collect();
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
    let is_keyword = matches!(field_of_tag(&tag), Some((field, _)) if field == "status" || field == "kind");
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

fn scope(parameters: &Parameters) -> Result<Option<&str>, Problem> {
    match parameters.get("scope") {
        None | Some("none") => Ok(None),
        Some(scope @ ("resource" | "span" | "intrinsic")) => Ok(Some(scope)),
        // Attributes of events, links and instrumentation scopes are not listed.
        Some("event" | "link" | "instrumentation") => Ok(Some("event")),
        Some(other) => {
            let message = format!("scope is resource, span, intrinsic, event, link or instrumentation, not {other:?}");
            Err(Problem::bad_request("bad-parameter", message))
        }
    }
}

/// Returns the limit on the entries of a list: `limit`, or Grafana's name for it in requests for names. 0 means none.
fn limit(parameters: &Parameters) -> Result<usize, Problem> {
    let limit = parameters.number::<usize>("limit")?.or(parameters.number("maxTagsPerScope")?);
    Ok(limit.filter(|limit| *limit > 0).unwrap_or(usize::MAX))
}

/// The names of attributes by scope, and the cost of reading them.
struct AttributeNames {
    resource: BTreeSet<String>,
    span: BTreeSet<String>,
    reading: Reading,
}

async fn attribute_names(server: &Shared, parameters: &Parameters) -> Result<AttributeNames, Problem> {
    parameters.check_names(&PARAMETERS)?;
    let condition = unfinished_traceql(parameters).map(|query| traceql::prefilter(&query).condition);
    let range = range(parameters, server.now())?;
    read(server, "names of tags", move |run| {
        let mut reading = Reading::default();
        let names = match condition {
            Some(condition) => values::matched_names(run, range, condition, &mut reading)?,
            None => values::field_names(run, range, &[]),
        };
        let attributes = names.iter().filter(|name| !is_own_field(name));
        let sent = attributes.map(|name| name.strip_prefix("attributes.").unwrap_or(name).to_owned());
        let all = sent.chain(std::iter::once("service.name".to_owned()));
        let (resource, span) = all.partition(|name| is_of_resource(name));
        Ok(AttributeNames { resource, span, reading })
    })
    .await
}

/// Returns the field of a tag, whose name may begin with its scope, and whether it is that of root spans. `None` if it is not a
/// field of a span.
fn field_of_tag(tag: &str) -> Option<(String, bool)> {
    let own = match tag {
        "name" | "span:name" => "name",
        "status" | "span:status" => "status",
        "kind" | "span:kind" | "span.kind" => "kind",
        "statusMessage" | "span:statusMessage" => "status_message",
        "service.name" | "resource.service.name" | ".service.name" => "service",
        "instrumentation:name" => "scope.name",
        "instrumentation:version" => "scope.version",
        "rootName" | "trace:rootName" => return Some(("name".to_owned(), true)),
        "rootServiceName" | "trace:rootService" => return Some(("service".to_owned(), true)),
        "duration" | "traceDuration" | "trace:id" | "span:id" | "span:duration" | "trace:duration" => return None,
        tag => {
            let scopes = ["resource.", "span.", "parent.", "instrumentation.", "."];
            let bare = scopes.iter().find_map(|scope| tag.strip_prefix(scope)).unwrap_or(tag);
            return Some((field_of_attribute(bare), false));
        }
    };
    Some((own.to_owned(), false))
}

async fn values_of(server: &Shared, tag: &str, parameters: &Parameters) -> Result<(Vec<Value>, Reading), Problem> {
    parameters.check_names(&PARAMETERS)?;
    let conditions = unfinished_traceql(parameters).map(|query| Operator::Filter(traceql::prefilter(&query).condition));
    let mut conditions: Vec<Operator> = conditions.into_iter().collect();
    let (range, limit) = (range(parameters, server.now())?, limit(parameters)?);
    let Some((field, is_of_root)) = field_of_tag(tag) else { return Ok((Vec::new(), Reading::default())) };
    conditions.extend(is_of_root.then(|| Operator::Filter(plan::not(is_present("parent_span_id")))));
    read(server, &format!("values of {tag}"), move |run| {
        let mut reading = Reading::default();
        let mut found = values::values(run, &field, &conditions, range, &mut reading)?;
        found.truncate(limit);
        Ok((found, reading))
    })
    .await
}
