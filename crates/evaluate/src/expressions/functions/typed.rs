//! Functions of values whose types are known: what ES|QL computes where that differs from the query language's own
//! rules.
//!
//! Where Elasticsearch gives no value and a warning (an overflow, several values, a text that cannot be converted),
//! there is no value here.

mod convert;
mod dates;
mod lists;
mod numbers;
mod order;
mod texts;

use plan::TypedFunction;
use types::Value;

use crate::columns::cell::Cell;

/// Returns the value of a function whose arguments are all there.
pub(super) fn scalar(function: TypedFunction, cells: &[Cell<'_>]) -> Option<Value> {
    use TypedFunction as T;
    match function {
        T::As(kind) => return lists::of_stored(cells[0], kind),
        T::To(kind) => return lists::converted(cells[0], kind),
        T::List(function) => return lists::scalar(function, cells),
        _ => {}
    }
    if cells.iter().any(|cell| matches!(cell, Cell::Nested(_))) {
        return None;
    }
    match function {
        T::Single => cells[0].to_value(),
        T::Greatest(kind) => lists::extreme(cells.iter().filter_map(|cell| cell.to_value()), kind, true),
        T::Least(kind) => lists::extreme(cells.iter().filter_map(|cell| cell.to_value()), kind, false),
        T::Whole(..) | T::Decimal(_) | T::Round | T::AbsoluteWhole(_) | T::Sign => numbers::scalar(function, cells),
        T::DatePart(_) | T::AddMilliseconds | T::AddMonths | T::DateDifference(_) => dates::scalar(function, cells),
        _ => texts::scalar(function, cells),
    }
}
