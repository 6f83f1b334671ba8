//! Labels and samples as values of templates.

use std::sync::Arc;

use gotemplate::{List, MapType, Value};

use crate::labels::Labels;

/// A sample of an answer to `query`: its labels, the name of the metric among them, and its value.
pub(crate) type QuerySample = (Labels, f64);

/// Go's names of the types of an answer and of its samples.
pub(super) const RESULT: &str = "template.QueryResult";
pub(super) const SAMPLE: &str = "*template.sample";

/// Returns samples as a value.
pub(super) fn samples(samples: Vec<QuerySample>) -> Value {
    let sample = |(labels, value): QuerySample| {
        let members = [("Labels".to_owned(), texts(&labels)), ("Value".to_owned(), Value::Float(value))];
        Value::map(MapType::Struct(SAMPLE), members.into())
    };
    Value::List(Arc::new(List { type_name: RESULT, items: samples.into_iter().map(sample).collect() }))
}

/// Returns labels as a value.
pub(super) fn texts(labels: &Labels) -> Value {
    Value::map(MapType::Texts, labels.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect())
}
