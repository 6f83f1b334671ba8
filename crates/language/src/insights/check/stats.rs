//! `stats`: aggregates, groups, results combined of several aggregates.
//!
//! `sum(bytes)/1024 as kb` becomes a hidden aggregate and a field computed from it. The hidden columns are named
//! `#0`, `#1`, …, which no query can write without backticks.

use std::sync::Arc;

use types::Value;

use super::aggregation::Aggregation;
use super::canonical::canonical;
use super::checker::Checker;
use super::levels::{gives_a_value, level_name, orders, severity};
use super::scope::{ShownColumns, Table};
use crate::insights::aggregate_name::AggregateName;
use crate::insights::syntax::{Item, Name, Node, NodeKind};
use plan::{Aggregate, AggregateKind, Expr, FillBuckets, Function, Operator};

/// Returns the group column that holds spans of `@timestamp`, and the other ones.
fn buckets(groups: &[(plan::Name, Expr)], offset: Option<plan::Length>) -> Option<FillBuckets> {
    let is_time = |expr: &Expr| matches!(expr, Expr::Field(field) if **field == *"@timestamp");
    let (time, span) = groups.iter().find_map(|(name, expr)| match expr {
        Expr::Call(Function::DateFloor, arguments) => match &arguments[..] {
            [time, Expr::Duration(span)] if is_time(time) => Some((name.clone(), *span)),
            [Expr::Call(Function::Later, arguments), Expr::Duration(span)]
                if arguments.first().is_some_and(is_time) =>
            {
                Some((name.clone(), *span))
            }
            _ => None,
        },
        _ => None,
    })?;
    let series = groups.iter().map(|(name, _)| name.clone()).filter(|name| *name != time).collect();
    Some(FillBuckets { time, span, series, values: Vec::new(), offset })
}

/// Spans of time as if events were later by `offset`.
fn later(expr: Expr, offset: plan::Length) -> Expr {
    match expr {
        Expr::Call(Function::DateFloor | Function::DateCeil, ref arguments) if matches!(&arguments[0], Expr::Field(field) if **field == *"@timestamp") =>
        {
            let Expr::Call(function, mut arguments) = expr else { return expr };
            let time = std::mem::replace(&mut arguments[0], Expr::Literal(None));
            arguments[0] = Expr::Call(Function::Later, vec![time, Expr::Duration(offset)]);
            Expr::Call(function, arguments)
        }
        Expr::Call(function, arguments) => {
            Expr::Call(function, arguments.into_iter().map(|argument| later(argument, offset)).collect())
        }
        other => other,
    }
}

