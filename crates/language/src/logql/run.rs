//! Evaluates metric queries: one aggregation per range function.
//!
//! The value at an instant is that of the events in the window `(instant − length, instant]`; [`super::windows`] says
//! how one aggregation gives the values of windows that overlap.

use plan::{ArithmeticOperator, Expr, Function, LabelSet, Name, Operator, Plan, PlanDraft, PlanError};
use std::collections::BTreeMap;

use types::{TimeRange, Timestamp, Value, ensure};

use super::grouping::Grouping;
use super::labels;
use super::metric::{AggregationKind, Metric, MetricQuery, RangeCall, RangeFunction};
use super::steps::Steps;
use super::vector::{self, Labels, Numbers, Values};
use super::windows::{self, SegmentedSeries, Segments, WindowMethod};
use plan::label_set::ERROR;

// What Prometheus and Loki allow, and more than any screen has pixels.
const STEPS_MAX: i64 = 11_000;

/// Most series of an answer, as for `/series`.
const SERIES_MAX: usize = 5_000;

/// Stands for all labels of a series, where they are asked for by no name.
const WHOLE: &str = "#set";

/// What `__error__` says where a parser failed.
const PARSER_ERRORS: [&str; 2] = ["JSONParserErr", "LogfmtParserErr"];

/// The column that says what could not be read, after all others.
const ERROR_COLUMN: &str = "#error";

/// A number at an instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The instant.
    pub at: Timestamp,
    /// The number.
    pub value: f64,
}

/// Numbers over time that share their labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Names and values in the order of the names.
    pub labels: Vec<(String, String)>,
    /// In order of time; instants without a number are not there.
    pub points: Vec<Point>,
}

/// Why a metric query has no answer. `E` is what running a plan may fail with.
#[derive(Debug, thiserror::Error)]
pub enum MetricError<E> {
    /// Running a plan failed.
    #[error(transparent)]
    Execute(E),
    /// Too many instants.
    #[error("the query asks for {0} points per series, more than {STEPS_MAX}; use a longer step")]
    TooManySteps(i64),
    /// Series that cannot meet.
    #[error("{0}")]
    Matching(String),
    /// Lines that could not be read, and whose numbers would be missing.
    #[error(
        "pipeline error: {0}; leave out lines that cannot be read with | __error__=\"\" after the stage that fails"
    )]
    Pipeline(String),
    /// Too many series.
    #[error("the query gives more than {SERIES_MAX} series; keep fewer labels, such as sum by (level) (…)")]
    TooManySeries,
}

/// Evaluates a metric query at every step. `execute` runs a plan over a range and gives all its rows.
pub fn run_metric<E: PlanError>(
    query: &MetricQuery,
    steps: Steps,
    mut execute: impl FnMut(&Plan, TimeRange) -> Result<Vec<Vec<Option<Value>>>, E>,
) -> Result<Vec<Series>, MetricError<E>> {
    let n_steps = steps.count();
    ensure!(n_steps <= STEPS_MAX, MetricError::TooManySteps(n_steps));
    let mut evaluation = Evaluation { steps, n_steps: n_steps as usize, execute: &mut execute };
    let numbers = evaluation.evaluate(&query.root, None)?;
    let series = match numbers {
        Numbers::Scalar(number) => BTreeMap::from([(Labels::new(), vec![Some(number); n_steps as usize])]),
        Numbers::Vector(series) => series,
    };
    let point = |(step, value): (usize, Option<f64>)| Some(Point { at: steps.at(step as i64), value: value? });
    let shown = |(labels, values): (Labels, Values)| Series {
        labels: labels.into_iter().filter(|(name, _)| name != vector::TWIN).collect(),
        points: values.into_iter().enumerate().filter_map(point).collect(),
    };
    let mut series: Vec<Series> = series.into_iter().map(shown).filter(|series| !series.points.is_empty()).collect();
    // An order over time has no meaning: like Loki, only an instant is sorted.
    if let (Metric::Sorted { descending, .. }, 1) = (&query.root, n_steps) {
        let value = |series: &Series| series.points.first().map_or(f64::NAN, |point| point.value);
        let compare = |a: f64, b: f64| if *descending { b.total_cmp(&a) } else { a.total_cmp(&b) };
        // What is no number comes last.
        series.sort_by(|a, b| {
            let (a, b) = (value(a), value(b));
            a.is_nan().cmp(&b.is_nan()).then_with(|| compare(a, b))
        });
    }
    Ok(series)
}

