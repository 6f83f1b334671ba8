//! Events as hits: `_source` put together from fields, `fields`, `highlight`, `sort`.
//!
//! `_source` contains the sender's fields, with dotted names as objects again, `@timestamp` and `message`. It contains the
//! recognised `level` if the sender sent none, and the stream as `@logStream`. `_id` is the sender's own, else the id of
//! the event.

use std::collections::{BTreeSet, HashMap};

use crate::json_of_value;
use chrono_tz::Tz;
use language::dsl::Selection;
use language::dsl::highlight::highlighted;
use plan::{Expr, Name, format_time};
use serde::de::IgnoredAny;
use serde_json::{Map, Value as Json, json};
use types::{EventId, RunInfo, Value};

use super::plan_runner::PlanRunner;
use super::request::Search;
use door::Result;

/// Limit on the fields that one plan asks for. Events with more are asked for again.
const FIELDS_MAX: usize = 1_000;

/// Columns before sort values and fields.
const LEADING: [&str; 8] = ["@id", "@log", "@timestamp", "@message", "@level", "@logStream", "_id", "@rest"];

/// A hit and its position in the order.
pub(super) struct Hit {
    pub(super) json: Json,
    /// Its sort values.
    pub(super) sort: Vec<Json>,
    /// The id of the event.
    pub(super) id: String,
}

impl Hit {
    /// Returns the position of the hit, without its contents.
    pub(super) fn place(&self) -> Self {
        Self { json: Json::Null, sort: self.sort.clone(), id: self.id.clone() }
    }
}

/// Returns the hits of a page.
pub(super) fn find(runner: &mut PlanRunner<'_>, mut selection: Selection, search: &Search) -> Result<Vec<Hit>> {
    let most = search.from.saturating_add(search.size) as u64;
    let collapse = search.collapse.as_ref().map(|collapse| &collapse.value);
    let operators = search.order.operators(&mut selection, search.cursor.as_ref(), collapse, most);
    let ask = |runner: &mut PlanRunner<'_>, columns: Vec<Expr>| {
        let columns = columns.into_iter().enumerate().map(|(index, expr)| (Name::from(format!("#{index}")), expr));
        let plan = selection.plan(operators.clone(), columns.collect(), true);
        runner.ask(&plan, selection.range, Tz::UTC).map(|answer| answer.rows)
    };
    let of_fields = |names: &[Name]| names.iter().map(|name| Expr::Field(name.clone())).collect::<Vec<Expr>>();
    let leading =
        of_fields(&LEADING.map(Name::from)).into_iter().chain(search.order.columns()).chain(collapse.cloned());
    let mut fields = wanted_fields(runner, search, &|_| true);
    let mut rows;
    if fields.len() <= FIELDS_MAX {
        rows = ask(runner, leading.chain(of_fields(&fields)).collect())?;
    } else {
        rows = ask(runner, leading.collect())?;
        let ids: Vec<EventId> = rows.iter().filter_map(|row| EventId::decode(&id_of(row))).collect();
        let may_hold = |run: &RunInfo, id: &EventId| {
            run.group_id == id.group_id && run.first <= id.timestamp && id.timestamp <= run.last
        };
        fields = wanted_fields(runner, search, &|run| ids.iter().any(|id| may_hold(run, id)));
        for names in fields.chunks(FIELDS_MAX) {
            let columns = [Expr::Field("@id".into())].into_iter().chain(of_fields(names)).collect();
            let mut by_id: HashMap<String, Vec<Option<Value>>> =
                ask(runner, columns)?.into_iter().map(|mut row| (id_of(&row), row.split_off(1))).collect();
            for row in &mut rows {
                row.extend(by_id.remove(&id_of(row)).unwrap_or_else(|| vec![None; names.len()]));
            }
        }
    }
    let n_keys = search.order.columns().count();
    let shape = Shape { search, fields: &fields, n_keys };
    Ok(rows.into_iter().skip(search.from).map(|row| shape.hit(row)).collect())
}

/// Returns the id of the event in a row that begins with it.
fn id_of(row: &[Option<Value>]) -> String {
    row.first().and_then(Option::as_ref).map(ToString::to_string).unwrap_or_default()
}

/// Returns the names of the fields that the hits need, from the runs for which `may_hold` is true.
fn wanted_fields(runner: &PlanRunner<'_>, search: &Search, may_hold: &dyn Fn(&RunInfo) -> bool) -> Vec<Name> {
    let is_wanted = |name: &str| {
        search.source.wants(name)
            || search.fields.iter().any(|field| field.pattern.matches(name))
            || search
                .highlight
                .as_ref()
                .is_some_and(|highlight| highlight.fields.iter().any(|field| field.matches(name)))
    };
    let mut names: BTreeSet<Name> = BTreeSet::new();
    for run in runner.snapshot.runs.iter().filter(|run| may_hold(run.info())) {
        // The query that follows reports unreadable runs.
        let of_run = run.field_names().unwrap_or_default();
        names.extend(of_run.into_iter().filter(|name| !name.starts_with('@') && **name != *"_id" && is_wanted(name)));
    }
    names.into_iter().collect()
}

struct Shape<'a> {
    search: &'a Search,
    fields: &'a [Name],
    n_keys: usize,
}

