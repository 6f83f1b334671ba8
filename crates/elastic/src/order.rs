//! Orders of hits and cursors in them: `sort` and `search_after`.
//!
//! An order is always total: events with equal keys are ordered by `@id`. The sort value of `_doc` is the id of the event,
//! so that a client that returns the values continues exactly after that event, although times are in milliseconds.

use serde_json::{Value as Json, json};
use types::{EventId, TimeRange, Timestamp, Value, ensure};

use super::json_of_value;
use super::operands::one_or_many;
use execute::{Side, beyond};
use language::dsl::{Selection, both, field_of, never, not, value_of_json};
use language::mapping::{Kind, Schema};
use language::search_error::{Result, SearchError};
use plan::address::{address_key, address_of_key};
use plan::each::each_of;
use plan::{Comparison, Expr, Function, Name, Operator, SortKey, format_time, within};

/// Limit on the keys of an order.
const KEYS_MAX: usize = 16;

/// The kind of a sort key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SortKind {
    /// `@timestamp`.
    Time,
    /// The position of an event among all: `_doc`, `_shard_doc`.
    Place,
    /// A field.
    Field(Name),
}

/// One key of an order.
#[derive(Clone, Debug)]
struct Key {
    kind: SortKind,
    descending: bool,
    format: Option<String>,
    /// The expression and the form of a field's values.
    by: Option<By>,
}

/// The expression that a field is ordered by, and the form of its values.
#[derive(Clone, Debug)]
struct By {
    expr: Expr,
    form: SortForm,
}

/// The form of sort values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SortForm {
    /// Unchanged.
    Plain,
    /// Dates in milliseconds, others unchanged.
    Date,
    /// Addresses.
    Address,
}

/// An order of hits.
#[derive(Clone, Debug, Default)]
pub struct Order {
    keys: Vec<Key>,
}

/// A position in an order, after which hits are requested.
#[derive(Clone, Debug)]
pub struct Cursor {
    values: Vec<Json>,
    /// The event at the position, if the values identify it.
    id: Option<EventId>,
}

/// Reads `sort`.
pub fn parse_sort(json: Option<&Json>, schema: &Schema) -> Result<Order> {
    let written = one_or_many(json);
    ensure!(written.len() <= KEYS_MAX, SearchError::parsing("sort", format!("has more than {KEYS_MAX} keys")));
    let mut keys = Vec::new();
    for (index, key) in written.into_iter().enumerate() {
        let at = format!("sort[{index}]");
        match key {
            Json::String(text) => {
                let (name, order) =
                    text.split_once(':').map_or((text.as_str(), None), |(name, order)| (name, Some(order)));
                keys.extend(self::key(name, order, &Json::Null, schema, &at)?);
            }
            Json::Object(members) => {
                for (name, options) in members {
                    let order = options.as_str().or_else(|| options.get("order").and_then(Json::as_str));
                    keys.extend(self::key(name, order, options, schema, &at)?);
                }
            }
            _ => return Err(SearchError::parsing(&at, "is not a field")),
        }
    }
    Ok(Order { keys })
}

fn key(name: &str, order: Option<&str>, options: &Json, schema: &Schema, at: &str) -> Result<Option<Key>> {
    let kind = match name {
        // All hits have the same relevance.
        "_score" => return Ok(None),
        "_doc" | "_shard_doc" | "_id" => SortKind::Place,
        "_script" | "_geo_distance" => return Err(SearchError::parsing(at, format!("[{name}] is not supported"))),
        "@timestamp" => SortKind::Time,
        name => SortKind::Field(field_of(&schema.name(name)?)),
    };
    let descending = match order.map(str::to_ascii_lowercase).as_deref() {
        None | Some("asc") => false,
        Some("desc") => true,
        Some(other) => return Err(SearchError::parsing(at, format!("[{other}] is not an order; use asc or desc"))),
    };
    let format = options.get("format").and_then(Json::as_str).map(str::to_owned);
    check_options(options, &kind, at)?;
    let by = match &kind {
        SortKind::Field(_) => Some(by(name, descending, options, schema, at)?),
        SortKind::Time | SortKind::Place => None,
    };
    Ok(Some(Key { kind, descending, format, by }))
}

