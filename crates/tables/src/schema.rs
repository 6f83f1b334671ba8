//! The columns of a table: what events always have, and the fields that they turned out to have.
//!
//! A field becomes a column when the first event with it is published. A column has one type: values of another type have a
//! column of their own, whose name ends with the type. Once there are [`FIELDS_MAX`] columns of fields, further fields are in
//! the map `_attributes`. Columns are never removed or changed, so that every file of the table stays readable.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use parquet::basic::{ConvertedType, LogicalType, Repetition, TimeUnit, Type as PhysicalType};
use parquet::schema::types::{Type, TypePtr};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use types::{FieldSummary, TypeSet};

/// Most columns of fields that a table has.
pub(crate) const FIELDS_MAX: usize = 300;

/// Id of the column with the time of an event, by which tables are partitioned and sorted.
pub(crate) const TIME_ID: i32 = 1;

/// Ids of the map for further fields, of its keys, and of its values.
pub(crate) const ATTRIBUTES_IDS: [i32; 3] = [9, 10, 11];

/// The first id of a column of a field; those before are taken, or left for what all events may have one day.
const FIRST_FIELD_ID: i32 = 100;

types::named! {
    /// What a column contains.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
    #[serde(rename_all = "lowercase")]
    pub(crate) enum Kind {
        /// Decimal numbers, and whole ones that are exact among them.
        Double = "double",
        /// Whole numbers.
        Long = "long",
        /// Texts.
        String = "string",
        /// `true` or `false`.
        Boolean = "boolean",
        /// Instants, in microseconds.
        Timestamp = "timestamp",
        /// Lists and objects, as JSON.
        Json = "json",
        /// Nanoseconds below the microsecond of the time.
        Int = "int",
    }
}

impl Kind {
    /// Kinds of fields, in the order in which the first gets the plain name where several come at once.
    const OF_FIELDS: [Self; 6] = [Self::Double, Self::Long, Self::String, Self::Boolean, Self::Timestamp, Self::Json];

    /// Its type in Iceberg.
    fn iceberg_name(self) -> &'static str {
        match self {
            Self::String | Self::Json => "string",
            Self::Timestamp => "timestamptz",
            kind => kind.name(),
        }
    }

    pub(crate) fn physical(self) -> PhysicalType {
        match self {
            Self::Double => PhysicalType::DOUBLE,
            Self::Long | Self::Timestamp => PhysicalType::INT64,
            Self::String | Self::Json => PhysicalType::BYTE_ARRAY,
            Self::Boolean => PhysicalType::BOOLEAN,
            Self::Int => PhysicalType::INT32,
        }
    }

    /// Reports whether values of these types of a field need a column of this kind, unless whole numbers are among decimal ones.
    fn is_needed_for(self, types: TypeSet) -> bool {
        let names = types.names();
        let has = |wanted: &[&str]| names.iter().any(|name| wanted.contains(name));
        match self {
            Self::Double => has(&["float"]),
            Self::Long | Self::Int => has(&["integer"]),
            Self::String => has(&["string"]),
            Self::Boolean => has(&["boolean"]),
            Self::Timestamp => has(&["timestamp"]),
            Self::Json => has(&["list", "object"]),
        }
    }

    /// Reports whether a column of this kind may have values of a field with these types.
    fn is_among(self, types: TypeSet) -> bool {
        self.is_needed_for(types) || self == Self::Double && Self::Long.is_needed_for(types)
    }
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct TableColumn {
    /// The id by which files know it.
    pub(crate) id: i32,
    /// The name for queries.
    pub(crate) name: String,
    /// The field of events whose values it has.
    pub(crate) field: Arc<str>,
    /// What it contains.
    pub(crate) kind: Kind,
}

impl TableColumn {
    /// Reports whether it is one of those that every table has.
    pub(crate) fn is_of_event(&self) -> bool {
        self.id < FIRST_FIELD_ID
    }
}