/// Series with the same labels as one, in the order of time: as Loki writes those of a range.
pub fn joined(series: Vec<Series>) -> Vec<Series> {
    let mut all: Vec<Series> = Vec::with_capacity(series.len());
    for mut one in series {
        match all.last_mut().filter(|last| last.labels == one.labels) {
            Some(last) => {
                last.points.append(&mut one.points);
                last.points.sort_by_key(|point| point.at);
            }
            None => all.push(one),
        }
    }
    all
}

struct Evaluation<'a, X> {
    steps: Steps,
    n_steps: usize,
    execute: &'a mut X,
}

type Rows = Vec<Vec<Option<Value>>>;

impl<E: PlanError, X: FnMut(&Plan, TimeRange) -> Result<Rows, E>> Evaluation<'_, X> {
    /// `outer` is the grouping of a sum around this part, if there is one: only its labels are then needed.
    fn evaluate(&mut self, metric: &Metric, outer: Option<&OuterAggregation<'_>>) -> Result<Numbers, MetricError<E>> {
        match metric {
            Metric::Number(number) => Ok(Numbers::Scalar(*number)),
            Metric::Vector(number) => {
                Ok(Numbers::Vector(BTreeMap::from([(Labels::new(), vec![Some(*number); self.n_steps])])))
            }
            Metric::Range(call) if call.function == RangeFunction::Absent => {
                let asked = RangeOptions {
                    left_out: call.left_out(None),
                    forgives_parsers: call.asks_error(),
                    ..RangeOptions::default()
                };
                let found = self.range(call, &asked)?;
                let is_found = |step: usize| found.values().any(|values| values.get(step).copied().flatten().is_some());
                let absent: Values = (0..self.n_steps).map(|step| (!is_found(step)).then_some(1.0)).collect();
                Ok(Numbers::Vector(BTreeMap::from([(call.log.equal_labels(), absent)])))
            }
            Metric::Range(call) => {
                let asked = RangeOptions {
                    labels: labels_of(call, outer),
                    left_out: call.left_out(injected_sum(call, outer)),
                    forgives_parsers: forgives_parsers(call, outer),
                    looked_for: looked_for(call, outer),
                };
                let series = self.range(call, &asked)?;
                let loses_empty = call.loses_empty(outer.map(|outer| outer.kind));
                Ok(Numbers::Vector(if loses_empty { vector::without_empty(series) } else { series }))
            }
            Metric::Aggregation { kind, grouping, inner } => {
                if has_no_average(*kind, grouping, inner) {
                    return Ok(Numbers::Vector(BTreeMap::new()));
                }
                let outer = OuterAggregation { grouping, kind: *kind };
                match self.evaluate(inner, Some(&outer))? {
                    Numbers::Vector(series) => Ok(Numbers::Vector(vector::aggregate(series, *kind, grouping))),
                    scalar => Ok(scalar),
                }
            }
            Metric::Sorted { inner, .. } => self.evaluate(inner, outer),
            Metric::Relabelled { inner, relabelling } => match self.evaluate(inner, None)? {
                Numbers::Vector(series) => Ok(Numbers::Vector(vector::relabel(series, relabelling))),
                scalar => Ok(scalar),
            },
            Metric::Binary { operator, matching, left, right } => {
                let left = self.evaluate(left, None)?;
                let right = self.evaluate(right, None)?;
                vector::combine(*operator, matching, left, right).map_err(MetricError::Matching)
            }
        }
    }

    fn range(&mut self, call: &RangeCall, asked: &RangeOptions) -> Result<BTreeMap<Labels, Values>, MetricError<E>> {
        if self.n_steps == 0 {
            return Ok(BTreeMap::new());
        }
        let mut series = BTreeMap::new();
        self.part(call, asked, (0, self.n_steps), &mut series)?;
        Ok(series)
    }

    /// Adds the values of the steps from `from` to before `to`: by one aggregation, or where that keeps more numbers
    /// than there is memory for, by one for each half. Where a single window has too many, a sketch takes their place.
    fn part(
        &mut self,
        call: &RangeCall,
        asked: &RangeOptions,
        (from, to): (usize, usize),
        series: &mut BTreeMap<Labels, Values>,
    ) -> Result<(), MetricError<E>> {
        let labels = &*asked.labels;
        let segments = Segments::new(call, self.steps, self.n_steps).part(from, to);
        let mut how = WindowMethod::Exact;
        let mut rows = (self.execute)(&plan_of(call, asked, &segments, how), segments.range());
        let n_before = segments.columns().len() + labels.len();
        let is_odd = |row: &Vec<Option<Value>>| matches!(row.get(n_before + windows::N_ODD_AT), Some(Some(Value::Integer(count))) if *count > 0);
        if call.unwrap.is_some() && rows.as_ref().is_ok_and(|rows| rows.iter().any(is_odd)) {
            how = WindowMethod::Texts;
            rows = (self.execute)(&plan_of(call, asked, &segments, how), segments.range());
        }
        let needs_all = how == WindowMethod::Texts || call.function == RangeFunction::RateCounter;
        let keeps_numbers = needs_all || matches!(call.function, RangeFunction::Quantile(_));
        if keeps_numbers && rows.as_ref().is_err_and(E::is_out_of_memory) {
            if to - from > 1 && (!segments.are_windows() || needs_all) {
                let half = from + (to - from) / 2;
                self.part(call, asked, (from, half), series)?;
                return self.part(call, asked, (half, to), series);
            }
            if !needs_all {
                rows = (self.execute)(&plan_of(call, asked, &segments, WindowMethod::Sketch), segments.range());
            }
        }
        let mut pieces = SegmentedSeries::default();
        let n_columns = (segments.columns().len(), labels.len());
        let rows = rows.map_err(MetricError::Execute)?;
        check_errors(&rows, &segments, asked, call)?;
        for row in rows {
            pieces.add(&segments, call.function, n_columns, &row, |row| labels_of_row(call, labels, row));
        }
        ensure!(pieces.len() <= SERIES_MAX, MetricError::TooManySeries);
        for (labels, values) in pieces.values(&segments, call) {
            let all = series.entry(labels).or_insert_with(|| vec![None; self.n_steps]);
            all[from..to].copy_from_slice(&values);
        }
        ensure!(series.len() <= SERIES_MAX, MetricError::TooManySeries);
        series.retain(|_, values| values.iter().any(Option::is_some));
        Ok(())
    }
}

