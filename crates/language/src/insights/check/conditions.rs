//! Conditions that do not say what they look like: values that stand alone, times that are none.

use plan::{ArithmeticOperator, Comparison, Expr, Function, Number, Span};
use types::{Timestamp, Value};

use super::checker::Checker;
use crate::insights::syntax::{Binary, Node, NodeKind};

/// Numbers below this are seconds when compared with a time, at or above it milliseconds.
const SECONDS_BELOW: f64 = 1e11;

impl Checker<'_> {
    /// Refuses numbers and texts that are a condition by themselves: `status = 500 or 503` would be `status = 500`.
    pub(super) fn check_condition(&mut self, node: &Node) {
        match &node.kind {
            NodeKind::Not(operand) => self.check_condition(operand),
            NodeKind::And(nodes) | NodeKind::Or(nodes) => {
                for (place, node) in nodes.iter().enumerate() {
                    if is_constant(node) {
                        let before = nodes[..place].iter().rev().find(|before| !is_constant(before));
                        self.refuse_constant(node, before);
                    } else {
                        self.check_condition(node);
                    }
                }
            }
            _ if is_constant(node) => self.refuse_constant(node, None),
            _ => {}
        }
    }

    fn refuse_constant(&mut self, node: &Node, before: Option<&Node>) {
        let value = self.written(node.span);
        let of_field = |field: &Node| self.written(field.span);
        let hint = match before.map(|before| &before.kind) {
            Some(NodeKind::Binary(Binary::Compare(Comparison::Equal), field, first)) => {
                format!("write {} in [{}, {value}]", of_field(field), of_field(first))
            }
            Some(NodeKind::Binary(Binary::Compare(Comparison::NotEqual), field, first)) => {
                format!("write {} not in [{}, {value}]", of_field(field), of_field(first))
            }
            Some(NodeKind::Binary(Binary::Compare(comparison), field, _)) => {
                format!("write {} {comparison} {value}", of_field(field))
            }
            Some(NodeKind::Like { value: field, .. }) => format!("write {} like {value}", of_field(field)),
            Some(NodeKind::In { value: field, .. }) => format!("write {value} among those of {}", of_field(field)),
            _ => format!("write @message like \"{}\"", value.trim_matches(['"', '\''])),
        };
        let message = format!("{value} alone is no condition: it is the same for every event");
        self.refuse("constant-condition", message, node.span, hint);
    }

    /// Refuses a text that is no time where one is compared with a time, and warns of a number that is taken as seconds.
    pub(super) fn check_time(&mut self, time: &Expr, other: &Expr, span: Span) {
        if !is_time(time) {
            return;
        }
        if let Expr::Literal(Some(Value::String(text))) = other
            && !is_text_of_time(text)
        {
            let hint = "write an ISO-8601 time in quotes, such as \"2026-11-20T06:00:00Z\", or milliseconds since 1970";
            return self.refuse("bad-time", format!("{text:?} is no time"), span, hint.to_owned());
        }
        let now_s = self.options.now.0 as f64 / 1e9;
        if constant(other, now_s).is_some_and(|number| number.abs() < SECONDS_BELOW) {
            let message = "a number below 1e11 is taken as seconds when it is compared with a time";
            let hint = "write milliseconds, or an ISO-8601 time in quotes".to_owned();
            self.warn("time-in-seconds", message, span, Some(hint));
        }
    }
}

fn is_constant(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Literal(Some(value)) => !matches!(value, Value::Boolean(_)),
        NodeKind::Negate(operand) => is_constant(operand),
        NodeKind::Duration(_) => true,
        _ => false,
    }
}

/// Reports whether a text says a time, a month or an epoch number.
fn is_text_of_time(text: &str) -> bool {
    let is_month = || text.len() == 7 && Timestamp::parse_iso8601(&format!("{text}-01")).is_some();
    Timestamp::parse_iso8601(text).is_some() || Number::read(text).is_some() || is_month()
}

fn is_time(expr: &Expr) -> bool {
    match expr {
        Expr::Field(name) => matches!(&**name, "@timestamp" | "@ingestionTime"),
        Expr::Call(Function::DateFloor | Function::DateCeil | Function::FromMillis | Function::ParseDate, _) => true,
        _ => false,
    }
}

/// Returns the number that an expression without fields gives, as far as it matters for a warning.
fn constant(expr: &Expr, now_s: f64) -> Option<f64> {
    match expr {
        Expr::Literal(Some(Value::Integer(number))) => Some(*number as f64),
        Expr::Literal(Some(Value::Float(number))) => Some(*number),
        Expr::Call(Function::Now, _) => Some(now_s),
        Expr::Negate(operand) => constant(operand, now_s).map(|number| -number),
        Expr::Arithmetic(operator, left, right) => {
            let (left, right) = (constant(left, now_s)?, constant(right, now_s)?);
            Some(match operator {
                ArithmeticOperator::Add => left + right,
                ArithmeticOperator::Subtract => left - right,
                ArithmeticOperator::Multiply => left * right,
                ArithmeticOperator::Divide => left / right,
                ArithmeticOperator::Remainder => left % right,
                ArithmeticOperator::Power => left.powf(right),
            })
        }
        _ => None,
    }
}