impl Checker<'_> {
    pub(super) fn stats(&mut self, items: &[Item], by: &[Item], offset: Option<&Node>) {
        let n_errors = self.errors.len();
        let offset = offset.and_then(|offset| self.offset(offset));
        let mut aggregation = Aggregation::default();
        let mut shown: Vec<plan::Name> = Vec::new();
        let mut groups: Vec<(plan::Name, Expr)> = Vec::new();
        for item in by {
            let expr = self.expr(&item.expr);
            self.warn_of_unknown(&expr, item.expr.span);
            if let Some(name) = self.new_column(item, &mut aggregation) {
                if self.is_level(&expr) {
                    aggregation.levels.insert(name.clone());
                }
                let expr = match offset {
                    Some(offset) => later(expr, offset),
                    None => expr,
                };
                groups.push((name.clone(), expr));
                shown.push(name);
            }
        }
        let outer = self.aggregation.replace(aggregation);
        for item in items {
            if let Some(name) = self.stats_item(item) {
                shown.push(name);
            }
        }
        let Some(aggregation) = std::mem::replace(&mut self.aggregation, outer) else { return };
        if aggregation.aggregates.is_empty() && self.errors.len() == n_errors {
            let span = items.first().map_or_else(Default::default, |item| item.expr.span);
            let message = "`stats` needs at least one aggregate";
            self.error_with_hint("no-aggregate", message, span, "write an aggregate such as count(*) or avg(field)");
        }
        let buckets = buckets(&groups, offset);
        self.operators.push(Operator::Aggregate { by: groups, aggregates: aggregation.aggregates });
        let levels_before = std::mem::replace(&mut self.levels, aggregation.levels);
        let mut table = Table { columns: aggregation.names, shown, calls: aggregation.calls, buckets, levels_before };
        table.columns.extend(table.calls.values().cloned());
        self.tables.push(table);
        self.shown = ShownColumns::Default;
        self.left_aliases.clear();
        self.operators.extend(aggregation.extends.into_iter().map(|(name, expr)| Operator::Extend { name, expr }));
    }

    /// `offset d`: all events that the query looks at are earlier by it.
    fn offset(&mut self, node: &Node) -> Option<plan::Length> {
        let length = self.length(node)?;
        if !self.tables.is_empty() {
            let message = "`offset` belongs to the first `stats` of a query: it says which events are looked at";
            self.error("misplaced-offset", message, node.span);
            return None;
        }
        self.times.offset = Some(length);
        Some(length)
    }

    /// Names the column of an item; `None` where the same column is there already or the name is taken.
    fn new_column(&mut self, item: &Item, aggregation: &mut Aggregation) -> Option<plan::Name> {
        let name: plan::Name = match (&item.alias, &item.expr.kind) {
            (Some(alias), _) => Arc::from(&*alias.text),
            (None, NodeKind::Field(name)) => Arc::from(&**name),
            (None, _) => Arc::from(self.written(item.expr.span)),
        };
        let mut text = String::new();
        canonical(&item.expr, &mut text);
        if !aggregation.names.insert(name.clone()) {
            if aggregation.calls.get(&text) != Some(&name) {
                let span = item.alias.as_ref().map_or(item.expr.span, |alias| alias.span);
                let message = format!("two columns of this `stats` are named `{name}`");
                self.error_with_hint("duplicate-column", message, span, "give one of them another name after `as`");
            }
            return None;
        }
        aggregation.calls.entry(text).or_insert_with(|| name.clone());
        Some(name)
    }

    fn stats_item(&mut self, item: &Item) -> Option<plan::Name> {
        let direct = match &item.expr.kind {
            NodeKind::Call { name, arguments, has_star } => {
                AggregateName::find(&name.text).map(|aggregate| (aggregate, name, arguments, *has_star))
            }
            _ => None,
        };
        match direct {
            Some((aggregate, name, arguments, has_star)) if !matches!(aggregate, AggregateName::Composite(_)) => {
                let (kind, argument) = self.aggregate(aggregate, name, arguments, has_star)?;
                let is_level = argument.as_ref().is_some_and(|argument| self.argument_is_level(argument));
                let mut aggregation = self.aggregation.take()?;
                let column = self.new_column(item, &mut aggregation);
                if let Some(name) = &column {
                    if is_level && orders(kind) {
                        aggregation.extends.push((name.clone(), level_name(Expr::Field(name.clone()))));
                    }
                    if is_level && gives_a_value(kind) {
                        aggregation.levels.insert(name.clone());
                    }
                    aggregation.aggregates.push(Aggregate { name: name.clone(), kind, argument });
                }
                self.aggregation = Some(aggregation);
                column
            }
            _ => {
                let expr = self.expr(&item.expr);
                let is_level = self.is_level(&expr);
                let mut aggregation = self.aggregation.take()?;
                let column = self.new_column(item, &mut aggregation);
                if let Some(name) = column.as_ref().filter(|_| is_level) {
                    aggregation.levels.insert(name.clone());
                }
                aggregation.extends.extend(column.clone().map(|name| (name, expr)));
                self.aggregation = Some(aggregation);
                column
            }
        }
    }

    /// Returns an aggregate inside a larger expression: a hidden column of the present `stats`, or else an error.
    pub(super) fn aggregate_in_expression(
        &mut self,
        aggregate: AggregateName,
        name: &Name,
        arguments: &[Node],
        has_star: bool,
    ) -> Expr {
        if self.aggregation.is_none() {
            let shown = &name.text;
            let message = match self.is_in_aggregate {
                true => format!("the aggregate `{shown}` is inside another aggregate"),
                false => format!("the aggregate `{shown}` is outside `stats`"),
            };
            let hint = "aggregate first: stats count(*) as n by … | filter n > 3";
            self.error_with_hint("misplaced-aggregate", message, name.span, hint);
            return Expr::Literal(None);
        }
        if let AggregateName::Composite(composed) = aggregate {
            return self.composed(composed, name, arguments, has_star);
        }
        let Some((kind, argument)) = self.aggregate(aggregate, name, arguments, has_star) else {
            return Expr::Literal(None);
        };
        let is_level = argument.as_ref().is_some_and(|argument| self.argument_is_level(argument));
        let column = self.hidden(kind, argument);
        let Some(aggregation) = &mut self.aggregation else { return Expr::Literal(None) };
        let call = NodeKind::Call { name: name.clone(), arguments: arguments.to_vec(), has_star };
        let mut text = String::new();
        canonical(&Node { kind: call, span: name.span, depth: 1 }, &mut text);
        if is_level {
            if !orders(kind) && gives_a_value(kind) {
                aggregation.levels.insert(column.clone());
            }
            return if orders(kind) { level_name(Expr::Field(column)) } else { Expr::Field(column) };
        }
        aggregation.calls.insert(text, column.clone());
        Expr::Field(column)
    }

    /// Returns one more aggregate of the present `stats`, in a column that no query can name.
    pub(super) fn hidden(&mut self, kind: AggregateKind, argument: Option<Expr>) -> plan::Name {
        let Some(aggregation) = &mut self.aggregation else { return "#".into() };
        let column: plan::Name = Arc::from(format!("#{}", aggregation.aggregates.len()));
        aggregation.aggregates.push(Aggregate { name: column.clone(), kind, argument });
        column
    }

    /// Reports whether the argument of an aggregate, as it was checked, is a level.
    fn argument_is_level(&mut self, argument: &Expr) -> bool {
        let aggregation = self.aggregation.take();
        let is_level = match argument {
            Expr::Call(Function::Severity, _) => true,
            argument => self.is_level(argument),
        };
        self.aggregation = aggregation;
        is_level
    }

    /// Kind and argument of an aggregate, or an error and nothing.
    fn aggregate(
        &mut self,
        aggregate: AggregateName,
        name: &Name,
        arguments: &[Node],
        has_star: bool,
    ) -> Option<(AggregateKind, Option<Expr>)> {
        let kind = match (aggregate, arguments, has_star) {
            (AggregateName::Count, [], _) => return Some((AggregateKind::Count, None)),
            (AggregateName::Count, [_], false) => AggregateKind::Count,
            (AggregateName::Plain(kind), [_], false) => kind,
            (AggregateName::Values, [_], false) => AggregateKind::Values(None),
            (AggregateName::Values, [_, most], false) => AggregateKind::Values(Some(self.most(most)?)),
            (AggregateName::Percentile, [_, percent], false) => AggregateKind::Percentile(self.percent(percent)?),
            _ => {
                self.wrong_arguments(name, &name.text, aggregate.arguments());
                return None;
            }
        };
        let argument = self.aggregated(&arguments[0]);
        let is_ordered_level = orders(kind) && self.argument_is_level(&argument);
        Some((kind, Some(if is_ordered_level { severity(argument) } else { argument })))
    }

    /// Returns the argument of an aggregate: an expression over the rows that come in.
    pub(super) fn aggregated(&mut self, node: &Node) -> Expr {
        let aggregation = self.aggregation.take();
        let was_inside = std::mem::replace(&mut self.is_in_aggregate, true);
        let argument = self.expr(node);
        self.warn_of_unknown(&argument, node.span);
        self.is_in_aggregate = was_inside;
        self.aggregation = aggregation;
        argument
    }

    fn percent(&mut self, node: &Node) -> Option<f64> {
        let percent = match &node.kind {
            NodeKind::Literal(Some(Value::Integer(number))) => *number as f64,
            NodeKind::Literal(Some(Value::Float(number))) => *number,
            _ => f64::NAN,
        };
        if (0.0..=100.0).contains(&percent) {
            return Some(percent);
        }
        self.error("bad-percentile", "a percentile is a number from 0 to 100", node.span);
        None
    }

    fn most(&mut self, node: &Node) -> Option<usize> {
        if let NodeKind::Literal(Some(Value::Integer(number))) = &node.kind
            && let Ok(most) = usize::try_from(*number)
        {
            return Some(most);
        }
        self.error("bad-number", "a whole number is expected here", node.span);
        None
    }

    /// Returns the column that the text of `node` has made: of the present `stats`, or of the one before.
    pub(super) fn column_by_call(&self, node: &Node) -> Option<plan::Name> {
        if matches!(node.kind, NodeKind::Field(_) | NodeKind::Literal(_) | NodeKind::Duration(_)) {
            return None;
        }
        let calls = match (&self.aggregation, self.tables.last()) {
            (Some(aggregation), _) => &aggregation.calls,
            (None, Some(table)) => &table.calls,
            (None, None) => return None,
        };
        let mut text = String::new();
        canonical(node, &mut text);
        calls.get(&text).cloned()
    }
}
