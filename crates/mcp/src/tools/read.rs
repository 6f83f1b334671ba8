//! Tools that read events, patterns, traces and sources.

use serde_json::{Map, Value as Json, json};
use types::percent_encoded;

use super::call::{Call, CallError, ToolAnswer, completeness, without_nulls};
use crate::native::Native;

/// Rows of a query and patterns unless more are asked for.
const ROWS_DEFAULT: u64 = 50;
const PATTERNS_DEFAULT: u64 = 20;

/// Neighbours on either side.
const SIDE_DEFAULT: u64 = 10;

/// Traces of a search.
const TRACES_DEFAULT: u64 = 20;

/// Fields of a span that are shown.
const SPAN_FIELDS: [&str; 10] = [
    "@timestamp", "service", "name", "kind", "status", "status_message", "duration_ms", "span_id", "parent_span_id",
    "@level",
];

/// Fields of a line of a trace that are shown.
const LINE_FIELDS: [&str; 5] = ["@timestamp", "@level", "@log", "@message", "@id"];

/// Asks a query; rows as objects with their ids.
pub(super) async fn query(native: &Native, call: &Call) -> Result<ToolAnswer, CallError> {
    let (query, groups) = (call.needed("query")?, call.groups()?);
    let (from, to) = (call.text("from")?, call.text("to")?);
    let limit = call.number("limit")?.unwrap_or(ROWS_DEFAULT);
    let body = json!({"query": query, "groups": groups, "from": from, "to": to, "limit": limit,
        "language": call.text("language")?});
    let answer = native.post("/api/v1/query", &without_nulls(body)).await?;
    let (is_complete, notes) = completeness(&answer);
    let joined = groups.join(",");
    let link = [
        ("q", query.as_str()),
        ("groups", &joined),
        ("from", from.as_deref().unwrap_or_default()),
        ("to", to.as_deref().unwrap_or_default()),
    ];
    let found = json!({
        "rows": objects_of(&answer),
        "matched": answer["stats"]["events_matched"],
        "more": answer["more"].as_bool().unwrap_or(false),
        "complete": is_complete,
        "notes": notes,
        "url": native.link("/", &link),
    });
    Ok(ToolAnswer { answer: found, lists: &["/rows"] })
}

/// Returns the rows of an answer as objects by column, and the id of each event as `@id`.
fn objects_of(answer: &Json) -> Vec<Json> {
    let columns: Vec<&str> =
        answer["columns"].as_array().into_iter().flatten().filter_map(|column| column["name"].as_str()).collect();
    let ids = answer["ids"].as_array().map_or(&[][..], Vec::as_slice);
    let rows = answer["rows"].as_array().into_iter().flatten().enumerate();
    rows.map(|(at, row)| {
        let cells = row.as_array().into_iter().flatten();
        let mut members: Map<String, Json> = columns
            .iter()
            .zip(cells)
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        if let Some(id) = ids.get(at) {
            members.entry("@id").or_insert_with(|| id.clone());
        }
        Json::Object(members)
    })
    .collect()
}

/// Asks for the patterns of messages, with a baseline what changed.
pub(super) async fn patterns(native: &Native, call: &Call) -> Result<ToolAnswer, CallError> {
    let text = |name: &str| Ok::<_, CallError>(call.text(name)?.unwrap_or_default());
    let (query, from, to, baseline) = (text("query")?, text("from")?, text("to")?, text("baseline")?);
    let (groups, limit) = (call.groups()?.join(","), call.number("limit")?.unwrap_or(PATTERNS_DEFAULT));
    // Changes are looked for among all patterns, then the most telling ones are shown.
    let parameters = [
        ("query", query.as_str()),
        ("from", &from),
        ("to", &to),
        ("groups", &groups),
        ("baseline", &baseline),
        ("limit", "10000"),
    ];
    let answer = native.get("/api/v1/patterns", &parameters).await?;
    let (is_complete, notes) = completeness(&answer);
    let mut patterns: Vec<Json> = answer["patterns"].as_array().cloned().unwrap_or_default();
    let n_patterns = patterns.len();
    if !baseline.is_empty() {
        patterns.sort_by_key(change_rank);
    }
    patterns.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    patterns.iter_mut().filter_map(Json::as_object_mut).for_each(|members| {
        members.remove("counts");
        members.retain(|_, value| !value.is_null());
    });
    let link = [("q", query.as_str()), ("groups", &groups), ("from", &from), ("to", &to), ("view", "patterns")];
    let found = json!({
        "patterns": patterns,
        "total": n_patterns,
        "matched": answer["stats"]["events_matched"],
        "complete": is_complete && !answer["more"].as_bool().unwrap_or(false),
        "notes": notes,
        "url": native.link("/", &link),
    });
    Ok(ToolAnswer { answer: found, lists: &["/patterns"] })
}

