//! When it began: the change points of counts, shares and percentiles, refined to the instant.
//!
//! The range and as much time before it are searched for the stretch that differs most; around its ends the events are
//! counted again in finer buckets, until the ends are as well known as the events allow. Where the same time of the days
//! before has events, their counts are what is expected. A percentile is compared by the share of numbers above the
//! percentile of the whole time: that share changes where the percentile does.

mod change_point;
mod counter;
mod measure;
mod patterns;
mod reach;

use std::sync::Arc;

use execute::{EventSet, PartialReason, Result};
use types::{Run, TimeRange, Timestamp};

use self::change_point::{EVENTS_MIN, Episode, episode};
use self::counter::{Counter, Instant};
use self::measure::CountedEvents;
use self::reach::{BUCKETS, NO_EVENTS, clipped, floor};

pub use self::measure::Measure;
pub use self::patterns::{PatternOnset, PatternOnsets, pattern_onsets};
pub use self::reach::{history, reach};

/// The last bucket counts if there is one part in so many of it.
const LAST_BUCKET_PARTS: i64 = 4;

/// Share of the larger one of two percentiles by which they differ at least.
const PERCENTILE_CHANGE_MIN: f64 = 0.2;

/// When something began and ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Onset {
    /// When it began; `None` where nothing did.
    pub began: Option<Timestamp>,
    /// The ends of the time in which it began, with 95 % confidence.
    pub began_between: Option<[Timestamp; 2]>,
    /// When it ended; `None` where it has not.
    pub ended: Option<Timestamp>,
    /// The ends of the time in which it ended, with 95 % confidence.
    pub ended_between: Option<[Timestamp; 2]>,
    /// Nanoseconds by which `began` may be off, with 95 % confidence.
    pub uncertainty_ns: i64,
    /// Before it began: events per minute, a share from 0 to 1, or a percentile.
    pub before: f64,
    /// The same from then until it ended.
    pub after: f64,
    /// Why there is no onset.
    pub note: Option<String>,
    /// Why events may be missing.
    pub partial_reasons: Vec<PartialReason>,
}

impl Onset {
    /// Reports whether there is more than before, not less.
    pub fn is_rise(&self) -> bool {
        self.after >= self.before
    }

    fn none(note: impl Into<String>, partial_reasons: Vec<PartialReason>) -> Self {
        Self { note: Some(note.into()), partial_reasons, ..Self::default() }
    }
}

/// Finds when what is measured of the events of a set began to be larger, or smaller, than before: in its range, or up to
/// as much time before that. The runs must cover [`reach`] of the range, and [`history`] of that for a daily rhythm.
pub fn onset(set: EventSet<'_>, measure: &Measure, runs: &[Arc<dyn Run>]) -> Result<Onset> {
    let range = clipped(reach(set.request.range, set.request.now), runs);
    let Some(range) = range else { return Ok(Onset::none(NO_EVENTS, Vec::new())) };
    let mut counter = Counter { set, runs, counted: CountedEvents::events(set.plan), partial_reasons: Vec::new() };
    match measure {
        Measure::Count => {}
        Measure::Share(among) => counter.counted = CountedEvents::share(set.plan, among),
        Measure::Percentile { field, percent } => {
            let Some(threshold) = counter.percentile(field, *percent, range)? else {
                let note = format!("no event of the range has a number in {field}");
                return Ok(Onset::none(note, counter.partial_reasons));
            };
            counter.counted = CountedEvents::above(set.plan, field, threshold);
        }
    }
    let found = Search::of(&mut counter, range)?;
    let Some(episode) = found.episode else {
        return Ok(Onset::none(found.note(measure), counter.partial_reasons));
    };
    let began = found.began(&mut counter, episode)?;
    let ended = found.ended(&mut counter, episode)?.filter(|ended| ended.at > began.at);
    let [before, after] = match measure {
        Measure::Count => [found.per_minute(0, episode.begin), found.per_minute(episode.begin, episode.end)],
        Measure::Share(_) => [found.share(0, episode.begin), found.share(episode.begin, episode.end)],
        Measure::Percentile { field, percent } => {
            let until = ended.map_or(range.to, |ended| Timestamp(ended.at));
            let before = TimeRange { from: range.from, to: Timestamp(began.at) };
            let after = TimeRange { from: Timestamp(began.at), to: until };
            let [before, after] = [before, after].map(|range| counter.percentile(field, *percent, range));
            let (before, after) = (before?.unwrap_or_default(), after?.unwrap_or_default());
            if (after - before).abs() < PERCENTILE_CHANGE_MIN * before.abs().max(after.abs()) {
                let note = format!("percentile {percent} of {field} changed by less than 20 %");
                return Ok(Onset::none(note, counter.partial_reasons));
            }
            [before, after]
        }
    };
    Ok(Onset {
        began: Some(Timestamp(began.at)),
        began_between: Some(began.interval()),
        ended: ended.map(|ended| Timestamp(ended.at)),
        ended_between: ended.map(|ended| ended.interval()),
        uncertainty_ns: began.uncertainty(),
        before,
        after,
        note: None,
        partial_reasons: counter.partial_reasons,
    })
}

