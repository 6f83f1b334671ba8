//! What a partial result depends on, as a hash: the key under which it is kept.
//!
//! Beside the run and its range these are the operators up to the aggregation with every constant in them, and the
//! time zone. A plan that depends on anything else, such as the time at which it is asked, has no fingerprint.

use std::fmt::{self, Write};

use chrono_tz::Tz;
use types::{Run, TimeRange};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::group::VERSION;
use crate::function::Function;
use crate::plan::{Aggregate, Expr, Name, Operator};

/// A plan up to its aggregation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint(u128);

/// Text that is hashed instead of kept.
struct Hashed(Xxh3);

impl Write for Hashed {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text.as_bytes());
        Ok(())
    }
}

impl Fingerprint {
    /// The fingerprint of an aggregation of what `before` gives, where it has one.
    pub(crate) fn of_aggregation(
        before: [&[Operator]; 2],
        by: &[(Name, Expr)],
        aggregates: &[Aggregate],
        time_zone: Tz,
    ) -> Option<Self> {
        let arguments = aggregates.iter().filter_map(|aggregate| aggregate.argument.as_ref());
        let is_known = before.iter().copied().flatten().all(is_known)
            && by.iter().map(|(_, expr)| expr).chain(arguments).all(is_timeless);
        if !is_known {
            return None;
        }
        let mut hashed = Hashed(Xxh3::new());
        // What columns are called does not matter; an alias that is used is a step of its own.
        let by: Vec<&Expr> = by.iter().map(|(_, expr)| expr).collect();
        let aggregates: Vec<_> = aggregates.iter().map(|aggregate| (aggregate.kind, &aggregate.argument)).collect();
        write!(hashed, "groups {VERSION} {time_zone:?} {before:?} {by:?} {aggregates:?}").ok()?;
        Some(Self(hashed.0.digest128()))
    }

    /// The key of the partial of a run, where the run never changes.
    pub(crate) fn key(self, run: &dyn Run, range: TimeRange) -> Option<u128> {
        let info = run.info();
        let run = info.key?;
        // An end of the range beyond the run's own is the same as any other.
        let from = if range.from <= info.first { i64::MIN } else { range.from.0 };
        let to = if range.to > info.last { i64::MAX } else { range.to.0 };
        let mut bytes = Vec::with_capacity(56);
        bytes.extend_from_slice(&self.0.to_le_bytes());
        bytes.extend_from_slice(&run.segment.to_le_bytes());
        bytes.extend_from_slice(&run.run.to_le_bytes());
        bytes.extend_from_slice(&run.version.to_le_bytes());
        bytes.extend_from_slice(&from.to_le_bytes());
        bytes.extend_from_slice(&to.to_le_bytes());
        Some(xxh3_128(&bytes))
    }
}

/// Tells whether an operator depends on nothing but its rows.
fn is_known(operator: &Operator) -> bool {
    match operator {
        Operator::Filter(expr) | Operator::Extend { expr, .. } => is_timeless(expr),
        Operator::Parse(parse) => is_timeless(&parse.text),
        Operator::Unnest { list, .. } => is_timeless(list),
        _ => false,
    }
}

/// Tells whether an expression depends on nothing but its row.
fn is_timeless(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(_) | Expr::Duration(_) | Expr::Regex(_) | Expr::Field(_) => true,
        Expr::Negate(inner) | Expr::Not(inner) | Expr::Match(inner, _) => is_timeless(inner),
        Expr::And(a, b) | Expr::Or(a, b) | Expr::Compare(_, a, b) | Expr::Arithmetic(_, a, b) => {
            is_timeless(a) && is_timeless(b)
        }
        Expr::In(item, list) => is_timeless(item) && list.iter().all(is_timeless),
        Expr::InQuery(..) => false,
        Expr::Between(item, low, high) => [item, low, high].into_iter().all(|part| is_timeless(part)),
        Expr::Call(function, arguments) => *function != Function::Now && arguments.iter().all(is_timeless),
    }
}
