//! Rules over streams whose clock or time zone is off: their events are judged by their arrival.
//!
//! Only streams whose offset is certain are treated so; all others keep their own times.

use std::sync::Arc;

use plan::{Comparison, Expr, Operator, Plan};
use storage::AcceptedBatch;
use types::{Batch, ClockOffset, GroupPattern, TimeRange, Timestamp, Value};

/// How far the offset of a stream may drift while events of it are looked for.
const SLACK_NS: i64 = 30 * Timestamp::MINUTE;

/// Returns the plan and the range that judge events of `offsets` by their arrival in `range`; nothing if none of these
/// streams is among `groups`.
pub(crate) fn by_arrival(
    plan: &Plan,
    groups: &[GroupPattern],
    range: TimeRange,
    offsets: &[ClockOffset],
) -> Option<(Plan, TimeRange)> {
    let concerned: Vec<&ClockOffset> =
        offsets.iter().filter(|offset| GroupPattern::any_matches(groups, offset.group.as_str())).collect();
    let off = concerned.iter().map(|offset| is_of(offset)).reduce(or)?;
    let least = concerned.iter().map(|offset| offset.offset_ns).min().unwrap_or_default().min(0);
    let most = concerned.iter().map(|offset| offset.offset_ns).max().unwrap_or_default().max(0);
    let by_own = and(Expr::Not(Box::new(off.clone())), within("@timestamp", range));
    let condition = or(by_own, and(off, within("@ingestionTime", range)));
    let mut plan = plan.clone();
    plan.edit(|operators| operators.insert(0, Operator::Filter(condition)));
    let wider = |at: i64, offset_ns: i64, slack_ns: i64| match offset_ns {
        0 => Timestamp(at),
        offset_ns => Timestamp(at.saturating_add(offset_ns).saturating_add(slack_ns)),
    };
    Some((plan, TimeRange { from: wider(range.from.0, least, -SLACK_NS), to: wider(range.to.0, most, SLACK_NS) }))
}

/// Returns a batch in which events of `offsets` happened when they arrived.
pub(crate) fn arrived(accepted: &Arc<AcceptedBatch>, offsets: &[ClockOffset]) -> Arc<AcceptedBatch> {
    let of_group: Vec<&ClockOffset> = offsets.iter().filter(|offset| offset.group == accepted.group).collect();
    if of_group.is_empty() {
        return accepted.clone();
    }
    let mut batch = Batch::clone(&accepted.batch);
    let time = |row: usize| {
        let stream = batch.streams.value(row);
        let stream = if let Some(Value::String(stream)) = &stream { &**stream } else { "" };
        let is_of_stream = of_group.iter().any(|offset| *offset.stream == *stream);
        if is_of_stream { batch.ingestion_times.get(row) } else { batch.timestamps.get(row) }
    };
    batch.timestamps = (0..batch.len()).map(time).collect();
    Arc::new(AcceptedBatch { group: accepted.group.clone(), group_id: accepted.group_id, batch: Arc::new(batch) })
}

/// Reports whether an event is of a stream; one without a name stands for its whole group.
fn is_of(offset: &ClockOffset) -> Expr {
    let is = |field: &str, text: &str| {
        compare(Comparison::Equal, Expr::Field(field.into()), Expr::Literal(Some(Value::text(text))))
    };
    let of_group = is("@log", offset.group.as_str());
    if offset.stream.is_empty() { of_group } else { and(of_group, is("@logStream", &offset.stream)) }
}

fn within(field: &str, range: TimeRange) -> Expr {
    let at = |at: Timestamp| Expr::Literal(Some(Value::Timestamp(at)));
    let from = compare(Comparison::GreaterOrEqual, Expr::Field(field.into()), at(range.from));
    and(from, compare(Comparison::Less, Expr::Field(field.into()), at(range.to)))
}

fn compare(comparison: Comparison, left: Expr, right: Expr) -> Expr {
    Expr::Compare(comparison, Box::new(left), Box::new(right))
}

fn and(left: Expr, right: Expr) -> Expr {
    Expr::And(Box::new(left), Box::new(right))
}

fn or(left: Expr, right: Expr) -> Expr {
    Expr::Or(Box::new(left), Box::new(right))
}

#[cfg(test)]
mod tests;
