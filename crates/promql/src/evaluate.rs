//! Evaluates a checked tree over all steps at once.

use std::sync::Arc;

use crate::aggregate::Reduction;
use crate::call::{Call, Values};
use crate::context::Context;
use crate::error::{EvalError, Result};
use crate::function::{Function, Kind};
use crate::info::info;
use crate::labels::Labels;
use crate::matching::Join;
use crate::operators::{Operation, scalars};
use crate::pick::Pick;
use crate::relabel::fixed_labels;
use crate::selector::{Yield, select};
use crate::syntax::{Aggregation, Edges, Expr, Grouping, Matching, Node, Operator, Selector, Shift, Span};
use crate::value::{Evaluated, Grid, Series};
use crate::windows::Plan;
use crate::{extended, math, over_time};

/// Evaluates a node that is no range.
pub(crate) fn evaluate(context: &Context<'_>, node: &Node, grid: Grid) -> Result<Evaluated> {
    context.check()?;
    match &node.expr {
        Expr::Number(value) => Ok(Evaluated::Scalar(vec![*value; grid.len])),
        Expr::Text(text) => Ok(Evaluated::Text(text.clone())),
        Expr::Paren(inner) => evaluate(context, inner, grid),
        Expr::Negate(inner) => negate(context, evaluate(context, inner, grid)?, &node.span),
        Expr::Selector(Selector { matchers, shift }) if shift.edges == Edges::Smoothed => {
            let (span, args) = (&node.span, Vec::new());
            // Under this name the plan keeps the names of metrics.
            let name = "last_over_time";
            let plan = Plan { name, function: extended::smoothed, grid, range: 0, shift: *shift, args, span };
            plan.select(context, matchers).map(Evaluated::Vector)
        }
        Expr::Selector(selector) => {
            select(context, &selector.matchers, selector.shift, grid, Yield::Values).map(Evaluated::Vector)
        }
        Expr::Matrix(..) | Expr::Subquery { .. } | Expr::Computed(..) => {
            Err(EvalError::at(&node.span, "a range vector can only be the argument of a function or an instant query"))
        }
        Expr::Call(function, args) => call(context, function, args, (&node.span, grid)),
        Expr::Aggregate { aggregation, param, inner, grouping } => {
            aggregate(context, (*aggregation, param.as_deref(), inner, grouping), (&node.span, grid))
        }
        Expr::Binary { operator, left, right, matching, return_bool } => {
            let operands = (evaluate(context, left, grid)?, evaluate(context, right, grid)?);
            binary(context, operands, (*operator, matching, *return_bool), (&node.span, grid))
        }
    }
}

/// Evaluates a node whose type is a vector.
fn vector(context: &Context<'_>, node: &Node, grid: Grid) -> Result<Vec<Series>> {
    match evaluate(context, node, grid)? {
        Evaluated::Vector(series) => Ok(series),
        _ => Err(EvalError::at(&node.span, "expected an instant vector")),
    }
}

fn negate(context: &Context<'_>, value: Evaluated, span: &Span) -> Result<Evaluated> {
    match value {
        Evaluated::Scalar(column) => Ok(Evaluated::Scalar(column.into_iter().map(|value| -value).collect())),
        Evaluated::Vector(mut series) => {
            for one in &mut series {
                one.floats
                    .iter_mut()
                    .filter(|value| !crate::value::is_none(**value))
                    .for_each(|value| *value = -*value);
                for histogram in one.histograms.iter_mut().flatten() {
                    *histogram = Arc::new(histogram.as_ref().clone().times(-1.0));
                }
                context.drop_name(one);
            }
            context.unite(series, span).map(Evaluated::Vector)
        }
        text @ Evaluated::Text(_) => Ok(text),
    }
}

