//! Calls between services that fail, or take long, since an onset and did not before: the red edges of a service map.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use execute::PartialReason;
use plan::{Expr, insights_text};
use types::{TimeRange, Value};

use crate::statistics::{divergence, effect, p_of_distance, p_of_shares, split};
use crate::text::equal;

/// The probability of one wrong red edge among all.
const P_MAX: f64 = 0.01;

/// Smallest effect that is told, as Cohen's `h`, and smallest distance between two distributions of durations.
const EFFECT_MIN: f64 = 0.2;
const DISTANCE_MIN: f64 = 0.2;

/// How many times longer the slow calls, those of the 95th percentile, have to take.
const SLOWER_MIN: f64 = 1.5;

/// Red edges that are told, best first.
const CALLS_MAX: usize = 10;

/// The calls of one service to another, or to a database, a queue or a service that sends no spans. Of pairs the first is
/// since an onset, the second before it.
#[derive(Clone, Debug, Default)]
pub struct CallCounts {
    /// The service that calls.
    pub from: String,
    /// What is called.
    pub to: String,
    /// Whether the called one sends spans itself.
    pub is_service: bool,
    /// How many calls there were.
    pub n_calls: [u64; 2],
    /// How many of them failed.
    pub n_errors: [u64; 2],
    /// Durations in milliseconds, shortest first, and how many calls took about as long.
    pub durations: [Vec<(f64, u64)>; 2],
}

/// Counts the calls of two ranges: since an onset, and before it. Why some may be missing is the second part.
pub type CountCalls<'c> = dyn Fn([TimeRange; 2]) -> (Vec<CallCounts>, Vec<PartialReason>) + 'c;

/// Calls that fail, or take long, since an onset. Of pairs the first is since then, the second before it.
#[derive(Clone, Debug, PartialEq)]
pub struct RedCall {
    /// The service that calls.
    pub from: String,
    /// What is called.
    pub to: String,
    /// How many calls there were.
    pub n_calls: [u64; 2],
    /// Shares of them that failed.
    pub error_shares: [f64; 2],
    /// Milliseconds that 95 % of them did not exceed.
    pub p95_ms: [Option<f64>; 2],
    /// Whether more of them fail; otherwise they only take longer.
    pub is_failing: bool,
    /// Whether they take longer.
    pub is_slower: bool,
    /// Whether nothing that the called one calls is red itself: the end of a chain, from which the others may follow.
    pub is_last: bool,
    /// How much failing, or the duration, tells of the time in which a call was, 0 to 1.
    pub score: f64,
    /// A query for their spans.
    pub query: Option<String>,
}

/// Returns the calls that became red: the ends of chains first, then by how much they changed.
pub(crate) fn red_calls(counts: &[CallCounts]) -> Vec<RedCall> {
    // Each edge is tried twice: by its errors and by its durations.
    let n_tried = 2 * counts.len().max(1);
    let mut found: Vec<RedCall> = counts.iter().filter_map(|counts| red_call(counts, n_tried)).collect();
    let callers: BTreeSet<String> = found.iter().map(|call| call.from.clone()).collect();
    found.iter_mut().for_each(|call| call.is_last = call.from == call.to || !callers.contains(&call.to));
    found.sort_by(|a, b| {
        let order = |call: &RedCall| (Reverse(call.is_last), Reverse(call.is_failing));
        let by_names = || (&a.from, &a.to).cmp(&(&b.from, &b.to));
        order(a).cmp(&order(b)).then_with(|| b.score.total_cmp(&a.score)).then_with(by_names)
    });
    found.truncate(CALLS_MAX);
    found
}

/// Judges the calls of one edge.
fn red_call(counts: &CallCounts, n_tried: usize) -> Option<RedCall> {
    let CallCounts { from, to, n_calls, n_errors, durations, .. } = counts;
    let is_significant = |p: f64| p * n_tried as f64 <= P_MAX;
    let error_shares = [0, 1].map(|side| n_errors[side] as f64 / n_calls[side].max(1) as f64);
    let p = p_of_shares((n_errors[0], n_calls[0]), (n_errors[1], n_calls[1]));
    let is_failing = effect(error_shares[0], error_shares[1]) >= EFFECT_MIN && is_significant(p);
    let p95_ms = durations.each_ref().map(|durations| quantile(durations, 0.95));
    let n_timed = durations.each_ref().map(|durations| n_of(durations));
    let slower = slower(durations, p95_ms)
        .filter(|(distance, _)| is_significant(p_of_distance(*distance, n_timed[0], n_timed[1])));
    let by_errors = if is_failing { divergence(&[(error_shares[0], error_shares[1])]) } else { 0.0 };
    let by_duration = slower.map_or(0.0, |(_, shares)| divergence(&[(shares[0], shares[1])]));
    (is_failing || slower.is_some()).then(|| RedCall {
        from: from.clone(),
        to: to.clone(),
        n_calls: *n_calls,
        error_shares,
        p95_ms,
        is_failing,
        is_slower: slower.is_some(),
        is_last: false,
        score: by_errors.max(by_duration),
        query: query(counts, is_failing),
    })
}

/// Returns how far apart the durations are, and the shares of long ones, where calls take longer.
fn slower(durations: &[Vec<(f64, u64)>; 2], p95_ms: [Option<f64>; 2]) -> Option<(f64, [f64; 2])> {
    let [Some(now), Some(before)] = p95_ms else { return None };
    let (_, above, distance) = split(durations.each_ref().map(Vec::as_slice))?;
    let shares = [0, 1].map(|side| above[side] as f64 / n_of(&durations[side]).max(1) as f64);
    (now >= SLOWER_MIN * before && shares[0] > shares[1] && distance >= DISTANCE_MIN).then_some((distance, shares))
}

fn n_of(durations: &[(f64, u64)]) -> u64 {
    durations.iter().map(|(_, n)| n).sum()
}

/// Returns the duration that a share of the calls did not exceed.
fn quantile(durations: &[(f64, u64)], share: f64) -> Option<f64> {
    let wanted = (share * n_of(durations) as f64).ceil().max(1.0) as u64;
    let mut n_below = 0;
    durations.iter().find_map(|(duration, n)| {
        n_below += n;
        (n_below >= wanted).then_some(*duration)
    })
}

/// Returns a query for the spans of a call: those of the called service, else those of the one that calls.
fn query(counts: &CallCounts, is_failing: bool) -> Option<String> {
    let (service, kind) = if counts.is_service { (&counts.to, "server") } else { (&counts.from, "client") };
    let mut conditions = vec![("service", service.as_str()), ("kind", kind)];
    conditions.extend(is_failing.then_some(("status", "error")));
    let conditions = conditions.into_iter().map(|(name, value)| equal(name, Some(Value::text(value))));
    let all = conditions.reduce(|a, b| Expr::And(Box::new(a), Box::new(b)))?;
    Some(format!("filter {}", insights_text::text(&all)?))
}

#[cfg(test)]
mod tests;
