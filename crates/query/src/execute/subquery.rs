//! Queries inside conditions: each is answered first and becomes the list of its values.

use std::collections::HashSet;
use std::sync::Arc;

use types::{GroupPattern, Run, TimeRange, Value};

use super::aggregate::write_key;
use super::cell::Cell;
use super::{Answer, ExecuteError, PartialReason, Request, Stats, execute};
use crate::plan::{AppendColumns, Expr, Join, Lookup, Operator, Other, Plan};

/// Most distinct values of a subquery.
const VALUES_MAX: usize = 100_000;

/// Gives the runs of the groups that a query names.
pub type RunsOf<'a> = dyn FnMut(&[GroupPattern]) -> Vec<Arc<dyn Run>> + 'a;

/// Tells whether a plan has subqueries, which must be answered before it runs.
pub fn has_subqueries(plan: &Plan) -> bool {
    plan.operators.iter().any(|operator| match operator {
        Operator::Filter(expr) | Operator::Extend { expr, .. } => holds_query(expr),
        Operator::Aggregate { by, aggregates } => {
            by.iter().any(|(_, expr)| holds_query(expr))
                || aggregates.iter().filter_map(|aggregate| aggregate.argument.as_ref()).any(holds_query)
        }
        Operator::Sort(keys) => keys.iter().any(|key| holds_query(&key.expr)),
        Operator::Parse(parse) => holds_query(&parse.text),
        Operator::Unnest { list, .. } => holds_query(list),
        Operator::Lookup(Lookup { table: other, .. })
        | Operator::Join(Join { other, .. })
        | Operator::AppendColumns(AppendColumns { other, .. }) => !matches!(other, Other::Rows(_)),
        Operator::Patterns(patterns) => holds_query(&patterns.text),
        _ => false,
    })
}

/// A plan whose subqueries are lists of values.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The plan.
    pub plan: Plan,
    /// Why values may be missing.
    pub partial_reasons: Vec<PartialReason>,
    /// What it took.
    pub stats: Stats,
}

/// Answers the subqueries of a plan. They look at the groups that they name, at all times.
pub fn answer_subqueries(
    plan: &Plan,
    request: &Request<'_>,
    runs_of: &mut RunsOf<'_>,
) -> Result<Answered, ExecuteError> {
    answer_inner(plan, request, &mut |inner, request| execute(inner, &runs_of(&inner.sources), request))
}

/// Runs a query that stands inside another.
pub(crate) type AskInner<'a> = dyn FnMut(&Plan, &Request<'_>) -> Result<Answer, ExecuteError> + 'a;

/// The same, wherever the events of the inner queries come from.
pub(crate) fn answer_inner(
    plan: &Plan,
    request: &Request<'_>,
    ask: &mut AskInner<'_>,
) -> Result<Answered, ExecuteError> {
    let mut answered = Answered { plan: plan.clone(), partial_reasons: Vec::new(), stats: Stats::default() };
    let Answered { plan, partial_reasons, stats } = &mut answered;
    let mut answer = |inner: &Plan| {
        let range = inner.range(TimeRange::ALL, request.now, request.time_zone);
        let request = Request { range, limit: None, progress: None, ..*request };
        let mut answer = ask(inner, &request)?;
        partial_reasons.append(&mut answer.partial_reasons);
        stats.events_scanned += answer.stats.events_scanned;
        stats.bytes_read += answer.stats.bytes_read;
        stats.elapsed_ms += answer.stats.elapsed_ms;
        values_of(answer.rows)
    };
    plan.operators.iter_mut().try_for_each(|operator| answer_operator(operator, &mut answer))?;
    Ok(answered)
}

/// Answers the subqueries of a plan, then runs it.
///
/// What a subquery could not read, or did not get to in time, makes the answer partial.
pub fn execute_with_subqueries(
    plan: &Plan,
    runs: &[Arc<dyn Run>],
    request: &Request<'_>,
    runs_of: &mut RunsOf<'_>,
) -> Result<Answer, ExecuteError> {
    if !has_subqueries(plan) {
        return execute(plan, runs, request);
    }
    let mut answered = answer_subqueries(plan, request, runs_of)?;
    let answer = execute(&answered.plan, runs, request)?;
    Ok(answered.add_to(answer))
}