/// Returns the order of patterns by how much they tell: new ones, then those that became more frequent, then gone ones.
fn change_rank(pattern: &Json) -> (u8, std::cmp::Reverse<u64>) {
    let rank = match pattern["change"].as_str() {
        Some("new") => 0,
        Some("up") => 1,
        Some("gone") => 2,
        Some("down") => 3,
        _ => 4,
    };
    let difference = pattern["difference"].as_i64().map_or(0, i64::unsigned_abs);
    (rank, std::cmp::Reverse(difference.max(pattern["count"].as_u64().unwrap_or(0))))
}

/// Asks for the neighbours of an event.
pub(super) async fn context(native: &Native, call: &Call) -> Result<ToolAnswer, CallError> {
    let id = call.needed("id")?;
    let side = |name: &str| Ok::<_, CallError>(call.number(name)?.unwrap_or(SIDE_DEFAULT).to_string());
    let (before, after) = (side("before")?, side("after")?);
    let is_wide = call.text("stream")?;
    let parameters = [
        ("id", id.as_str()),
        ("before", &before),
        ("after", &after),
        ("stream", is_wide.as_deref().unwrap_or_default()),
    ];
    let answer = native.get("/api/v1/context", &parameters).await?;
    let (is_complete, notes) = completeness(&answer);
    let found = json!({
        "rows": objects_of(&answer),
        "place": answer["place"],
        "event": answer["event"],
        "more_before": answer["more_before"],
        "more_after": answer["more_after"],
        "complete": is_complete,
        "notes": notes,
        "url": native.link("/", &[("event", &id)]),
    });
    Ok(ToolAnswer { answer: found, lists: &["/rows"] })
}

/// Asks for one trace by its id, or searches for traces.
pub(super) async fn trace(native: &Native, call: &Call) -> Result<ToolAnswer, CallError> {
    let Some(id) = call.text("trace_id")?.filter(|id| !id.is_empty()) else {
        return search_traces(native, call).await;
    };
    let path = format!("/api/v1/traces/{}", percent_encoded(&id));
    let answer = native.get(&path, &[]).await?;
    let (is_complete, notes) = completeness(&answer);
    let only = |list: &str, fields: &[&str]| -> Vec<Json> {
        let items = answer[list].as_array().into_iter().flatten().filter_map(Json::as_object);
        let kept = |item: &Map<String, Json>| {
            let fields = fields.iter().filter_map(|name| Some(((*name).to_owned(), item.get(*name)?.clone())));
            Json::Object(fields.collect())
        };
        items.map(kept).collect()
    };
    let mut spans = only("spans", &SPAN_FIELDS);
    // Lists lose their ends, and what failed and what took long is what matters.
    let n_spans = spans.len();
    spans.sort_by(|a, b| {
        let rank = |span: &Json| (span["status"] == "error", span["duration_ms"].as_f64().unwrap_or(0.0));
        let ((a_fails, a_ms), (b_fails, b_ms)) = (rank(a), rank(b));
        b_fails.cmp(&a_fails).then(b_ms.total_cmp(&a_ms))
    });
    let mut logs = only("logs", &LINE_FIELDS);
    logs.sort_by_key(|line| !matches!(line["@level"].as_str(), Some("error" | "fatal")));
    let found = json!({
        "trace_id": answer["trace_id"],
        "start": answer["start"],
        "duration_ms": answer["duration_ms"],
        "root": answer["root"],
        "services": answer["services"],
        "errors": answer["errors"],
        "spans_total": n_spans,
        "spans": spans,
        "logs_total": logs.len(),
        "logs": logs,
        "problems": answer["problems"],
        "complete": is_complete,
        "notes": notes,
        "url": native.link(&format!("/trace/{}", percent_encoded(&id)), &[]),
    });
    Ok(ToolAnswer { answer: found, lists: &["/spans", "/logs", "/problems"] })
}

