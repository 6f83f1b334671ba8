//! `pattern`, `diff`, `logcompare` and `anomaly`.

use std::sync::Arc;

use super::checker::Checker;
use super::scope::{ShownColumns, Table};
use crate::insights::syntax::{Node, Window};
use plan::{
    Aggregate, AggregateKind, CHANGE_COLUMNS, Compare, Earlier, Expr, Operator, PATTERN_COLUMNS, Patterns,
    SCORE_COLUMNS, Score, Span,
};

impl Checker<'_> {
    /// `pattern`: rows are patterns from here on.
    pub(super) fn pattern(&mut self, text: &Node) {
        let expr = self.expr(text);
        self.warn_of_unknown(&expr, text.span);
        self.patterns_of(expr);
    }

    fn patterns_of(&mut self, text: Expr) {
        self.operators.push(Operator::Patterns(Patterns { text, earlier: None, is_scored: false, counts: None }));
        let shown: Vec<plan::Name> = PATTERN_COLUMNS.map(plan::Name::from).to_vec();
        let (columns, levels_before) = (shown.iter().cloned().collect(), self.levels.clone());
        self.tables.push(Table { columns, shown, levels_before, ..Table::default() });
        self.shown = ShownColumns::Default;
    }

    /// Returns the last `pattern`, where it looks at events and nothing has taken its rows apart since.
    fn last_patterns(&mut self) -> Option<&mut Patterns> {
        let is_of_events = self.tables.len() == 1;
        self.operators.iter_mut().rev().find_map(|operator| match operator {
            Operator::Patterns(patterns) if is_of_events => Some(patterns),
            _ => None,
        })
    }

    /// `diff` and `logcompare`. Of events, their patterns are compared.
    pub(super) fn compare(&mut self, window: &Window, span: Span) {
        let earlier = match window {
            Window::Preceding => Earlier::Preceding,
            Window::Shift(length) => match self.length(length) {
                Some(length) => Earlier::Shift(length),
                None => return,
            },
        };
        let is_comparison = |operator: &Operator| match operator {
            Operator::Compare(_) => true,
            Operator::Patterns(patterns) => patterns.earlier.is_some(),
            _ => false,
        };
        if self.operators.iter().any(is_comparison) {
            return self.error("second-comparison", "a query compares with one earlier time", span);
        }
        if self.tables.is_empty() {
            self.patterns_of(Expr::Field("@message".into()));
        }
        if let Some(patterns) = self.last_patterns() {
            patterns.earlier = Some(earlier);
            return self.add_columns(CHANGE_COLUMNS.map(plan::Name::from).to_vec());
        }
        let (keys, values) = self.keys_and_values();
        if values.is_empty() {
            let message = "there is no number to be compared";
            return self.error_with_hint("nothing-to-compare", message, span, "stats count(*) by level | diff");
        }
        let buckets = self.tables.last().and_then(|table| table.buckets.as_ref());
        let time = buckets.map(|fill| (fill.time.clone(), fill.span)).filter(|(time, _)| keys.contains(time));
        let compare = Compare { earlier, keys, time, values };
        let columns = compare.values.iter().flat_map(|(value, _)| compare.columns_of(value)).collect();
        self.operators.push(Operator::Compare(compare));
        self.add_columns(columns);
    }

    /// `anomaly`. Of events, it looks at their patterns.
    pub(super) fn anomaly(&mut self, span: Span) {
        if self.tables.is_empty() {
            self.patterns_of(Expr::Field("@message".into()));
        }
        let columns = SCORE_COLUMNS.map(plan::Name::from).to_vec();
        if let Some(patterns) = self.last_patterns() {
            patterns.is_scored = true;
            return self.add_columns(columns);
        }
        let (_, values) = self.keys_and_values();
        let series = self.tables.last().and_then(|table| table.buckets.clone());
        let (Some(fill), false) = (series, values.is_empty()) else {
            let message = "`anomaly` needs patterns, or numbers by spans of time";
            let hint = "write it after `pattern @message`, or after `timechart span=5m count(*)`";
            return self.error_with_hint("no-series", message, span, hint);
        };
        self.operators.push(Operator::Score(Score { time: fill.time, span: fill.span, series: fill.series, values }));
        self.add_columns(columns);
    }

    /// Group columns of the last aggregation, and of the columns shown the others, each with whether it counts.
    fn keys_and_values(&self) -> (Vec<plan::Name>, Vec<(plan::Name, bool)>) {
        let counts =
            |aggregate: &Aggregate| matches!(aggregate.kind, AggregateKind::Count | AggregateKind::CountDistinct);
        let (keys, counted): (Vec<plan::Name>, Vec<plan::Name>) = self
            .operators
            .iter()
            .rev()
            .find_map(|operator| match operator {
                Operator::Aggregate { by, aggregates } => {
                    let counted = aggregates.iter().filter(|aggregate| counts(aggregate));
                    let keys = by.iter().map(|(name, _)| name.clone());
                    Some((keys.collect(), counted.map(|aggregate| aggregate.name.clone()).collect()))
                }
                Operator::Patterns(_) => Some((vec!["@pattern".into()], vec!["@sampleCount".into()])),
                _ => None,
            })
            .unwrap_or_default();
        let is_text = |name: &plan::Name| PATTERN_COLUMNS.contains(&&**name) && **name != *"@sampleCount";
        let others = self.shown_columns().into_iter().filter(|name| !keys.contains(name) && !is_text(name));
        let values = others.map(|name| (name.clone(), counted.contains(&name))).collect();
        (keys, values)
    }

    /// Shows new columns after those there are.
    fn add_columns(&mut self, names: Vec<plan::Name>) {
        let is_chosen = !matches!(self.shown, ShownColumns::Default);
        for name in names {
            if is_chosen {
                let before = self.shown_columns();
                self.shown.append(before, name.clone());
            }
            if let Some(table) = self.tables.last_mut()
                && table.columns.insert(Arc::clone(&name))
            {
                table.shown.push(name);
            }
        }
    }
}
