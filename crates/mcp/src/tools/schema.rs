//! What each tool is, takes and gives.

use serde_json::{Value as Json, json};

/// Returns all tools, each with the route that it cannot do without.
pub(crate) fn all() -> Vec<(&'static str, Json)> {
    vec![
        ("/api/v1/first-look", first_look()),
        ("/api/v1/patterns", patterns()),
        ("/api/v1/differs", differs()),
        ("/api/v1/onset", onset()),
        ("/api/v1/query", query()),
        ("/api/v1/context", context()),
        ("/api/v1/traces/{id}", trace()),
        ("/api/v1/sources", sources()),
    ]
}

fn tool(name: &str, title: &str, description: &str, input: &Json, output: &Json) -> Json {
    json!({
        "name": name, "title": title, "description": description, "inputSchema": input, "outputSchema": output,
        "annotations": {"title": title, "readOnlyHint": true, "idempotentHint": true, "openWorldHint": false},
    })
}

/// Returns the schema of arguments, with those that every tool has.
fn input(own: Json, needed: &[&str]) -> Json {
    let mut properties = own;
    properties["max_tokens"] = json!({"type": "integer", "minimum": 500, "maximum": 24000,
        "description": "Most tokens of the answer; 6,000 without it."});
    json!({"type": "object", "properties": properties, "required": needed, "additionalProperties": false})
}

/// Returns the schema of a result, with what every tool says.
fn output(own: Json) -> Json {
    let mut properties = own;
    properties["complete"] = json!({"type": "boolean", "description": "Whether all data that was asked for was read."});
    properties["notes"] =
        json!({"type": "array", "items": {"type": "string"}, "description": "What is missing, and other warnings."});
    properties["url"] = json!({"type": "string", "description": "Where a person sees the same."});
    properties["left_out"] =
        json!({"type": "object", "description": "Lists that were shortened to fit: how many of how many are shown."});
    json!({"type": "object", "properties": properties, "required": ["complete", "notes", "url"]})
}

fn range(mut own: Json) -> Json {
    own["from"] = json!({"type": "string", "description": "RFC 3339, epoch, or now-1h; an hour ago without it."});
    own["to"] = json!({"type": "string", "description": "The same; now without it."});
    own["groups"] = json!({"type": "array", "items": {"type": "string"}, "description": "Patterns of log groups such as app/*; all without it."});
    own
}

fn rows() -> Json {
    json!({"type": "array", "items": {"type": "object"}, "description": "Rows by column. `@id` of an event is what `context` takes."})
}

fn query() -> Json {
    let own = range(json!({
        "query": {"type": "string", "description": "CloudWatch Logs Insights QL, such as: filter @level >= \"error\" | stats count(*) as n by service. \
            Without stats the newest events come."},
        "language": {"type": "string", "enum": ["insights", "logql", "lucene", "kql"]},
        "limit": {"type": "integer", "minimum": 1, "maximum": 1000, "description": "Most rows; 50 without it."},
    }));
    let given = json!({
        "rows": rows(),
        "matched": {"type": ["integer", "null"], "description": "Events that match, exactly, also where fewer rows are shown."},
        "more": {"type": "boolean", "description": "Whether there are more rows than the limit."},
    });
    let description = "Asks a query over logs, spans and samples, and returns its rows with exact counts.";
    tool("query", "Query", description, &input(own, &["query"]), &output(given))
}

fn patterns() -> Json {
    let own = range(json!({
        "query": {"type": "string", "description": "Which events, such as: filter @level >= \"error\". All without it."},
        "baseline": {"type": "string", "description": "An earlier time to compare with: previous, previousDay, previousWeek, or a length such as 1d."},
        "limit": {"type": "integer", "minimum": 1, "maximum": 1000, "description": "Most patterns; 20 without it."},
    }));
    let given = json!({
        "patterns": {"type": "array", "items": {"type": "object"}, "description": "Patterns with exact counts; `condition` is a filter for one of them. \
            With a baseline: new ones first, then those that became more frequent, gone and rarer ones."},
        "total": {"type": "integer", "description": "Patterns that there are."},
        "matched": {"type": ["integer", "null"]},
    });
    let description = "Groups messages into patterns and counts them; with a baseline it says which are new, gone, more or less frequent.";
    tool("patterns", "Patterns of messages", description, &input(own, &[]), &output(given))
}

fn context() -> Json {
    let own = json!({
        "id": {"type": "string", "description": "The `@id` of an event."},
        "before": {"type": "integer", "minimum": 0, "maximum": 1000, "description": "Events before it; 10 without it."},
        "after": {"type": "integer", "minimum": 0, "maximum": 1000, "description": "Events after it; 10 without it."},
        "stream": {"type": "string", "enum": ["*"], "description": "With `*`, events of all streams around its instant; else those of its own stream."},
    });
    let given = json!({
        "rows": rows(),
        "place": {"type": ["integer", "null"], "description": "Where in rows the event is."},
        "event": {"type": ["object", "null"]},
        "more_before": {"type": ["boolean", "null"]},
        "more_after": {"type": ["boolean", "null"]},
    });
    let description = "Returns the events before and after one event.";
    tool("context", "Context of an event", description, &input(own, &["id"]), &output(given))
}

