//! `@any`: the message and every text or number of an event in turn, elements of lists too.

use std::sync::Arc;

use plan::{Comparison, Expr, Name};
use types::{Column, RowSet, Value};

use crate::columns::frame::Frame;
use crate::columns::stop::Result;
use crate::expressions::environment::Environment;
use crate::expressions::probe::Probe;

/// Reports whether a condition is one on `@any`.
pub fn concerns(condition: &Expr) -> bool {
    let is_any = |expr: &Expr| matches!(expr, Expr::Field(name) if **name == *"@any");
    match condition {
        Expr::Compare(_, a, b) => is_any(a) || is_any(b),
        Expr::Match(item, _) | Expr::In(item, _) | Expr::Between(item, ..) => is_any(item),
        _ => false,
    }
}

/// Returns rows for which a condition on `@any` holds of one value; `!=` is the complement of `=`.
pub fn truth(condition: &Expr, frame: &mut Frame<'_>, env: &Environment) -> Result<RowSet> {
    if let Expr::Compare(Comparison::NotEqual, a, b) = condition {
        let equal = Expr::Compare(Comparison::Equal, a.clone(), b.clone());
        let mut rows = truth(&equal, frame, env)?;
        rows.invert();
        return Ok(rows);
    }
    let mut found = RowSet::none(frame.n_rows());
    let probe = Probe::of(condition);
    for name in names(frame)? {
        match candidates(&name, probe.as_ref(), frame)? {
            Candidates::All => {
                // Read past the frame's cache: most of these columns are looked at only once.
                let column = frame.peek(&name)?;
                found.or(&truth_of_column(condition, &column, frame, env)?);
            }
            Candidates::Matching(rows) => found.or(&rows),
            Candidates::Some(rows) if rows.is_empty() => {}
            Candidates::Some(rows) => {
                let mut part = frame.clone();
                part.retain(&rows);
                let column = part.peek(&name)?;
                found.or(&rows.select(&truth_of_column(condition, &column, &part, env)?));
            }
        }
        if found.is_all() {
            break;
        }
    }
    Ok(found)
}

/// What an index says of the rows for which a condition may hold of one field.
enum Candidates {
    /// Nothing.
    All,
    /// These rows, and no others.
    Matching(RowSet),
    /// These rows or some of them.
    Some(RowSet),
}

/// Asks the index of a block for the rows whose field `name` may fulfil the condition of `probe`.
fn candidates(name: &str, probe: Option<&Probe>, frame: &Frame<'_>) -> Result<Candidates> {
    let (Some(probe), Some(block)) = (probe, frame.stored()) else { return Ok(Candidates::All) };
    let Some(question) = probe.for_field(name, block.source)? else { return Ok(Candidates::All) };
    let mut narrowed = block.source.run.narrow(block.block, &question)?;
    narrowed.rows.and(&block.rows);
    if narrowed.rows == block.rows && !narrowed.exact {
        return Ok(Candidates::All);
    }
    let places = block.rows.places_of(&narrowed.rows);
    Ok(if narrowed.exact && probe.settles { Candidates::Matching(places) } else { Candidates::Some(places) })
}

/// Returns the fields that `@any` stands for.
fn names(frame: &Frame<'_>) -> Result<Vec<Name>> {
    let Some(block) = frame.block() else { return Ok(vec!["@any".into()]) };
    let is_message = |name: &str| block.source.run.is_message(name);
    let is_sent = |name: &&Arc<str>| types::is_sent(name) && !is_message(name);
    Ok(std::iter::once("@message".into()).chain(block.source.names()?.iter().filter(is_sent).cloned()).collect())
}

/// Returns rows for which the condition holds of the value in `column` or of one of its elements.
fn truth_of_column(condition: &Expr, column: &Arc<Column>, frame: &Frame<'_>, env: &Environment) -> Result<RowSet> {
    let n_rows = column.n_rows();
    if matches!(**column, Column::Missing { .. } | Column::Timestamps(_)) {
        return Ok(RowSet::none(n_rows));
    }
    let mut with_value = frame.clone();
    with_value.define(VALUE.into(), scalars(column));
    let condition = on_value(condition);
    let mut rows = env.truth(&condition, &mut with_value)?;
    let (elements, owners) = elements(column);
    if !elements.is_empty() {
        let mut with_elements = frame.clone();
        let order: Vec<u32> = owners.clone();
        if with_elements.block().is_some() {
            // The other side of the condition may be a field: rows are repeated, once per element.
            with_elements = other_side(&condition, with_elements, &order)?;
        } else {
            with_elements.reorder(&order);
        }
        with_elements.define(VALUE.into(), Arc::new(Column::Mixed(elements)));
        let hits = env.truth(&condition, &mut with_elements)?;
        hits.iter().for_each(|hit| rows.insert(owners[hit] as usize));
    }
    Ok(rows)
}