fn call(
    context: &Context<'_>,
    function: &'static Function,
    args: &[Node],
    (span, grid): (&Span, Grid),
) -> Result<Evaluated> {
    if let Some(at) = args.iter().position(|arg| arg.kind() == Kind::Matrix) {
        let mut scalars = Vec::new();
        for (_, arg) in args.iter().enumerate().filter(|(i, _)| *i != at) {
            if let Evaluated::Scalar(column) = evaluate(context, arg, grid)? {
                scalars.push(column);
            }
        }
        let place = &args[0].bare().span;
        let found = over_range(context, function.name, (args[at].bare(), place), scalars, grid)?;
        return Ok(Evaluated::Vector(match function.name {
            "absent_over_time" => absent_over_time(args[at].bare(), &found, grid),
            _ => found,
        }));
    }
    if let ("timestamp", Some(Expr::Selector(selector))) = (function.name, args.first().map(|arg| &arg.bare().expr)) {
        let mut times = select(context, &selector.matchers, selector.shift, grid, Yield::Times)?;
        times.iter_mut().for_each(|series| context.drop_name(series));
        return context.unite(times, span).map(Evaluated::Vector);
    }
    if let ("info", [base, rest @ ..]) = (function.name, args) {
        let wanted = match rest.first().map(|node| &node.expr) {
            Some(Expr::Selector(selector)) => &selector.matchers[..],
            _ => &[],
        };
        let series = vector(context, base, grid)?;
        return info(context, series, wanted, (first_shift(base).unwrap_or_default(), grid), span)
            .map(Evaluated::Vector);
    }
    let values: Result<Vec<Evaluated>> = args.iter().map(|arg| evaluate(context, arg, grid)).collect();
    Call { name: function.name, args, span, grid }.apply(context, Values::new(values?))
}

/// Returns the shift of the first selector, with those of the subqueries around it: info metrics follow it.
fn first_shift(node: &Node) -> Option<Shift> {
    match &node.expr {
        Expr::Number(_) | Expr::Text(_) => None,
        Expr::Selector(selector) | Expr::Matrix(selector, _) => Some(Shift { edges: Edges::Inside, ..selector.shift }),
        Expr::Paren(inner) | Expr::Negate(inner) | Expr::Computed(inner, _) | Expr::Aggregate { inner, .. } => {
            first_shift(inner)
        }
        Expr::Call(_, args) => args.iter().find_map(first_shift),
        Expr::Binary { left, right, .. } => first_shift(left).or_else(|| first_shift(right)),
        Expr::Subquery { inner, shift, .. } => first_shift(inner).map(|found| match found.at {
            Some(_) => found,
            None => Shift { offset: found.offset + shift.offset, ..*shift },
        }),
    }
}

/// Applies a function to a selector with a range, or to a subquery; remarks name the place of its first argument.
fn over_range(
    context: &Context<'_>,
    name: &'static str,
    (node, place): (&Node, &Span),
    args: Vec<Vec<f64>>,
    grid: Grid,
) -> Result<Vec<Series>> {
    let function = over_time::find(name)
        .ok_or_else(|| EvalError::at(&node.span, format!("function {name:?} is not supported over ranges")))?;
    match &node.expr {
        Expr::Matrix(selector, range) => {
            if let Some((modifier, functions)) = selector.shift.edges.modifier().filter(|(_, all)| !all.contains(&name))
            {
                let functions = functions.join(", ");
                let message = format!("{modifier} modifier can only be used with: {functions} - not with {name}");
                return Err(EvalError::at(&node.span, message));
            }
            let plan = Plan { name, function, grid, range: *range, shift: selector.shift, args, span: place };
            plan.select(context, &selector.matchers)
        }
        Expr::Subquery { inner, range, step, shift } => {
            let steps = subquery_grid(context, (*range, *step, *shift), grid)?;
            let series = vector(context, inner, steps)?;
            let plan = Plan { name, function, grid, range: *range, shift: *shift, args, span: place };
            plan.subquery(context, series, steps)
        }
        _ => Err(EvalError::at(&node.span, "expected a range vector")),
    }
}

/// Returns the steps of a subquery: multiples of its step that lie in its range at any step outside.
pub(crate) fn subquery_grid(
    context: &Context<'_>,
    (range, step, shift): (i64, Option<i64>, Shift),
    grid: Grid,
) -> Result<Grid> {
    let (first, last) = match shift.at {
        Some(at) => (context.time_of(at), context.time_of(at)),
        None => (grid.start, grid.last()),
    };
    let step = step.unwrap_or(context.options.subquery_step).max(1);
    let (after, until) = (first - shift.offset - range, last - shift.offset);
    let start = (after.div_euclid(step) + 1) * step;
    let len = if start > until || grid.len == 0 { 0 } else { ((until - start) / step + 1) as usize };
    // Before a column of this length is made.
    context.borrow(len)?;
    Ok(Grid { start, step, len })
}

