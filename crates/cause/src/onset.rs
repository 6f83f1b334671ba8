//! When it began: the change points of counts, refined to the instant, and what else began then.
//!
//! The counts of the range and of as much time before it are searched for the stretch that differs most; around its ends
//! the counts are read again in finer buckets, until the ends are as well known as the events allow. Where the same time of
//! the days before has events, their counts are what is expected.

mod change_point;

use std::sync::Arc;

use execute::{EventSet, ExecuteError, PartialReason, Request, execute};
use plan::function::Function;
use plan::{Aggregate, AggregateKind, Expr, Name, Operator, Plan, Span};
use types::{Run, TimeRange, Timestamp, Value};

use self::change_point::{ChangePoint, Episode, change_point, episode};
use crate::text::conditions_of;

/// Buckets of the first look, of the range and the time before it together.
const BUCKETS: i64 = 240;

/// Buckets around an end that is refined, and of the coarser ones on either side.
const FINE_BUCKETS: i64 = 160;
const MARGIN_BUCKETS: i64 = 3;

/// The last bucket counts if there is one part in so many of it.
const LAST_BUCKET_PARTS: i64 = 4;

/// Fewer events than this, expected at the rate from before, are none.
const EXPECTED_BEFORE_MAX: f64 = 0.5;

/// Events of the days before that are expected counts together, so that chance does not make them.
const SMOOTHED_EVENTS: f64 = 10.0;

/// Most times that an end is refined: each makes buckets about thirty times shorter.
const REFINEMENTS_MAX: usize = 5;

/// Days before whose counts are expected again, and how many of them must have events.
const DAYS: i64 = 7;
const DAYS_MIN: usize = 3;

/// Longest range whose daily rhythm is looked up: of longer ones each day is a part.
const RHYTHM_RANGE_MAX: i64 = Timestamp::DAY;

/// Shortest time before the range that is looked at as well.
const BEFORE_MIN: i64 = 15 * Timestamp::MINUTE;

/// When something began and ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Onset {
    /// When it began; `None` where nothing did.
    pub began: Option<Timestamp>,
    /// When it ended; `None` where it has not.
    pub ended: Option<Timestamp>,
    /// Nanoseconds by which `began` may be off, with 95 % confidence.
    pub uncertainty_ns: i64,
    /// Events per minute before it began.
    pub before_per_minute: f64,
    /// Events per minute from then until it ended.
    pub after_per_minute: f64,
    /// Why events may be missing.
    pub partial_reasons: Vec<PartialReason>,
}

impl Onset {
    /// Reports whether there are more events than before, not fewer.
    pub fn is_rise(&self) -> bool {
        self.after_per_minute >= self.before_per_minute
    }
}

/// Returns the time whose events tell when something began that goes on in `range`: the range up to `now`, and as much
/// time before it.
pub fn reach(range: TimeRange, now: Timestamp) -> TimeRange {
    let to = range.to.min(Timestamp(now.0.saturating_add(1))).max(range.from);
    let length = (i128::from(to.0) - i128::from(range.from.0)).max(i128::from(BEFORE_MIN));
    let from = i128::from(range.from.0).saturating_sub(length).max(i128::from(i64::MIN)) as i64;
    TimeRange { from: Timestamp(from), to }
}

/// Returns the same with the days before, whose counts are what is expected.
pub fn history(range: TimeRange) -> TimeRange {
    let is_short = i128::from(range.to.0) - i128::from(range.from.0) <= i128::from(2 * RHYTHM_RANGE_MAX);
    let n_days = if is_short { DAYS } else { 0 };
    TimeRange { from: Timestamp(range.from.0.saturating_sub(n_days * Timestamp::DAY)), to: range.to }
}

