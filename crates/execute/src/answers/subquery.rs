//! Queries and tables inside a plan: each is fetched first. A query inside a condition becomes the list of its values,
//! one next to the rows becomes rows, and so does a table.

use std::collections::HashSet;
use std::sync::Arc;

use plan::{AppendColumns, Expr, Join, Lookup, Name, Operator, Other, Plan, Rows, has_subqueries};
use types::{GroupPattern, Run, TimeRange, Value};

use crate::answers::run::execute;
use crate::request::answer::{Answer, PartialReason, Stats};
use crate::request::error::Result;
use crate::request::parameters::{Request, Support, TableOf};
use evaluate::{Cell, value_bytes, write_key};

/// Most distinct values of a subquery.
const VALUES_MAX: usize = 100_000;

/// Most columns of a table that an error names.
const COLUMNS_NAMED_MAX: usize = 20;

/// Gives the runs of the groups that a query names.
pub type RunsOf<'a> = dyn FnMut(&[GroupPattern]) -> Vec<Arc<dyn Run>> + 'a;

/// A plan whose subqueries are lists of values.
#[derive(Clone, Debug)]
pub struct AnsweredPlan {
    /// The plan.
    pub plan: Plan,
    /// Why values may be missing.
    pub partial_reasons: Vec<PartialReason>,
    /// What it took.
    pub stats: Stats,
    /// What the rows that were fetched hold: the plan may hold so much less.
    pub n_bytes: usize,
}

/// Answers the subqueries of a plan and fetches its tables. Those of conditions look at the groups that they name, at
/// all times; those next to the rows at the time asked for, and where they name no groups at those of the request, for
/// which `runs_of` is asked with no pattern.
pub fn answer_subqueries(plan: &Plan, request: &Request<'_>, runs_of: &mut RunsOf<'_>) -> Result<AnsweredPlan> {
    answer_inner(plan, request, &mut |inner, request| execute(inner, &runs_of(&inner.sources), request))
}

/// Runs a query that is inside another.
pub(crate) type RunSubquery<'a> = dyn FnMut(&Plan, &Request<'_>) -> Result<Answer> + 'a;

/// Returns the same, wherever the events of the inner queries come from.
pub(crate) fn answer_inner(plan: &Plan, request: &Request<'_>, ask: &mut RunSubquery<'_>) -> Result<AnsweredPlan> {
    let answered = AnsweredPlan {
        plan: plan.clone(),
        partial_reasons: Vec::new(),
        stats: crate::request::answer::Stats::default(),
        n_bytes: 0,
    };
    let mut inner = SubqueryRunner { request, ask, answered };
    let mut operators = plan.operators().to_vec();
    operators.iter_mut().try_for_each(|operator| inner.fetch(operator))?;
    Ok(AnsweredPlan { plan: plan.with_operators(operators), ..inner.answered })
}

/// What is fetched for a plan.
struct SubqueryRunner<'a, 'r> {
    request: &'a Request<'r>,
    ask: &'a mut RunSubquery<'a>,
    answered: AnsweredPlan,
}

impl SubqueryRunner<'_, '_> {
    fn fetch(&mut self, operator: &mut Operator) -> Result<()> {
        match operator {
            Operator::Lookup(lookup) => {
                if let Other::Table(name) = &lookup.table {
                    lookup.table = Other::Rows(self.table(name, lookup)?);
                }
                lookup.keys.iter_mut().try_for_each(|(_, expr)| self.fetch_expr(expr))
            }
            Operator::Join(Join { other, .. }) | Operator::AppendColumns(AppendColumns { other, .. }) => {
                if let Other::Query(plan) = other {
                    *other = Other::Rows(Arc::new(self.rows(&plan.clone())?));
                }
                Ok(())
            }
            Operator::Project { .. } => Ok(()),
            other => other.expressions_mut().into_iter().try_for_each(|expr| self.fetch_expr(expr)),
        }
    }

    fn fetch_expr(&mut self, expr: &mut Expr) -> Result<()> {
        if let Expr::InQuery(item, plan) = expr {
            // Subqueries of conditions look at all times.
            let answer = self.answer(plan, TimeRange::ALL)?;
            let values = values_of(answer.rows)?;
            self.fetch_expr(item)?;
            *expr = Expr::In(std::mem::replace(item, Box::new(Expr::Literal(None))), values);
            return Ok(());
        }
        expr.parts_mut().try_for_each(|part| self.fetch_expr(part))
    }

    fn answer(&mut self, plan: &Plan, range: TimeRange) -> Result<Answer> {
        let range = plan.range(range, self.request.now, self.request.time_zone);
        let memory_bytes_max = self.request.memory_bytes_max.saturating_sub(self.answered.n_bytes);
        // Its rows are not those of the answer.
        let support = Support { take_rows: None, take_partial_rows: None, ..self.request.support };
        let request = Request { range, limit: None, progress: None, memory_bytes_max, support, ..*self.request };
        let mut answer = if has_subqueries(plan) {
            let mut answered = answer_inner(plan, &request, self.ask)?;
            let answer = (self.ask)(&answered.plan, &answered.remaining(&request))?;
            answered.add_to(answer)
        } else {
            (self.ask)(plan, &request)?
        };
        let AnsweredPlan { partial_reasons, stats, .. } = &mut self.answered;
        partial_reasons.append(&mut answer.partial_reasons);
        stats.events_scanned += answer.stats.events_scanned;
        stats.events_skipped += answer.stats.events_skipped;
        stats.events_shared += answer.stats.events_shared;
        stats.bytes_read += answer.stats.bytes_read;
        stats.elapsed_ms += answer.stats.elapsed_ms;
        Ok(answer)
    }

