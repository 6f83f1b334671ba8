//! `/api/v1/complete`: what may stand at a cursor in a query: what the language knows, then what the store knows.

use std::time::{Duration, Instant};

use language::{ChoiceKind, Completion, ParseOptions};
use plan::{Expr, Operator, Plan, TextPattern};
use serde::Deserialize;
use serde_json::{Value, json};
use types::TimeRange;

use super::language::of_json;
use crate::ask::{self, Groups};
use crate::reference::Reference;
use crate::state::Call;
use door::{Outcome, QueryRun, Reply, RequestBody, Result, Scope, reason_json, tables};

/// Items of an answer; nobody reads more of a list.
const ITEMS_MAX: usize = 100;

/// Values looked at. Those with the highest counts are suggested.
const VALUES_MAX: usize = 50;

/// How long values are counted: somebody is typing.
const PATIENCE: Duration = Duration::from_secs(1);

/// Longest value that is suggested.
const VALUE_CHARACTERS_MAX: usize = 200;

/// System fields, which are in every event.
const SYSTEM: [(&str, &str); 8] = [
    ("@timestamp", "when it happened"),
    ("@message", "the text"),
    ("@level", "trace to fatal"),
    ("@log", "the group"),
    ("@logStream", "the stream"),
    ("@any", "the message and every other text or number"),
    ("@ingestionTime", "when it was accepted"),
    ("@id", "identity of the event"),
];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CompleteRequest {
    query: String,
    cursor: Option<usize>,
    from: Option<Value>,
    to: Option<Value>,
    groups: Option<Groups>,
    time_zone: Option<String>,
}

/// Returns the completions at the cursor.
pub(crate) fn post(Call { server, .. }: Call, body: RequestBody) -> Outcome {
    let request: CompleteRequest = of_json(body.bytes(), "{\"query\":\"…\",\"cursor\":0}")?;
    let now = server.now();
    let time_zone = ask::time_zone(request.time_zone.as_deref())?;
    let range = ask::range(request.from.as_ref(), request.to.as_ref(), now, time_zone)?;
    let cursor = request.cursor.unwrap_or(usize::MAX);
    let options = ParseOptions { now, time_zone };
    let text = request.query;
    Ok(Reply::look_up(&server.clone(), move || {
        let found = language::complete_insights(&text, cursor, &options);
        let own = found.earlier.as_ref().map(|plan| plan.sources.clone()).filter(|sources| !sources.is_empty());
        let groups = own.or(request.groups.as_ref().map(Groups::patterns)).unwrap_or_default();
        let scope = Scope { groups, limit: None, time_zone, now };
        let asks_store = found.takes_fields || found.takes_groups || found.values_of.is_some();
        if !asks_store && !found.takes_tables && found.columns_of_table.is_none() {
            return Ok(Reply::json(&answer(&found, Items::default(), server.state.reference())));
        }
        let api = server.state.clone();
        Ok(Reply::query(&server, "", move |reading| {
            let items = of_store(reading, &found, &scope, range)?;
            Ok(Reply::json(&answer(&found, items, api.reference())))
        }))
    }))
}

/// What the store knows, and why something may be missing.
#[derive(Default)]
struct Items {
    before: Vec<Value>,
    after: Vec<Value>,
    partial_reasons: Vec<Value>,
}

fn answer(found: &Completion, items: Items, reference: &Reference) -> Value {
    let choice = |choice: &language::Choice| {
        let mut item = json!({
            "kind": choice.kind.name(), "label": choice.label, "insert": choice.insert, "detail": choice.detail,
        });
        let place = reference.place_of(&choice.label).filter(|_| choice.kind != ChoiceKind::Column);
        if let Some(place) = place {
            item["see"] = place.into();
        }
        item
    };
    // Values, then columns that the query made, then fields, then everything else.
    let (columns, others): (Vec<_>, Vec<_>) =
        found.choices.iter().partition(|choice| choice.kind == ChoiceKind::Column);
    let mut all: Vec<Value> = items.before;
    all.extend(columns.into_iter().map(choice));
    all.extend(items.after);
    all.extend(others.into_iter().map(choice));
    let more = all.len() > ITEMS_MAX;
    all.truncate(ITEMS_MAX);
    json!({
        "start": found.start, "end": found.end, "items": all, "more": more,
        "partial": !items.partial_reasons.is_empty(), "partial_reasons": items.partial_reasons,
    })
}

fn of_store(reading: &QueryRun<'_>, found: &Completion, scope: &Scope, range: TimeRange) -> Result<Items> {
    let mut items = Items::default();
    if found.takes_groups {
        items.after = groups(reading, found);
    }
    items.before = of_tables(reading, found)?;
    let snapshot = reading.snapshot(&scope.groups, range);
    if let Some(field) = &found.values_of {
        let plan = with_prefix(found, field);
        let progress = |stats: &execute::Stats| reading.note(stats);
        let request = reading.request(range, scope, &progress);
        let deadline = Instant::now().checked_add(PATIENCE).or(request.deadline);
        let request = execute::Request { deadline: deadline.min(request.deadline), ..request };
        let values = execute::field_values(&plan, &snapshot.runs, &request, field, VALUES_MAX)?;
        items.before.extend(values.values.iter().filter_map(|one| value_item(one, found.quote)));
        items.partial_reasons.extend(values.partial_reasons.iter().map(reason_json));
    }
    if found.takes_fields {
        let known = execute::field_presence(&snapshot.runs, range);
        items.after.extend(fields(&known.fields, found));
        items.partial_reasons.extend(known.partial_reasons.iter().map(reason_json));
    }
    Ok(items)
}