/// Finds when the events of a set began to come more often, or less often, than before: in its range, or up to as much time
/// before that. The runs must cover [`reach`] of the range, and [`history`] of that for a daily rhythm.
pub fn onset(set: EventSet<'_>, runs: &[Arc<dyn Run>]) -> Result<Onset, ExecuteError> {
    let range = clipped(reach(set.request.range, set.request.now), runs);
    let mut counter = Counter { set, runs, partial_reasons: Vec::new() };
    let Some(range) = range else { return Ok(Onset::default()) };
    let length = ((i128::from(range.to.0) - i128::from(range.from.0)) / i128::from(BUCKETS)).max(1) as i64;
    // The first bucket is a whole one; of the last one as much counts as there is of it.
    let from = floor(range.from.0.saturating_add(length - 1), length);
    let last = range.to.0.saturating_sub(from) % length;
    let has_last = last >= length / LAST_BUCKET_PARTS;
    let n = (range.to.0.saturating_sub(from) / length) as usize + usize::from(has_last);
    let counts = counter.counts(from, length, n)?;
    let mut expected = counter.expected(from, length, n)?;
    if let Some(expected) = expected.last_mut().filter(|_| has_last) {
        *expected *= last as f64 / length as f64;
    }
    let found = episode(&counts, &expected);
    let Some(found) = found else {
        return Ok(Onset { partial_reasons: counter.partial_reasons, ..Onset::default() });
    };
    let place = |bucket: usize| from + length * bucket as i64;
    let began = counter.refined(place(found.begin), length, range, found, true)?;
    let ended = match found.end == counts.len() {
        true => None,
        false => Some(counter.refined(place(found.end), length, range, found, false)?),
    };
    let sum = |from: usize, to: usize| counts[from..to].iter().sum::<f64>();
    let before = sum(0, found.begin) / (found.begin as f64 * length as f64);
    let began = if found.is_rise { counter.at_event(began, before)? } else { began };
    let minutes =
        |n_buckets: usize| (n_buckets as f64 * length as f64 / Timestamp::MINUTE as f64).max(f64::MIN_POSITIVE);
    Ok(Onset {
        began: Some(Timestamp(began.at)),
        ended: ended.filter(|ended| ended.at > began.at).map(|ended| Timestamp(ended.at)),
        uncertainty_ns: (began.at - began.earliest).max(began.latest - began.at),
        before_per_minute: sum(0, found.begin) / minutes(found.begin),
        after_per_minute: sum(found.begin, found.end) / minutes(found.end - found.begin),
        partial_reasons: counter.partial_reasons,
    })
}

/// Returns the part of a range in which there can be events: a store that is younger than the range has no time before.
fn clipped(range: TimeRange, runs: &[Arc<dyn Run>]) -> Option<TimeRange> {
    let first = runs.iter().map(|run| run.info().first).min()?;
    let from = range.from.max(first);
    (from.0.saturating_add(BUCKETS) < range.to.0).then_some(TimeRange { from, to: range.to })
}

/// An instant, and the 95 % interval around it.
#[derive(Clone, Copy, Debug)]
struct Instant {
    at: i64,
    earliest: i64,
    latest: i64,
}

/// Counts events of a set over time.
struct Counter<'c, 'a> {
    set: EventSet<'a>,
    runs: &'c [Arc<dyn Run>],
    partial_reasons: Vec<PartialReason>,
}

impl Counter<'_, '_> {
    /// Returns the counts of `n` buckets of `length` from `from` on, a multiple of `length`.
    fn counts(&mut self, from: i64, length: i64, n: usize) -> Result<Vec<f64>, ExecuteError> {
        let to = from.saturating_add(length.saturating_mul(n as i64));
        let time = Expr::Field("@timestamp".into());
        let floor = Expr::Call(Function::DateFloor, vec![time, Expr::Duration(Span::Nanoseconds(length))]);
        let counted = self.grouped(floor, TimeRange { from: Timestamp(from), to: Timestamp(to) })?;
        let mut counts = vec![0.0; n];
        for (at, count) in counted {
            let place = usize::try_from(at.saturating_sub(from) / length).ok();
            if let Some(sum) = place.and_then(|place| counts.get_mut(place)) {
                *sum += count;
            }
        }
        Ok(counts)
    }

    /// Counts the events of a range by an expression that is a time.
    fn grouped(&mut self, by: Expr, range: TimeRange) -> Result<Vec<(i64, f64)>, ExecuteError> {
        let (bucket, count): (Name, Name) = ("bucket".into(), "count".into());
        let mut operators = conditions_of(self.set.plan);
        operators.push(Operator::Aggregate {
            by: vec![(bucket.clone(), by)],
            aggregates: vec![Aggregate { name: count.clone(), kind: AggregateKind::Count, argument: None }],
        });
        let columns = [bucket, count].map(|name| (name.clone(), Expr::Field(name))).to_vec();
        operators.push(Operator::Project { columns, is_events: false });
        let request = Request { range, limit: None, time_zone: chrono_tz::UTC, ..*self.set.request };
        let answer = execute(&Plan::new(operators), self.runs, &request)?;
        for reason in answer.partial_reasons {
            if !self.partial_reasons.contains(&reason) {
                self.partial_reasons.push(reason);
            }
        }
        let counted = |row: &Vec<Option<Value>>| match &row[..] {
            [Some(Value::Timestamp(at)), Some(Value::Integer(count))] => Some((at.0, *count as f64)),
            _ => None,
        };
        Ok(answer.rows.iter().filter_map(counted).collect())
    }

