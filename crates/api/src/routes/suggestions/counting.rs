//! What is read of events that are counted, and how shares are written.

use plan::{Expr, Operator, Plan};

/// Returns a plan that reads hardly anything of the events: visitors read what they need.
pub(super) fn all_events() -> Plan {
    let columns = vec![("@timestamp".into(), Expr::Field("@timestamp".into()))];
    Plan::new(vec![Operator::Project { columns, is_events: true }])
}

/// Returns the share of a part, rounded; none of nothing is 0.
pub(super) fn share(part: u64, of: u64) -> f64 {
    crate::json::rounded(if of == 0 { 0.0 } else { part as f64 / of as f64 })
}
