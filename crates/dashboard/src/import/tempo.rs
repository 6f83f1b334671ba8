//! Targets of Grafana's Tempo data source: TraceQL, and searches that are put together in a form.
//!
//! Source: the targets that Grafana's editors of this data source write.

use language::Language;
use serde_json::Value;

use super::read::{list, own_variables, text};
use crate::document::PanelKind;
use crate::fill::{self, Choice, Choices};

/// Rows of a search that names no number, as in Grafana, and the most that are taken.
const TRACES: u64 = 20;
const TRACES_MAX: u64 = 1_000;

/// Returns the metrics query in TraceQL that a target is here. A search becomes a table of traces; `notes` gets what is
/// different there.
///
/// # Errors
///
/// What of it is not taken.
pub(super) fn query(target: &Value, kind: PanelKind, notes: &mut Vec<String>) -> Result<String, String> {
    let written = own_variables(text(&target["query"]));
    let query = match text(&target["queryType"]) {
        "" | "traceql" | "traceId" => written,
        "traceqlSearch" => search_form(target, written)?,
        "nativeSearch" => {
            return Err("nativeSearch, which Grafana replaced by TraceQL: save the panel there again".into());
        }
        "search" => return Err("search, which looks for traces in Loki".into()),
        "serviceMap" => return Err("serviceMap, which only a panel of the type nodeGraph becomes a map of".into()),
        "upload" => return Err("upload: the traces of the file are not in the dashboard".into()),
        other => return Err(format!("the query type {other:?}")),
    };
    let id = query.trim();
    types::ensure!(!id.is_empty(), "a query without text".to_owned());
    types::ensure!(!id.bytes().all(|b| b.is_ascii_hexdigit()), format!("one trace by its id {id:?}"));
    if !is_search(&query) {
        return Ok(query);
    }
    types::ensure!(kind == PanelKind::Table, "a search for traces, which only a table shows".to_owned());
    let n = target["limit"].as_u64().filter(|n| *n > 0).map_or(TRACES, |n| n.min(TRACES_MAX));
    notes.push(format!("the {n} traces whose matching spans take longest, in seconds, instead of the newest"));
    Ok(format!("{query}\n| max_over_time(duration) by (trace:id, resource.service.name, name) | topk({n})"))
}

/// Reports whether a query asks for traces, not for series. What its variables hold is not known yet, so some values are
/// tried; a query that none of them fits is left to the check of the document.
fn is_search(query: &str) -> bool {
    let names = crate::names(query);
    ["1", "1s", "error"].into_iter().any(|value| {
        let choices: Choices = names.iter().map(|name| ((*name).to_owned(), Choice::One(value.to_owned()))).collect();
        let filled = fill::fill(query, Language::Traceql, &choices).ok();
        filled.and_then(|filled| traceql::parse(&filled).ok()).is_some_and(|read| !read.is_metrics())
    })
}

/// Writes a search of the form, or its text where there is no form.
fn search_form(target: &Value, written: String) -> Result<String, String> {
    if list(&target["groupBy"]).iter().any(|by| !text(&by["tag"]).is_empty()) {
        return Err("traceqlSearch with groups".to_owned());
    }
    let filters = list(&target["filters"]);
    if filters.is_empty() && !written.trim().is_empty() {
        return Ok(written);
    }
    let conditions: Vec<String> = filters.iter().filter_map(|filter| condition(filter, filters)).collect();
    Ok(format!("{{ {} }}", conditions.join(" && ")))
}

/// Writes a row of the form; `None` of one that is not filled in.
fn condition(filter: &Value, filters: &[Value]) -> Option<String> {
    let (tag, operator) = (own_variables(text(&filter["tag"])), text(&filter["operator"]));
    let values: Vec<String> = match &filter["value"] {
        Value::Array(values) => values.iter().map(|value| own_variables(text(value))).collect(),
        value => vec![own_variables(text(value))],
    };
    if tag.is_empty() || operator.is_empty() || values.iter().all(String::is_empty) {
        return None;
    }
    let is_regex = matches!(operator, "=~" | "!~");
    // Values that were chosen from a list are plain texts; what was typed is TraceQL already.
    let is_chosen = filter["value"].is_array() && filter["isCustomValue"] != Value::Bool(true);
    let plain = |value: &String| match (is_chosen, is_regex) {
        (false, _) => value.clone(),
        (true, true) if crate::names(value).is_empty() => escaped(&regex_syntax::escape(value)),
        (true, _) => escaped(value),
    };
    let values: Vec<String> = values.iter().map(plain).collect();
    let is_text = match text(&filter["valueType"]) {
        "" => !matches!(tag.as_str(), "duration" | "traceDuration" | "status" | "kind"),
        of => of == "string",
    };
    let field = field(&tag, text(&filter["scope"]), filters);
    let compared = |value: &str| {
        if is_text || is_regex {
            format!("{field} {operator} \"{value}\"")
        } else {
            format!("{field} {operator} {value}")
        }
    };
    Some(match &values[..] {
        [one] => compared(one),
        _ if is_regex => compared(&values.join("|")),
        _ => format!("({})", values.iter().map(|value| compared(value)).collect::<Vec<_>>().join(" || ")),
    })
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"")
}

/// Writes the field that a row of the form names.
fn field(tag: &str, scope: &str, filters: &[Value]) -> String {
    let is_of_trace = |filter: &Value| filter["id"] == "duration-type" && filter["value"] == "trace";
    if tag == "duration" && filters.iter().any(is_of_trace) {
        return "traceDuration".to_owned();
    }
    if matches!(traceql::Field::parse(tag), Ok(traceql::Field::Intrinsic(_))) {
        return tag.to_owned();
    }
    match scope {
        "event" | "instrumentation" | "link" | "resource" | "span" => format!("{scope}.{tag}"),
        _ => format!(".{tag}"),
    }
}
