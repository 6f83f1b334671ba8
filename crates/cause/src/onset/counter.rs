//! Counts events over time, coarsely and then finely, until an instant is as well known as the events allow.

use std::sync::Arc;

use execute::{EventSet, PartialReason, Request, Result, execute};
use plan::{Aggregate, AggregateKind, Expr, Function, Length, Name, Operator, Plan};
use types::{Run, TimeRange, Timestamp, Value};

use super::change_point::{ChangePoint, Episode, Law, Series, change_point};
use super::measure::CountedEvents;
use super::reach::{BUCKETS, DAYS, RHYTHM_RANGE_MAX, floor};
use crate::text::conditions_of;

/// Buckets around an end that is refined, and of the coarser ones on either side.
const FINE_BUCKETS: i64 = 160;
const MARGIN_BUCKETS: i64 = 3;

/// Fewer events than this, expected at the rate from before, are none.
const EXPECTED_BEFORE_MAX: f64 = 0.5;

/// Events of the days before that are expected counts together, so that chance does not make them.
const SMOOTHED_EVENTS: f64 = 10.0;

/// Most times that an end is refined: each makes buckets about thirty times shorter.
const REFINEMENTS_MAX: usize = 5;

/// Days before that must have events, so that their counts are expected again.
const DAYS_MIN: usize = 3;

/// An instant, and the 95 % interval around it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Instant {
    pub(super) at: i64,
    pub(super) earliest: i64,
    pub(super) latest: i64,
}

impl Instant {
    /// Returns how far off it may be.
    pub(super) fn uncertainty(&self) -> i64 {
        (self.at - self.earliest).max(self.latest - self.at)
    }

    pub(super) fn interval(&self) -> [Timestamp; 2] {
        [Timestamp(self.earliest), Timestamp(self.latest)]
    }
}

/// Counts events of a set over time.
pub(super) struct Counter<'c, 'a> {
    pub(super) set: EventSet<'a>,
    pub(super) runs: &'c [Arc<dyn Run>],
    pub(super) counted: CountedEvents,
    pub(super) partial_reasons: Vec<PartialReason>,
}

impl Counter<'_, '_> {
    /// Returns the series of `n` buckets of `length` from `from` on, a multiple of `length`. Where there is a daily rhythm, it
    /// is what is expected.
    pub(super) fn series(&mut self, from: i64, length: i64, n: usize) -> Result<Series> {
        let mut series = self.plain_series(from, length, n)?;
        if self.counted.law == Law::Rate {
            series.expected = self.rhythm(from, length, n)?.unwrap_or(series.expected);
        }
        Ok(series)
    }

    /// Returns the same with no daily rhythm.
    fn plain_series(&mut self, from: i64, length: i64, n: usize) -> Result<Series> {
        let counts = self.counts(self.counted.events.clone(), from, length, n)?;
        let expected = match self.counted.among.clone() {
            None => vec![1.0; n],
            Some(among) => self.counts(among, from, length, n)?,
        };
        Ok(Series { law: self.counted.law, counts, expected })
    }

    /// Returns how many events that fulfil conditions each bucket has.
    fn counts(&mut self, mut operators: Vec<Operator>, from: i64, length: i64, n: usize) -> Result<Vec<f64>> {
        let to = from.saturating_add(length.saturating_mul(n as i64));
        let time = Expr::Field("@timestamp".into());
        let floor = Expr::Call(Function::DateFloor, vec![time, Expr::Duration(Length::Nanoseconds(length))]);
        let (bucket, count): (Name, Name) = ("bucket".into(), "count".into());
        operators.push(Operator::Aggregate {
            by: vec![(bucket.clone(), floor)],
            aggregates: vec![Aggregate { name: count.clone(), kind: AggregateKind::Count, argument: None }],
        });
        let rows = self.rows(operators, &[bucket, count], TimeRange { from: Timestamp(from), to: Timestamp(to) })?;
        let mut counts = vec![0.0; n];
        for row in &rows {
            let [Some(Value::Timestamp(at)), Some(Value::Integer(count))] = &row[..] else { continue };
            let place = usize::try_from(at.0.saturating_sub(from) / length).ok();
            if let Some(sum) = place.and_then(|place| counts.get_mut(place)) {
                *sum += *count as f64;
            }
        }
        Ok(counts)
    }

