//! The fields of a run by where their values stand in documents: what [`split_document`](crate::template::split_document) asks.

use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use types::{Column, RowSet, Value};

use crate::template::{EventFields, FIELDS_MAX, Kind, Variable};

/// Most places that are told apart; documents whose keys are data have places without end.
const NODES_MAX: usize = 16 << 10;

/// A place that holds no field, and within which there is none.
const NOWHERE: u32 = 0;
const DOCUMENT: u32 = 1;

/// Where the fields of a run stand in its documents.
pub(super) struct FieldPaths {
    /// Names of the run's fields, sorted.
    names: Vec<Arc<str>>,
    nodes: Vec<Node>,
    /// By field, whether a document spells a text of it with escapes.
    is_escaped: Vec<bool>,
}

#[derive(Default)]
struct Node {
    /// The name of the field that has its value.
    path: String,
    /// The number of that field.
    field: Option<u16>,
    members: HashMap<Box<str>, u32, RandomState>,
}

/// The columns of a block by the number of their field.
pub(super) struct FieldColumns<'b>(Vec<Option<&'b Column>>);

impl FieldColumns<'_> {
    /// Returns the fields whose value in a row is spelled as the variable is.
    pub(super) fn alike(&self, row: usize, variable: &Variable<'_>) -> Vec<u16> {
        (0..self.0.len() as u16).filter(|field| self.is_alike(*field, row, variable)).collect()
    }

    /// Reports whether the value of a field in a row is spelled as the variable is.
    pub(super) fn is_alike(&self, field: u16, row: usize, variable: &Variable<'_>) -> bool {
        match self.0.get(usize::from(field)).copied().flatten() {
            None | Some(Column::Timestamps(_) | Column::Missing { .. }) => false,
            Some(Column::Strings { values, present }) => is_there(present, row) && values.get(row) == variable.text,
            Some(Column::Dictionary { codes, values }) => match values.get(codes[row] as usize) {
                Some(Value::String(text)) => **text == *variable.text,
                other => other.is_some_and(|value| value.to_string() == variable.text),
            },
            Some(Column::Integers { values, present }) if variable.kind == Kind::Integer => {
                is_there(present, row) && values[row] == variable.number
            }
            Some(column) => column.value(row).is_some_and(|value| value.to_string() == variable.text),
        }
    }
}

impl FieldPaths {
    /// Takes the names of a run's fields, which are sorted.
    pub(super) fn new(names: &[Arc<str>]) -> Self {
        Self {
            names: names.to_vec(),
            nodes: vec![Node::default(), Node::default()],
            is_escaped: vec![false; names.len()],
        }
    }

    /// Reports whether a document spells a text of field number `field` with escapes.
    pub(super) fn is_escaped(&self, field: usize) -> bool {
        self.is_escaped[field]
    }

    fn number_of(&self, name: &str) -> Option<usize> {
        self.names.binary_search_by(|known| (**known).cmp(name)).ok().filter(|number| *number < FIELDS_MAX)
    }

    /// Finds the columns of a block.
    pub(super) fn columns_of<'b>(&self, fields: &'b [(Arc<str>, Column)]) -> FieldColumns<'b> {
        let mut columns = vec![None; self.names.len()];
        for (name, column) in fields {
            if let Some(number) = self.number_of(name) {
                columns[number] = Some(column);
            }
        }
        FieldColumns(columns)
    }

    /// Returns the fields of the event in row `row` of a block.
    pub(super) fn of_event<'a>(&'a mut self, columns: &'a FieldColumns<'_>, row: usize) -> FieldsOfEvent<'a> {
        FieldsOfEvent { paths: self, columns: &columns.0, row, spelled: String::new() }
    }
}

/// The fields of one event.
pub(super) struct FieldsOfEvent<'a> {
    paths: &'a mut FieldPaths,
    columns: &'a [Option<&'a Column>],
    row: usize,
    spelled: String,
}

impl FieldsOfEvent<'_> {
    fn column(&self, node: u32) -> Option<(u16, &Column)> {
        let field = self.paths.nodes[node as usize].field?;
        Some((field, self.columns[usize::from(field)]?))
    }
}

impl EventFields for FieldsOfEvent<'_> {
    fn document(&self) -> u32 {
        DOCUMENT
    }

    fn member(&mut self, node: u32, key: &str) -> u32 {
        let parent = &self.paths.nodes[node as usize];
        if let Some(known) = parent.members.get(key) {
            return *known;
        }
        if node == NOWHERE || self.paths.nodes.len() >= NODES_MAX {
            return NOWHERE;
        }
        let path = if node == DOCUMENT { key.to_owned() } else { format!("{}.{key}", parent.path) };
        let field = self.paths.number_of(&path).map(|number| number as u16);
        let number = self.paths.nodes.len() as u32;
        self.paths.nodes.push(Node { path, field, ..Node::default() });
        self.paths.nodes[node as usize].members.insert(key.into(), number);
        number
    }

    fn of_text(&self, node: u32, text: &str) -> Option<u16> {
        let (field, column) = self.column(node)?;
        let is_same = match column {
            Column::Strings { values, present } => is_there(present, self.row) && values.get(self.row) == text,
            Column::Dictionary { codes, values } => is_text(values.get(codes[self.row] as usize), text),
            Column::Mixed(values) => is_text(values[self.row].as_ref(), text),
            _ => false,
        };
        is_same.then_some(field)
    }

    fn of_json(&mut self, node: u32, json: &str) -> Option<u16> {
        let (field, column) = self.column(node)?;
        let value = match column {
            Column::Timestamps(_) => None,
            column => column.value(self.row),
        };
        self.spelled.clear();
        value?.write_json(&mut self.spelled);
        let is_same = self.spelled == json;
        self.paths.is_escaped[usize::from(field)] |= is_same && json.starts_with('"');
        is_same.then_some(field)
    }
}

fn is_there(present: &Option<RowSet>, row: usize) -> bool {
    present.as_ref().is_none_or(|present| present.contains(row))
}

fn is_text(value: Option<&Value>, text: &str) -> bool {
    matches!(value, Some(Value::String(known)) if **known == *text)
}