    /// Returns the rows of a query, over the time that is asked for.
    fn rows(&mut self, plan: &Plan) -> Result<Rows> {
        let answer = self.answer(plan, self.request.range)?;
        let columns = answer.columns.into_iter().map(|column| Name::from(column.name)).collect();
        let rows = Rows { columns, rows: answer.rows };
        self.answered.n_bytes += bytes_of(&rows);
        Ok(rows)
    }

    /// Returns the table that a lookup names, which must have the columns that it speaks of.
    fn table(&self, name: &Name, lookup: &Lookup) -> Result<Arc<Rows>> {
        fetch_table(self.request.support.tables, name, lookup)
    }
}

/// Returns the bytes that rows hold, roughly.
fn bytes_of(rows: &Rows) -> usize {
    let row = |row: &Vec<Option<Value>>| {
        24 + row.iter().map(|value| 24 + value.as_ref().map_or(0, value_bytes)).sum::<usize>()
    };
    rows.rows.iter().map(row).sum()
}

/// Answers the subqueries of a plan, then runs it.
///
/// What a subquery could not read, or did not get to in time, makes the answer partial.
pub fn execute_with_subqueries(
    plan: &Plan,
    runs: &[Arc<dyn Run>],
    request: &Request<'_>,
    runs_of: &mut RunsOf<'_>,
) -> Result<Answer> {
    if !has_subqueries(plan) {
        return execute(plan, runs, request);
    }
    let mut answered = answer_subqueries(plan, request, runs_of)?;
    let answer = execute(&answered.plan, runs, &answered.remaining(request))?;
    Ok(answered.add_to(answer))
}

impl AnsweredPlan {
    /// Returns the request for the plan, with the memory that is left.
    pub fn remaining<'r>(&self, request: &Request<'r>) -> Request<'r> {
        Request { memory_bytes_max: request.memory_bytes_max.saturating_sub(self.n_bytes), ..*request }
    }

    /// Adds to the answer what the inner queries took and could not read.
    pub(crate) fn add_to(&mut self, mut answer: Answer) -> Answer {
        answer.partial_reasons.append(&mut self.partial_reasons);
        answer.stats.events_scanned += self.stats.events_scanned;
        answer.stats.events_skipped += self.stats.events_skipped;
        answer.stats.events_shared += self.stats.events_shared;
        answer.stats.bytes_read += self.stats.bytes_read;
        answer.stats.elapsed_ms += self.stats.elapsed_ms;
        answer
    }
}

/// Returns the distinct values of the only column, as elements of a list.
fn values_of(rows: Vec<Vec<Option<Value>>>) -> Result<Vec<Expr>> {
    let (mut known, mut values) = (HashSet::new(), Vec::new());
    for value in rows.into_iter().filter_map(|row| row.into_iter().next().flatten()) {
        let mut key = Vec::new();
        write_key(Cell::of(Some(&value)), &mut key);
        if known.insert(key) {
            values.push(Expr::Literal(Some(value)));
        }
        if values.len() > VALUES_MAX {
            return Err(crate::request::error::ExecuteError::SubqueryTooLarge { values_max: VALUES_MAX });
        }
    }
    Ok(values)
}

/// Fetches the tables that a plan looks up, for a plan that runs without [`answer_subqueries`]: a live tail.
pub fn fetch_tables(plan: &mut Plan, tables: &TableOf<'_>) -> Result<()> {
    plan.edit(|operators| {
        for operator in operators {
            let Operator::Lookup(lookup) = operator else { continue };
            if let Other::Table(name) = &lookup.table {
                lookup.table = Other::Rows(fetch_table(Some(tables), name, lookup)?);
            }
        }
        Ok(())
    })
}

/// Returns the table that a lookup names, which must have the columns that it speaks of.
fn fetch_table(tables: Option<&TableOf<'_>>, name: &Name, lookup: &Lookup) -> Result<Arc<Rows>> {
    let table = tables.and_then(|table_of| table_of(name));
    let table = table.ok_or_else(|| crate::request::error::ExecuteError::UnknownTable(name.to_string()))?;
    let wanted = lookup.keys.iter().map(|(column, _)| column).chain(lookup.columns.iter().map(|(column, _)| column));
    match wanted.into_iter().find(|column| !table.columns.contains(column)) {
        None => Ok(table),
        Some(column) => Err(crate::request::error::ExecuteError::UnknownColumn {
            table: name.to_string(),
            column: column.to_string(),
            known: table
                .columns
                .iter()
                .take(COLUMNS_NAMED_MAX)
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", "),
        }),
    }
}
