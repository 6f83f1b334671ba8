//! Saved searches of Kibana as saved views (Kibana: *Saved objects*, as the page exports them).

use std::collections::{BTreeMap, BTreeSet};

use language::Language;
use serde_json::{Map, Value, json};
use types::ensure;

use super::conditions::{field, groups_of, of_clauses, of_text, piped};
use super::document::text_of;
use super::order::{Order, Way};

/// Longest name and description of a view: the shorter of what the server takes.
const VIEW_NAME_CHARS_MAX: usize = 100;

/// Returns the objects of an export: one a line, or the list that Kibana wrote before version 7.
pub(super) fn objects(text: &str) -> Option<Vec<Value>> {
    let lines = text.lines().filter(|line| !line.trim().is_empty()).map(serde_json::from_str::<Value>);
    let listed = || serde_json::from_str::<Vec<Value>>(text).ok();
    let objects =
        lines.collect::<Result<Vec<Value>, _>>().ok().filter(|all| all.iter().all(Value::is_object)).or_else(listed)?;
    let objects: Vec<Value> = objects.into_iter().map(of_old).collect();
    objects.iter().any(|object| object["type"].is_string() && object["attributes"].is_object()).then_some(objects)
}

fn of_old(object: Value) -> Value {
    match object.get("_source") {
        Some(source) => json!({"type": object["_type"], "id": object["_id"], "attributes": source}),
        None => object,
    }
}

/// Returns what makes the views of the searches; the rest is named.
pub(super) fn views(objects: &[Value], notes: &mut Vec<String>) -> Vec<Order> {
    let is_pattern = |object: &&Value| matches!(text(&object["type"]), "index-pattern" | "data-view");
    let patterns: BTreeMap<&str, &str> = objects
        .iter()
        .filter(is_pattern)
        .map(|object| (text(&object["id"]), text(&object["attributes"]["title"])))
        .collect();
    let (mut orders, mut others) = (Vec::new(), BTreeSet::new());
    for object in objects {
        let kind = text(&object["type"]);
        let title = line(text(&object["attributes"]["title"]));
        match kind {
            "search" | "query" => match view(object, &patterns, notes) {
                Ok(view) => orders.push(order(object, &title, view)),
                Err(problem) => notes.push(format!("{kind} {title:?} is not taken: {problem}")),
            },
            "index-pattern" | "data-view" | "" => {}
            other => drop(others.insert(other)),
        }
    }
    notes.extend(others.iter().map(|kind| format!("objects of the type {kind} are not taken: only searches are")));
    orders
}

fn order(object: &Value, title: &str, view: Map<String, Value>) -> Order {
    let description = line(text(&object["attributes"]["description"]));
    let body = json!({"name": title, "description": description, "shared": true, "view": view});
    Order { name: title.to_owned(), way: Way::View, body }
}

/// Returns the parts of a view's address.
fn view(
    object: &Value,
    patterns: &BTreeMap<&str, &str>,
    notes: &mut Vec<String>,
) -> Result<Map<String, Value>, String> {
    let attributes = &object["attributes"];
    let source: Value = match attributes.pointer("/kibanaSavedObjectMeta/searchSourceJSON") {
        Some(Value::String(json)) => {
            serde_json::from_str(json).map_err(|error| format!("searchSourceJSON: {error}"))?
        }
        // As in the packages of integrations.
        Some(source @ Value::Object(_)) => source.clone(),
        Some(other) => return Err(format!("searchSourceJSON is {other}; expected an object, or one as a text")),
        // A saved query has its parts as they are.
        None => json!({"query": attributes["query"], "filter": attributes["filters"]}),
    };
    let mut view = Map::new();
    let mut set = |name: &str, value: String| {
        if !value.is_empty() {
            view.insert(name.to_owned(), value.into());
        }
    };
    let asked = query(&source["query"])?;
    let clauses =
        list(&source["filter"]).iter().filter(|filter| filter.pointer("/meta/disabled") != Some(&json!(true)));
    let clauses = clauses.map(clause).collect::<Result<Vec<_>, _>>()?;
    let filters = of_clauses(&clauses).map_err(|problem| format!("filter: {problem}"))?;
    let sort = sort(&attributes["sort"])?;
    set("q", piped(&[&asked, &filters, &sort]));
    let columns = list(&attributes["columns"]).iter().map(text).filter(|column| *column != "_source");
    let columns = columns.map(|column| field(column).map(|name| name.trim_matches('`').replace(',', "%2C")));
    set("columns", columns.collect::<Result<Vec<_>, _>>()?.join(","));
    set("groups", groups(object, &source, patterns, notes).join(","));
    let range = attributes.get("timeRange").or_else(|| attributes.get("timefilter"));
    for name in ["from", "to"] {
        set(name, range.map(|range| text(&range[name])).unwrap_or_default().to_owned());
    }
    Ok(view)
}

