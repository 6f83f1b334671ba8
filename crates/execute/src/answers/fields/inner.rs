//! Types of the values inside lists, and which texts are dates: what statistics of runs do not say, from samples.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use types::{RowSet, Run, ScanError, TimeRange, TypeSet, Value};

use super::{FieldSummaries, FieldSummaryRow, damage, field_presence};
use evaluate::{BlockRows, Source};
use plan::date_value;

/// Most values that are looked at for all fields together, the newest first.
const VALUES_MAX: usize = 1 << 18;

/// Texts of a field that are looked at: its first ones decide, as they do where types are guessed from documents.
const TEXTS_MAX: usize = 64;

/// Rows of a block that are read at a time.
const ROWS_AT_A_TIME: usize = 1_024;

/// Deepest nesting of lists and objects that is looked at.
const DEPTH_MAX: usize = 64;

/// Most fields that are found inside lists.
const INNER_MAX: usize = 10_000;

/// What was seen of a field.
#[derive(Default)]
struct ValueForms {
    types: TypeSet,
    n_texts: usize,
    n_dates: usize,
}

impl ValueForms {
    fn add(&mut self, value: &Value) {
        self.types.insert(value);
        if let Value::String(text) = value
            && self.n_texts < TEXTS_MAX
        {
            self.n_texts += 1;
            self.n_dates += usize::from(date_value(text).is_some());
        }
    }

    /// Returns the types, dates as timestamps.
    fn names(&self, known: &[&'static str]) -> Vec<&'static str> {
        let is_date = self.n_texts > 0 && self.n_dates == self.n_texts;
        let mut names: Vec<&'static str> = known.iter().copied().filter(|name| *name != "list").collect();
        names.extend(self.types.names());
        if is_date {
            names.retain(|name| *name != "string");
            names.push("timestamp");
        }
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// Returns the fields of events as [`field_presence`] does, with the fields of objects in lists next to them. The types
/// of a list are those of its elements; texts that are dates are timestamps. Both come from samples of the newest
/// events.
pub fn field_types(runs: &[Arc<dyn Run>], range: TimeRange) -> FieldSummaries {
    field_types_of(runs, range, &|_| true)
}

/// Returns the same, with values read of the fields that are wanted only; of others, texts are no dates, and lists are
/// left out.
pub fn field_types_of(runs: &[Arc<dyn Run>], range: TimeRange, is_wanted: &dyn Fn(&str) -> bool) -> FieldSummaries {
    let mut summaries = field_presence(runs, range);
    let wanted: BTreeSet<&str> = summaries
        .fields
        .iter()
        .filter(|field| field.types.iter().any(|name| matches!(*name, "list" | "string")))
        .map(|field| field.name.as_str())
        .filter(|name| is_wanted(name))
        .collect();
    let mut seen: BTreeMap<String, ValueForms> = BTreeMap::new();
    let mut runs: Vec<&Arc<dyn Run>> = runs.iter().collect();
    runs.sort_by_key(|run| std::cmp::Reverse(run.info().last));
    let mut n_left = VALUES_MAX;
    for run in runs {
        if let Err(error) = sample(run, &wanted, &mut seen, &mut n_left) {
            summaries.partial_reasons.push(damage(&error));
        }
    }
    for field in &mut summaries.fields {
        if let Some(seen) = seen.remove(&field.name) {
            field.types = seen.names(&field.types);
        }
        field.types.retain(|name| *name != "list");
    }
    summaries.fields.retain(|field| !field.types.is_empty());
    summaries.fields.extend(seen.into_iter().map(|(name, seen)| FieldSummaryRow {
        name,
        types: seen.names(&[]),
        n_events: 0,
        share: 0.0,
        n_distinct: None,
        approximate: true,
    }));
    summaries
}

/// Looks at values of a run, the newest first.
fn sample(
    run: &Arc<dyn Run>,
    wanted: &BTreeSet<&str>,
    seen: &mut BTreeMap<String, ValueForms>,
    n_left: &mut usize,
) -> Result<(), ScanError> {
    let source = Source::new(run.clone());
    let fields = run.fields()?;
    let mut list = TypeSet::default();
    list.insert(&Value::List(Arc::default()));
    for field in fields.iter().filter(|field| wanted.contains(&*field.name)) {
        let has_lists = field.types.0 & list.0 != 0;
        for block in (0..run.n_blocks()).rev() {
            let is_enough = !has_lists && seen.get(&*field.name).is_some_and(|seen| seen.n_texts >= TEXTS_MAX);
            if *n_left == 0 || is_enough {
                break;
            }
            let n_rows = run.block_rows(block);
            let most = if has_lists { n_rows } else { ROWS_AT_A_TIME };
            let rows = RowSet::of(n_rows, |row| row + most.min(*n_left) >= n_rows);
            let column = BlockRows { source: &source, block, rows }.read(&field.name)?;
            *n_left = n_left.saturating_sub(column.n_rows());
            for value in (0..column.n_rows()).rev().filter_map(|row| column.value(row)) {
                walk(&field.name, &value, 0, seen);
            }
        }
    }
    Ok(())
}

/// Notes the types of a value and of those inside it, by their paths.
fn walk(path: &str, value: &Value, depth: usize, seen: &mut BTreeMap<String, ValueForms>) {
    match value {
        _ if depth > DEPTH_MAX => {}
        Value::List(items) => items.iter().flatten().for_each(|item| walk(path, item, depth + 1, seen)),
        Value::Object(members) if depth > 0 => {
            for (name, member) in members.iter() {
                if let Some(member) = member {
                    walk(&format!("{path}.{name}"), member, depth + 1, seen);
                }
            }
        }
        Value::Object(_) => {}
        value => {
            if seen.len() < INNER_MAX || seen.contains_key(path) {
                seen.entry(path.to_owned()).or_default().add(value);
            }
        }
    }
}