/// Returns the names of uploaded tables, or the columns of one.
fn of_tables(reading: &QueryRun<'_>, found: &Completion) -> Result<Vec<Value>> {
    let settings = reading.server.settings();
    let mut all = Vec::new();
    if found.takes_tables {
        for table in tables::list(settings, &reading.server.caller.scope)? {
            let Some(name) = table["name"].as_str().filter(|name| name.contains(&*found.prefix)) else { continue };
            let insert = found.quote.map_or_else(|| name.to_owned(), |quote| format!("{quote}{name}{quote}"));
            let detail = format!("table of {} rows", table["rows"]);
            all.push(json!({"kind": "table", "label": name, "insert": insert, "detail": detail}));
        }
    }
    if let Some(table) = &found.columns_of_table {
        let rows = reading.server.tables.get(settings, &reading.server.caller.scope, table);
        let prefix = found.prefix.to_lowercase();
        let columns = rows.iter().flat_map(|rows| &rows.columns);
        for column in columns.filter(|column| column.to_lowercase().contains(&prefix)) {
            let detail = format!("a column of {table}");
            all.push(json!({"kind": "column", "label": &**column, "insert": plan::insights_text::written(column), "detail": detail}));
        }
    }
    Ok(all)
}

/// Returns the commands before the cursor, with a filter for fields that begin with the typed text.
fn with_prefix(found: &Completion, field: &str) -> Plan {
    let mut draft = found.earlier.clone().unwrap_or_default();
    // A subquery would have to be answered first.
    if plan::has_subqueries(&draft.clone().finish()) {
        draft.operators.clear();
    }
    if let Some(regex) = language::prefix_regex(&found.prefix) {
        let condition = Expr::Match(Box::new(Expr::Field(field.into())), TextPattern::Regex(regex));
        draft.operators.insert(0, Operator::Filter(condition));
    }
    draft.finish()
}

fn groups(reading: &QueryRun<'_>, found: &Completion) -> Vec<Value> {
    let quote = found.quote.unwrap_or('"');
    let known = reading.server.groups();
    let wanted = known.iter().filter(|group| group.name.as_str().contains(&*found.prefix));
    let item = |name: &str| json!({"kind": "group", "label": name, "insert": format!("{quote}{name}{quote}"), "detail": "group"});
    wanted.map(|group| item(group.name.as_str())).collect()
}

/// Fields whose names hold what was typed; those that begin with it come first, then by how many events have them.
fn fields(known: &[execute::FieldSummaryRow], found: &Completion) -> Vec<Value> {
    let prefix = found.prefix.to_lowercase();
    let is_hidden =
        |name: &str| found.choices.iter().any(|choice| choice.kind == ChoiceKind::Column && choice.label == name);
    let mut ranked: Vec<(bool, Value)> = Vec::new();
    for field in known {
        if is_hidden(&field.name) || SYSTEM.iter().any(|(name, _)| *name == field.name) {
            continue;
        }
        ranked.push((
            field.name.to_lowercase().starts_with(&prefix),
            json!({
                "kind": "field", "label": field.name, "insert": plan::insights_text::written(&field.name),
                "detail": field.types.join(", "), "types": field.types, "events": field.n_events, "share": field.share,
            }),
        ));
    }
    for (name, help) in SYSTEM {
        let item = json!({"kind": "field", "label": name, "insert": name, "detail": help});
        ranked.push((name.to_lowercase().starts_with(&prefix), item));
    }
    ranked.retain(|(_, item)| item["label"].as_str().is_some_and(|label| label.to_lowercase().contains(&prefix)));
    ranked.sort_by_key(|(begins, _)| !begins);
    ranked.into_iter().map(|(_, item)| item).collect()
}

/// Returns a value in the notation of a query; `None` if it has none.
fn value_item(counted: &execute::ValueCount, quote: Option<char>) -> Option<Value> {
    let (label, insert) = match (&counted.value, quote) {
        (types::Value::String(text), _) => {
            let quote = quote.unwrap_or('"');
            (text.to_string(), format!("{quote}{}{quote}", escaped(text, quote)))
        }
        (types::Value::List(_) | types::Value::Object(_), _) => return None,
        (value, _) => {
            let mut text = String::new();
            value.write_json(&mut text);
            let plain = text.trim_matches('"').to_owned();
            let insert = quote.map_or(text, |quote| format!("{quote}{plain}{quote}"));
            (plain, insert)
        }
    };
    let is_short = label.chars().count() <= VALUE_CHARACTERS_MAX;
    is_short.then(|| {
        let detail = types::counted(counted.count, "event");
        json!({
            "kind": "value", "label": label, "insert": insert, "detail": detail,
            "count": counted.count, "share": counted.share,
        })
    })
}

/// Returns the inside of a text in quotes.
fn escaped(text: &str, quote: char) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c == quote => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}
