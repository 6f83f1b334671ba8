//! Findings that are the same events, brought together under the one that explains most.

use std::cmp::Reverse;
use std::sync::Arc;

use execute::ConditionCounts;

use super::difference::PATTERN_FIELD;
use super::judge::Candidate;
use crate::statistics::effect;

/// Overlap of two findings, events of both among events of either, from which on they are one.
const OVERLAP_MIN: f64 = 0.9;

/// How far apart their shares in the baseline may be, as Cohen's `h`.
const EFFECT_MAX: f64 = 0.1;

/// Parts of names of fields that explain more than others with the same events: what people change.
const CAUSES: [&str; 9] = ["version", "release", "build", "commit", "image", "deployment", "flag", "tenant", "host"];

/// Candidates with the same events explain more by their name if their score is at least such a part of the better one.
const SCORE_SHARE_MIN: f64 = 0.8;

/// Returns how little a candidate explains by what it is. Numbers that are distributed differently, such as durations, are an
/// effect, and explain less than a value.
fn cause_rank(candidate: &Candidate) -> usize {
    if &*candidate.field == PATTERN_FIELD {
        return CAUSES.len() + 2;
    }
    let lower = candidate.field.to_ascii_lowercase();
    let by_name = CAUSES.iter().position(|cause| lower.contains(cause));
    by_name.unwrap_or(CAUSES.len() + usize::from(candidate.values.is_empty()))
}

/// Returns the order in which candidates are shown: best first, and of about equal ones those that explain most.
pub(super) fn order(candidate: &Candidate) -> (Reverse<u64>, usize, bool, Arc<str>) {
    // In hundredths: smaller differences of the score say nothing.
    let score = (candidate.score * 100.0).round() as u64;
    let cause = cause_rank(candidate);
    (Reverse(score), cause, candidate.field.starts_with('@'), candidate.field.clone())
}

/// Brings candidates together, which are in order; `counts` are those of their conditions in the selection.
pub(super) fn merged(candidates: Vec<Candidate>, counts: &ConditionCounts) -> Vec<Candidate> {
    let n_of: Vec<u64> = (0..candidates.len()).map(|place| counts.count(1 << place)).collect();
    let mut kept: Vec<(usize, Candidate)> = Vec::new();
    for (place, mut candidate) in candidates.into_iter().enumerate() {
        candidate.event = counts.events.get(place).cloned().flatten().or(candidate.event);
        let is_same = |(other, known): &&mut (usize, Candidate)| {
            let n_both = counts.count(1 << place | 1 << *other);
            let n_either = n_of[place] + n_of[*other] - n_both;
            let is_near = effect(candidate.baseline_share, known.baseline_share).abs() <= EFFECT_MAX;
            // A pattern and a field with the same events are two findings: either may name what the other does not.
            let is_pattern = &*known.field == PATTERN_FIELD;
            !is_pattern && n_both > 0 && n_both as f64 >= OVERLAP_MIN * n_either as f64 && is_near
        };
        match kept.iter_mut().find(is_same) {
            Some((_, known)) => join(known, candidate),
            None => kept.push((place, candidate)),
        }
    }
    kept.into_iter().map(|(_, candidate)| candidate).collect()
}

/// Puts two candidates with the same events together, under the one that explains more.
fn join(known: &mut Candidate, mut other: Candidate) {
    let is_cause = cause_rank(&other) < cause_rank(known);
    if is_cause && other.score >= SCORE_SHARE_MIN * known.score {
        std::mem::swap(known, &mut other);
        std::mem::swap(&mut known.same_events, &mut other.same_events);
    }
    known.same_events.push(other.field);
}
