//! Reads arithmetic of metrics queries.

use pest::iterators::Pair;
use plan::{ArithmeticOperator, QueryError, Result, Span};

use crate::grammar::{Rule, span_of};
use crate::literal::Literal;
use crate::reader::Reader;
use crate::syntax::{Arithmetic, Metric, MetricFunction, Pipeline, Query, SecondStage};

type Read<T> = Result<T>;

impl Reader<'_> {
    /// Reads metrics queries and numbers, of which one at least is a query.
    pub(crate) fn whole_arithmetic(&mut self, pair: Pair<'_, Rule>) -> Read<Arithmetic> {
        let span = span_of(&pair);
        let found = self.arithmetic(pair)?;
        let mut n_queries = 0;
        found.visit_queries(&mut |_| n_queries += 1);
        if n_queries == 0 { Err(self.number_among_spansets(span)) } else { Ok(found) }
    }

    /// Returns the error of a number where spans are selected.
    pub(crate) fn number_among_spansets(&self, span: Span) -> QueryError {
        let error = self.error("number-among-spansets", "a number is not a spanset", span);
        error.with_hint("write count() > 5, { .x > 5 }, or 5 * ({} | rate())")
    }

    fn arithmetic(&mut self, pair: Pair<'_, Rule>) -> Read<Arithmetic> {
        let span = span_of(&pair);
        match pair.as_rule() {
            Rule::arithmetic => {
                let mut parts = pair.into_inner();
                let inner = parts.next().map(|inner| self.arithmetic(inner));
                let inner = inner.unwrap_or_else(|| Err(self.error("syntax", "a metrics query is missing", span)))?;
                let stages = parts.map(|stage| self.second(stage)).collect::<Read<Vec<SecondStage>>>()?;
                Ok(staged(inner, stages))
            }
            Rule::series => match self.pipeline(pair)? {
                (_, Some(Metric { function: MetricFunction::Compare { .. }, span, .. })) => {
                    Err(self.unsupported("compare() gives several counts, which arithmetic cannot join", span))
                }
                (pipeline, metric) => Ok(Arithmetic::Series(Box::new(self.query(pipeline, metric)))),
            },
            Rule::scalar => match Literal::of_number(pair.as_str().trim_start_matches('-')) {
                Some(Literal::Integer(number)) => Ok(Arithmetic::Number(signed(&pair, number as f64))),
                Some(Literal::Float(number)) => Ok(Arithmetic::Number(signed(&pair, number))),
                _ => Err(self.error("number-too-large", format!("{} does not fit into 64 bits", pair.as_str()), span)),
            },
            _ => self.sides(pair),
        }
    }

    /// Reads operands joined by operators of one precedence, which bind to the left.
    fn sides(&mut self, pair: Pair<'_, Rule>) -> Read<Arithmetic> {
        let span = span_of(&pair);
        let mut parts = pair.into_inner();
        let first = parts.next().ok_or_else(|| self.error("syntax", "a metrics query is missing", span))?;
        let mut left = self.arithmetic(first)?;
        while let (Some(sign), Some(right)) = (parts.next(), parts.next()) {
            self.count_operator(span_of(&sign))?;
            let operator = match sign.as_str() {
                "+" => ArithmeticOperator::Add,
                "-" => ArithmeticOperator::Subtract,
                "*" => ArithmeticOperator::Multiply,
                _ => ArithmeticOperator::Divide,
            };
            left = Arithmetic::Binary(operator, Box::new(left), Box::new(self.arithmetic(right)?));
        }
        Ok(left)
    }

    fn query(&self, pipeline: Pipeline, metric: Option<Metric>) -> Query {
        Query { text: self.text.to_owned(), pipeline, metric, arithmetic: None, hints: Vec::new() }
    }
}

fn signed(pair: &Pair<'_, Rule>, number: f64) -> f64 {
    if pair.as_str().starts_with('-') { -number } else { number }
}

/// Adds stages to a result; those of a single query are its own.
fn staged(mut inner: Arithmetic, stages: Vec<SecondStage>) -> Arithmetic {
    if stages.is_empty() {
        return inner;
    }
    if let Arithmetic::Series(query) = &mut inner
        && let Some(metric) = &mut query.metric
    {
        metric.second.extend(stages);
        return inner;
    }
    Arithmetic::Second(Box::new(inner), stages)
}
