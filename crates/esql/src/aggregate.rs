//! Aggregate functions of `STATS`.

use types::Value;

use super::checker::Checker;
use super::error::Result;
use super::kind::Kind;
use super::scope::computed;
use super::syntax::{Expression, Node};
use super::typed::{TypedExpr, call, compare, literal, of_double, truth_of};
use plan::each::each;
use plan::{
    Aggregate, AggregateKind as A, ArithmeticOperator, Comparison, DecimalFunction, Expr, Function, ListFunction as L,
    Name, Span, TypedFunction as T,
};

/// Names of aggregate functions.
pub(super) const AGGREGATES: [&str; 18] = [
    "absent", "avg", "count", "count_distinct", "max", "median", "min", "percentile", "present", "std_dev", "stddev",
    "sum", "top", "values", "variance", "var", "weighted_avg", "distinct_count",
];

impl Checker<'_> {
    /// Returns a call of an aggregate: its result as a column.
    pub(super) fn aggregate(
        &mut self,
        name: &str,
        arguments: &[Expression],
        has_star: bool,
        span: Span,
    ) -> Result<TypedExpr> {
        let Some(aggregating) = &mut self.aggregating else {
            let message = format!("aggregate function [{}] not allowed outside STATS command", self.written(span));
            return Err(self.verification(span, message));
        };
        if aggregating.is_inside {
            let message = format!("nested aggregations [{}] not allowed inside other aggregations", self.written(span));
            return Err(self.verification(span, message));
        }
        aggregating.is_inside = true;
        std::mem::swap(&mut aggregating.before, &mut self.scope);
        let arguments: Result<Vec<TypedExpr>> = arguments.iter().map(|argument| self.expression(argument)).collect();
        let found = arguments.and_then(|arguments| self.aggregated(name, arguments, has_star, span));
        if let Some(aggregating) = &mut self.aggregating {
            std::mem::swap(&mut aggregating.before, &mut self.scope);
            aggregating.is_inside = false;
        }
        found
    }

    fn aggregated(&mut self, name: &str, arguments: Vec<TypedExpr>, has_star: bool, span: Span) -> Result<TypedExpr> {
        let (fewest, most) = match name {
            "count" => (0, 1),
            "count_distinct" => (1, 2),
            "percentile" | "weighted_avg" => (2, 2),
            "top" => (3, 3),
            _ => (1, 1),
        };
        if !(fewest..=most).contains(&arguments.len()) || (has_star && name != "count") {
            return Err(self.parsing(span, format!("error building [{name}]: expects {fewest} to {most} arguments")));
        }
        for argument in &arguments {
            self.supported(argument)?;
        }
        let Some(first) = arguments.first().cloned() else {
            return Ok(self.counted(None, span));
        };
        match name {
            "count" if matches!(first.constant, Some(Some(_))) && !first.is_list => Ok(self.counted(None, span)),
            "count" => Ok(self.counted(Some(&first), span)),
            "present" | "absent" => {
                let count = self.counted(Some(&first), span);
                let sign = if name == "present" { Comparison::Greater } else { Comparison::Equal };
                Ok(TypedExpr::value(Kind::Boolean, compare(sign, count.expr(), literal(Value::Integer(0))), span))
            }
            "count_distinct" => Ok(self.simple(A::CountDistinct, of_double(&first), first.is_list, Kind::Long, span)),
            "sum" | "avg" | "median" | "percentile" | "std_dev" | "variance" | "weighted_avg" => {
                self.of_numbers_aggregated(name, &arguments, span)
            }
            "min" | "max" => self.extreme_aggregated(name == "max", &first, span),
            "values" => {
                let kind = if first.kind == Kind::Text { Kind::Keyword } else { first.kind };
                let listed = self.simple(A::Values(None), of_double(&first), first.is_list, kind, span);
                let expr = call(T::List(L::Distinct), vec![listed.expr()]);
                Ok(TypedExpr::value(kind, expr, span).several(true))
            }
            "top" => self.top(&arguments, span),
            _ => Err(self.verification(span, format!("Unknown function [{}]", self.written(span)))),
        }
    }

    /// Adds an aggregate and gives its column.
    fn simple(&mut self, kind: A, argument: Expr, is_list: bool, of: Kind, span: Span) -> TypedExpr {
        let argument = match is_list {
            true => {
                let listed = self.extend(argument);
                each(&listed, Expr::Field(listed.clone()))
            }
            false => argument,
        };
        let argument = self.only_where(argument, is_list);
        self.added(kind, Some(argument), of, span)
    }

    /// Returns the argument where the condition of the aggregate holds.
    fn only_where(&mut self, argument: Expr, is_list: bool) -> Expr {
        let Some(condition) = self.aggregating.as_ref().and_then(|aggregating| aggregating.condition.clone()) else {
            return argument;
        };
        let chosen = Expr::Call(Function::If, vec![condition, argument]);
        match is_list {
            true => {
                let listed = self.extend(chosen);
                each(&listed, Expr::Field(listed.clone()))
            }
            false => chosen,
        }
    }

    fn added(&mut self, kind: A, argument: Option<Expr>, of: Kind, span: Span) -> TypedExpr {
        let name = self.fresh();
        if let Some(aggregating) = &mut self.aggregating {
            aggregating.aggregates.push(Aggregate { name: name.clone(), kind, argument });
        }
        TypedExpr::value(of, Expr::Field(name), span)
    }

    /// Returns how many rows, or values.
    fn counted(&mut self, argument: Option<&TypedExpr>, span: Span) -> TypedExpr {
        match argument {
            Some(argument) => self.simple(A::Count, argument.expr(), argument.is_list, Kind::Long, span),
            None => {
                let condition = self.aggregating.as_ref().and_then(|aggregating| aggregating.condition.clone());
                let argument = condition.map(|condition| Expr::Call(Function::If, vec![condition, truth_of(true)]));
                self.added(A::Count, argument, Kind::Long, span)
            }
        }
    }

    fn of_numbers_aggregated(&mut self, name: &str, arguments: &[TypedExpr], span: Span) -> Result<TypedExpr> {
        for argument in arguments {
            if !argument.kind.is_number() && argument.kind != Kind::Null {
                let wanted = "numeric except unsigned_long or counter types";
                return Err(self.misfit(span, "", wanted, (argument.span, argument.kind)));
            }
        }
        let first = &arguments[0];
        let (value, is_list) = (first.expr(), first.is_list);
        let to_double = |expr| call(T::To(Kind::Double.typed()), vec![expr]);
        let double = |expr| TypedExpr::value(Kind::Double, to_double(expr), span);
        Ok(match name {
            "sum" if first.kind == Kind::Double => {
                double(self.simple(A::Sum, value, is_list, Kind::Double, span).expr())
            }
            "sum" => {
                let sum = self.simple(A::Sum, value, is_list, Kind::Long, span);
                TypedExpr::value(Kind::Long, call(T::To(Kind::Long.typed()), vec![sum.expr()]), span)
            }
            "avg" => double(self.simple(A::Average, value, is_list, Kind::Double, span).expr()),
            "median" => double(self.simple(A::Percentile(50.0), value, is_list, Kind::Double, span).expr()),
            "percentile" => {
                let share = match arguments[1].constant {
                    Some(Some(Value::Integer(share))) => share as f64,
                    Some(Some(Value::Float(share))) => share,
                    _ => {
                        let message = format!(
                            "second argument of [{}] must be a constant, received [{}]",
                            self.written(span),
                            self.written(arguments[1].span)
                        );
                        return Err(self.verification(span, message));
                    }
                };
                if !(0.0..=100.0).contains(&share) {
                    return Err(self.verification(span, format!("the percentile [{share}] is not between 0 and 100")));
                }
                double(self.simple(A::Percentile(share), value, is_list, Kind::Double, span).expr())
            }
            "weighted_avg" => {
                let product = |a: Expr, b: Expr, operator| Expr::Arithmetic(operator, Box::new(a), Box::new(b));
                let weighted = product(to_double(first.single()), arguments[1].single(), ArithmeticOperator::Multiply);
                let sum = self.simple(A::Sum, weighted, false, Kind::Double, span);
                let weights = self.simple(A::Sum, arguments[1].single(), false, Kind::Double, span);
                double(product(sum.expr(), weights.expr(), ArithmeticOperator::Divide))
            }
            name => self.deviation(name == "std_dev", value, is_list, span),
        })
    }

    /// Standard deviation, or variance.
    fn deviation(&mut self, is_root: bool, value: Expr, is_list: bool, span: Span) -> TypedExpr {
        // Of all values, not of a sample: divided by their number.
        let variance = self.simple(A::Variance, value.clone(), is_list, Kind::Double, span);
        let count = self.simple(A::Count, value, is_list, Kind::Long, span);
        let one = || literal(Value::Integer(1));
        let joined = |operator, a, b| Expr::Arithmetic(operator, Box::new(a), Box::new(b));
        let fewer = joined(ArithmeticOperator::Subtract, count.expr(), one());
        let sum = joined(ArithmeticOperator::Multiply, variance.expr(), fewer);
        let mut found = joined(ArithmeticOperator::Divide, sum, count.expr());
        if is_root {
            found = call(T::Decimal(DecimalFunction::SquareRoot), vec![found]);
        }
        let is_single = compare(Comparison::Equal, count.expr(), one());
        let found = Expr::Call(Function::If, vec![is_single, literal(Value::Float(0.0)), found]);
        TypedExpr::value(Kind::Double, call(T::To(Kind::Double.typed()), vec![found]), span)
    }

    fn extreme_aggregated(&mut self, is_max: bool, value: &TypedExpr, span: Span) -> Result<TypedExpr> {
        let kind = if is_max { A::Max } else { A::Min };
        let found = match value.kind {
            of if of.is_text() => {
                let key = call(T::TextKey, vec![self.one_of_several(value, is_max)]);
                let found = self.simple(kind, key, false, Kind::Keyword, span);
                TypedExpr::value(Kind::Keyword, call(T::TextOfKey, vec![found.expr()]), span)
            }
            Kind::Ip => {
                if value.is_list {
                    let message = format!("[{}] of addresses with several values is not supported", self.written(span));
                    return Err(self.verification(span, message));
                }
                let found = self.simple(kind, call(T::AddressKey, vec![value.expr()]), false, Kind::Ip, span);
                TypedExpr::value(Kind::Ip, call(T::AddressOfKey, vec![found.expr()]), span)
            }
            of => {
                let expr = match value.narrow.as_deref() {
                    Some("@timestamp") => Expr::Field("@timestamp".into()),
                    _ => self.one_of_several(value, is_max),
                };
                let found = self.simple(kind, expr, false, of, span);
                let is_time = value.narrow.as_deref() == Some("@timestamp");
                let expr = if is_time { call(T::To(Kind::Date.typed()), vec![found.expr()]) } else { found.expr() };
                TypedExpr::value(of, expr, span)
            }
        };
        Ok(found)
    }

    fn one_of_several(&self, value: &TypedExpr, is_max: bool) -> Expr {
        if !value.is_list {
            return value.expr();
        }
        let function = match (value.kind.is_text(), is_max) {
            (true, false) => L::MinText,
            (true, true) => L::MaxText,
            (false, false) => L::Min,
            (false, true) => L::Max,
        };
        call(T::List(function), vec![value.expr()])
    }

    fn top(&mut self, arguments: &[TypedExpr], span: Span) -> Result<TypedExpr> {
        let written = self.written(span);
        let refused = |this: &Self, what: &str| Err(this.verification(span, format!("{what} of [{written}]")));
        let Some(Some(Value::Integer(most @ 1..=10_000))) = arguments[1].constant else {
            return refused(self, "Limit must be a constant greater than 0 in the second argument");
        };
        let is_descending = match &arguments[2].constant {
            Some(Some(Value::String(order))) if order.eq_ignore_ascii_case("desc") => true,
            Some(Some(Value::String(order))) if order.eq_ignore_ascii_case("asc") => false,
            _ => return refused(self, "Invalid order value in the third argument"),
        };
        let kind = if arguments[0].kind == Kind::Text { Kind::Keyword } else { arguments[0].kind };
        if kind == Kind::Ip {
            return refused(self, "addresses are not supported in the first argument");
        }
        let listed = self.simple(A::List, of_double(&arguments[0]), arguments[0].is_list, kind, span);
        let sorted = if is_descending { L::SortDescending } else { L::Sort };
        let sorted = call(T::List(sorted), vec![listed.expr()]);
        let number = |number| literal(Value::Integer(number));
        let expr = call(T::List(L::Slice), vec![sorted, number(0), number(most - 1)]);
        Ok(TypedExpr::value(kind, expr, span).several(true))
    }

    /// Returns a group by the text of its expression.
    pub(super) fn grouped(&self, expression: &Expression) -> Option<TypedExpr> {
        let aggregating = self.aggregating.as_ref().filter(|aggregating| !aggregating.is_inside)?;
        if matches!(expression.node, Node::Literal(_) | Node::Duration(..)) {
            return None;
        }
        let written = self.written(expression.span);
        let (_, typed) = aggregating.groups.iter().find(|(text, _)| text == written)?;
        Some(typed.clone())
    }

    /// Returns the column of a group.
    pub(super) fn group_column(kind: Kind, name: &Name) -> super::schema::StoredColumn {
        computed(kind, name, false)
    }
}