    /// Asks for columns of what operators give.
    fn rows(
        &mut self,
        mut operators: Vec<Operator>,
        columns: &[Name],
        range: TimeRange,
    ) -> Result<Vec<Vec<Option<Value>>>> {
        let columns = columns.iter().map(|name| (name.clone(), Expr::Field(name.clone()))).collect();
        operators.push(Operator::Project { columns, is_events: false });
        let request = Request { range, limit: None, time_zone: chrono_tz::UTC, ..*self.set.request };
        let answer = execute(&Plan::new(operators), self.runs, &request)?;
        for reason in answer.partial_reasons {
            if !self.partial_reasons.contains(&reason) {
                self.partial_reasons.push(reason);
            }
        }
        Ok(answer.rows)
    }

    /// Returns what the counts of the days before let expect of each bucket; `None` where there are too few.
    fn rhythm(&mut self, from: i64, length: i64, n: usize) -> Result<Option<Vec<f64>>> {
        let first = self.runs.iter().map(|run| run.info().first.0).min().unwrap_or(from);
        if length.saturating_mul(BUCKETS) > 2 * RHYTHM_RANGE_MAX {
            return Ok(None);
        }
        let mut days: Vec<Vec<f64>> = Vec::new();
        for day in 1..=DAYS {
            let of_day = floor(from.saturating_sub(day * Timestamp::DAY), length);
            if of_day < first {
                break;
            }
            let counted = self.counts(self.counted.events.clone(), of_day, length, n)?;
            if counted.iter().any(|count| *count > 0.0) {
                days.push(counted);
            }
        }
        if days.len() < DAYS_MIN {
            return Ok(None);
        }
        let sums: Vec<f64> = (0..n).map(|at| days.iter().map(|day| day[at]).sum::<f64>() / days.len() as f64).collect();
        let mean = sums.iter().sum::<f64>() / n as f64;
        // Smoothed where events are rare, and never less than a tenth of the mean: nothing is expected to be impossible.
        let width = ((SMOOTHED_EVENTS / (mean * days.len() as f64).max(f64::MIN_POSITIVE)) as usize).min(n / 20);
        let smooth = |at: usize| {
            let part = &sums[at.saturating_sub(width)..(at + width + 1).min(n)];
            (part.iter().sum::<f64>() / part.len() as f64).max(mean / 10.0)
        };
        Ok(Some((0..n).map(smooth).collect()))
    }

    /// Returns the instant near `at`, an end of a bucket of `length`, at which the rate changes, and its interval.
    pub(super) fn refined(
        &mut self,
        at: i64,
        length: i64,
        range: TimeRange,
        found: Episode,
        is_begin: bool,
    ) -> Result<Instant> {
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
            let series = self.plain_series(from, fine, FINE_BUCKETS as usize)?;
            let Some(ChangePoint { at: bucket, earliest, latest }) = change_point(&series, is_rise, found.dispersion)
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
    pub(super) fn at_event(&mut self, began: Instant, before: f64) -> Result<Instant> {
        let is_quiet = before * ((began.at - began.earliest) as f64) < EXPECTED_BEFORE_MAX;
        let from = if is_quiet { began.earliest } else { began.at };
        let range = TimeRange { from: Timestamp(from), to: Timestamp(began.latest.max(from + 1)) };
        let first = self.aggregate(AggregateKind::Min, "@timestamp", range)?;
        let Some(Value::Timestamp(Timestamp(at))) = first else { return Ok(began) };
        Ok(Instant { at, earliest: began.earliest.min(at), latest: began.latest.max(at) })
    }

    /// Returns a percentile of a field's numbers among the events of the set in a range.
    pub(super) fn percentile(&mut self, field: &str, percent: f64, range: TimeRange) -> Result<Option<f64>> {
        Ok(match self.aggregate(AggregateKind::Percentile(percent), field, range)? {
            Some(Value::Float(number)) => Some(number).filter(|number| number.is_finite()),
            Some(Value::Integer(number)) => Some(number as f64),
            _ => None,
        })
    }

    /// Computes one aggregate of a field over the events of the set in a range.
    fn aggregate(&mut self, kind: AggregateKind, field: &str, range: TimeRange) -> Result<Option<Value>> {
        let name: Name = "value".into();
        let mut operators = conditions_of(self.set.plan);
        operators.push(Operator::Aggregate {
            by: Vec::new(),
            aggregates: vec![Aggregate { name: name.clone(), kind, argument: Some(Expr::Field(field.into())) }],
        });
        let rows = self.rows(operators, &[name], range)?;
        Ok(rows.into_iter().next().and_then(|row| row.into_iter().next()).flatten())
    }
}