/// Lines of windows that could not be read are an error: a number that leaves them out would be wrong.
fn check_errors<E>(
    rows: &Rows,
    segments: &Segments,
    asked: &RangeOptions,
    call: &RangeCall,
) -> Result<(), MetricError<E>> {
    if call.log.shown.error().is_none() {
        return Ok(());
    }
    let n_before = segments.columns().len() + asked.labels.len();
    let is_forgiven = |error: &str| asked.forgives_parsers && PARSER_ERRORS.contains(&error);
    let error = |row: &Vec<Option<Value>>| {
        let error = row.get(n_before..)?.last()?.as_ref().map(Value::to_string)?;
        (error.ends_with("Err") && !is_forgiven(&error) && segments.is_of_a_window(row)).then_some(error)
    };
    rows.iter().find_map(error).map_or(Ok(()), |error| Err(MetricError::Pipeline(error)))
}

/// What is asked of a range function besides its numbers.
#[derive(Default)]
struct RangeOptions {
    /// Labels of the series.
    labels: Vec<String>,
    /// Labels that the series do not have.
    left_out: Vec<String>,
    /// Whether lines that no parser could read count.
    forgives_parsers: bool,
    /// What [`looked_for`] gives.
    looked_for: Option<Vec<String>>,
}

/// Lines that no parser could read are counted by a sum where a condition asks for the error: whoever wrote it wants
/// them. So it is where lines are absent.
fn forgives_parsers(call: &RangeCall, outer: Option<&OuterAggregation<'_>>) -> bool {
    let is_sum = outer.is_some_and(|outer| {
        outer.kind == AggregationKind::Sum && matches!(outer.grouping, Grouping::By(_)) && call.function.is_additive()
    });
    is_sum && call.grouping.is_none() && call.asks_error()
}

