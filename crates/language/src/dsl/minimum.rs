//! `minimum_should_match`: the number of conditions that must hold.

use plan::{ArithmeticOperator, Comparison, Expr, Function, balanced};
use serde_json::Value as Json;
use types::Value;

use crate::logic::{both, never};
use crate::search_error::{Result, SearchError};

/// Returns the condition that at least `least` of the conditions hold; `None` where that is always so.
pub(super) fn at_least(least: usize, conditions: Vec<Expr>) -> Option<Expr> {
    match least {
        0 => None,
        1 if !conditions.is_empty() => Some(balanced(conditions, Expr::Or)),
        least if least > conditions.len() => Some(never()),
        least if least == conditions.len() => Some(balanced(conditions, Expr::And)),
        least => {
            let number = |number: i64| Expr::Literal(Some(Value::Integer(number)));
            let one = |condition| Expr::Call(Function::If, vec![condition, number(1), number(0)]);
            let add = |a, b| Expr::Arithmetic(ArithmeticOperator::Add, a, b);
            let sum = balanced(conditions.into_iter().map(one).collect(), add);
            Some(both(sum, number(least as i64), |a, b| Expr::Compare(Comparison::GreaterOrEqual, a, b)))
        }
    }
}

/// `2`, `-1`, `75%` of `n` clauses, `3<90% 9<-2` of more than so many.
pub(super) fn minimum(written: &Json, n: usize, at: &str) -> Result<usize> {
    let unreadable = || SearchError::parsing(at, format!("minimum_should_match [{written}] is not supported"));
    let text = match written {
        Json::Number(number) => number.to_string(),
        Json::String(text) => text.trim().to_owned(),
        _ => return Err(unreadable()),
    };
    if text.contains('<') {
        let mut least = n;
        for condition in text.replace(" <", "<").replace("< ", "<").split_whitespace() {
            let (bound, of_more) = condition.split_once('<').ok_or_else(unreadable)?;
            if n <= bound.parse::<usize>().map_err(|_| unreadable())? {
                break;
            }
            least = match of_more.contains('<') {
                true => return Err(unreadable()),
                false => minimum(&Json::from(of_more), n, at)?,
            };
        }
        return Ok(least);
    }
    let of_all = |percent: i64| n as i64 * percent.clamp(-100, 100) / 100;
    let number = text.strip_suffix('%').map_or_else(|| text.parse::<i64>(), |percent| percent.parse().map(of_all));
    let number = number.map_err(|_| unreadable())?;
    let least = if text.starts_with('-') { (n as i64).saturating_add(number) } else { number };
    Ok(usize::try_from(least.max(0)).unwrap_or(usize::MAX))
}
