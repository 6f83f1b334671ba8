//! When each pattern of messages began to come more or less often: all patterns of a scope at once, in one pass.

use std::sync::Arc;

use execute::{Answer, EventSet, PartialReason, Request, Result, execute, patterns_plan};
use plan::{COUNTS_COLUMN, END_COLUMNS};
use types::{Run, TimeRange, Timestamp, Value};

use super::change_point::{EVENTS_MIN, Episode, Law, Series, change_point, episode};
use super::counter::Instant;
use super::reach::{NO_EVENTS, clipped, reach};

/// Buckets of the range and the time before it together.
const BUCKETS: i64 = 120;

/// Patterns that are searched, the most frequent ones.
const PATTERNS_MAX: u64 = 2_000;

/// Part of the last bucket that has to be there, so that it counts.
const LAST_BUCKET_MIN: f64 = 0.25;

/// Patterns that are told, those with the most evidence.
const TOLD_MAX: usize = 50;

/// A pattern that began to come more, or less, often than before.
#[derive(Clone, Debug, PartialEq)]
pub struct PatternOnset {
    /// The pattern, wildcards as `<*>`.
    pub pattern: String,
    /// Its stable name.
    pub id: String,
    /// What holds for its events, as text of the language, where there are words for it.
    pub condition: Option<String>,
    /// Its events in the range and the time before it.
    pub n_events: u64,
    /// When it began.
    pub began: Timestamp,
    /// The ends of the time in which it began.
    pub began_between: [Timestamp; 2],
    /// When it ended, where it has.
    pub ended: Option<Timestamp>,
    /// The ends of the time in which it ended.
    pub ended_between: Option<[Timestamp; 2]>,
    /// Events per minute before it began.
    pub before_per_minute: f64,
    /// Events per minute from then until it ended.
    pub after_per_minute: f64,
}

/// The patterns of a scope that began to come more, or less, often than before.
#[derive(Clone, Debug, Default)]
pub struct PatternOnsets {
    /// In order of time.
    pub patterns: Vec<PatternOnset>,
    /// Patterns that were searched.
    pub n_patterns: usize,
    /// The time that was searched.
    pub range: Option<TimeRange>,
    /// Why there is no finding.
    pub note: Option<String>,
    /// Why events may be missing.
    pub partial_reasons: Vec<PartialReason>,
}

/// Finds the patterns among the events of a set that began to come at least twice, or at most half, as often: in its range,
/// or up to as much time before. The runs must cover [`reach`] of the range.
///
/// Times are known to a bucket, one in 120 of the time that is searched; that of a pattern that did not exist before is
/// that of its first event.
pub fn pattern_onsets(set: EventSet<'_>, runs: &[Arc<dyn Run>]) -> Result<PatternOnsets> {
    let none = |note: &str| PatternOnsets { note: Some(note.to_owned()), ..PatternOnsets::default() };
    let range = clipped(reach(set.request.range, set.request.now), runs);
    let Some(range) = range else { return Ok(none(NO_EVENTS)) };
    let length = ((i128::from(range.to.0) - i128::from(range.from.0)) / i128::from(BUCKETS)).max(1) as i64;
    let plan = patterns_plan(set.plan, None, length, PATTERNS_MAX);
    let request = Request { range, limit: None, ..*set.request };
    let answer = execute(&plan, runs, &request)?;
    let n_patterns = answer.rows.len();
    let mut found: Vec<(f64, PatternOnset)> = Vec::new();
    for row in &answer.rows {
        found.extend(Row { answer: &answer, row }.onset(range, n_patterns));
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.pattern.cmp(&b.1.pattern)));
    found.truncate(TOLD_MAX);
    let mut patterns: Vec<PatternOnset> = found.into_iter().map(|(_, onset)| onset).collect();
    patterns.sort_by(|a, b| (a.began, &a.pattern).cmp(&(b.began, &b.pattern)));
    let note = match (n_patterns, patterns.len()) {
        (0, _) => Some(NO_EVENTS.to_owned()),
        (n, 0) => Some(format!("none of {n} patterns came twice or half as often as before, beyond chance")),
        _ => None,
    };
    Ok(PatternOnsets { patterns, n_patterns, range: Some(range), note, partial_reasons: answer.partial_reasons })
}

/// A pattern as it was counted.
struct Row<'r> {
    answer: &'r Answer,
    row: &'r [Option<Value>],
}

