//! The order of values of a type.

use plan::{TypedKind, address_of};
use types::Value;

use crate::columns::cell::Cell;

/// Returns the order of two values of a type.
pub(super) fn order(a: &Value, b: &Value, kind: TypedKind) -> std::cmp::Ordering {
    match kind {
        TypedKind::Text => a.to_string().cmp(&b.to_string()),
        TypedKind::Address => {
            let key =
                |value: &Value| address_of(&value.to_string()).map(crate::expressions::functions::typed::texts::octets);
            key(a).cmp(&key(b))
        }
        _ => crate::columns::cell::sort_order(Cell::of(Some(a)), Cell::of(Some(b))),
    }
}
