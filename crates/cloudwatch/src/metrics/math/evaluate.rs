//! Evaluates expressions of metric math.

use std::collections::BTreeMap;

use super::functions::{Argument, call};
use super::parse::Expression;
use super::request::MathRequest;
use super::values::{binary, each};
use super::{MathProblem, MathValue, Series};

/// Deepest chain of expressions that use each other.
const CHAIN_MAX: usize = 100;

/// The function that finds bands. It needs its argument as it is written: the series at other times.
pub(in crate::metrics) const BAND: &str = "ANOMALY_DETECTION_BAND";

/// The width of a band in deviations, as at Amazon.
const DEVIATIONS: f64 = 2.0;

/// Evaluates the expressions of a request.
pub(in crate::metrics) struct Evaluator<'q> {
    /// What functions know of the request.
    pub(in crate::metrics) request: MathRequest<'q>,
    /// The expressions of the request by id.
    pub(in crate::metrics) expressions: &'q [(String, &'q Expression)],
}

impl Evaluator<'_> {
    /// Returns the series that an expression gives.
    ///
    /// # Errors
    /// What cannot be computed.
    pub(in crate::metrics) fn series(&self, expression: &Expression) -> Result<Vec<Series>, MathProblem> {
        match self.value(expression, 0)? {
            // What was computed from a metric is not that metric.
            MathValue::Series(series) => {
                Ok(vec![Series { label: String::new(), properties: BTreeMap::new(), ..series }])
            }
            MathValue::List(list) => Ok(list),
            MathValue::Number(_) => {
                Err(MathProblem("its result is a number and must be a series; TIME_SERIES makes one".to_owned()))
            }
        }
    }

    /// Evaluates an expression; `depth` counts the expressions that led to it.
    fn value(&self, expression: &Expression, depth: usize) -> Result<MathValue, MathProblem> {
        types::ensure!(depth <= CHAIN_MAX, MathProblem("expressions use each other in a circle".to_owned()));
        match expression {
            Expression::Number(number) => Ok(MathValue::Number(*number)),
            Expression::Text(text) => Err(MathProblem(format!("the text {text:?} is not a value here"))),
            Expression::Word(word) => {
                let unknown = || MathProblem(format!("{word:?} is not the Id of a query of this request"));
                self.of_id(word, depth).unwrap_or_else(|| Err(unknown()))
            }
            Expression::List(items) => Ok(MathValue::List(self.list(items, depth)?)),
            Expression::Negated(inner) => each(self.value(inner, depth)?, |value| -value),
            Expression::Binary(operator, left, right) => {
                binary(*operator, self.value(left, depth)?, self.value(right, depth)?)
            }
            Expression::Call(name, arguments) if name.eq_ignore_ascii_case(BAND) => self.band(arguments, depth),
            Expression::Call(name, arguments) => {
                let arguments = arguments.iter().map(|argument| self.argument(argument, depth));
                call(&self.request, &name.to_ascii_uppercase(), arguments.collect::<Result<_, _>>()?)
            }
        }
    }

    /// Returns the band of a series: its upper bound, and its lower bound.
    fn band(&self, arguments: &[Expression], depth: usize) -> Result<MathValue, MathProblem> {
        let usage = || MathProblem(format!("{BAND} takes one series and, if wanted, a number of deviations above 0"));
        let (argument, n_deviations) = match arguments {
            [argument] => (argument, DEVIATIONS),
            [argument, n] => match self.value(n, depth)? {
                MathValue::Number(n) if n > 0.0 && n.is_finite() => (argument, n),
                _ => return Err(usage()),
            },
            _ => return Err(usage()),
        };
        match self.value(argument, depth)? {
            MathValue::Series(series) => (self.request.band)(argument, &series, n_deviations).map(MathValue::List),
            _ => Err(usage()),
        }
    }

    /// Returns the value of the query with an id; `None` if there is no such query.
    fn of_id(&self, id: &str, depth: usize) -> Option<Result<MathValue, MathProblem>> {
        if let Some((_, series)) = self.request.metrics.iter().find(|(known, _)| known == id) {
            return Some(Ok(MathValue::Series(series.clone())));
        }
        let (_, expression) = self.expressions.iter().find(|(known, _)| known == id)?;
        Some(self.value(expression, depth + 1))
    }

    fn argument(&self, argument: &Expression, depth: usize) -> Result<Argument, MathProblem> {
        match argument {
            Expression::Text(text) => Ok(Argument::Text(text.clone())),
            Expression::Word(word) => match self.of_id(word, depth) {
                Some(value) => value.map(Argument::Value),
                None => Ok(Argument::Word(word.clone())),
            },
            other => self.value(other, depth).map(Argument::Value),
        }
    }

    fn list(&self, items: &[Expression], depth: usize) -> Result<Vec<Series>, MathProblem> {
        let mut list = Vec::new();
        for item in items {
            match self.value(item, depth)? {
                MathValue::Number(_) => return Err(MathProblem("a list has series, not numbers".to_owned())),
                MathValue::Series(series) => list.push(series),
                MathValue::List(more) => list.extend(more),
            }
        }
        Ok(list)
    }
}

#[cfg(test)]
mod tests;