fn trace() -> Json {
    let own = range(json!({
        "trace_id": {"type": "string", "description": "The trace to show. Without it, traces are searched by the other arguments."},
        "service": {"type": "string"},
        "query": {"type": "string", "description": "A filter of spans in Insights QL."},
        "errors": {"type": "boolean", "description": "Only failing spans."},
        "min_duration_ms": {"type": "integer", "minimum": 0},
        "order": {"type": "string", "enum": ["newest", "slowest"]},
        "limit": {"type": "integer", "minimum": 1, "maximum": 1000, "description": "Most traces of a search; 20 without it."},
    }));
    let mut own = own;
    own.as_object_mut().map(|members| members.remove("groups"));
    let given = json!({
        "traces": {"type": "array", "items": {"type": "object"}, "description": "What a search found."},
        "spans": {"type": "array", "items": {"type": "object"}, "description": "Spans of the trace: failed ones first, then the longest."},
        "logs": {"type": "array", "items": {"type": "object"}, "description": "Log lines of the trace: errors first."},
    });
    let description = "Shows a trace with its spans and log lines, or searches for slow and failing traces.";
    tool("trace", "Trace", description, &input(own, &[]), &output(given))
}

fn sources() -> Json {
    let own = json!({
        "host": {"type": "string"},
        "state": {"type": "string", "enum": ["up", "down", "unknown"]},
    });
    let given = json!({
        "sources": {"type": "array", "items": {"type": "object"}, "description": "Shippers, those that are not up first, with bytes that lag or never arrived."},
        "sources_total": {"type": "integer"},
        "sources_behind": {"type": "integer"},
        "groups": {"type": "array", "items": {"type": "object"}, "description": "Log groups with the time of their last event, the longest silent first."},
        "groups_total": {"type": "integer"},
    });
    let description =
        "Says which shippers and groups are silent, lag or lost data, so that missing lines are not taken for silence.";
    tool("sources", "Sources", description, &input(own, &[]), &output(given))
}

fn events(mut own: Json) -> Json {
    own["query"] =
        json!({"type": "string", "description": "Which events, such as: filter @level >= \"error\". All without it."});
    range(own)
}

fn differs() -> Json {
    let own = events(json!({
        "baseline": {"type": "string", "enum": ["before", "rest"], "description": "Compare with the time of equal length before (the default), or with \
            what else the same time holds."},
        "baseline_query": {"type": "string", "description": "Compare with these events instead."},
        "baseline_from": {"type": "string"},
        "baseline_to": {"type": "string"},
    }));
    let given = json!({
        "selection": {"type": "object"},
        "baseline": {"type": "object"},
        "fields": {"type": "array", "items": {"type": "object"}, "description": "Fields whose values differ significantly, best first, with counts, shares and one event each."},
    });
    let description = "Says which values of which fields some events have more or less often than others: what do failing requests have in common?";
    tool("differs", "What differs", description, &input(own, &[]), &output(given))
}

fn onset() -> Json {
    let own = events(json!({
        "of": {"type": "string", "description": "What is compared over time: count (the default), share, a percentile such as p95(duration_ms), or patterns: \
            each pattern of messages at once."},
        "among": {"type": "string", "description": "With share: the events among which the share is, as a query; all of the groups without it."},
    }));
    let given = json!({
        "measure": {"type": "string"},
        "began": {"type": ["string", "null"], "description": "null: nothing began, and note says why."},
        "began_between": {"type": ["array", "null"], "items": {"type": "string"}, "description": "Where it began, with 95 % confidence."},
        "ended": {"type": ["string", "null"]},
        "ended_between": {"type": ["array", "null"], "items": {"type": "string"}},
        "before": {"type": ["number", "null"], "description": "Events per minute, a share from 0 to 1, or the percentile."},
        "after": {"type": ["number", "null"]},
        "patterns": {"type": "array", "items": {"type": "object"}, "description": "With patterns: those that began or ended, in order of time."},
        "note": {"type": ["string", "null"]},
        "also": {"type": "array", "items": {"type": "object"}, "description": "Patterns, restarts, deploys, alerts and silent sources of about then."},
    });
    let description = "Says when events, their share or a percentile began to be more or less, or which patterns did, and what else began then.";
    tool("onset", "When it began", description, &input(own, &[]), &output(given))
}

fn first_look() -> Json {
    let own = events(
        json!({"alert": {"type": "string", "description": "The id of an alert that fires; comes without the other arguments."}}),
    );
    let given = json!({
        "findings": {"type": "array", "items": {"type": "object"}, "description": "What is known, best first: onset, new patterns, jumps, what differs, \
            restarts, deploys, silent sources, calls that fail or take longer, traces."},
    });
    let description = "Gives the whole picture of an alert or a query in one call: since when, what is new, what differs, what changed before.";
    tool("first_look", "First look", description, &input(own, &[]), &output(given))
}

#[cfg(test)]
mod tests;