/// A name no event can have a field of: names are at most as long as events, but never begin so.
const VALUE: &str = "\u{0}any";

/// Returns rows in memory that hold the other fields of a condition, repeated in the order `order`.
fn other_side(condition: &Expr, mut frame: Frame<'_>, order: &[u32]) -> Result<Frame<'static>> {
    let mut names: Vec<Name> = Vec::new();
    plan::fields::visit_fields(condition, &mut |name| names.push(name.clone()));
    let mut columns = Vec::new();
    for name in names.into_iter().filter(|name| **name != *VALUE) {
        let column = frame.column(&name)?;
        columns.push((name, column));
    }
    let mut rows = Frame::of_columns(frame.n_rows(), columns);
    rows.reorder(order);
    Ok(rows)
}

/// Returns the condition with the value instead of `@any`.
fn on_value(condition: &Expr) -> Expr {
    let put = |expr: &Expr| match expr {
        Expr::Field(name) if **name == *"@any" => Box::new(Expr::Field(VALUE.into())),
        other => Box::new(other.clone()),
    };
    match condition {
        Expr::Compare(comparison, a, b) => Expr::Compare(*comparison, put(a), put(b)),
        Expr::Match(item, pattern) => Expr::Match(put(item), pattern.clone()),
        Expr::In(item, list) => Expr::In(put(item), list.clone()),
        Expr::Between(item, low, high) => Expr::Between(put(item), low.clone(), high.clone()),
        other => other.clone(),
    }
}

fn is_text_or_number(value: &Value) -> bool {
    matches!(value, Value::String(_) | Value::Integer(_) | Value::Float(_))
}

/// Returns the column without values that are no text or number.
fn scalars(column: &Arc<Column>) -> Arc<Column> {
    match &**column {
        Column::Dictionary { values, .. } if values.iter().all(is_text_or_number) => column.clone(),
        Column::Dictionary { .. } | Column::Mixed(_) => {
            let value = |row| column.value(row).filter(is_text_or_number);
            Arc::new(Column::of_values((0..column.n_rows()).map(value).collect()))
        }
        _ => column.clone(),
    }
}

/// Texts and numbers inside lists, and the row that each belongs to.
fn elements(column: &Column) -> (Vec<Option<Value>>, Vec<u32>) {
    let (mut values, mut owners) = (Vec::new(), Vec::new());
    let has_lists = match column {
        Column::Mixed(values) => values.iter().flatten().any(|value| matches!(value, Value::List(_))),
        Column::Dictionary { values, .. } => values.iter().any(|value| matches!(value, Value::List(_))),
        _ => false,
    };
    for row in 0..if has_lists { column.n_rows() } else { 0 } {
        let mut pending: Vec<Option<Value>> = vec![column.value(row).filter(|value| matches!(value, Value::List(_)))];
        while let Some(next) = pending.pop() {
            match next {
                Some(Value::List(items)) => pending.extend(items.iter().cloned()),
                Some(Value::Object(members)) => pending.extend(members.iter().map(|(_, member)| member.clone())),
                Some(value) if is_text_or_number(&value) => {
                    values.push(Some(value));
                    owners.push(row as u32);
                }
                _ => {}
            }
        }
    }
    (values, owners)
}

/// All values of `@any` as one list a row, for rows that leave their block.
pub fn list(frame: &mut Frame<'_>) -> Result<Arc<Column>> {
    if frame.block().is_none() {
        return Ok(frame.column("@any")?);
    }
    let mut lists: Vec<Vec<Option<Value>>> = vec![Vec::new(); frame.n_rows()];
    for name in names(frame)? {
        let column = frame.peek(&name)?;
        for (row, list) in lists.iter_mut().enumerate() {
            let value = column.value(row).filter(|value| is_text_or_number(value) || matches!(value, Value::List(_)));
            list.extend(value.map(Some));
        }
    }
    Ok(Arc::new(Column::Mixed(lists.into_iter().map(|list| Some(Value::List(Arc::new(list)))).collect())))
}