impl Shape<'_> {
    fn hit(&self, row: Vec<Option<Value>>) -> Hit {
        let (leading, rest) = row.split_at(LEADING.len().min(row.len()));
        let (keys, rest) = rest.split_at(self.n_keys.min(rest.len()));
        let (collapsed, values) = rest.split_at(usize::from(self.search.collapse.is_some()).min(rest.len()));
        let text = |at: usize| leading.get(at).and_then(Option::as_ref).map(ToString::to_string);
        let id = text(0).unwrap_or_default();
        let named = self.named(leading, values);
        let sort = self.search.order.values(keys);
        let mut hit = Map::new();
        hit.insert("_index".into(), json!(text(1)));
        hit.insert("_id".into(), json!(text(6).unwrap_or_else(|| id.clone())));
        if self.search.versions.version {
            hit.insert("_version".into(), json!(1));
        }
        if self.search.versions.sequence {
            hit.insert("_seq_no".into(), json!(0));
            hit.insert("_primary_term".into(), json!(1));
        }
        hit.insert("_score".into(), if self.search.order.is_empty() { json!(1.0) } else { Json::Null });
        if self.search.source.is_shown {
            let mut source = Map::new();
            for (name, value) in named.iter().filter(|(name, _)| self.search.source.wants(name)) {
                let json = match value {
                    Value::Timestamp(instant) => json!(instant.to_string()),
                    value => json_of_value(Some(value)),
                };
                put(&mut source, name, json);
            }
            // A record has no fields if all its members are null.
            let is_bare = values.iter().all(Option::is_none) && !source.contains_key("message");
            let rest = text(if is_bare { 3 } else { 7 });
            let rest = rest.and_then(|rest| serde_json::from_str::<Map<String, Json>>(&rest).ok());
            for (name, json) in rest.into_iter().flatten().filter(|(name, _)| self.search.source.wants(name)) {
                put(&mut source, &name, json);
            }
            hit.insert("_source".into(), source.into());
        }
        let mut flat = self.flat(&named);
        if let (Some(collapse), Some(value)) = (&self.search.collapse, collapsed.first()) {
            flat.insert(collapse.written.clone(), json!([json_of_value(value.as_ref())]));
        }
        if !self.search.fields.is_empty() || self.search.collapse.is_some() {
            hit.insert("fields".into(), flat.into());
        }
        let highlight = self.highlight(&named);
        if !highlight.is_empty() {
            hit.insert("highlight".into(), highlight.into());
        }
        if !sort.is_empty() {
            hit.insert("sort".into(), sort.clone().into());
        }
        Hit { json: Json::Object(hit), sort, id }
    }

    /// Returns the fields of an event by their names for clients.
    fn named<'r>(&'r self, leading: &'r [Option<Value>], values: &'r [Option<Value>]) -> Vec<(&'r str, &'r Value)> {
        let of_sender = self.fields.iter().zip(values).filter_map(|(name, value)| Some((&**name, value.as_ref()?)));
        let mut named: Vec<(&str, &Value)> = of_sender.collect();
        let has = |name: &str| named.iter().any(|(known, _)| *known == name);
        let at = |at: usize| leading.get(at).and_then(Option::as_ref);
        let is_text = |value: &&Value| !matches!(value, Value::String(text) if text.is_empty());
        let message = at(3).filter(|value| !has("message") && !is_record(value));
        let level = at(4).filter(|_| !has("level") && !has("log.level"));
        let added =
            [("@timestamp", at(2)), ("message", message), ("level", level), ("@logStream", at(5).filter(is_text))];
        named.extend(added.into_iter().filter_map(|(name, value)| Some((name, value?))));
        named
    }

    /// Returns fields as flat lists, in the requested format.
    fn flat(&self, named: &[(&str, &Value)]) -> Map<String, Json> {
        let mut flat = Map::new();
        for wanted in &self.search.fields {
            for (name, value) in named.iter().filter(|(name, _)| wanted.pattern.matches(name)) {
                let json = match value {
                    Value::Timestamp(instant) => json!([format_time(*instant, wanted.format.as_deref())]),
                    Value::List(_) => json_of_value(Some(value)),
                    value => json!([json_of_value(Some(value))]),
                };
                flat.insert((*name).to_owned(), json);
            }
        }
        flat
    }

    fn highlight(&self, named: &[(&str, &Value)]) -> Map<String, Json> {
        let mut found = Map::new();
        let Some(highlight) = &self.search.highlight else { return found };
        let marks = &self.search.selection.marks;
        for (name, value) in named.iter().filter(|(name, _)| highlight.fields.iter().any(|field| field.matches(name))) {
            let Value::String(text) = value else { continue };
            let ours = language::dsl::field_of(name);
            if let Some(marked) = highlighted(marks, &ours, text, &highlight.pre, &highlight.post) {
                found.insert((*name).to_owned(), json!([marked]));
            }
        }
        found
    }
}

/// Reports whether a message is a whole record, whose fields are shown anyway.
fn is_record(message: &Value) -> bool {
    let Value::String(text) = message else { return false };
    text.starts_with("{\"") && text.ends_with('}') && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Inserts a value at its path, whose parts before dots are objects. If one of them is not an object, the name is not split.
fn put(object: &mut Map<String, Json>, path: &str, value: Json) {
    if let Some((first, rest)) = path.split_once('.')
        && !first.is_empty()
        && !rest.is_empty()
        && let Json::Object(inner) = object.entry(first).or_insert_with(|| json!({}))
    {
        return put(inner, rest, value);
    }
    object.insert(path.to_owned(), value);
}

#[cfg(test)]
mod tests;
