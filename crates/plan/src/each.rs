//! Elements of fields: conditions that hold where they hold for one of the values that a field has, and values computed
//! for each of them.
//!
//! A field may have several values: those of a list, and those that the objects of a list above it have under the rest
//! of its name (`items.sku` of `{"items":[{"sku":"a"},{"sku":"b"}]}`). A call of [`Function::Each`] names the field,
//! what is computed of one value, and the fields above that may hold such lists. Before a plan runs, [`settle`] reduces
//! the calls of fields that have no lists to what is computed, so that nothing is paid for lists that are not there.

use crate::fields::single_field;
use crate::function::Function;
use crate::name::Name;
use crate::operator::Comparison;
use crate::plan::Expr;

/// Paths above a name that may be lists; deeper names are plain fields.
const ABOVE_MAX: usize = 16;

/// Returns `inner`, an expression of the field `name`, computed for each of the values that the field has.
pub fn each(name: &Name, inner: Expr) -> Expr {
    call(Function::Each, name, vec![inner])
}

/// Returns the condition that the field has a value that is no empty list or object.
pub fn has_value(name: &Name) -> Expr {
    call(Function::HasValue, name, Vec::new())
}

/// Returns an expression of one field of the sender's computed for each value; another one as it is.
pub fn each_of(expr: Expr) -> Expr {
    match single_field(&expr).filter(|name| !name.starts_with('@')).cloned() {
        Some(name) => each(&name, expr),
        None => expr,
    }
}

/// Returns the field of a call for each value of it.
pub fn field_of_each(expr: &Expr) -> Option<(&Name, &Expr)> {
    match expr {
        Expr::Call(Function::Each, arguments) => match arguments.as_slice() {
            [Expr::Field(name), inner, ..] => Some((name, inner)),
            _ => None,
        },
        _ => None,
    }
}

/// Returns a condition whose operand is computed for each value as one that holds for one of them.
pub fn lifted(condition: Expr) -> Expr {
    let rebuilt = |operand: &Expr, build: &dyn Fn(Box<Expr>) -> Expr| {
        let (name, inner) = field_of_each(operand)?;
        Some(each(name, build(Box::new(inner.clone()))))
    };
    let found = match &condition {
        // `!=` is the complement of `=`.
        Expr::Compare(Comparison::NotEqual, a, b) if field_of_each(a).or(field_of_each(b)).is_some() => {
            let equal = lifted(Expr::Compare(Comparison::Equal, a.clone(), b.clone()));
            return Expr::Not(Box::new(equal));
        }
        Expr::Compare(comparison, a, b) if matches!(**b, Expr::Literal(_)) => {
            rebuilt(a, &|a| Expr::Compare(*comparison, a, b.clone()))
        }
        Expr::Compare(comparison, a, b) if matches!(**a, Expr::Literal(_)) => {
            rebuilt(b, &|b| Expr::Compare(*comparison, a.clone(), b))
        }
        Expr::Match(operand, pattern) => rebuilt(operand, &|operand| Expr::Match(operand, pattern.clone())),
        Expr::In(operand, list) => rebuilt(operand, &|operand| Expr::In(operand, list.clone())),
        Expr::Between(operand, low, high) => {
            rebuilt(operand, &|operand| Expr::Between(operand, low.clone(), high.clone()))
        }
        _ => None,
    };
    found.unwrap_or(condition)
}

fn call(function: Function, name: &Name, more: Vec<Expr>) -> Expr {
    let above = name.match_indices('.').take(ABOVE_MAX).map(|(dot, _)| Expr::Field(name[..dot].into()));
    let arguments = std::iter::once(Expr::Field(name.clone())).chain(more).chain(above).collect();
    Expr::Call(function, arguments)
}
