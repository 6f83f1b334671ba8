//! A query as its callers see it.

use plan::Result;

use crate::check::check;
use crate::field::Field;
use crate::literal::Literal;
use crate::read::{read, read_field};
use crate::syntax::{MetricFunction, Query};

/// Reads and checks a query. Its `Display` is the canonical form, which means the same.
///
/// # Errors
/// The first mistake: what is wrong, where, and what would be right.
pub fn parse(text: &str) -> Result<Query> {
    let query = read(text)?;
    check(&query)?;
    Ok(query)
}

impl Field {
    /// Reads a field as a query writes it: `resource.service.name`, `span:name`, `.x`.
    ///
    /// # Errors
    /// Texts that are no field, with what was probably meant.
    pub fn parse(text: &str) -> Result<Self> {
        read_field(text)
    }
}

impl Query {
    /// Reports whether the query asks for series over time, not for traces.
    pub fn is_metrics(&self) -> bool {
        self.metric.is_some() || self.arithmetic.is_some()
    }

    /// Returns the fields that an answer shows of each span: those of the query's conditions and of `select`, each once.
    pub fn fields(&self) -> Vec<&Field> {
        let mut fields: Vec<&Field> = Vec::new();
        let mut add = |field| {
            if !fields.contains(&field) {
                fields.push(field);
            }
        };
        self.pipeline.visit_fields(&mut add);
        if let Some(metric) = &self.metric {
            metric.by.iter().for_each(&mut add);
            if let MetricFunction::Compare { selection, .. } = &metric.function {
                selection.visit_fields(&mut add);
            }
        }
        if let Some(arithmetic) = &self.arithmetic {
            arithmetic.visit_queries(&mut |query| query.fields().into_iter().for_each(&mut add));
        }
        fields
    }

    /// Returns the value of a hint after `with`; if it is repeated, the last value.
    pub fn hint(&self, name: &str) -> Option<&Literal> {
        self.hints.iter().rev().find(|hint| hint.name == name).map(|hint| &hint.value)
    }
}
