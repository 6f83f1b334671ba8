//! Calls for lists and dates, reduced where no run has any.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use types::{Run, TypeSet, Value};

use crate::fields::fields_of;
use crate::function::Function;
use crate::name::Name;
use crate::plan::{Expr, Operator};

/// The types that fields have in the runs of a query.
struct Types {
    stored: BTreeMap<Arc<str>, u8>,
    /// Fields that operators compute, which may hold anything.
    computed: BTreeSet<Name>,
}

impl Types {
    fn of(runs: &[Arc<dyn Run>], operators: &[Operator]) -> Option<Self> {
        let names = &fields_of(operators);
        let mut types: BTreeMap<Arc<str>, u8> = BTreeMap::new();
        for run in runs {
            for field in run.fields().ok()? {
                let is_asked = names.contains(&field.name)
                    || field.name.match_indices('.').any(|(dot, _)| names.contains(&field.name[..dot]));
                if is_asked {
                    *types.entry(field.name).or_default() |= field.types.0;
                }
            }
        }
        let computed = operators.iter().filter_map(|operator| match operator {
            Operator::Extend { name, .. } => Some(name.clone()),
            _ => None,
        });
        Some(Self { stored: types, computed: computed.collect() })
    }

    fn has(&self, name: &str, values: &[Value]) -> bool {
        let mut asked = TypeSet::default();
        values.iter().for_each(|value| asked.insert(value));
        self.computed.contains(name) || self.stored.get(name).is_some_and(|types| types & asked.0 != 0)
    }

    fn has_nested(&self, name: &str) -> bool {
        self.has(name, &[Value::List(Arc::default()), Value::Object(Arc::default())])
    }

    fn has_texts(&self, name: &str) -> bool {
        self.has(name, &[Value::text(""), Value::Timestamp(types::Timestamp(0))])
    }

    fn has_nested_below(&self, name: &str) -> bool {
        let below = format!("{name}.");
        let names = self.stored.range::<Arc<str>, _>(Arc::from(below.as_str())..);
        names.take_while(|(known, _)| known.starts_with(&below)).any(|(known, _)| self.has_nested(known))
    }

    fn settled(&self, expr: &Expr) -> Expr {
        let Expr::Call(function, arguments) = expr else {
            return mapped(expr, &|expr| self.settled(expr));
        };
        match (function, arguments.as_slice()) {
            (Function::Each, [Expr::Field(name), inner, above @ ..]) => {
                let above = self.lists(above);
                let makes_lists = matches!(inner, Expr::Call(Function::WordList, _));
                if above.is_empty() && !self.has_nested(name) && !makes_lists {
                    return self.settled(inner);
                }
                let arguments = [Expr::Field(name.clone()), inner.clone()].into_iter().chain(above).collect();
                Expr::Call(Function::Each, arguments)
            }
            (Function::HasValue, [field @ Expr::Field(name), above @ ..]) => {
                let above = self.lists(above);
                if above.is_empty() && !self.has_nested(name) && !self.has_nested_below(name) {
                    return Expr::Call(Function::IsPresent, vec![field.clone()]);
                }
                Expr::Call(Function::HasValue, std::iter::once(field.clone()).chain(above).collect())
            }
            (Function::IfDate, [Expr::Field(name), _, plain]) if !self.has_texts(name) => self.settled(plain),
            (Function::Measure | Function::DateMillis, [field @ Expr::Field(name)]) if !self.has_texts(name) => {
                field.clone()
            }
            (Function::LeastOfList | Function::GreatestOfList, [inner]) => match self.settled(inner) {
                inner @ Expr::Call(Function::Each | Function::WordList, _) => Expr::Call(*function, vec![inner]),
                inner => inner,
            },
            (Function::If, [condition, then]) => match self.settled(condition) {
                Expr::Literal(Some(Value::Boolean(false))) => Expr::Literal(None),
                condition => Expr::Call(Function::If, vec![condition, self.settled(then)]),
            },
            _ => mapped(expr, &|expr| self.settled(expr)),
        }
    }

    fn lists(&self, above: &[Expr]) -> Vec<Expr> {
        above
            .iter()
            .filter(|expr| matches!(expr, Expr::Field(name) if self.has(name, &[Value::List(Arc::default())])))
            .cloned()
            .collect()
    }
}

/// Returns operators that answer the same over these runs, without calls for lists and dates that no run has. `None`
/// where there are no such calls.
pub fn settle(operators: &[Operator], runs: &[Arc<dyn Run>]) -> Option<Vec<Operator>> {
    if !operators.iter().flat_map(Operator::expressions).any(is_reducible) {
        return None;
    }
    let types = Types::of(runs, operators)?;
    Some(operators.iter().map(|operator| mapped_operator(operator, &|expr| types.settled(expr))).collect())
}

/// Reports whether an expression calls one of the functions that [`settle`] reduces.
fn is_reducible(expr: &Expr) -> bool {
    let functions = [Function::Each, Function::HasValue, Function::IfDate, Function::Measure];
    let of_lists = [Function::DateMillis, Function::LeastOfList, Function::GreatestOfList];
    matches!(expr, Expr::Call(function, _) if functions.contains(function) || of_lists.contains(function))
        || expr.parts().any(is_reducible)
}

/// Returns an operator with other expressions; names of fields stay.
fn mapped_operator(operator: &Operator, map: &dyn Fn(&Expr) -> Expr) -> Operator {
    let mut operator = operator.clone();
    operator.expressions_mut().into_iter().for_each(|expr| *expr = map(expr));
    operator
}

/// Returns an expression with other operands.
fn mapped(expr: &Expr, map: &dyn Fn(&Expr) -> Expr) -> Expr {
    let boxed = |expr: &Expr| Box::new(map(expr));
    match expr {
        Expr::Literal(_) | Expr::Duration(_) | Expr::Regex(_) | Expr::Template(_) | Expr::Field(_) => expr.clone(),
        Expr::Negate(inner) => Expr::Negate(boxed(inner)),
        Expr::Not(inner) => Expr::Not(boxed(inner)),
        Expr::And(a, b) => Expr::And(boxed(a), boxed(b)),
        Expr::Or(a, b) => Expr::Or(boxed(a), boxed(b)),
        Expr::Compare(comparison, a, b) => Expr::Compare(*comparison, boxed(a), boxed(b)),
        Expr::Arithmetic(operator, a, b) => Expr::Arithmetic(*operator, boxed(a), boxed(b)),
        Expr::Match(text, pattern) => Expr::Match(boxed(text), pattern.clone()),
        Expr::In(item, list) => Expr::In(boxed(item), list.iter().map(map).collect()),
        Expr::InQuery(item, query) => Expr::InQuery(boxed(item), query.clone()),
        Expr::Between(item, low, high) => Expr::Between(boxed(item), boxed(low), boxed(high)),
        Expr::Call(function, arguments) => Expr::Call(*function, arguments.iter().map(map).collect()),
    }
}