    /// Returns what the counts of the days before let expect of each bucket: about the same everywhere where there are too
    /// few.
    fn expected(&mut self, from: i64, length: i64, n: usize) -> Result<Vec<f64>, ExecuteError> {
        let even = vec![1.0; n];
        let first = self.runs.iter().map(|run| run.info().first.0).min().unwrap_or(from);
        if length.saturating_mul(BUCKETS) > 2 * RHYTHM_RANGE_MAX {
            return Ok(even);
        }
        let mut days: Vec<Vec<f64>> = Vec::new();
        for day in 1..=DAYS {
            let of_day = floor(from.saturating_sub(day * Timestamp::DAY), length);
            if of_day < first {
                break;
            }
            let counted = self.counts(of_day, length, n)?;
            if counted.iter().any(|count| *count > 0.0) {
                days.push(counted);
            }
        }
        if days.len() < DAYS_MIN {
            return Ok(even);
        }
        let sums: Vec<f64> = (0..n).map(|at| days.iter().map(|day| day[at]).sum::<f64>() / days.len() as f64).collect();
        let mean = sums.iter().sum::<f64>() / n as f64;
        // Smoothed where events are rare, and never less than a tenth of the mean: nothing is expected to be impossible.
        let width = ((SMOOTHED_EVENTS / (mean * days.len() as f64).max(f64::MIN_POSITIVE)) as usize).min(n / 20);
        let smooth = |at: usize| {
            let part = &sums[at.saturating_sub(width)..(at + width + 1).min(n)];
            (part.iter().sum::<f64>() / part.len() as f64).max(mean / 10.0)
        };
        Ok((0..n).map(smooth).collect())
    }

    /// Returns the instant near `at`, an end of a bucket of `length`, at which the rate changes, and its interval.
    fn refined(
        &mut self,
        at: i64,
        length: i64,
        range: TimeRange,
        found: Episode,
        is_begin: bool,
    ) -> Result<Instant, ExecuteError> {
        let is_rise = found.is_rise == is_begin;
        let mut known = Instant { at, earliest: at - length, latest: at + length };
        let mut length = length;
        for _ in 0..REFINEMENTS_MAX {
            let from = known.at.saturating_sub(MARGIN_BUCKETS * length).max(range.from.0);
            let to = known.at.saturating_add(MARGIN_BUCKETS * length).min(range.to.0);
            let fine = to.saturating_sub(from) / FINE_BUCKETS;
            if fine < 1 {
                break;
            }
            let from = floor(from, fine);
            let counts = self.counts(from, fine, FINE_BUCKETS as usize)?;
            let Some(ChangePoint { at: bucket, earliest, latest }) = change_point(&counts, is_rise, found.dispersion)
            else {
                break;
            };
            let place = |bucket: usize| from + fine * bucket as i64;
            known = Instant { at: place(bucket), earliest: place(earliest), latest: place(latest + 1) };
            // Finer buckets only help where the place is not known to a few of these.
            if latest - earliest > MARGIN_BUCKETS as usize {
                break;
            }
            length = fine;
        }
        Ok(known)
    }

    /// Moves the beginning of a rise to an event: to the first one of its interval where events were rare before, `before`
    /// a nanosecond; else to the first one from the likeliest instant on.
    fn at_event(&mut self, began: Instant, before: f64) -> Result<Instant, ExecuteError> {
        let is_quiet = before * ((began.at - began.earliest) as f64) < EXPECTED_BEFORE_MAX;
        let from = if is_quiet { began.earliest } else { began.at };
        let first = self.first_event(TimeRange { from: Timestamp(from), to: Timestamp(began.latest.max(from + 1)) })?;
        Ok(first.map_or(began, |at| Instant { at, earliest: began.earliest.min(at), latest: began.latest.max(at) }))
    }

    /// Returns the time of the first event in a range.
    fn first_event(&mut self, range: TimeRange) -> Result<Option<i64>, ExecuteError> {
        let name: Name = "first".into();
        let mut operators = conditions_of(self.set.plan);
        operators.push(Operator::Aggregate {
            by: Vec::new(),
            aggregates: vec![Aggregate {
                name: name.clone(),
                kind: AggregateKind::Min,
                argument: Some(Expr::Field("@timestamp".into())),
            }],
        });
        operators.push(Operator::Project { columns: vec![(name.clone(), Expr::Field(name))], is_events: false });
        let request = Request { range, limit: None, ..*self.set.request };
        let answer = execute(&Plan::new(operators), self.runs, &request)?;
        Ok(match answer.rows.first().and_then(|row| row.first()) {
            Some(Some(Value::Timestamp(first))) => Some(first.0),
            _ => None,
        })
    }
}

/// Returns the multiple of `length` at or before `at`.
fn floor(at: i64, length: i64) -> i64 {
    at.div_euclid(length).saturating_mul(length)
}

#[cfg(test)]
mod tests;