/// Columns that all tables have: id, name, field, kind.
const OF_EVENTS: [(i32, &str, &str, Kind); 8] = [
    (TIME_ID, "_timestamp", "@timestamp", Kind::Timestamp),
    (2, "_nanos", "@timestamp", Kind::Int),
    (3, "_level", "@level", Kind::String),
    (4, "_message", "@message", Kind::String),
    (5, "_log", "@log", Kind::String),
    (6, "_log_stream", "@logStream", Kind::String),
    (7, "_ingestion_time", "@ingestionTime", Kind::Timestamp),
    (8, "_sequence", "@id", Kind::Long),
];

/// The columns of a table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct TableSchema {
    /// All columns but the map.
    pub(crate) columns: Vec<TableColumn>,
}

impl Default for TableSchema {
    fn default() -> Self {
        let column = |(id, name, field, kind): (i32, &str, &str, Kind)| TableColumn {
            id,
            name: name.to_owned(),
            field: field.into(),
            kind,
        };
        Self { columns: OF_EVENTS.map(column).into() }
    }
}

impl TableSchema {
    /// Adds columns for what fields of events are not in it yet, those that most events have first. Tells whether there were any.
    pub(crate) fn add(&mut self, fields: &[FieldSummary]) -> bool {
        let mut fields: Vec<&FieldSummary> = fields.iter().collect();
        fields.sort_by(|a, b| b.n_events.cmp(&a.n_events).then_with(|| a.name.cmp(&b.name)));
        let before = self.columns.len();
        for field in fields {
            for kind in Kind::OF_FIELDS.into_iter().filter(|kind| kind.is_needed_for(field.types)) {
                let has_room = self.columns.len() - OF_EVENTS.len() < FIELDS_MAX;
                if has_room && !self.has_column_for(&field.name, kind) {
                    self.add_column(&field.name, kind);
                }
            }
        }
        self.columns.len() > before
    }

    /// Adds a column for values of a field.
    pub(crate) fn add_column(&mut self, field: &Arc<str>, kind: Kind) {
        let is_first = self.of_field(field).next().is_none();
        let plain = plain_name(field);
        let wanted = if is_first { plain } else { format!("{plain}_{}", kind.name()) };
        // Engines do not tell capital letters from small ones.
        let taken: HashSet<String> = self.columns.iter().map(|column| column.name.to_ascii_lowercase()).collect();
        let is_free =
            |name: &String| !taken.contains(&name.to_ascii_lowercase()) && !name.eq_ignore_ascii_case("_attributes");
        let others = (2..).map(|n: u32| format!("{wanted}_{n}"));
        let name = std::iter::once(wanted.clone()).chain(others).find(is_free).unwrap_or_default();
        let id = self.columns.iter().map(|column| column.id + 1).max().unwrap_or(0).max(FIRST_FIELD_ID);
        self.columns.push(TableColumn { id, name, field: field.clone(), kind });
    }

    /// Returns the columns of a field, the one with the plain name first.
    fn of_field<'a>(&'a self, field: &'a str) -> impl Iterator<Item = &'a TableColumn> {
        self.columns[OF_EVENTS.len()..].iter().filter(move |column| &*column.field == field)
    }

    /// Reports whether values of this kind have a column. Whole numbers may be among decimal ones.
    fn has_column_for(&self, field: &str, kind: Kind) -> bool {
        self.of_field(field).any(|column| column.kind == kind || (column.kind, kind) == (Kind::Double, Kind::Long))
    }

    /// Returns the columns of which a run with these fields has values, and all those of events.
    pub(crate) fn columns_of(&self, fields: &[FieldSummary]) -> Vec<&TableColumn> {
        let types: BTreeMap<&str, TypeSet> = fields.iter().map(|field| (&*field.name, field.types)).collect();
        let has_values =
            |column: &&TableColumn| types.get(&*column.field).is_some_and(|types| column.kind.is_among(*types));
        self.columns.iter().filter(|column| column.is_of_event() || has_values(column)).collect()
    }

    /// Returns the kinds that a field has columns of, in the order in which they came.
    pub(crate) fn kinds_of(&self, field: &str) -> Vec<Kind> {
        self.of_field(field).map(|column| column.kind).collect()
    }

    /// The largest id in use.
    pub(crate) fn last_id(&self) -> i32 {
        self.columns.iter().map(|column| column.id).max().unwrap_or(0).max(ATTRIBUTES_IDS[2])
    }

