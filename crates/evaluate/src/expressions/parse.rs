//! `parse`: fields out of a text.
//!
//! Globs and regular expressions make text columns. JSON, logfmt and the other formats that name their fields make one
//! object a row; with a prefix it is a column of that name and its members are reached as paths, without one its
//! members lie over the row's fields.

use std::sync::Arc;

use memchr::memmem;
use parse::{Shape, shape_object};
use plan::{Format, Name, Parse, ParseMethod};
use regex::Regex;
use types::{Column, Value};

use crate::columns::cell::Cell;
use crate::columns::frame::Frame;
use crate::columns::stop::Result;
use crate::expressions::environment::Environment;
use crate::expressions::functions::parse_json;

/// Gives the frame the fields that `parse` finds.
pub fn apply(parse: &Parse, frame: &mut Frame<'_>, env: &Environment) -> Result<()> {
    let texts = env.evaluate(&parse.text, frame)?;
    let mut lease = env.budget.lease(0)?;
    match &parse.method {
        ParseMethod::Glob { literals, names } => {
            let glob = Glob::new(literals);
            let columns = text_columns(&texts, names.len(), |text, found| glob.find(text, found));
            env.budget.resize(&mut lease, memory_bytes(&columns))?;
            names.iter().zip(columns).for_each(|(name, column)| frame.define(name.clone(), column));
        }
        ParseMethod::Regex { regex, names } => {
            let columns = text_columns(&texts, names.len(), |text, found| find_groups(regex, names, text, found));
            env.budget.resize(&mut lease, memory_bytes(&columns))?;
            names.iter().zip(columns).for_each(|((name, _), column)| frame.define(name.clone(), column));
        }
        ParseMethod::Format { format, prefix } => {
            let objects = objects(&texts, reader(*format));
            env.budget.resize(&mut lease, objects.memory_bytes())?;
            define_objects(prefix.as_ref(), objects, frame);
        }
    }
    frame.add_lease(lease);
    Ok(())
}

fn memory_bytes(columns: &[Arc<Column>]) -> usize {
    columns.iter().map(|column| column.memory_bytes()).sum()
}

/// Returns what turns a text of a format into an object.
fn reader(format: Format) -> fn(&str) -> Option<Value> {
    match format {
        Format::Json => |text| parse_json(text).filter(|value| matches!(value, Value::Object(_))),
        Format::Logfmt => |text| shape_object(Shape::Logfmt, text),
        Format::CommonLog => |text| shape_object(Shape::CommonLog, text),
        Format::CombinedLog => |text| shape_object(Shape::CombinedLog, text),
        Format::Syslog => |text| shape_object(Shape::Syslog, text),
        Format::VpcFlowLog => |text| shape_object(Shape::Vpc, text),
    }
}

fn define_objects(prefix: Option<&Name>, objects: Column, frame: &mut Frame<'_>) {
    match prefix {
        Some(prefix) => frame.define(prefix.clone(), Arc::new(objects)),
        None => frame.define_members(Arc::new(objects)),
    }
}

fn objects(texts: &Column, read: impl Fn(&str) -> Option<Value>) -> Column {
    Column::Mixed((0..texts.n_rows()).map(|row| read(&Cell::at(texts, row).text()?)).collect())
}

/// Returns columns of the texts that `find` puts into its second argument, one place a column, for each row.
fn text_columns(
    texts: &Column,
    n_columns: usize,
    find: impl for<'t> Fn(&'t str, &mut Vec<Option<&'t str>>) -> bool,
) -> Vec<Arc<Column>> {
    let mut columns: Vec<Vec<Option<Value>>> = vec![Vec::with_capacity(texts.n_rows()); n_columns];
    for row in 0..texts.n_rows() {
        let text = Cell::at(texts, row).text();
        let mut found = Vec::with_capacity(n_columns);
        let is_match = text.as_deref().is_some_and(|text| find(text, &mut found));
        for (index, column) in columns.iter_mut().enumerate() {
            let part = if is_match { found.get(index).copied().flatten() } else { None };
            column.push(part.map(Value::text));
        }
    }
    columns.into_iter().map(|values| Arc::new(Column::of_values(values))).collect()
}

fn find_groups<'t>(regex: &Regex, names: &[(Name, usize)], text: &'t str, found: &mut Vec<Option<&'t str>>) -> bool {
    let Some(groups) = regex.captures(text) else { return false };
    found.extend(names.iter().map(|(_, index)| groups.get(*index).map(|group| group.as_str())));
    true
}

/// A glob made ready: finders of its literals.
struct Glob<'a> {
    finders: Vec<memmem::Finder<'a>>,
}

impl<'a> Glob<'a> {
    fn new(literals: &'a [String]) -> Self {
        Self { finders: literals.iter().map(memmem::Finder::new).collect() }
    }

    /// Finds the texts of the stars: the first literal anywhere, every star as short as can be, the last one up
    /// to the final literal, or to the end where there is none.
    ///
    /// Taking the first place of each literal in turn is enough: if a match exists, this finds one.
    fn find<'t>(&self, text: &'t str, found: &mut Vec<Option<&'t str>>) -> bool {
        let Some((first, rest)) = self.finders.split_first() else { return false };
        let Some(start) = first.find(text.as_bytes()) else { return false };
        let mut at = start + first.needle().len();
        for (index, literal) in rest.iter().enumerate() {
            let is_last = index + 1 == rest.len();
            if literal.needle().is_empty() {
                // Two stars side by side: the lazy first one is empty. At the end, a star takes the rest.
                let end = if is_last { text.len() } else { at };
                found.push(Some(&text[at..end]));
                at = end;
                continue;
            }
            let Some(hit) = literal.find(&text.as_bytes()[at..]) else { return false };
            found.push(Some(&text[at..at + hit]));
            at += hit + literal.needle().len();
        }
        true
    }
}

#[cfg(test)]
mod tests;
