//! Queries, and the answers that callers see.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::annotations::Annotations;
use crate::check::check_experimental;
use crate::context::{Context, SAME_LABELS};
use crate::duration::{QueryRange, resolve};
use crate::error::{EvalError, ParseError, Result};
use crate::evaluate::{evaluate, subquery_grid};
use crate::extended::{Ends, ends};
use crate::function::Kind;
use crate::labels::Labels;
use crate::lexer::TIME_MAX;
use crate::matcher::Matcher;
use crate::options::Options;
use crate::parse::parse as read;
use crate::source::{Selection, Source};
use crate::syntax::{Edges, Expr, Node, Shift};
use crate::value::{Evaluated, Grid, Series, Value};
use crate::windows::Samples;

/// A query that was read and checked.
#[derive(Clone, Debug)]
pub struct Query {
    text: Arc<str>,
    pub(crate) node: Arc<Node>,
}

/// Types of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// One number.
    Scalar,
    /// A text.
    String,
    /// Series with one sample each.
    Vector,
    /// Series with samples over time.
    Matrix,
}

/// A sample at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// ms since the epoch.
    pub time: i64,
    /// Float or histogram.
    pub value: Value,
}

/// A series of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// What names it.
    pub labels: Labels,
    /// In order of time; one in a vector.
    pub samples: Vec<Sample>,
}

/// What a query yields.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// One number; only of instant queries.
    Scalar(f64),
    /// A text; only of instant queries.
    String(Arc<str>),
    /// Series with one sample each, in the order the query asks for; only of instant queries.
    Vector(Vec<Row>),
    /// Series in order of their labels.
    Matrix(Vec<Row>),
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The result.
    pub data: Data,
    /// Warnings and infos.
    pub annotations: Annotations,
}

/// Whether all queries of the process may use what is experimental.
static IS_EXPERIMENTAL: AtomicBool = AtomicBool::new(false);

/// Lets all queries of the process use what Prometheus calls experimental from now on. Who reads a query need not know, as with
/// Prometheus' own flag: rules, boards and requests read the same language.
pub fn enable_experimental() {
    IS_EXPERIMENTAL.store(true, Ordering::Relaxed);
}

/// Reads and checks a query.
///
/// Errors: what is wrong with which bytes; types are checked, so that an evaluation fails only for its data. What is experimental
/// is refused, unless it was [enabled](enable_experimental).
pub fn parse(text: &str) -> Result<Query, ParseError> {
    parse_with(text, &Options { experimental: IS_EXPERIMENTAL.load(Ordering::Relaxed), ..Options::default() })
}

/// Reads and checks a query, with what is experimental if the options enable it.
///
/// Errors: what is wrong with which bytes.
pub(crate) fn parse_with(text: &str, options: &Options) -> Result<Query, ParseError> {
    let node = Arc::new(read(text)?);
    if !options.experimental {
        check_experimental(&node)?;
    }
    Ok(Query { text: text.into(), node })
}

/// Evaluates a query at one time, ms since the epoch.
pub fn instant(query: &Query, at: i64, source: &dyn Source, options: &Options) -> Result<Answer> {
    run(query, (at, at, 0), source, options)
}

/// Evaluates a query at each `step` ms from `start` to `end`, both included, ms since the epoch.
pub fn range(
    query: &Query,
    (start, end): (i64, i64),
    step: i64,
    source: &dyn Source,
    options: &Options,
) -> Result<Answer> {
    if step <= 0 {
        return Err(EvalError::InvalidRange(format!("the step must be positive, got {step} ms")));
    }
    if end < start {
        return Err(EvalError::InvalidRange("the end lies before the start".to_owned()));
    }
    if !matches!(query.node.kind(), Kind::Scalar | Kind::Vector) {
        let noun = query.node.kind().noun();
        let message = format!("invalid expression type {noun:?} for range query, must be scalar or instant vector");
        return Err(EvalError::InvalidRange(message));
    }
    run(query, (start, end, step), source, options)
}