    /// Describes the columns as Iceberg's specification wants it ("Schemas and Data Types").
    pub(crate) fn to_json(&self, schema_id: u64) -> Value {
        let field = |column: &TableColumn| {
            let required = column.id == TIME_ID;
            json!({"id": column.id, "name": column.name, "required": required, "type": column.kind.iceberg_name(), "doc": doc(column)})
        };
        let mut fields: Vec<Value> = self.columns.iter().map(field).collect();
        let [id, key, value] = ATTRIBUTES_IDS;
        fields.push(json!({
            "id": id, "name": "_attributes", "required": false, "doc": "fields without a column; values as texts or JSON",
            "type": {"type": "map", "key-id": key, "key": "string", "value-id": value, "value": "string",
                "value-required": true},
        }));
        json!({"type": "struct", "schema-id": schema_id, "fields": fields})
    }

    /// Returns the columns as the schema of a Parquet file that has only these, with the map if it has one.
    pub(crate) fn of_file(columns: &[&TableColumn], has_attributes: bool) -> parquet::errors::Result<TypePtr> {
        let leaf = |name: &str, (id, kind): (i32, Kind), repetition: Repetition| {
            let logical = match kind {
                Kind::String | Kind::Json => Some(LogicalType::String),
                Kind::Timestamp => Some(LogicalType::timestamp(true, TimeUnit::MICROS)),
                _ => None,
            };
            let builder = Type::primitive_type_builder(name, kind.physical()).with_repetition(repetition);
            builder.with_logical_type(logical).with_id(Some(id)).build().map(Arc::new)
        };
        let repetition = |id| if id == TIME_ID { Repetition::REQUIRED } else { Repetition::OPTIONAL };
        let of_columns =
            columns.iter().map(|column| leaf(&column.name, (column.id, column.kind), repetition(column.id)));
        let mut fields = of_columns.collect::<parquet::errors::Result<Vec<TypePtr>>>()?;
        if has_attributes {
            let [id, key, value] = ATTRIBUTES_IDS;
            let entry = [("key", key), ("value", value)];
            let entry = entry.map(|(name, id)| leaf(name, (id, Kind::String), Repetition::REQUIRED));
            let [key, value] = entry;
            let entries = Type::group_type_builder("key_value").with_repetition(Repetition::REPEATED);
            let entries = entries.with_fields(vec![key?, value?]).build()?;
            let map = Type::group_type_builder("_attributes").with_repetition(Repetition::OPTIONAL);
            let map = map.with_logical_type(Some(LogicalType::Map)).with_converted_type(ConvertedType::MAP);
            fields.push(Arc::new(map.with_id(Some(id)).with_fields(vec![Arc::new(entries)]).build()?));
        }
        Ok(Arc::new(Type::group_type_builder("event").with_fields(fields).build()?))
    }
}

/// What is said of a column in the table.
fn doc(column: &TableColumn) -> String {
    match (column.kind, &*column.field) {
        (Kind::Int, _) => "nanoseconds of the event's time below its microsecond".to_owned(),
        (_, "@id") => "the order of acceptance; with the time it tells events of a group apart".to_owned(),
        (Kind::Json, field) => format!("{field}, as JSON"),
        (_, field) => field.to_owned(),
    }
}

/// Returns the name of a field as engines take it without quotes.
fn plain_name(field: &str) -> String {
    let name: String = field.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) { format!("f_{name}") } else { name }
}

/// Which fields of a run have no column for some of their types, so that these values are in the map.
pub(crate) fn fields_beyond<'a>(schema: &TableSchema, fields: &'a [FieldSummary]) -> BTreeMap<&'a str, Vec<Kind>> {
    let without = |field: &'a FieldSummary| {
        let kinds = Kind::OF_FIELDS.into_iter().filter(|kind| kind.is_needed_for(field.types));
        let kinds: Vec<Kind> = kinds.filter(|kind| !schema.has_column_for(&field.name, *kind)).collect();
        (!kinds.is_empty()).then_some((&*field.name, kinds))
    };
    fields.iter().filter_map(without).collect()
}

#[cfg(test)]
mod tests;
