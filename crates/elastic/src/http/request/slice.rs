//! `slice`: one of several searches that together find everything.

use language::search_error::{Result, SearchError};
use plan::{ArithmeticOperator, Comparison, Expr, Function, Operator};
use serde_json::Value as Json;
use types::Value;

/// Limit on the slices of one search, as in Elasticsearch (`index.max_slices_per_scroll`).
const SLICES_MAX: i64 = 1_024;

/// Reads `{"id": 0, "max": 4}` as the condition on the events of the slice.
pub(in crate::http) fn slice(json: Option<&Json>) -> Result<Option<Operator>> {
    let Some(json) = json.filter(|json| !json.is_null()) else { return Ok(None) };
    let members = json.as_object().ok_or_else(|| SearchError::parsing("slice", "is not an object"))?;
    if let Some(other) = members.keys().find(|name| !matches!(name.as_str(), "id" | "max" | "field")) {
        return Err(SearchError::parsing("slice", format!("unknown field [{other}]")));
    }
    if members.get("field").is_some_and(|field| field != "_id" && field != "_doc" && field != "@timestamp") {
        return Err(SearchError::parsing("slice", "[field] other than _id and @timestamp is not supported"));
    }
    let number = |name: &str| members.get(name).and_then(Json::as_i64);
    let (Some(id), Some(max)) = (number("id"), number("max")) else {
        return Err(SearchError::parsing("slice", "needs [id] and [max], which are numbers"));
    };
    if max <= 1 || !(0..max).contains(&id) {
        let reason = format!("[slice] max must be greater than 1, and id from 0 to max - 1; got id {id} of {max}");
        return Err(SearchError::argument(reason));
    }
    if max > SLICES_MAX {
        let reason = format!("The number of slices [{max}] is too large. It must be less than [{SLICES_MAX}].");
        return Err(SearchError::argument(reason));
    }
    let literal = |number: i64| Box::new(Expr::Literal(Some(Value::Integer(number))));
    let operate = |operator, left, right| Box::new(Expr::Arithmetic(operator, left, right));
    let millis = || Box::new(Expr::Call(Function::ToMillis, vec![Expr::Field("@timestamp".into())]));
    // Seconds are added, so that whole seconds do not all fall into the same slice.
    let seconds = Expr::Call(Function::Floor, vec![*operate(ArithmeticOperator::Divide, millis(), literal(1_000))]);
    let sum = operate(ArithmeticOperator::Add, millis(), Box::new(seconds));
    let rest = operate(ArithmeticOperator::Remainder, sum, literal(max));
    let rest =
        operate(ArithmeticOperator::Remainder, operate(ArithmeticOperator::Add, rest, literal(max)), literal(max));
    Ok(Some(Operator::Filter(Expr::Compare(Comparison::Equal, rest, literal(id)))))
}
