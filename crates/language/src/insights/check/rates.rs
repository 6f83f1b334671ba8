//! Aggregates that are put together of others: `rate` and `histogram`.

use types::Value;

use super::checker::Checker;
use crate::insights::aggregate_name::{AggregateName, CompositeAggregate};
use crate::insights::syntax::{Name, Node, NodeKind};
use plan::{AggregateKind, ArithmeticOperator, Expr, Function, Length};

/// Most ranges of a histogram.
const RANGES_MAX: i64 = 1_000;

impl Checker<'_> {
    /// Returns the expression over hidden columns.
    pub(super) fn composed(
        &mut self,
        composed: CompositeAggregate,
        name: &Name,
        arguments: &[Node],
        has_star: bool,
    ) -> Expr {
        let [argument, option] = arguments else {
            self.wrong_arguments(name, &name.text, AggregateName::Composite(composed).arguments());
            return Expr::Literal(None);
        };
        if has_star {
            self.wrong_arguments(name, &name.text, AggregateName::Composite(composed).arguments());
        }
        let number = Expr::Call(Function::ToNumber, vec![self.aggregated(argument)]);
        match composed {
            CompositeAggregate::Rate => self.rate(number, option),
            CompositeAggregate::Histogram => self.ranges(number, option),
        }
    }

    fn rate(&mut self, number: Expr, period: &Node) -> Expr {
        let Some(length) = self.length(period) else { return Expr::Literal(None) };
        let Length::Nanoseconds(length) = length else {
            let message = "months and longer differ in length, so a rate cannot be for one";
            self.error_with_hint("bad-duration", message, period.span, "write days, such as 30d");
            return Expr::Literal(None);
        };
        // Times of the events that have the number, and no others.
        let has_number = Expr::Call(Function::IsPresent, vec![number.clone()]);
        let time = Expr::Call(Function::If, vec![has_number, Expr::Field("@timestamp".into())]);
        let mut column = |kind, argument: &Expr| Box::new(Expr::Field(self.hidden(kind, Some(argument.clone()))));
        let (last, first) = (column(AggregateKind::Latest, &number), column(AggregateKind::Earliest, &number));
        let (end, start) = (column(AggregateKind::Max, &time), column(AggregateKind::Min, &time));
        let minus = |a, b| Box::new(Expr::Arithmetic(ArithmeticOperator::Subtract, a, b));
        let divided = |a, b| Box::new(Expr::Arithmetic(ArithmeticOperator::Divide, a, b));
        let length_ms = Box::new(Expr::Literal(Some(Value::Float(length as f64 / 1e6))));
        *divided(minus(last, first), divided(minus(end, start), length_ms))
    }

    fn ranges(&mut self, number: Expr, n_ranges: &Node) -> Expr {
        let NodeKind::Literal(Some(Value::Integer(n @ 1..=RANGES_MAX))) = n_ranges.kind else {
            let message = format!("a histogram has 1 to {RANGES_MAX} ranges");
            self.error("bad-number", message, n_ranges.span);
            return Expr::Literal(None);
        };
        Expr::Field(self.hidden(AggregateKind::Histogram(n as usize), Some(number)))
    }
}