/// Returns a series where no series of a range has a sample.
fn absent_over_time(node: &Node, found: &[Series], grid: Grid) -> Vec<Series> {
    let labels = match &node.expr {
        Expr::Matrix(selector, _) => fixed_labels(&selector.matchers),
        _ => Labels::default(),
    };
    let mut out = Series::empty(labels, false, grid.len);
    for step in (0..grid.len).filter(|step| !found.iter().any(|series| series.has(*step))) {
        out.floats[step] = 1.0;
    }
    if out.has_any() { vec![out] } else { Vec::new() }
}

fn aggregate(
    context: &Context<'_>,
    (aggregation, param, inner, grouping): (Aggregation, Option<&Node>, &Node, &Grouping),
    (span, grid): (&Span, Grid),
) -> Result<Evaluated> {
    let value = param.map(|param| evaluate(context, param, grid)).transpose()?;
    let series = vector(context, inner, grid)?;
    let reduction = Reduction { aggregation, grouping, span: &inner.bare().span, steps: grid.len };
    let param_span = param.map_or(span, |param| &param.bare().span);
    match (aggregation, value) {
        (Aggregation::CountValues, Some(Evaluated::Text(label))) => {
            if label.is_empty() {
                return Err(EvalError::at(param_span, "invalid label name \"\""));
            }
            reduction.count_values(context, &series, &label)
        }
        (Aggregation::Quantile, Some(Evaluated::Scalar(q))) => {
            remark_quantiles(context, param_span, &q);
            reduction.quantile(context, &series, &q)
        }
        (_, Some(Evaluated::Scalar(k))) => Pick { aggregation, grouping, span, param_span }.pick(context, series, &k),
        _ => reduction.reduce(context, &series),
    }
    .map(Evaluated::Vector)
}

/// Names NaN and the least and the greatest of the quantiles of all steps, where they are none; the others are not named.
fn remark_quantiles(context: &Context<'_>, span: &Span, q: &[f64]) {
    let mut remarks = context.remarks();
    if q.iter().any(|q| q.is_nan()) {
        remarks.quantile(span, f64::NAN);
    }
    let most = q.iter().copied().fold(f64::MIN, math::max);
    let least = q.iter().copied().fold(f64::MAX, math::min);
    if most > 1.0 {
        remarks.quantile(span, most);
    }
    if least < 0.0 {
        remarks.quantile(span, least);
    }
}

fn binary(
    context: &Context<'_>,
    operands: (Evaluated, Evaluated),
    (operator, matching, return_bool): (Operator, &Matching, bool),
    (span, grid): (&Span, Grid),
) -> Result<Evaluated> {
    let operation = Operation { operator, span };
    match operands {
        (Evaluated::Scalar(left), Evaluated::Scalar(right)) => {
            Ok(Evaluated::Scalar(left.into_iter().zip(right).map(|(a, b)| scalars(operator, a, b)).collect()))
        }
        (Evaluated::Vector(left), Evaluated::Scalar(right)) => {
            operation.vector_scalar(context, left, &right, false, return_bool).map(Evaluated::Vector)
        }
        (Evaluated::Scalar(left), Evaluated::Vector(right)) => {
            operation.vector_scalar(context, right, &left, true, return_bool).map(Evaluated::Vector)
        }
        (Evaluated::Vector(left), Evaluated::Vector(right)) => {
            let drop_name = return_bool && !context.options.delayed_name_removal;
            let join = Join { operation, matching, return_bool, drop_name };
            let found = if operator.is_set() {
                join.set(context, left, right, grid.len)
            } else {
                join.join(context, left, right, grid.len)
            };
            found.map(Evaluated::Vector)
        }
        _ => Err(EvalError::at(span, "an operand of a binary operator is a string")),
    }
}
