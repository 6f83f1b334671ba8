//! Commands that rank, fill or repeat rows, and queries inside conditions.

use std::sync::Arc;

use super::checker::Checker;
use crate::insights::syntax::{Arguments, Command, FillClause, Item, Name, Node, NodeKind, Stats};
use plan::{Aggregate, AggregateKind, Expr, Operator, PlanDraft, Rank, Span};

/// Spans of a `timechart` that does not say how long they are.
const TIMECHART_SPAN: &str = "5m";

/// Rows of `top` and `rare` that do not say how many they want.
const RANKED_ROWS: u64 = 10;

/// Most subqueries of a query, those inside others too; each is run as a query of its own.
const SUBQUERIES_MAX: usize = 8;

impl Checker<'_> {
    /// `stats` by spans of time, with rows for the spans in which nothing happened.
    pub(super) fn timechart(&mut self, length: Option<&Node>, stats: &Stats, span: Span) {
        let usual = Node { kind: NodeKind::Duration(TIMECHART_SPAN.into()), span, depth: 1 };
        let length = length.cloned().unwrap_or(usual);
        let NodeKind::Duration(written) = &length.kind else { return };
        let column = Name { text: format!("bin({written})"), span };
        let name = Name { text: "bin".into(), span };
        let call = NodeKind::Call { name, arguments: vec![length], has_star: false };
        let bin = Item { expr: Node { kind: call, span, depth: 2 }, alias: Some(column) };
        let by: Vec<Item> = std::iter::once(bin).chain(stats.by.iter().cloned()).collect();
        self.stats(&stats.items, &by, stats.offset.as_ref());
        let Some(mut fill) = self.tables.last().and_then(|table| table.buckets.clone()) else { return };
        let aggregates = self.operators.iter().rev().find_map(|operator| match operator {
            Operator::Aggregate { aggregates, .. } => Some(aggregates),
            _ => None,
        });
        let is_count =
            |aggregate: &&Aggregate| matches!(aggregate.kind, AggregateKind::Count | AggregateKind::CountDistinct);
        let counts = aggregates.into_iter().flatten().filter(is_count);
        fill.values = counts.map(|count| (count.name.clone(), types::Value::Integer(0))).collect();
        self.operators.push(Operator::FillBuckets(fill));
    }

    /// `top` and `rare`.
    pub(super) fn ranking(&mut self, most: Option<u64>, names: &[Name], by: &[Name], rarest_first: bool) {
        let field = |name: &Name| {
            let kind = NodeKind::Field(name.text.clone());
            Item { expr: Node { kind, span: name.span, depth: 1 }, alias: None }
        };
        let groups: Vec<Item> = by.iter().chain(names).map(field).collect();
        let span = names.first().map_or_else(Span::default, |name| name.span);
        let name = |text: &str| Name { text: text.into(), span };
        let call = NodeKind::Call { name: name("count"), arguments: Vec::new(), has_star: true };
        let count = Item { expr: Node { kind: call, span, depth: 1 }, alias: Some(name("count")) };
        self.stats(&[count], &groups, None);
        let all = |names: &[Name]| names.iter().map(|name| plan::Name::from(&*name.text)).collect();
        let share: plan::Name = "share".into();
        if let Some(table) = self.tables.last_mut() {
            if !table.columns.insert(share.clone()) {
                let message = "`top` and `rare` need the name `share` for a column of their own";
                self.error_with_hint("duplicate-column", message, span, "rename the field first: rename share as s");
                return;
            }
            table.shown.push(share.clone());
        }
        self.operators.push(Operator::Rank(Rank {
            by: all(by),
            fields: all(names),
            count: "count".into(),
            share,
            most: most.unwrap_or(RANKED_ROWS),
            rarest_first,
        }));
    }

    /// `fillmissing`: rows for the spans of time in which there is none.
    pub(super) fn fill_missing(&mut self, fillings: &[FillClause], span: Span) {
        let has_columns = |table: &&super::scope::Table| {
            let series = table.buckets.iter().flat_map(|fill| fill.series.iter().chain([&fill.time]));
            series.into_iter().all(|name| table.columns.contains(name))
        };
        let Some(mut fill) = self.tables.last().filter(has_columns).and_then(|table| table.buckets.clone()) else {
            let message = "`fillmissing` needs rows by spans of time";
            let hint = "group by time first: stats count(*) as n by bin(5m) | fillmissing with 0 for n";
            return self.error_with_hint("no-buckets", message, span, hint);
        };
        for filling in fillings {
            for name in &filling.names {
                if !self.tables.last().is_some_and(|table| table.columns.contains(&*name.text)) {
                    let message = format!("there is no column `{}` to be filled", name.text);
                    self.error("unknown-column", message, name.span);
                }
                let value = filling.value.clone().map(|value| (plan::Name::from(&*name.text), value));
                fill.values.extend(value);
            }
        }
        self.operators.push(Operator::FillBuckets(fill));
    }

    /// `filldown`: of the fields named, or of all that are shown.
    pub(super) fn fill_down(&mut self, arguments: &Arguments) {
        self.check_options("filldown", &[], &arguments.options);
        let names = self.columns_named(&arguments.names);
        self.operators.push(Operator::FillDown(names));
    }

    pub(super) fn unnest(&mut self, list: &Node, name: &Name) {
        let expr = self.expr(list);
        self.warn_of_unknown(&expr, list.span);
        let name: plan::Name = Arc::from(&*name.text);
        self.operators.push(Operator::Unnest { list: expr, name: name.clone(), most: None });
        self.show_new(&name);
    }

    /// Returns a condition on the values that another query gives.
    pub(super) fn in_query(&mut self, value: Expr, commands: &[Command], span: Span) -> Expr {
        if !self.may_ask(span) {
            return Expr::Literal(None);
        }
        match self.subquery(commands) {
            Some(draft) => {
                self.check_columns(&draft, span);
                Expr::InQuery(Box::new(value), Arc::new(draft.finish()))
            }
            None => Expr::Literal(None),
        }
    }

    /// Counts one more query inside this one. Past the limit it is an error, told once.
    pub(super) fn may_ask(&mut self, span: Span) -> bool {
        self.n_subqueries += 1;
        if self.n_subqueries == SUBQUERIES_MAX + 1 {
            let message = format!("the query has more than {SUBQUERIES_MAX} subqueries");
            self.error("too-many-subqueries", message, span);
        }
        self.n_subqueries <= SUBQUERIES_MAX
    }

    pub(super) fn subquery(&mut self, commands: &[Command]) -> Option<PlanDraft> {
        let mut inner = Checker::new(self.text, self.options);
        inner.is_in_force = self.is_in_force;
        inner.n_regexes = self.n_regexes;
        inner.n_subqueries = self.n_subqueries;
        let around = if self.sources.is_empty() { &self.sources_around } else { &self.sources };
        inner.sources_around.clone_from(around);
        let checked = inner.checked(commands);
        self.n_regexes = inner.n_regexes;
        self.n_subqueries = inner.n_subqueries;
        match checked {
            Ok(mut draft) => {
                self.warnings.append(&mut draft.warnings);
                self.warnings.truncate(super::checker::NOTES_MAX);
                Some(draft)
            }
            Err(errors) => {
                errors.0.into_iter().for_each(|error| self.fail(error));
                None
            }
        }
    }

    fn check_columns(&mut self, draft: &PlanDraft, span: Span) {
        let n_columns = match draft.operators.last() {
            Some(Operator::Project { columns, .. }) => columns.len(),
            _ => 0,
        };
        if n_columns != 1 {
            let message = format!("a subquery gives one column, this one gives {n_columns}");
            self.error_with_hint("subquery-columns", message, span, "end it with the field wanted: | fields user)");
        }
    }
}