impl Query {
    /// Returns the text that was read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the conditions of a query that is nothing but a selector of series.
    pub fn matchers(&self) -> Option<&[Matcher]> {
        match &self.node.expr {
            Expr::Selector(selector) if selector.shift == Shift::default() => Some(&selector.matchers),
            _ => None,
        }
    }

    /// Returns the conditions of each selector of series in the query, in the order of the text.
    pub fn selectors(&self) -> Vec<&[Matcher]> {
        let mut found = Vec::new();
        self.node.walk(&mut |node| {
            if let Expr::Selector(selector) | Expr::Matrix(selector, _) = &node.expr {
                found.push(&selector.matchers[..]);
            }
        });
        found
    }

    /// Returns the type of the answer at an instant.
    pub fn value_type(&self) -> ValueType {
        match self.node.kind() {
            Kind::Scalar => ValueType::Scalar,
            Kind::Text => ValueType::String,
            Kind::Vector => ValueType::Vector,
            Kind::Matrix => ValueType::Matrix,
        }
    }
}

fn run(query: &Query, (start, end, step): (i64, i64, i64), source: &dyn Source, options: &Options) -> Result<Answer> {
    if start.unsigned_abs() > TIME_MAX || end.unsigned_abs() > TIME_MAX {
        return Err(EvalError::InvalidRange("a time lies further than 2^53 ms from 1970".to_owned()));
    }
    let len = if step == 0 { 1 } else { ((end - start) / step + 1) as usize };
    if len > options.samples_max {
        return Err(EvalError::TooManySamples(options.samples_max));
    }
    let mut node = query.node.clone();
    let mut is_computed = false;
    node.walk(&mut |node| is_computed |= matches!(node.expr, Expr::Computed(..)));
    if is_computed {
        resolve(Arc::make_mut(&mut node), &query.text, QueryRange { step, range: end - start })
            .map_err(|error| EvalError::at(&error.span, error.message))?;
    }
    let context = Context::new(source, options, (start, end, if start == end { 0 } else { step }), &query.text);
    let grid = Grid { start, step: step.max(1), len };
    let data = if node.kind() == Kind::Matrix {
        Data::Matrix(matrix(&context, node.bare(), grid)?)
    } else {
        let value = evaluate(&context, &node, grid)?;
        present(&context, value, grid, step == 0, query)?
    };
    let annotations = std::mem::take(&mut context.remarks().found);
    Ok(Answer { data, annotations })
}

/// Evaluates a range vector at an instant.
fn matrix(context: &Context<'_>, node: &Node, grid: Grid) -> Result<Vec<Row>> {
    match &node.expr {
        Expr::Matrix(selector, range) => {
            let until = selector.shift.at.map_or(grid.start, |at| context.time_of(at)) - selector.shift.offset;
            let after = until - range;
            let (back, ahead) = selector.shift.margins(context.options.lookback);
            let edges = selector.shift.edges;
            let found = std::sync::Mutex::new(Vec::new());
            let matchers = &selector.matchers[..];
            let selection = Selection { matchers, after: after - back, until: until + ahead };
            context.source.select(&selection, &|series| {
                context.check()?;
                context.hold(series.times.len() + series.histograms.len())?;
                let samples = Samples::stored(&series);
                let row = match edges.modifier() {
                    None => row(samples, |time| time > after && time <= until),
                    Some((modifier, _)) if !samples.histograms.is_empty() => {
                        let message = format!("{modifier} modifier is not supported with histograms");
                        return Err(EvalError::at(&node.span, message));
                    }
                    Some(_) => {
                        let near = |time: i64| time > after - back && time <= until + ahead;
                        extended_row(row(samples, near), (after, until), edges)
                    }
                };
                if !row.samples.is_empty() {
                    found.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(row);
                }
                Ok(())
            })?;
            let mut rows = found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
            rows.sort_by(|a, b| a.labels.cmp(&b.labels));
            Ok(rows)
        }
        Expr::Subquery { inner, range, step, shift } => {
            let steps = subquery_grid(context, (*range, *step, *shift), grid)?;
            let Evaluated::Vector(series) = evaluate(context, inner, steps)? else { return Ok(Vec::new()) };
            rows(context, series, steps, node)
        }
        _ => Err(EvalError::at(&node.span, "expected a range vector")),
    }
}

