//! Values of templates, and how Go prints them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::data::QuerySample;
use crate::number::general;
use crate::{Labels, time};

/// A value.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    /// Labels: a name that is not there has the empty text.
    Labels(Arc<Labels>),
    /// What `args` returns.
    Arguments(Arc<BTreeMap<String, Value>>),
    /// What `query` returns.
    Samples(Arc<Vec<QuerySample>>),
    /// One of them.
    Sample(Arc<QuerySample>),
    /// Seconds since the epoch.
    Time(f64),
    /// The dot at the start.
    Root,
}

impl Value {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Returns Go's name of the type.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::Labels(_) => "map[string]string",
            Self::Arguments(_) => "map[string]interface {}",
            Self::Samples(_) => "template.QueryResult",
            Self::Sample(_) => "*template.sample",
            Self::Time(_) => "*time.Time",
            Self::Root => "struct",
        }
    }

    /// Reports whether the value is true for `if`: not zero, not empty.
    pub(crate) fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::Labels(labels) => !labels.is_empty(),
            Self::Arguments(arguments) => !arguments.is_empty(),
            Self::Samples(samples) => !samples.is_empty(),
            Self::Sample(_) | Self::Time(_) | Self::Root => true,
        }
    }

    /// Returns the value as `{{ }}` prints it.
    pub(crate) fn printed(&self) -> String {
        match self {
            Self::Nil => "<no value>".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Float(value) => general(*value, None),
            Self::Text(text) => text.clone(),
            Self::Labels(labels) => map(labels.iter().map(|(name, value)| format!("{name}:{value}"))),
            Self::Arguments(all) => map(all.iter().map(|(name, value)| format!("{name}:{}", value.printed()))),
            Self::Samples(samples) => {
                let samples: Vec<String> = samples.iter().map(sample).collect();
                format!("[{}]", samples.join(" "))
            }
            Self::Sample(one) => sample(one),
            Self::Time(seconds) => time::text(*seconds),
            Self::Root => "{}".to_owned(),
        }
    }
}

fn map(pairs: impl Iterator<Item = String>) -> String {
    format!("map[{}]", pairs.collect::<Vec<_>>().join(" "))
}

fn sample(sample: &QuerySample) -> String {
    let labels = map(sample.labels.iter().map(|(name, value)| format!("{name}:{value}")));
    format!("&{{{labels} {}}}", general(sample.value, None))
}