/// The first look at a range: buckets, what they hold, and the stretch that differs.
struct Search {
    range: TimeRange,
    from: i64,
    length: i64,
    series: change_point::Series,
    episode: Option<Episode>,
}

impl Search {
    fn of(counter: &mut Counter<'_, '_>, range: TimeRange) -> Result<Self> {
        let length = ((i128::from(range.to.0) - i128::from(range.from.0)) / i128::from(BUCKETS)).max(1) as i64;
        // The first bucket is a whole one; of the last one as much counts as there is of it.
        let from = floor(range.from.0.saturating_add(length - 1), length);
        let last = range.to.0.saturating_sub(from) % length;
        let has_last = last >= length / LAST_BUCKET_PARTS;
        let n = (range.to.0.saturating_sub(from) / length) as usize + usize::from(has_last);
        let mut series = counter.series(from, length, n)?;
        let is_by_time = series.law == change_point::Law::Rate;
        if let Some(expected) = series.expected.last_mut().filter(|_| has_last && is_by_time) {
            *expected *= last as f64 / length as f64;
        }
        let episode = episode(&series, 1);
        Ok(Self { range, from, length, series, episode })
    }

    fn place(&self, bucket: usize) -> i64 {
        self.from + self.length * bucket as i64
    }

    fn sum(&self, from: usize, to: usize) -> f64 {
        self.series.counts[from..to].iter().sum()
    }

    fn per_minute(&self, from: usize, to: usize) -> f64 {
        let minutes = (to - from) as f64 * self.length as f64 / Timestamp::MINUTE as f64;
        self.sum(from, to) / minutes.max(f64::MIN_POSITIVE)
    }

    fn share(&self, from: usize, to: usize) -> f64 {
        self.sum(from, to) / self.series.expected[from..to].iter().sum::<f64>().max(1.0)
    }

    fn began(&self, counter: &mut Counter<'_, '_>, found: Episode) -> Result<Instant> {
        let began = counter.refined(self.place(found.begin), self.length, self.range, found, true)?;
        if !found.is_rise || self.series.law != change_point::Law::Rate {
            return Ok(began);
        }
        let before = self.sum(0, found.begin) / (found.begin as f64 * self.length as f64);
        counter.at_event(began, before)
    }

    fn ended(&self, counter: &mut Counter<'_, '_>, found: Episode) -> Result<Option<Instant>> {
        if found.end == self.series.counts.len() {
            return Ok(None);
        }
        counter.refined(self.place(found.end), self.length, self.range, found, false).map(Some)
    }

    /// Says why there is no onset.
    fn note(&self, measure: &Measure) -> String {
        let n_events = self.sum(0, self.series.counts.len());
        let n_among: f64 = self.series.expected.iter().sum();
        match measure {
            Measure::Count | Measure::Share(_) if n_events == 0.0 => NO_EVENTS.to_owned(),
            Measure::Count if n_events < EVENTS_MIN => {
                let events = types::counted(n_events, "event");
                let are = types::verb_for(n_events, "is", "are");
                format!("{events} {are} too few to tell when they began to come")
            }
            Measure::Count => "the events came neither twice nor half as often as before, beyond chance".to_owned(),
            Measure::Share(_) => {
                format!(
                    "the share of these events among {n_among} did not change by a factor of 2 of its odds, beyond chance"
                )
            }
            Measure::Percentile { field, percent } => {
                format!("percentile {percent} of {field}, over {n_among} numbers, did not change beyond chance")
            }
        }
    }
}

#[cfg(test)]
mod tests;