async fn search_traces(native: &Native, call: &Call) -> Result<ToolAnswer, CallError> {
    let flag = call.arguments.get("errors").and_then(Json::as_bool);
    let body = json!({
        "service": call.text("service")?,
        "query": call.text("query")?,
        "errors": flag,
        "min_duration_ms": call.number("min_duration_ms")?,
        "from": call.text("from")?,
        "to": call.text("to")?,
        "order": call.text("order")?,
        "limit": call.number("limit")?.unwrap_or(TRACES_DEFAULT),
    });
    let answer = native.post("/api/v1/traces/search", &without_nulls(body)).await?;
    let (is_complete, notes) = completeness(&answer);
    let service = call.text("service")?.unwrap_or_default();
    let found = json!({
        "traces": answer["traces"],
        "complete": is_complete,
        "notes": notes,
        "url": native.link("/traces", &[("service", &service)]),
    });
    Ok(ToolAnswer { answer: found, lists: &["/traces"] })
}

/// Asks which sources lag, lost data or fell silent, and when each group received its last event.
pub(super) async fn sources(native: &Native, call: &Call) -> Result<ToolAnswer, CallError> {
    let (host, state) = (call.text("host")?.unwrap_or_default(), call.text("state")?.unwrap_or_default());
    let answer = native.get("/api/v1/sources", &[("host", &host), ("state", &state)]).await?;
    let (is_complete, notes) = completeness(&answer);
    let groups = native.get("/api/v1/groups", &[]).await?;
    let kept =
        ["host", "state", "last_seen", "lag_bytes", "gap_bytes", "refused_events", "last_error", "files_left_out"];
    let source = |source: &Json| {
        let members = kept.iter().map(|name| ((*name).to_owned(), source[*name].clone()));
        let mut shown: Map<String, Json> = members.filter(|(_, value)| !value.is_null()).collect();
        let is_odd = |file: &&Json| {
            let number = |name: &str| file[name].as_u64().unwrap_or(0) > 0;
            number("lag_bytes")
                || number("refused_events")
                || !file["last_error"].is_null()
                || file["gaps"].as_array().is_some_and(|gaps| !gaps.is_empty())
        };
        let files: Vec<&Json> = source["files"].as_array().into_iter().flatten().filter(is_odd).collect();
        if !files.is_empty() {
            shown.insert("files_behind".into(), json!(files));
        }
        Json::Object(shown)
    };
    let mut sources: Vec<Json> = answer["sources"].as_array().into_iter().flatten().map(source).collect();
    sources.sort_by_key(|source| source["state"] == "up");
    let n_behind =
        sources.iter().filter(|source| source["state"] != "up" || source["gap_bytes"].as_u64() > Some(0)).count();
    let mut groups: Vec<Json> = groups["groups"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|group| json!({"group": group["name"], "last": group["last"], "events": group["events"]}))
        .collect();
    // Those that received something longest ago first: one of them may have fallen silent.
    groups.sort_by_key(|group| group["last"].as_str().unwrap_or_default().to_owned());
    let found = json!({
        "sources": sources,
        "sources_total": sources.len(),
        "sources_behind": n_behind,
        "groups": groups,
        "groups_total": groups.len(),
        "complete": is_complete,
        "notes": notes,
        "url": native.link("/sources", &[]),
    });
    Ok(ToolAnswer { answer: found, lists: &["/sources", "/groups"] })
}