/// Returns the labels of a sum that Loki computes with the range function.
fn injected_sum<'a>(call: &RangeCall, outer: Option<&OuterAggregation<'a>>) -> Option<&'a Grouping> {
    let sum = outer.filter(|outer| outer.kind == AggregationKind::Sum && call.function.is_additive());
    sum.map(|outer| outer.grouping)
}

/// Returns labels that parsers look for, where Loki looks only for those that are asked for: in the lines of a sum, or
/// of a range function, that is grouped by labels.
fn looked_for(call: &RangeCall, outer: Option<&OuterAggregation<'_>>) -> Option<Vec<String>> {
    let grouping = call.grouping.as_ref().or(injected_sum(call, outer));
    let Some(Grouping::By(groups)) = grouping else { return None };
    let unwrapped = call.unwrap.iter().map(|unwrap| unwrap.label.clone());
    let all = groups.iter().chain(&call.log.shown.sight.asked).cloned().chain(unwrapped);
    Some(all.collect())
}

/// Reports whether Loki gives an average no value: it divides a sum of the series by how many there are, of which only
/// the one has the label that the numbers are taken from.
fn has_no_average(kind: AggregationKind, grouping: &Grouping, inner: &Metric) -> bool {
    let (AggregationKind::Average, Grouping::By(groups), Metric::Range(call)) = (kind, grouping, inner) else {
        return false;
    };
    let is_divided = call.function.is_additive() && call.grouping.is_none() && !call.log.shown.loses_labels;
    is_divided && call.unwrap.as_ref().is_some_and(|unwrap| groups.contains(&unwrap.label))
}

/// The aggregation around a range function.
struct OuterAggregation<'a> {
    grouping: &'a Grouping,
    kind: AggregationKind,
}

/// Returns labels that the series of a range function need.
fn labels_of(call: &RangeCall, outer: Option<&OuterAggregation<'_>>) -> Vec<String> {
    if let Some(Grouping::By(labels)) = &call.grouping {
        return unique(labels.iter().cloned());
    }
    use RangeFunction::{Max, Min};
    // A sum of sums needs no more than its own labels, and so the greatest of the greatest: one pass gives the answer.
    let is_of_one_kind = |outer: &OuterAggregation<'_>| match outer.kind {
        AggregationKind::Sum => call.function.is_additive(),
        AggregationKind::Min => call.function == Min,
        AggregationKind::Max => call.function == Max,
        _ => false,
    };
    let whole = [WHOLE.to_owned()].into_iter();
    match outer {
        Some(outer @ OuterAggregation { grouping: Grouping::By(labels), .. })
            if call.grouping.is_none() && is_of_one_kind(outer) =>
        {
            unique(labels.iter().cloned())
        }
        // Fields of events can be asked for that are no labels of series.
        Some(OuterAggregation { grouping: Grouping::By(labels), .. }) => {
            let left_out = call.left_out(None);
            let named = labels.iter().filter(|label| !left_out.contains(label)).cloned();
            unique(whole.chain(named))
        }
        _ => whole.collect(),
    }
}

fn unique(labels: impl Iterator<Item = String>) -> Vec<String> {
    let mut kept = Vec::new();
    for label in labels {
        if !kept.contains(&label) {
            kept.push(label);
        }
    }
    kept
}

