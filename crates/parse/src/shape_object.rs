//! Lines of formats whose fields have names of their own, as objects: access logs, syslog, VPC flow logs, logfmt.
//!
//! Queries read lines with it, and find under the same names what recognition gives.

use std::sync::Arc;

use types::Value;

use crate::shape::{PartValue, Parts, Shape};

/// Members of the object that a text becomes.
type Members = Vec<(Arc<str>, Option<Value>)>;

/// Returns the object that a line of a format is; `None` where it is of another form.
pub fn shape_object(shape: Shape, line: &str) -> Option<Value> {
    let mut parts = Parts::default();
    if !shape.read(line, &mut parts) {
        return None;
    }
    let mut members = Members::with_capacity(parts.len());
    // Members of one object stand one after the other.
    let mut inner: Option<(&str, Members)> = None;
    parts.each(line, |name, below, value| {
        if inner.as_ref().is_some_and(|(open, _)| below.is_none() || *open != name) {
            close(&mut inner, &mut members);
        }
        match below {
            Some(below) => {
                let (_, inside) = inner.get_or_insert_with(|| (name, Members::new()));
                inside.push((below.into(), Some(value_of(value))));
            }
            None => members.push((name.into(), Some(value_of(value)))),
        }
    });
    close(&mut inner, &mut members);
    Some(Value::Object(members.into()))
}

fn close(inner: &mut Option<(&str, Members)>, members: &mut Members) {
    if let Some((name, inside)) = inner.take() {
        members.push((name.into(), Some(Value::Object(inside.into()))));
    }
}

fn value_of(value: PartValue<'_>) -> Value {
    match value {
        PartValue::Text(text) => Value::text(&*text),
        PartValue::Integer(number) => Value::Integer(number),
        PartValue::Float(number) => Value::Float(number),
        PartValue::Empty => Value::Object(Members::new().into()),
    }
}

#[cfg(test)]
mod tests;
