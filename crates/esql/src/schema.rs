//! The columns that events of some indices have, with their types: those that `_mapping` names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use types::{Run, TimeRange};

use super::kind::Kind;
use super::typed::{both, call, compare, either, is_present, literal};
use execute::{FieldSummaryRow, field_types_of};
use language::mapping::Schema as Mappings;
use plan::each::each;
use plan::{Comparison, Expr, Function, Length, Name, TypedFunction, not};

/// Most fields of an index.
const FIELDS_MAX: usize = 10_000;

/// A column of events.
#[derive(Clone, Debug)]
pub(super) struct StoredColumn {
    pub(super) kind: Kind,
    pub(super) expr: Expr,
    pub(super) is_list: bool,
    /// The stored field that has the same value wherever the column has one.
    pub(super) narrow: Option<Name>,
    /// Of a field with other types in other indices: the types, each with the indices that have it.
    pub(super) conflict: Vec<(&'static str, Vec<String>)>,
}

/// The columns of events, and how full-text functions read the fields of their indices.
#[derive(Clone, Debug, Default)]
pub struct Schema(pub(super) BTreeMap<String, StoredColumn>, pub(super) Mappings);

/// What is known of a field in one index.
#[derive(Clone, Debug)]
struct IndexField {
    kind: Kind,
    raw: BTreeSet<&'static str>,
}

/// Returns the type that Elasticsearch would give a field by the types of its values, as `_mapping` says it.
pub fn mapped_type(types: &[&'static str]) -> &'static str {
    let has = |name: &str| types.contains(&name);
    if has("string") {
        "text"
    } else if has("object") {
        "object"
    } else if has("boolean") {
        "boolean"
    } else if has("float") {
        "double"
    } else if has("integer") {
        "long"
    } else if has("timestamp") {
        "date"
    } else {
        "text"
    }
}

fn kind_of(field: &FieldSummaryRow) -> Option<Kind> {
    match mapped_type(&field.types) {
        "date" => Some(Kind::Date),
        "object" => None,
        name => Kind::named(name),
    }
}

/// Reports whether values of a column are what a field of a declared type shows.
fn fits(kind: Kind, declared: &str) -> bool {
    match kind {
        Kind::Text | Kind::Keyword => {
            matches!(declared, "text" | "match_only_text" | "keyword" | "constant_keyword" | "wildcard")
        }
        Kind::Long | Kind::Integer => matches!(declared, "long" | "integer" | "short" | "byte"),
        Kind::Double => matches!(declared, "double" | "float" | "half_float" | "scaled_float"),
        Kind::Boolean => declared == "boolean",
        Kind::Date => declared == "date",
        Kind::Ip => declared == "ip",
        _ => false,
    }
}

impl Schema {
    /// Returns the columns of events in runs, which are named by their groups. Those that are not wanted may have
    /// another type, or be left out where they hold lists.
    pub(super) fn of(runs: &[Arc<dyn Run>], is_wanted: &dyn Fn(&str) -> bool) -> Self {
        let mut by_group: BTreeMap<String, Vec<Arc<dyn Run>>> = BTreeMap::new();
        for run in runs {
            by_group.entry(run.info().group.to_string()).or_default().push(run.clone());
        }
        let mut fields: BTreeMap<String, BTreeMap<String, IndexField>> = BTreeMap::new();
        for (group, runs) in &by_group {
            let mut raw: BTreeMap<Arc<str>, BTreeSet<&'static str>> = BTreeMap::new();
            for field in runs.iter().filter_map(|run| run.fields().ok()).flatten() {
                raw.entry(field.name).or_default().extend(field.types.names());
            }
            for field in field_types_of(runs, TimeRange::ALL, is_wanted).fields.iter().take(FIELDS_MAX) {
                let is_of_sender = !field.name.starts_with('@') && field.name != "_id";
                let Some(kind) = kind_of(field).filter(|_| is_of_sender) else { continue };
                let raw = raw.get(field.name.as_str()).cloned().unwrap_or_else(|| BTreeSet::from(["list"]));
                let known = IndexField { kind, raw };
                fields.entry(field.name.clone()).or_default().insert(group.clone(), known);
            }
        }
        let lists: BTreeSet<String> = fields
            .iter()
            .filter(|(_, groups)| groups.values().any(|known| known.raw.contains("list")))
            .map(|(name, _)| name.clone())
            .chain(lists_of(runs))
            .collect();
        let mut schema = Self::default();
        for (name, groups) in &fields {
            schema.add(name, groups, &lists);
        }
        schema.add_ours(&fields);
        schema
    }

    /// Takes over what the indices declare. Returns a field whose values have another type than the declared one, with
    /// both types.
    pub(super) fn declare(
        &mut self,
        mappings: Mappings,
        is_wanted: &dyn Fn(&str) -> bool,
    ) -> Result<(), (String, String, &'static str)> {
        for (name, declared) in mappings.declared().filter(|(name, _)| is_wanted(name)) {
            if let Some(stored) = self.0.get(name).filter(|stored| !fits(stored.kind, declared)) {
                return Err((name.to_owned(), declared.to_owned(), stored.kind.name()));
            }
        }
        self.1 = mappings;
        Ok(())
    }

    fn add(&mut self, name: &str, groups: &BTreeMap<String, IndexField>, lists: &BTreeSet<String>) {
        let mut kinds: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
        for (group, known) in groups {
            kinds.entry(known.kind.name()).or_default().push(group.clone());
        }
        let raw: BTreeSet<&'static str> = groups.values().flat_map(|known| known.raw.iter().copied()).collect();
        let Some(kind) = groups.values().next().map(|known| known.kind) else { return };
        let field = Expr::Field(name.into());
        if kinds.len() > 1 {
            let conflict = kinds.into_iter().collect();
            let stored = StoredColumn { kind: Kind::Unsupported, expr: field, is_list: false, narrow: None, conflict };
            self.0.insert(name.to_owned(), stored);
            return;
        }
        let is_list = lists.contains(name) || name.match_indices('.').any(|(dot, _)| lists.contains(&name[..dot]));
        let is_plain = match kind {
            Kind::Text => raw.iter().all(|name| *name == "string"),
            Kind::Long => raw.iter().all(|name| *name == "integer"),
            Kind::Double => raw.iter().all(|name| matches!(*name, "integer" | "float")),
            Kind::Boolean => raw.iter().all(|name| *name == "boolean"),
            _ => false,
        };
        let as_kind = |value| call(TypedFunction::As(kind.typed()), vec![value]);
        let expr = match (is_list, is_plain) {
            (true, _) => as_kind(each(&name.into(), field)),
            (false, true) => field,
            (false, false) => as_kind(field),
        };
        let narrow = (is_plain && !is_list).then(|| name.into());
        let stored = StoredColumn { kind, expr, is_list, narrow, conflict: Vec::new() };
        self.insert(name, stored);
    }

    /// Adds a column; of a text its `.keyword` too.
    fn insert(&mut self, name: &str, stored: StoredColumn) {
        if stored.kind == Kind::Text {
            self.0.insert(format!("{name}.keyword"), StoredColumn { kind: Kind::Keyword, ..stored.clone() });
        }
        self.0.insert(name.to_owned(), stored);
    }

    /// Adds the columns that all events have.
    fn add_ours(&mut self, fields: &BTreeMap<String, BTreeMap<String, IndexField>>) {
        let field = |name: &str| Expr::Field(name.into());
        let stored = |kind, expr| StoredColumn { kind, expr, is_list: false, narrow: None, conflict: Vec::new() };
        let has = |name: &str| fields.contains_key(name);
        let time = Expr::Call(Function::DateFloor, vec![field("@timestamp"), Expr::Duration(MILLISECOND)]);
        self.insert("@timestamp", StoredColumn { narrow: Some("@timestamp".into()), ..stored(Kind::Date, time) });
        // A record is no message of its own, as in the sources of hits.
        let is_record = call(TypedFunction::IsRecord, vec![field("@message")]);
        let is_text = not(compare(Comparison::Equal, is_record, literal(types::Value::Boolean(true))));
        let is_message = if has("message") { either(is_present(field("message")), is_text) } else { is_text };
        let message = Expr::Call(Function::If, vec![is_message, field("@message")]);
        self.insert("message", StoredColumn { narrow: Some("@message".into()), ..stored(Kind::Text, message) });
        let text = |expr| call(TypedFunction::As(Kind::Keyword.typed()), vec![expr]);
        let mut level = text(field("@level"));
        if has("log.level") {
            level = Expr::Call(Function::If, vec![not(is_present(field("log.level"))), level]);
        }
        if has("level") {
            level = Expr::Call(Function::Coalesce, vec![text(field("level")), level]);
        }
        self.0.remove("level.keyword");
        self.insert("level", stored(Kind::Keyword, level));
        let is_named = compare(Comparison::NotEqual, field("@logStream"), literal(types::Value::text("")));
        let stream =
            Expr::Call(Function::If, vec![both(is_present(field("@logStream")), is_named), field("@logStream")]);
        self.insert("@logStream", stored(Kind::Keyword, stream));
    }

    /// Returns a field about the event itself; `None` where there is none of this name.
    pub(super) fn metadata(name: &str) -> Option<StoredColumn> {
        let field = |name: &str| Expr::Field(name.into());
        let (kind, expr) = match name {
            "_index" => (Kind::Keyword, field("@log")),
            "_id" => {
                let text = call(TypedFunction::As(Kind::Keyword.typed()), vec![field("_id")]);
                (Kind::Keyword, Expr::Call(Function::Coalesce, vec![text, field("@id")]))
            }
            "_version" => (Kind::Long, literal(types::Value::Integer(1))),
            _ => return None,
        };
        Some(StoredColumn { kind, expr, is_list: false, narrow: None, conflict: Vec::new() })
    }
}

/// Elasticsearch keeps milliseconds.
pub(super) const MILLISECOND: Length = Length::Nanoseconds(1_000_000);

/// Returns fields that hold lists, those of objects too.
fn lists_of(runs: &[Arc<dyn Run>]) -> BTreeSet<String> {
    let fields = runs.iter().filter_map(|run| run.fields().ok()).flatten();
    fields.filter(|field| field.types.names().contains(&"list")).map(|field| field.name.to_string()).collect()
}
