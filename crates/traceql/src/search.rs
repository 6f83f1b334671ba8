//! Runs the pipeline of a query over the spans of one trace.

use std::collections::HashMap;

use plan::Number;
use types::Value;

use crate::datum::{Datum, compare};
use crate::evaluate::{Condition, datum_of, field_value, value};
use crate::field::Field;
use crate::structure::{related, union};
use crate::syntax::{Aggregate, AggregateFunction, Expression, Pipeline, Query, SetOperator, Spansets, Stage};
use crate::trace::Trace;

/// Spans of a trace that a query found together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spanset {
    /// Places among the spans of the trace, ascending; never empty.
    pub spans: Vec<u32>,
    /// Values computed from them, by the texts of the expressions: the value of `by(…)` that they share, and
    /// aggregates. Durations are nanoseconds; `None` is nil.
    pub values: Vec<(String, Option<Value>)>,
}

/// Returns the spansets that a query finds in a trace; none where the trace does not match. For a metrics query, the
/// spans that it would count.
///
/// Cost: each operator takes O(n log n) for n spans; memory is a few numbers per span and bracket.
pub fn search(query: &Query, trace: &Trace<'_>) -> Vec<Spanset> {
    let all = Spanset { spans: (0..trace.spans.len() as u32).collect(), values: Vec::new() };
    if all.spans.is_empty() { Vec::new() } else { run(&query.pipeline, all, trace) }
}

impl Trace<'_> {
    /// Returns the value that a field has for the span at a place; durations in nanoseconds, and for events and links the
    /// value of the first one that has any.
    pub fn value(&self, field: &Field, place: u32) -> Option<Value> {
        if place as usize >= self.spans.len() {
            return None;
        }
        field_value(field, self, place).to_value()
    }
}

fn run(pipeline: &Pipeline, input: Spanset, trace: &Trace<'_>) -> Vec<Spanset> {
    let mut spansets = vec![input];
    for stage in &pipeline.stages {
        spansets = match stage {
            Stage::Spansets(selection) => {
                spansets.into_iter().flat_map(|spanset| select(selection, spanset, trace)).collect()
            }
            Stage::Group(by) => spansets.into_iter().flat_map(|spanset| group(by, spanset, trace)).collect(),
            Stage::Coalesce => Spanset { spans: places(spansets), values: Vec::new() }.if_any(),
            Stage::Select(_) => spansets,
            Stage::Scalar { aggregate, comparison, value } => {
                let kept = spansets.into_iter().filter_map(|mut spanset| {
                    let found = aggregated(aggregate, &spanset, trace);
                    let is_kept = compare(*comparison, found, datum_of(value));
                    spanset.values.push((aggregate.to_string(), found.to_value()));
                    is_kept.then_some(spanset)
                });
                kept.collect()
            }
        };
    }
    spansets
}

fn select(selection: &Spansets, input: Spanset, trace: &Trace<'_>) -> Vec<Spanset> {
    match selection {
        Spansets::Filter(condition) => {
            let condition = Condition::new(condition);
            let Spanset { mut spans, values } = input;
            spans.retain(|span| condition.holds(trace, *span));
            Spanset { spans, values }.if_any()
        }
        Spansets::Pipeline(pipeline) => run(pipeline, input, trace),
        Spansets::Combined(combined) => {
            let left = places(select(&combined.left, input.clone(), trace));
            let right = places(select(&combined.right, input.clone(), trace));
            let spans = match combined.operator {
                SetOperator::And if left.is_empty() || right.is_empty() => Vec::new(),
                SetOperator::And | SetOperator::Or => union(&left, &right),
                SetOperator::Related(relation, side) => related(trace, relation, side, &left, &right),
            };
            Spanset { spans, values: input.values }.if_any()
        }
    }
}

impl Spanset {
    fn if_any(self) -> Vec<Self> {
        if self.spans.is_empty() { Vec::new() } else { vec![self] }
    }
}

/// Returns the spans of all spansets, ascending.
fn places(mut spansets: Vec<Spanset>) -> Vec<u32> {
    if spansets.len() == 1 {
        return spansets.swap_remove(0).spans;
    }
    let mut spans: Vec<u32> = spansets.into_iter().flat_map(|spanset| spanset.spans).collect();
    spans.sort_unstable();
    spans.dedup();
    spans
}

/// Splits a spanset by the value of an expression, in the order in which values first occur.
fn group(by: &Expression, input: Spanset, trace: &Trace<'_>) -> Vec<Spanset> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut groups: Vec<Spanset> = Vec::new();
    let name = format!("by({by})");
    for span in input.spans {
        let found = value(by, trace, span);
        // The text with its type: a text and the number that it reads as are two values.
        let place = *places.entry(format!("{found:?}")).or_insert(groups.len());
        if place == groups.len() {
            let mut values = input.values.clone();
            values.push((name.clone(), found.to_value()));
            groups.push(Spanset { spans: Vec::new(), values });
        }
        groups[place].spans.push(span);
    }
    groups
}

/// Computes an aggregate. Only numbers count; without any there is no value.
fn aggregated(aggregate: &Aggregate, spanset: &Spanset, trace: &Trace<'_>) -> Datum<'static> {
    let n_spans = Datum::Integer(spanset.spans.len() as i64);
    let Some(argument) = &aggregate.argument else { return n_spans };
    let (mut count, mut whole, mut sum, mut are_lengths) = (0i64, Some(0i128), 0.0, true);
    let mut extreme: Option<Number> = None;
    for span in &spanset.spans {
        let found = value(argument, trace, *span);
        let Some(number) = found.number() else { continue };
        are_lengths &= matches!(found, Datum::Duration(_));
        count += 1;
        sum += number.as_float();
        whole = match (whole, number) {
            (Some(whole), Number::Integer(number)) => whole.checked_add(number),
            _ => None,
        };
        let is_further = |known: Number| match aggregate.function {
            AggregateFunction::Min => number.compare(known).is_lt(),
            _ => number.compare(known).is_gt(),
        };
        extreme = extreme.filter(|known| !is_further(*known)).or(Some(number));
    }
    if count == 0 {
        return Datum::Nil;
    }
    let number = match aggregate.function {
        AggregateFunction::Count => return n_spans,
        AggregateFunction::Min | AggregateFunction::Max => extreme.unwrap_or(Number::Integer(0)),
        AggregateFunction::Sum => whole.map_or(Number::Float(sum), Number::Integer),
        AggregateFunction::Average => Number::Float(whole.map_or(sum, |whole| whole as f64) / count as f64),
    };
    match number {
        Number::Integer(number) => match i64::try_from(number) {
            Ok(length) if are_lengths => Datum::Duration(length),
            Ok(number) => Datum::Integer(number),
            Err(_) => Datum::Float(number as f64),
        },
        Number::Float(number) => Datum::Float(number),
    }
}
