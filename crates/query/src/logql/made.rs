//! Labels that stages of a query make: those that it names, those that lines name, and what could not be read.

use std::collections::BTreeMap;

use types::Value;

use super::LogQuery;
use super::label::{STREAM_FIELDS, STREAM_LABELS};
use super::shown::{Parsed, Shown};
use crate::plan::{Name, Operator};

/// The column and the label that say what could not be read.
const ERROR_COLUMN: &str = "#error";
const ERROR: &str = "__error__";

/// Columns of such labels: first one for each label that the query names, then the objects of those that lines name,
/// then the error.
#[derive(Clone, Debug)]
pub struct Made {
    names: Vec<Name>,
    objects: Vec<Parsed>,
    has_error: bool,
}

impl Made {
    /// What is made and left beside the labels of streams.
    pub fn of(shown: &Shown) -> Self {
        let is_new = |name: &&Name| !STREAM_FIELDS.contains(&&***name) && !STREAM_LABELS.contains(&&***name);
        Self {
            names: shown.parsed.iter().filter(is_new).cloned().collect(),
            objects: shown.objects.clone(),
            has_error: shown.error().is_some(),
        }
    }

    /// How many columns there are.
    pub fn n_columns(&self) -> usize {
        self.names.len() + self.objects.len() + usize::from(self.has_error)
    }

    /// The columns.
    pub fn columns(&self) -> impl Iterator<Item = Name> {
        let objects = self.objects.iter().map(|object| object.name.clone());
        let error = self.has_error.then(|| Name::from(ERROR_COLUMN));
        self.names.iter().cloned().chain(objects).chain(error)
    }

    /// The operators of a query with those that make these columns.
    pub fn operators(&self, log: &LogQuery) -> Vec<Operator> {
        let mut operators = log.shown.with_objects(&log.operators);
        let error = log.shown.error();
        operators.extend(error.map(|expr| Operator::Extend { name: ERROR_COLUMN.into(), expr }));
        operators
    }

    /// The labels that a row has in these columns. A name that a label of the stream has already is `name_extracted`.
    pub fn labels(&self, columns: &[Option<Value>], of_stream: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut labels = BTreeMap::new();
        let (names, rest) = columns.split_at_checked(self.names.len()).unwrap_or_default();
        for (object, value) in self.objects.iter().zip(rest) {
            for (name, text) in object.labels(value.as_ref()) {
                let name = if of_stream.contains_key(&name) { format!("{name}_extracted") } else { name };
                labels.insert(name, text);
            }
        }
        let named = self.names.iter().zip(names).map(|(name, value)| (&**name, value));
        let error = self.has_error.then(|| Some((ERROR, rest.get(self.objects.len())?))).flatten();
        for (name, value) in named.chain(error) {
            if let Some(text) = value.as_ref().map(Value::to_string).filter(|text| !text.is_empty()) {
                labels.insert(name.to_owned(), text);
            }
        }
        labels
    }
}