impl Row<'_> {
    fn value(&self, name: &str) -> Option<&Value> {
        let place = self.answer.columns.iter().position(|column| *column.name == *name)?;
        self.row.get(place)?.as_ref()
    }

    fn text(&self, name: &str) -> Option<String> {
        self.value(name).map(ToString::to_string)
    }

    /// Returns the starts of buckets with the events in each.
    fn counts(&self) -> Vec<(i64, f64)> {
        let Some(Value::List(pairs)) = self.value(COUNTS_COLUMN) else { return Vec::new() };
        let pair = |pair: &Option<Value>| match pair {
            Some(Value::List(pair)) => match &pair[..] {
                [Some(Value::Timestamp(at)), Some(Value::Integer(count))] => Some((at.0, *count as f64)),
                _ => None,
            },
            _ => None,
        };
        pairs.iter().filter_map(pair).collect()
    }

    /// Returns the onset of the pattern, one of `n_patterns`, with its evidence.
    fn onset(&self, range: TimeRange, n_patterns: usize) -> Option<(f64, PatternOnset)> {
        let counted = PatternSeries::of(&self.counts(), range)?;
        let mut found = episode(&counted.series, n_patterns)?;
        found.begin = counted.first_of(found);
        let n = counted.series.counts.len();
        let mut began = counted.instant((0, found.end), found.begin, (found.is_rise, found.dispersion));
        let is_new = counted.series.counts[..found.begin].iter().all(|count| *count == 0.0);
        if let (true, Some(Value::Timestamp(first))) = (is_new && found.is_rise, self.value(END_COLUMNS[0])) {
            began = Instant { at: first.0, earliest: first.0.min(began.earliest), latest: first.0 };
        }
        let end = || counted.instant((found.begin, n), found.end, (!found.is_rise, found.dispersion));
        let ended = (found.end < n).then(end);
        let onset = PatternOnset {
            pattern: self.text("@pattern")?,
            id: self.text("@patternId")?,
            condition: self.text(END_COLUMNS[3]),
            n_events: counted.series.counts.iter().sum::<f64>() as u64,
            began: Timestamp(began.at),
            began_between: began.interval(),
            ended: ended.map(|ended| Timestamp(ended.at)),
            ended_between: ended.map(|ended| ended.interval()),
            before_per_minute: counted.per_minute(0, found.begin),
            after_per_minute: counted.per_minute(found.begin, found.end),
        };
        Some((found.evidence, onset))
    }
}

/// The events of a pattern by bucket, over the whole range.
struct PatternSeries {
    range: TimeRange,
    first: i64,
    length: i64,
    series: Series,
}

impl PatternSeries {
    /// Takes counts of consecutive buckets, which reach from the first to the last event; `None` for too few events.
    fn of(counts: &[(i64, f64)], range: TimeRange) -> Option<Self> {
        let [(at, _), (second, _), ..] = *counts else { return None };
        if counts.iter().map(|(_, count)| count).sum::<f64>() < EVENTS_MIN {
            return None;
        }
        let length = second - at;
        let n_before = usize::try_from((at - range.from.0 + length - 1) / length).unwrap_or_default();
        let first = at - length * n_before as i64;
        let n = usize::try_from((range.to.0 - first + length - 1) / length).unwrap_or_default();
        let mut all = vec![0.0; n_before];
        all.extend(counts.iter().map(|(_, count)| *count));
        all.resize(n.max(all.len()), 0.0);
        let part = |place: usize| {
            let from = first + length * place as i64;
            let (from, to) = (from.max(range.from.0), (from + length).min(range.to.0));
            to.saturating_sub(from).max(1) as f64 / length as f64
        };
        let mut expected: Vec<f64> = (0..all.len()).map(part).collect();
        // Of the last bucket there has to be enough.
        if expected.last().is_some_and(|part| *part < LAST_BUCKET_MIN) {
            all.pop();
            expected.pop();
        }
        Some(Self { range, first, length, series: Series { law: Law::Rate, counts: all, expected } })
    }

    /// Returns the bucket with which a stretch begins: the one before it, where that has the first events of all, which came
    /// too late in it to look like the others.
    fn first_of(&self, found: Episode) -> usize {
        let before = found.begin - 1;
        let is_first = before > 0
            && found.is_rise
            && self.series.counts[before] > 0.0
            && self.series.counts[..before].iter().all(|count| *count == 0.0);
        if is_first { before } else { found.begin }
    }

    fn per_minute(&self, from: usize, to: usize) -> f64 {
        let minutes =
            self.series.expected[from..to].iter().sum::<f64>() * self.length as f64 / Timestamp::MINUTE as f64;
        self.series.counts[from..to].iter().sum::<f64>() / minutes.max(f64::MIN_POSITIVE)
    }

    /// Returns when the rate changed at the beginning of bucket `at`, as the buckets of a stretch tell.
    fn instant(&self, (from, to): (usize, usize), at: usize, (is_rise, dispersion): (bool, f64)) -> Instant {
        let place = |bucket: usize| {
            let at = self.first.saturating_add(self.length.saturating_mul(bucket as i64));
            at.clamp(self.range.from.0, self.range.to.0)
        };
        let part = Series {
            law: Law::Rate,
            counts: self.series.counts[from..to].to_vec(),
            expected: self.series.expected[from..to].to_vec(),
        };
        let change = change_point(&part, is_rise, dispersion);
        let [earliest, latest] = change.map_or([at, at], |change| [from + change.earliest, from + change.latest]);
        // The change may be anywhere in the buckets on either side.
        let (earliest, latest) = (earliest.min(at).saturating_sub(1), latest.max(at) + 1);
        Instant { at: place(at), earliest: place(earliest), latest: place(latest) }
    }
}
