//! What something kept depends on, as a hash: the key under which it is kept.
//!
//! Beside the runs and their ranges these are the operators before it with every constant in them, and the time zone. A
//! plan that depends on anything else, such as the time at which it is asked, has no fingerprint.

use std::collections::BTreeSet;
use std::fmt;
use std::fmt::Write;

use chrono_tz::Tz;
use plan::{Aggregate, Expr, Function, Name, Operator};
use types::{Run, RunIdentity, TimeRange};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use crate::request::parameters::Request;
use crate::scan::row_order::RowOrder;
use crate::scan::scanner::Scan;
use crate::scan::selection::Cut;

/// A part of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint(u128);

/// Text that is hashed instead of kept.
struct PlanHasher(Xxh3);

impl Write for PlanHasher {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text.as_bytes());
        Ok(())
    }
}

impl Fingerprint {
    fn of(text: fmt::Arguments<'_>) -> Option<Self> {
        let mut hashed = PlanHasher(Xxh3::new());
        hashed.write_fmt(text).ok()?;
        Some(Self(hashed.0.digest128()))
    }

    /// Returns the fingerprint of an aggregation of what `before` gives, where it has one.
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
        // What columns are called does not matter; an alias that is used is a step of its own.
        let by: Vec<&Expr> = by.iter().map(|(_, expr)| expr).collect();
        let aggregates: Vec<_> = aggregates.iter().map(|aggregate| (aggregate.kind, &aggregate.argument)).collect();
        Self::of(format_args!("groups {VERSION} {time_zone:?} {before:?} {by:?} {aggregates:?}"))
    }

    /// Returns the fingerprint of everything that an answer depends on but the runs.
    pub(crate) fn of_answer(operators: &[Operator], cut: Cut, request: &Request<'_>) -> Option<Self> {
        let is_plain = |operator: &Operator| match operator {
            Operator::Aggregate { by, aggregates } => {
                let arguments = aggregates.iter().filter_map(|aggregate| aggregate.argument.as_ref());
                by.iter().map(|(_, expr)| expr).chain(arguments).all(is_timeless)
            }
            Operator::Sort(keys) => keys.iter().all(|key| is_timeless(&key.expr)),
            Operator::Limit(_) | Operator::Tail(_) | Operator::Dedup(_) => true,
            Operator::Project { columns, .. } => columns.iter().all(|(_, expr)| is_timeless(expr)),
            other => is_known(other),
        };
        if !operators.iter().all(is_plain) {
            return None;
        }
        Self::of(format_args!("answer {VERSION} {:?} {:?} {cut:?} {operators:?}", request.time_zone, request.range))
    }

    /// Returns the fingerprint of the conditions among row-wise operators, with what they are computed from. None where
    /// there are no conditions.
    pub(crate) fn of_conditions(lead: &[Operator], time_zone: Tz) -> Option<Self> {
        let last = lead.iter().rposition(|operator| matches!(operator, Operator::Filter(_)))?;
        let before = &lead[..=last];
        if !before.iter().all(is_known) {
            return None;
        }
        Self::of(format_args!("matches {time_zone:?} {before:?}"))
    }

    /// Returns the fingerprint of the first `cap` rows in an order, with the fields `needed` of the first `most` of
    /// them.
    pub(crate) fn of_rows(
        lead: &[Operator],
        order: &RowOrder<'_>,
        (cap, most): (Option<usize>, Option<usize>),
        needed: &BTreeSet<Name>,
        time_zone: Tz,
    ) -> Option<Self> {
        let (keys, number) = (order.keys(), order.number());
        if !lead.iter().all(is_known) || !keys.iter().all(|key| is_timeless(&key.expr)) {
            return None;
        }
        Self::of(format_args!("rows {time_zone:?} {lead:?} {number} {keys:?} {cap:?} {most:?} {needed:?}"))
    }

    /// Returns the fingerprint of what is counted by `conditions` of the events that row-wise operators let through; `kind`
    /// names what that is.
    pub(crate) fn of_counts(kind: &str, lead: &[Operator], conditions: &[Expr], time_zone: Tz) -> Option<Self> {
        if !lead.iter().all(is_known) || !conditions.iter().all(is_timeless) {
            return None;
        }
        Self::of(format_args!("counts {VERSION} {kind} {time_zone:?} {lead:?} {conditions:?}"))
    }

    /// Returns the fingerprint of what is known of a run whatever is asked of it; `kind` names what that is.
    pub(crate) fn of_run(kind: &str) -> Self {
        Self(key_of_texts(kind, &[]))
    }

    /// Returns the number that stands for everything in it.
    pub(crate) fn number(self) -> u128 {
        self.0
    }

    /// Returns the key of what is known of the blocks of a run from `block` on, where the run never changes.
    pub(crate) fn key_of_blocks(self, run: &dyn Run, block: usize) -> Option<u128> {
        let run = run.info().key?;
        let mut bytes = Vec::with_capacity(56);
        bytes.extend_from_slice(b"blocks");
        bytes.extend_from_slice(&self.0.to_le_bytes());
        bytes.extend_from_slice(&run.segment.to_le_bytes());
        bytes.extend_from_slice(&run.run.to_le_bytes());
        bytes.extend_from_slice(&run.version.to_le_bytes());
        bytes.extend_from_slice(&(block as u64).to_le_bytes());
        Some(xxh3_128(&bytes))
    }

    /// Returns the key of what is known of a run and a range, where the run never changes.
    pub(crate) fn key(self, run: &dyn Run, range: TimeRange) -> Option<u128> {
        let info = run.info();
        let run = info.key?;
        // An end of the range beyond the run's own is the same as any other.
        let from = if range.from <= info.first { i64::MIN } else { range.from.0 };
        let to = if range.to > info.last { i64::MAX } else { range.to.0 };
        let mut bytes = Vec::with_capacity(72);
        bytes.extend_from_slice(&self.0.to_le_bytes());
        bytes.extend_from_slice(&run.segment.to_le_bytes());
        bytes.extend_from_slice(&run.run.to_le_bytes());
        bytes.extend_from_slice(&run.version.to_le_bytes());
        bytes.extend_from_slice(&from.to_le_bytes());
        bytes.extend_from_slice(&to.to_le_bytes());
        Some(xxh3_128(&bytes))
    }

    /// Returns the key of what is known of all runs of a scan that never change, if there are any.
    pub(crate) fn key_of_all(self, scan: &Scan<'_>) -> Option<u128> {
        let keys = scan.sources.iter().filter_map(|source| self.key(&*source.run, scan.request.range));
        key_of_several(keys.collect())
    }
}