/// The query of a search, in KQL, Lucene, or before version 6 as part of the query DSL.
fn query(query: &Value) -> Result<String, String> {
    let asked = &query["query"];
    if asked.is_object() {
        return of_clauses(std::slice::from_ref(asked));
    }
    match (text(&query["language"]), asked.as_str()) {
        ("kuery", Some(asked)) => of_text(asked, Language::Kql),
        ("lucene" | "", Some(asked)) => of_text(asked, Language::Lucene),
        (_, None) if query.is_object() && query.get("language").is_none() => of_clauses(std::slice::from_ref(query)),
        (_, None) => Ok(String::new()),
        (language, _) => Err(format!("a query in {language:?}")),
    }
    .map_err(|problem| format!("query: {problem}"))
}

/// Returns a filter as a clause of the query DSL.
fn clause(filter: &Value) -> Result<Value, String> {
    let meta = &filter["meta"];
    let inner = if text(&meta["type"]) == "combined" {
        let parts = list(&meta["params"]).iter().map(clause).collect::<Result<Vec<_>, _>>()?;
        match text(&meta["relation"]) {
            "OR" => json!({"bool": {"should": parts, "minimum_should_match": 1}}),
            _ => json!({"bool": {"filter": parts}}),
        }
    } else {
        let own: Map<String, Value> = filter
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(name, _)| !matches!(&***name, "meta" | "$state" | "query"))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        // Before version 7 ranges and the like stand beside `meta`.
        let query = filter.get("query").filter(|query| query.is_object()).cloned().unwrap_or(Value::Object(own));
        phrase(query)
    };
    ensure!(
        inner.as_object().is_some_and(|inner| !inner.is_empty()),
        format!("a filter of the type {:?}", text(&meta["type"]))
    );
    Ok(if meta["negate"] == json!(true) { json!({"bool": {"must_not": [inner]}}) } else { inner })
}

/// Writes `match: {f: {query: v, type: phrase}}` of version 5 as the phrase that it is.
fn phrase(query: Value) -> Value {
    let Some((field, inner)) = query.get("match").and_then(Value::as_object).and_then(|all| all.iter().next()) else {
        return query;
    };
    match text(&inner["type"]) {
        "phrase" => json!({"match_phrase": {field.clone(): {"query": inner["query"]}}}),
        _ => query,
    }
}

/// The order of rows, if it is not by time, newest first.
fn sort(sort: &Value) -> Result<String, String> {
    let pairs = if list(sort).first().is_some_and(Value::is_string) { std::slice::from_ref(sort) } else { list(sort) };
    let usual = |pair: &&Value| text(&pair[0]) == "@timestamp" && text(&pair[1]) == "desc";
    if pairs.iter().all(|pair| usual(&pair)) {
        return Ok(String::new());
    }
    let keys = pairs.iter().map(|pair| {
        let name = match text(&pair[0]) {
            "timestamp" | "_score" | "_doc" => "@timestamp".to_owned(),
            other => field(other)?,
        };
        Ok::<String, String>(format!("{name} {}", if text(&pair[1]) == "asc" { "asc" } else { "desc" }))
    });
    Ok(format!("sort {}", keys.collect::<Result<Vec<_>, _>>()?.join(", ")))
}

/// Returns the groups of a search's pattern of indices.
fn groups(object: &Value, source: &Value, patterns: &BTreeMap<&str, &str>, notes: &mut Vec<String>) -> Vec<String> {
    let reference = text(&source["indexRefName"]);
    let referred =
        list(&object["references"]).iter().find(|one| text(&one["name"]) == reference && !reference.is_empty());
    let index = &source["index"];
    let id = match index.get("id").or(Some(index)).map(text_of).filter(|_| !index.is_null()) {
        Some(id) => id,
        None => referred.map(|one| text(&one["id"]).to_owned()).unwrap_or_default(),
    };
    // A data view that only one search has stands in it.
    let title = index.get("title").map(text).or_else(|| patterns.get(&*id).copied());
    match title {
        Some(title) => groups_of(title),
        None if id.is_empty() => Vec::new(),
        None => {
            let name = text(&object["attributes"]["title"]);
            notes.push(format!("search {name:?}: its data view {id:?} is not in the file, so it is about all groups"));
            Vec::new()
        }
    }
}

fn text(json: &Value) -> &str {
    json.as_str().unwrap_or_default()
}

fn list(json: &Value) -> &[Value] {
    json.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(VIEW_NAME_CHARS_MAX).collect()
}
