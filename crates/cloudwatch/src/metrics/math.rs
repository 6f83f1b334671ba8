//! Metric math: expressions over the series of a request.
//!
//! A value is a number, a series or a list of series. Between two series, an operation gives a datapoint where one of them has
//! one, and a missing value of the other is 0; with a list it is done with each of its series. A result that is not finite is no
//! datapoint.
//! Source: Amazon CloudWatch, "Using math expressions with CloudWatch metrics".

mod calendar;
mod evaluate;
mod functions;
mod parse;
mod request;
mod spelling;
mod values;

use std::collections::BTreeMap;

pub(super) use self::evaluate::{BAND, Evaluator};
pub(super) use self::parse::Expression as MathExpression;
pub(super) use self::request::{DatapointBudget, MathRequest, times};
pub(super) use self::spelling::{Named, canonical};

/// What is wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct MathProblem(pub(super) String);

/// Datapoints in order of time, in ms, with what a label may say about them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Series {
    pub(super) label: String,
    pub(super) points: BTreeMap<i64, f64>,
    pub(super) period_ms: i64,
    /// Properties of the metric, for labels.
    pub(super) properties: BTreeMap<String, String>,
}

/// What an expression gives.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum MathValue {
    Number(f64),
    Series(Series),
    List(Vec<Series>),
}

impl Series {
    /// Returns the series with other values; those that are not finite go.
    fn map(&self, change: impl Fn(i64, f64) -> f64) -> Self {
        let points = self.points.iter().map(|(time, value)| (*time, change(*time, *value)));
        Self { points: points.filter(|(_, value)| value.is_finite()).collect(), ..self.clone() }
    }
}