impl Answered {
    /// Adds to the answer what the inner queries took and could not read.
    pub(crate) fn add_to(&mut self, mut answer: Answer) -> Answer {
        answer.partial_reasons.append(&mut self.partial_reasons);
        answer.stats.events_scanned += self.stats.events_scanned;
        answer.stats.bytes_read += self.stats.bytes_read;
        answer.stats.elapsed_ms += self.stats.elapsed_ms;
        answer
    }
}

/// The distinct values of the only column, as elements of a list.
fn values_of(rows: Vec<Vec<Option<Value>>>) -> Result<Vec<Expr>, ExecuteError> {
    let (mut known, mut values) = (HashSet::new(), Vec::new());
    for value in rows.into_iter().filter_map(|row| row.into_iter().next().flatten()) {
        let mut key = Vec::new();
        write_key(Cell::of(Some(&value)), &mut key);
        if known.insert(key) {
            values.push(Expr::Literal(Some(value)));
        }
        if values.len() > VALUES_MAX {
            return Err(ExecuteError::SubqueryTooLarge { values_max: VALUES_MAX });
        }
    }
    Ok(values)
}

/// Answers a subquery.
type AnswerQuery<'a> = dyn FnMut(&Plan) -> Result<Vec<Expr>, ExecuteError> + 'a;

fn answer_operator(operator: &mut Operator, answer: &mut AnswerQuery<'_>) -> Result<(), ExecuteError> {
    match operator {
        Operator::Filter(expr) | Operator::Extend { expr, .. } => answer_expr(expr, answer),
        Operator::Aggregate { by, aggregates } => {
            by.iter_mut().try_for_each(|(_, expr)| answer_expr(expr, answer))?;
            let arguments = aggregates.iter_mut().filter_map(|aggregate| aggregate.argument.as_mut());
            arguments.into_iter().try_for_each(|expr| answer_expr(expr, answer))
        }
        Operator::Sort(keys) => keys.iter_mut().try_for_each(|key| answer_expr(&mut key.expr, answer)),
        Operator::Parse(parse) => answer_expr(&mut parse.text, answer),
        Operator::Unnest { list, .. } => answer_expr(list, answer),
        Operator::Patterns(patterns) => answer_expr(&mut patterns.text, answer),
        _ => Ok(()),
    }
}

fn answer_expr(expr: &mut Expr, answer: &mut AnswerQuery<'_>) -> Result<(), ExecuteError> {
    if let Expr::InQuery(item, plan) = expr {
        let values = answer(plan)?;
        answer_expr(item, answer)?;
        *expr = Expr::In(std::mem::replace(item, Box::new(Expr::Literal(None))), values);
        return Ok(());
    }
    parts(expr).into_iter().try_for_each(|part| answer_expr(part, answer))
}

fn parts(expr: &mut Expr) -> Vec<&mut Expr> {
    match expr {
        Expr::Literal(_) | Expr::Duration(_) | Expr::Regex(_) | Expr::Field(_) => Vec::new(),
        Expr::Negate(inner) | Expr::Not(inner) | Expr::Match(inner, _) | Expr::InQuery(inner, _) => vec![inner],
        Expr::And(a, b) | Expr::Or(a, b) | Expr::Compare(_, a, b) | Expr::Arithmetic(_, a, b) => vec![a, b],
        Expr::In(item, list) => std::iter::once(&mut **item).chain(list).collect(),
        Expr::Between(item, low, high) => vec![item, low, high],
        Expr::Call(_, arguments) => arguments.iter_mut().collect(),
    }
}

fn holds_query(expr: &Expr) -> bool {
    match expr {
        Expr::InQuery(..) => true,
        Expr::Literal(_) | Expr::Duration(_) | Expr::Regex(_) | Expr::Field(_) => false,
        Expr::Negate(inner) | Expr::Not(inner) | Expr::Match(inner, _) => holds_query(inner),
        Expr::And(a, b) | Expr::Or(a, b) | Expr::Compare(_, a, b) | Expr::Arithmetic(_, a, b) => {
            holds_query(a) || holds_query(b)
        }
        Expr::In(item, list) => holds_query(item) || list.iter().any(holds_query),
        Expr::Between(item, low, high) => [item, low, high].into_iter().any(|part| holds_query(part)),
        Expr::Call(_, arguments) => arguments.iter().any(holds_query),
    }
}