/// Refuses options of a key that would change the order.
fn check_options(options: &Json, kind: &SortKind, at: &str) -> Result<()> {
    for (name, value) in options.as_object().into_iter().flatten() {
        let is_supported = match name.as_str() {
            "order" | "format" | "unmapped_type" | "ignore_unmapped" => true,
            "missing" => *value == "_last" || (*value != "_first" && matches!(kind, SortKind::Field(_))),
            "mode" => matches!(value.as_str(), Some("min" | "max")),
            "numeric_type" | "nested" | "nested_path" | "nested_filter" => value.is_null(),
            other => return Err(SearchError::parsing(at, format!("[field_sort] unknown field [{other}]"))),
        };
        ensure!(is_supported, SearchError::parsing(at, format!("[{name}] with [{value}] is not supported")));
    }
    Ok(())
}

/// Reads the sort key of a field: the least of several values, or the greatest in a descending order.
fn by(written: &str, descending: bool, options: &Json, schema: &Schema, at: &str) -> Result<By> {
    let (expr, kind) = (schema.order(written)?, schema.kind(written)?);
    let field = matches!(&expr, Expr::Field(name) if !name.starts_with('@'));
    let form = match kind {
        Some(Kind::Ip) => SortForm::Address,
        Some(Kind::Date { .. }) => SortForm::Date,
        None if field && !written.ends_with(".keyword") => SortForm::Date,
        _ => SortForm::Plain,
    };
    let expr = match (form, kind) {
        (SortForm::Date, None) => Expr::Call(Function::DateMillis, vec![expr]),
        _ => expr,
    };
    let takes_greatest = options.get("mode").and_then(Json::as_str).map_or(descending, |mode| mode == "max");
    let extreme = if takes_greatest { Function::GreatestOfList } else { Function::LeastOfList };
    let mut by = By { expr: Expr::Call(extreme, vec![each_of(expr)]), form };
    if let Some(missing) = options.get("missing").filter(|missing| *missing != "_last") {
        let message = || SearchError::parsing(at, format!("missing [{missing}] is not a value"));
        let literal = Expr::Literal(Some(by.literal(missing).ok_or_else(message)?));
        by.expr = Expr::Call(Function::Coalesce, vec![by.expr, literal]);
    }
    Ok(by)
}

impl By {
    /// Converts a value from a client to the form of this key.
    fn literal(&self, json: &Json) -> Option<Value> {
        match (self.form, json) {
            (SortForm::Address, Json::String(text)) => {
                Some(text.parse().map_or_else(|_| Value::text(text.as_str()), |it| Value::text(address_key(it))))
            }
            (SortForm::Date, Json::String(text)) => Some(match plan::date_math::date_value(text) {
                Some(instant) => Value::Integer(instant.div_euclid(1_000_000)),
                None => Value::text(text.as_str()),
            }),
            (_, json) => value_of_json(json),
        }
    }
}

impl Order {
    /// Reports whether the request names no order.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Reports whether this field is the only key.
    pub fn is_of_field(&self, field: &Name) -> bool {
        matches!(self.keys.as_slice(), [key] if key.kind == SortKind::Field(field.clone()))
    }

    /// Reports whether the position of an event is a key.
    fn has_place(&self) -> bool {
        self.keys.iter().any(|key| key.kind == SortKind::Place)
    }

    /// Adds the position of events as the last key.
    pub fn add_place(&mut self) {
        if !self.has_place() {
            let descending = self.keys.first().is_none_or(|key| key.descending);
            self.keys.push(Key { kind: SortKind::Place, descending, format: None, by: None });
        }
    }

