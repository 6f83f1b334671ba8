//! Rows of queries as CloudWatch writes them: a list of names and texts, without missing values.

use plan::{Expr, Operator, Plan};
use types::Value;

use super::time::time_text;

/// The column that identifies the event of a row.
pub(super) const POINTER: &str = "@ptr";

/// Adds the pointer of each event to the columns of a plan.
pub(super) fn with_pointers(plan: &mut Plan) {
    plan.edit(|operators| {
        if let Some(Operator::Project { columns, is_events: true }) = operators.last_mut()
            && !columns.iter().any(|(name, _)| &**name == POINTER)
        {
            columns.push((POINTER.into(), Expr::Field("@id".into())));
        }
    });
}

/// Returns names of the columns that a plan shows.
pub(super) fn names_of(plan: &Plan) -> Vec<String> {
    match plan.operators().last() {
        Some(Operator::Project { columns, .. }) => columns.iter().map(|(name, _)| name.to_string()).collect(),
        _ => Vec::new(),
    }
}

/// Returns a row as JSON.
pub(super) fn row_json(names: &[String], row: &[Option<Value>]) -> String {
    let mut out = String::from("[");
    for (name, value) in names.iter().zip(row) {
        let Some(value) = value else { continue };
        out.push_str(if out.len() > 1 { ",{\"field\":" } else { "{\"field\":" });
        Value::text(name.as_str()).write_json(&mut out);
        out.push_str(",\"value\":");
        Value::text(text_of(value)).write_json(&mut out);
        out.push('}');
    }
    out.push(']');
    out
}

/// Returns a value as a text: times to the millisecond, whole numbers without a fraction.
pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::Timestamp(time) => time_text(*time),
        Value::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number:.0}"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