/// Returns labels that stages made may have an empty value; a field that is empty is no label.
fn labels_of_row(call: &RangeCall, labels: &[String], row: &[Option<Value>]) -> Labels {
    let keeps_empty = call.log.shown.sight.has_parsed();
    let mut all = Labels::new();
    for (name, value) in labels.iter().zip(row) {
        let Some(text) = value.as_ref().map(Value::to_string) else { continue };
        if text.is_empty() && !keeps_empty {
            continue;
        }
        if name == WHOLE {
            all.extend(LabelSet::read(&text).labels());
        } else {
            all.insert(name.clone(), text);
        }
    }
    all
}

/// Returns the plan of one aggregation. Columns: those of segments, labels, then those of [`windows::aggregates`].
fn plan_of(call: &RangeCall, asked: &RangeOptions, segments: &Segments, how: WindowMethod) -> Plan {
    let labels = &*asked.labels;
    let mut by: Vec<(Name, Expr)> = segments.columns();
    let label = |name: &String| match name.as_str() {
        WHOLE => call.log.shown.series_labels(&asked.left_out),
        name => call.log.shown.sight.label(name),
    };
    by.extend(labels.iter().map(|name| (Name::from(format!("#label {name}")), label(name))));
    let numbers = call.unwrap.as_ref().map(|unwrap| {
        let is_present = |expr: Expr| Expr::Call(Function::IsPresent, vec![expr]);
        let where_number = |expr: Expr| Expr::Call(Function::If, vec![is_present(unwrap.value.clone()), expr]);
        let zero = Box::new(Expr::Literal(Some(Value::Integer(0))));
        // The sum with 0 is missing for what is no finite number, so that only these are counted.
        let finite = Expr::Arithmetic(ArithmeticOperator::Add, Box::new(unwrap.value.clone()), zero);
        let one = Expr::Literal(Some(Value::Integer(1)));
        let odd = Expr::Call(Function::If, vec![is_present(finite.clone()), Expr::Literal(None), where_number(one)]);
        (if how == WindowMethod::Texts { where_number(unwrap.text.clone()) } else { finite }, odd)
    });
    let aggregates = windows::aggregates(call.function, numbers.unzip(), how);
    let names: Vec<Name> = by.iter().map(|(name, _)| name.clone()).collect();
    let columns = names.into_iter().chain(aggregates.iter().map(|aggregate| aggregate.name.clone()));
    // Parsers whose labels are not asked for do not run, and cannot fail.
    let needs_labels =
        !labels.is_empty() || call.unwrap.is_some() || call.log.shown.reads_labels || call.log.filters_labels();
    let error = call.log.shown.error().filter(|_| needs_labels && !labels.iter().any(|name| name == ERROR));
    // A line without the label that the number is taken from is left out, whatever else is wrong with it.
    let error = match (error, &call.unwrap) {
        (Some(error), Some(unwrap)) => {
            let is_missing = Expr::Call(Function::IsEmpty, vec![unwrap.text.clone()]);
            Some(Expr::Call(Function::If, vec![is_missing, Expr::Literal(None), error]))
        }
        (error, _) => error,
    };
    let columns = columns.chain(error.is_some().then(|| ERROR_COLUMN.into()));
    let columns = columns.map(|name: Name| (name.clone(), Expr::Field(name))).collect();
    by.extend(error.map(|error| (ERROR_COLUMN.into(), error)));
    let mut operators = call.log.operators.clone();
    if let Some(looked_for) = &asked.looked_for {
        operators.iter_mut().for_each(|operator| labels::forget_keys(operator, looked_for));
    }
    if !needs_labels {
        operators.retain(|operator| !labels::is_unpacked_line(operator));
    }
    operators.push(Operator::Aggregate { by, aggregates });
    operators.push(Operator::Project { columns, is_events: false });
    PlanDraft { sources: call.log.sources.clone(), operators, ..PlanDraft::default() }.finish()
}