/// Returns the key of what is known of some texts and depends on nothing else; `kind` names what that is.
pub(crate) fn key_of_texts(kind: &str, texts: &[&str]) -> u128 {
    let mut hashed = Xxh3::new();
    hashed.update(kind.as_bytes());
    for text in texts {
        hashed.update(&(text.len() as u64).to_le_bytes());
        hashed.update(text.as_bytes());
    }
    hashed.digest128()
}

/// Returns the number that stands for a run.
pub(crate) fn key_of_run(identity: RunIdentity) -> u128 {
    let mut hashed = Xxh3::new();
    match identity {
        RunIdentity::Stored(key) => {
            hashed.update(b"stored");
            hashed.update(&key.segment.to_le_bytes());
            hashed.update(&key.run.to_le_bytes());
            hashed.update(&key.version.to_le_bytes());
        }
        RunIdentity::InMemory(number) => {
            hashed.update(b"in memory");
            hashed.update(&number.to_le_bytes());
        }
    }
    hashed.digest128()
}

/// Returns the key of something that is known of several runs together, whatever order they come in; none where there
/// are none.
pub(crate) fn key_of_several(mut keys: Vec<u128>) -> Option<u128> {
    if keys.is_empty() {
        return None;
    }
    keys.sort_unstable();
    let mut hashed = Xxh3::new();
    hashed.update(b"several");
    keys.iter().for_each(|key| hashed.update(&key.to_le_bytes()));
    Some(hashed.digest128())
}

/// Reports whether an operator depends on nothing but its rows.
fn is_known(operator: &Operator) -> bool {
    let is_of_rows = matches!(
        operator,
        Operator::Filter(_) | Operator::Extend { .. } | Operator::Parse(_) | Operator::Unnest { .. }
    );
    is_of_rows && operator.expressions().into_iter().all(is_timeless)
}

/// Reports whether an expression depends on nothing but its row.
fn is_timeless(expr: &Expr) -> bool {
    match expr {
        Expr::Template(template) => !template.uses_now(),
        Expr::InQuery(..) | Expr::Call(Function::Now, _) => false,
        other => other.parts().all(is_timeless),
    }
}

/// The version of the form, and of everything that goes into a state: how values are hashed, where buckets end.
pub(crate) const VERSION: u8 = 2;