    /// Reports whether the order is the default: newest first, equal times by id.
    fn is_natural(&self) -> bool {
        match self.keys.as_slice() {
            [] => true,
            [key] => key.descending && matches!(key.kind, SortKind::Place | SortKind::Time),
            [time, place] => {
                time.kind == SortKind::Time && place.kind == SortKind::Place && time.descending && place.descending
            }
            _ => false,
        }
    }

    /// Reports whether hits are oldest first, equal times by id.
    fn is_of_time(&self) -> bool {
        match self.keys.as_slice() {
            [key] => !key.descending && matches!(key.kind, SortKind::Place | SortKind::Time),
            [time, place] => {
                time.kind == SortKind::Time && place.kind == SortKind::Place && !time.descending && !place.descending
            }
            _ => false,
        }
    }

    /// Reads `search_after`.
    pub fn cursor(&self, json: &Json) -> Result<Cursor> {
        let Json::Array(values) = json else { return Err(SearchError::parsing("search_after", "is not a list")) };
        if self.keys.is_empty() || values.len() != self.keys.len() {
            let message = format!("has {} values, and sort has {} keys", values.len(), self.keys.len());
            return Err(SearchError::parsing("search_after", message));
        }
        let place = self.keys.iter().position(|key| key.kind == SortKind::Place);
        let id = match place {
            Some(place) => {
                let text = values[place].as_str().and_then(EventId::decode);
                let message = "the value of _doc must be that of the hit before the page";
                Some(text.ok_or_else(|| SearchError::parsing("search_after", message))?)
            }
            None => None,
        };
        Ok(Cursor { values: values.clone(), id })
    }

    /// Returns the cursor after a hit, given its sort values and id.
    pub fn behind(&self, values: Vec<Json>, id: &str) -> Option<Cursor> {
        Some(Cursor { values, id: Some(EventId::decode(id)?) })
    }

    /// Returns the operators that select the first `most` events after `cursor` in this order, and of events with the same
    /// value of `collapse` the first.
    pub fn operators(
        &self,
        selection: &mut Selection,
        cursor: Option<&Cursor>,
        collapse: Option<&Expr>,
        most: u64,
    ) -> Vec<Operator> {
        let mut operators = Vec::new();
        if let Some(cursor) = cursor {
            operators.extend(self.behind_cursor(cursor, &mut selection.range).map(Operator::Filter));
        }
        if !self.is_natural() {
            operators.push(Operator::Sort(self.sort_keys()));
        }
        if let Some(value) = collapse {
            // Events without the field are one group.
            let is_present = Expr::Call(Function::IsPresent, vec![value.clone()]);
            let text = Expr::Call(Function::Coalesce, vec![value.clone(), Expr::Literal(Some(Value::text("")))]);
            operators.push(Operator::Extend { name: "#has".into(), expr: is_present });
            operators.push(Operator::Extend { name: "#value".into(), expr: text });
            operators.push(Operator::Dedup(vec!["#has".into(), "#value".into()]));
        }
        operators.push(Operator::Limit(most));
        operators
    }

    fn sort_keys(&self) -> Vec<SortKey> {
        if self.is_of_time() {
            let key = |name: &str| SortKey { expr: Expr::Field(name.into()), descending: false };
            return vec![key("@timestamp"), key("@id")];
        }
        let mut keys: Vec<SortKey> =
            self.keys.iter().map(|key| SortKey { expr: key.expr(), descending: key.descending }).collect();
        if !self.has_place() {
            let descending = self.keys.first().is_some_and(|key| key.descending);
            keys.push(SortKey { expr: Expr::Field("@id".into()), descending });
        }
        keys
    }

    fn behind_cursor(&self, cursor: &Cursor, range: &mut TimeRange) -> Option<Expr> {
        if self.is_natural() || self.is_of_time() {
            let side = if self.is_natural() { Side::Before } else { Side::After };
            if let Some(id) = cursor.id {
                match side {
                    Side::Before => range.to = range.to.min(Timestamp(id.timestamp.0.saturating_add(1))),
                    Side::After => range.from = range.from.max(id.timestamp),
                }
                return Some(beyond(id, side));
            }
        }
        let mut condition = match (cursor.id, self.has_place()) {
            // Without a key for it, the position orders events with equal keys.
            (Some(id), false) => {
                let descending = self.keys.first().is_some_and(|key| key.descending);
                beyond_place(id, descending)
            }
            _ => never(),
        };
        for (key, value) in self.keys.iter().zip(&cursor.values).rev() {
            let (behind, equal) = key.sides(value, cursor.id);
            condition = both(behind, both(equal, condition, Expr::And), Expr::Or);
        }
        Some(condition)
    }

