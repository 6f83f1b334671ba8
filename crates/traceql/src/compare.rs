//! `compare()`: two selections of spans, and how often each value of their fields occurs in either.

use plan::{Aggregate, AggregateKind, Expr, Name, Operator, Plan, SortKey, function::Function};
use types::{TimeRange, Timestamp, Value};

use crate::condition::{and, field, is_present, truth};
use crate::series::step_of;

/// The columns of rows: the beginning of a step, whether spans are selected, a value, and how many spans have it.
const TIME: &str = "#time";
const SELECTED: &str = "#selected";
const VALUE: &str = "#value";
const COUNT: &str = "#count";

/// A comparison of two selections of spans by the values of their fields.
#[derive(Clone, Debug)]
pub struct ComparePlan {
    /// The condition of all spans of the query.
    pub base: Expr,
    /// The condition of the selected spans, which are compared with all others of the query.
    pub selected: Expr,
    /// The number of values of each field that are shown: the most frequent of either side.
    pub most: usize,
    /// The events to look at.
    pub range: TimeRange,
    /// The first nanosecond of the first step and the length of all; `None` for one point at the end of the range.
    pub(crate) steps: Option<(i64, i64)>,
}

/// How many spans of one step and side have a value.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueCount {
    /// The time of the step's point.
    pub time: Timestamp,
    /// Whether the spans are selected.
    pub is_selected: bool,
    /// The value; `None` in [`ComparePlan::totals`].
    pub value: Option<Value>,
    /// The number of spans.
    pub count: i64,
}

impl ComparePlan {
    /// Returns the plan that counts the spans that have each of some fields, one column of counts for each; [`Self::total`] reads
    /// its rows.
    pub fn totals(&self, fields: &[Name]) -> Plan {
        let count = |(place, name): (usize, &Name)| Aggregate {
            name: format!("{COUNT}{place}").into(),
            kind: AggregateKind::Count,
            argument: Some(field(name)),
        };
        self.plan(self.base.clone(), self.by(), fields.iter().enumerate().map(count).collect(), None)
    }

    /// Reads the count of a field, by its place among those of [`Self::totals`], from a row of that plan.
    pub fn total(&self, row: &[Option<Value>], place: usize) -> Option<ValueCount> {
        let (time, is_selected, counts) = self.head(row)?;
        Some(ValueCount { time, is_selected, value: None, count: integer(counts.get(place)?)? })
    }

    /// Returns the plan that counts the values of a field, the most frequent first, at most `rows_max` of all steps and sides;
    /// [`Self::value`] reads its rows.
    pub fn values(&self, name: &Name, rows_max: usize) -> Plan {
        let by = self.by().into_iter().chain([(VALUE.into(), field(name))]).collect();
        let condition = and(self.base.clone(), is_present(field(name)));
        self.plan(condition, by, vec![count()], Some(rows_max))
    }

    /// Reads a row of [`Self::values`].
    pub fn value(&self, row: &[Option<Value>]) -> Option<ValueCount> {
        let (time, is_selected, [value, count]) = self.head(row)? else { return None };
        Some(ValueCount { time, is_selected, value: value.clone(), count: integer(count)? })
    }

    /// Returns the comparison of one side alone, over the whole range.
    pub fn side(&self, is_selected: bool) -> Self {
        let selected = self.selection();
        let side = if is_selected { selected } else { plan::not(selected) };
        Self { base: and(self.base.clone(), side), steps: None, ..self.clone() }
    }

    /// Returns the comparison of the spans that have one of some values in a field.
    pub fn with_values(&self, name: &Name, values: &[Value]) -> Self {
        let values = values.iter().map(|value| Expr::Literal(Some(value.clone()))).collect();
        Self { base: and(self.base.clone(), Expr::In(Box::new(field(name)), values)), ..self.clone() }
    }

    /// Returns the condition of the selection, false where it has no value.
    fn selection(&self) -> Expr {
        Expr::Call(Function::If, vec![self.selected.clone(), truth(true), truth(false)])
    }

    fn by(&self) -> Vec<(Name, Expr)> {
        let time = self.steps.map(|(first, step)| (TIME.into(), step_of(first, step)));
        time.into_iter().chain([(SELECTED.into(), self.selection())]).collect()
    }

    fn plan(&self, base: Expr, by: Vec<(Name, Expr)>, aggregates: Vec<Aggregate>, rows_max: Option<usize>) -> Plan {
        let names = by.iter().map(|(name, _)| name).chain(aggregates.iter().map(|aggregate| &aggregate.name));
        let columns = names.map(|name| (name.clone(), field(name))).collect();
        let mut operators = vec![Operator::Filter(base), Operator::Aggregate { by, aggregates }];
        if let Some(rows_max) = rows_max {
            let by_count = SortKey { expr: field(COUNT), descending: true };
            operators.extend([Operator::Sort(vec![by_count]), Operator::Limit(rows_max as u64)]);
        }
        operators.push(Operator::Project { columns, is_events: false });
        Plan::new(operators)
    }

    /// Returns the time and the side of a row, and its other columns.
    fn head<'r>(&self, row: &'r [Option<Value>]) -> Option<(Timestamp, bool, &'r [Option<Value>])> {
        let (time, row) = match (self.steps, row) {
            (Some((_, step)), [Some(Value::Timestamp(start)), row @ ..]) => (Timestamp(start.0 + step - 1), row),
            (None, row) => (Timestamp(self.range.to.0.saturating_sub(1)), row),
            _ => return None,
        };
        match row {
            [Some(Value::Boolean(is_selected)), row @ ..] => Some((time, *is_selected, row)),
            _ => None,
        }
    }
}

fn count() -> Aggregate {
    Aggregate { name: COUNT.into(), kind: AggregateKind::Count, argument: None }
}

fn integer(value: &Option<Value>) -> Option<i64> {
    if let Some(Value::Integer(number)) = value { Some(*number) } else { None }
}