/// Cuts a row of floats to a range, with values at its ends.
fn extended_row(row: Row, (start, end): (i64, i64), edges: Edges) -> Row {
    let float = |sample: &Sample| match sample.value {
        Value::Float(value) => Some((sample.time, value)),
        Value::Histogram(_) => None,
    };
    let (times, values): (Vec<i64>, Vec<f64>) = row.samples.iter().filter_map(float).unzip();
    let sample = |(time, value)| Sample { time, value: Value::Float(value) };
    let found = ends((&times, &values), (start, end), edges, false).map(|Ends { left, right, inner }| {
        let inside = inner.map(|at| (times[at], values[at]));
        [(start, left)].into_iter().chain(inside).chain([(end, right)]).map(sample).collect()
    });
    Row { labels: row.labels, samples: found.unwrap_or_default() }
}

fn row(samples: Samples, accept: impl Fn(i64) -> bool) -> Row {
    let floats =
        samples.times.iter().zip(&samples.values).map(|(time, v)| Sample { time: *time, value: Value::Float(*v) });
    let histograms = samples.histogram_times.iter().zip(samples.histograms);
    let histograms = histograms.map(|(time, h)| Sample { time: *time, value: Value::Histogram(h) });
    let mut all: Vec<Sample> = floats.chain(histograms).filter(|sample| accept(sample.time)).collect();
    all.sort_by_key(|sample| sample.time);
    Row { labels: samples.labels, samples: all }
}

/// Turns evaluated series into rows in order of their labels.
fn rows(context: &Context<'_>, series: Vec<Series>, grid: Grid, node: &Node) -> Result<Vec<Row>> {
    let series = context.unite(finish_names(context, series), &node.span)?;
    let sample = |series: &Series, step| series.get(step).map(|value| Sample { time: grid.at(step), value });
    let rows = series.into_iter().map(|series| {
        let samples = (0..grid.len).filter_map(|step| sample(&series, step)).collect();
        Row { labels: series.labels, samples }
    });
    let mut rows: Vec<Row> = rows.filter(|row: &Row| !row.samples.is_empty()).collect();
    rows.sort_by(|a, b| a.labels.cmp(&b.labels));
    Ok(rows)
}

/// Removes the names that were marked.
fn finish_names(context: &Context<'_>, mut series: Vec<Series>) -> Vec<Series> {
    if context.options.delayed_name_removal {
        for one in series.iter_mut().filter(|one| one.drop_name) {
            one.labels = one.labels.without_metadata();
        }
    }
    series
}

fn present(context: &Context<'_>, value: Evaluated, grid: Grid, is_instant: bool, query: &Query) -> Result<Data> {
    match value {
        Evaluated::Text(text) => Ok(Data::String(text)),
        Evaluated::Scalar(column) if is_instant => Ok(Data::Scalar(column.first().copied().unwrap_or(f64::NAN))),
        Evaluated::Scalar(column) => {
            let samples = grid.times().zip(column).map(|(time, v)| Sample { time, value: Value::Float(v) }).collect();
            Ok(Data::Matrix(vec![Row { labels: Labels::default(), samples }]))
        }
        Evaluated::Vector(series) if is_instant => {
            let series = finish_names(context, series);
            let mut seen = std::collections::HashSet::new();
            let mut rows = Vec::with_capacity(series.len());
            for one in series {
                let Some(value) = one.get(0) else { continue };
                if !seen.insert(one.labels.clone()) {
                    return Err(EvalError::at(&query.node.span, SAME_LABELS));
                }
                rows.push(Row { labels: one.labels, samples: vec![Sample { time: grid.start, value }] });
            }
            Ok(Data::Vector(rows))
        }
        Evaluated::Vector(series) => Ok(Data::Matrix(rows(context, series, grid, &query.node)?)),
    }
}