    /// Returns the columns of the sort values.
    pub fn columns(&self) -> impl Iterator<Item = Expr> + '_ {
        self.keys.iter().map(Key::expr)
    }

    /// Returns the sort values of a hit, given the values of its columns.
    pub fn values(&self, row: &[Option<Value>]) -> Vec<Json> {
        self.keys.iter().zip(row).map(|(key, value)| key.shown(value.as_ref())).collect()
    }
}

fn beyond_place(id: EventId, descending: bool) -> Expr {
    let comparison = if descending { Comparison::Less } else { Comparison::Greater };
    let place = Box::new(Expr::Literal(Some(Value::text(id.encode()))));
    Expr::Compare(comparison, Box::new(Expr::Field("@id".into())), place)
}

impl Key {
    fn expr(&self) -> Expr {
        if let Some(by) = &self.by {
            return by.expr.clone();
        }
        Expr::Field(match &self.kind {
            SortKind::Time => "@timestamp".into(),
            SortKind::Place => "@id".into(),
            SortKind::Field(name) => name.clone(),
        })
    }

    fn shown(&self, value: Option<&Value>) -> Json {
        let form = self.by.as_ref().map_or(SortForm::Plain, |by| by.form);
        match (value, &self.format) {
            (Some(Value::String(key)), _) if form == SortForm::Address => json!(address_of_key(key)),
            (Some(Value::Integer(millis)), Some(format)) if form == SortForm::Date => {
                json!(format_time(Timestamp(millis.saturating_mul(1_000_000)), Some(format)))
            }
            (Some(Value::Timestamp(instant)), Some(format)) => json!(format_time(*instant, Some(format))),
            (value, _) => json_of_value(value),
        }
    }

    /// Returns the conditions of following a value, and of being equal to it.
    fn sides(&self, value: &Json, id: Option<EventId>) -> (Expr, Expr) {
        let comparison = if self.descending { Comparison::Less } else { Comparison::Greater };
        let compare =
            |comparison, value| Expr::Compare(comparison, Box::new(self.expr()), Box::new(Expr::Literal(Some(value))));
        match &self.kind {
            SortKind::Place => match id {
                Some(id) => (beyond_place(id, self.descending), compare(Comparison::Equal, Value::text(id.encode()))),
                None => (never(), never()),
            },
            SortKind::Time => {
                let known = id.map(|id| id.timestamp.0);
                let written = plan::date_math::read(value, None, Timestamp(0), chrono_tz::Tz::UTC);
                let (first, last) = match (known, written) {
                    (Some(known), _) => (known, known),
                    (None, Some(written)) => (written.first, written.last),
                    (None, None) => return (never(), never()),
                };
                let behind = match self.descending {
                    true => compare(Comparison::Less, Value::Timestamp(Timestamp(first))),
                    false => compare(Comparison::Greater, Value::Timestamp(Timestamp(last))),
                };
                (behind, within(Box::new(self.expr()), first, last.saturating_add(1)))
            }
            SortKind::Field(_) => {
                let is_missing = not(Some(Expr::Call(Function::IsPresent, vec![self.expr()])));
                let value = self.by.as_ref().map_or_else(|| value_of_json(value), |by| by.literal(value));
                match value {
                    Some(value) => (
                        both(compare(comparison, value.clone()), is_missing, Expr::Or),
                        compare(Comparison::Equal, value),
                    ),
                    // Missing values come last: only further ones follow.
                    None => (never(), is_missing),
                }
            }
        }
    }
}
