//! Cache of the steps of PromQL ranges: a panel that is drawn again evaluates only the steps that are new.
//!
//! A range is divided into spans of a few steps at fixed times, shorter ones at its ends. The key of a span contains the query and
//! the identities of all runs with samples within reach of its steps. A late sample, a deletion or a compaction changes these runs, so
//! a cached span is never wrong; it is only no longer found.

use std::sync::Arc;

use execute::{Keeper, SampleRuns};
use promql::{Annotations, Answer, Data, EvalError, Options, Query, Reach, Row, Sample, TIME_MAX, joined};
use types::TimeRange;

use crate::source::{ReadBlocks, SampleSource, time_range};

/// Steps of a span.
const STEPS: i64 = 16;

/// Steps of a span at the ends of a range, where a few come and go each time.
const STEPS_AT_ENDS: i64 = 2;

/// Long spans at the end that are divided into short ones: the last, and the one before, which a moment ago was the last.
const DIVIDED_AT_END: usize = 2;

/// Bytes of a label besides its texts.
const LABEL_BYTES: usize = 64;

/// Steps from one to another, both included; ms since the epoch.
#[derive(Clone, Copy)]
struct Span {
    first: i64,
    last: i64,
}

/// A range of steps.
#[derive(Clone, Copy)]
struct Division {
    range: Span,
    /// ms
    step: i64,
}

impl Division {
    /// Returns the spans of so many steps that have some of `span`, whether the range has all of theirs or not.
    fn spans(self, span: Span, n_steps: i64) -> impl Iterator<Item = Span> {
        let (length, phase) = (self.step * n_steps, self.range.first.rem_euclid(self.step));
        (span.first.div_euclid(length)..=span.last.div_euclid(length)).map(move |number| {
            let first = number * length + phase;
            Span { first, last: first + length - self.step }
        })
    }

    /// Returns the steps of a span that the range has.
    fn cut(self, span: Span) -> Span {
        Span { first: span.first.max(self.range.first), last: span.last.min(self.range.last) }
    }

    fn has_all_of(self, span: Span) -> bool {
        self.range.first <= span.first && span.last <= self.range.last
    }
}

/// Rows of steps that follow each other.
enum Piece {
    Kept(Arc<Vec<Row>>),
    Evaluated(Span, Vec<Row>),
}

impl Piece {
    fn rows(&self) -> &[Row] {
        match self {
            Self::Kept(rows) => rows,
            Self::Evaluated(_, rows) => rows,
        }
    }
}

/// The cached steps of one query.
struct StepCache<'a> {
    /// All that an answer depends on besides times.
    runs: SampleRuns<'a>,
    reach: Reach,
    division: Division,
}

impl<'a> StepCache<'a> {
    /// Returns the times of the samples that the steps of a span are made of.
    fn reached(&self, span: Span) -> TimeRange {
        time_range((span.first.saturating_sub(self.reach.before), span.last.saturating_add(self.reach.after)))
    }

    /// Finds a span, as far as the range has it; returns where it would be kept if it is not.
    fn find(&self, span: Span) -> Result<Arc<Vec<Row>>, Option<Keeper<'a>>> {
        let keeper = self.runs.keeper(&[self.division.step, span.first, span.last], self.reached(span));
        let Some(rows) = keeper.and_then(Keeper::find::<Vec<Row>>) else { return Err(keeper) };
        if self.division.has_all_of(span) {
            return Ok(rows);
        }
        Ok(Arc::new(between(&rows, self.division.cut(span))))
    }

    /// Returns the range piece by piece, those without rows that are to be evaluated; and the spans that were not found, with where
    /// they would be kept.
    fn pieces(&self) -> (Vec<Piece>, Vec<(Span, Keeper<'a>)>) {
        let (mut pieces, mut missing): (Vec<Piece>, Vec<(Span, Keeper<'a>)>) = Default::default();
        let evaluate = |span: Span, pieces: &mut Vec<Piece>| match pieces.last_mut() {
            Some(Piece::Evaluated(before, _)) => before.last = span.last,
            _ => pieces.push(Piece::Evaluated(span, Vec::new())),
        };
        let spans: Vec<Span> = self.division.spans(self.division.range, STEPS).collect();
        for (place, span) in spans.iter().enumerate() {
            match self.find(*span) {
                Ok(rows) => {
                    pieces.push(Piece::Kept(rows));
                    continue;
                }
                Err(keeper) => missing.extend(keeper.map(|keeper| (*span, keeper))),
            }
            let cut = self.division.cut(*span);
            if place > 0 && place + DIVIDED_AT_END < spans.len() {
                evaluate(cut, &mut pieces);
                continue;
            }
            for short in self.division.spans(cut, STEPS_AT_ENDS) {
                match self.find(short) {
                    Ok(rows) => pieces.push(Piece::Kept(rows)),
                    Err(keeper) => {
                        missing.extend(keeper.map(|keeper| (short, keeper)));
                        evaluate(self.division.cut(short), &mut pieces);
                    }
                }
            }
        }
        (pieces, missing)
    }

    /// Keeps the spans that were missing and that the range has, where the same samples are `later` there as before.
    fn keep(&self, rows: &[Row], missing: Vec<(Span, Keeper<'a>)>, later: &Self) {
        let changed: Vec<_> = self.runs.changes(&later.runs).collect();
        let is_kept = |span: Span| {
            let reached = self.reached(span);
            let has_changed = changed.iter().any(|(first, last)| reached.overlaps(*first, *last));
            self.division.has_all_of(span) && !has_changed
        };
        for (span, keeper) in missing.into_iter().filter(|(span, _)| is_kept(*span)) {
            let rows = between(rows, span);
            let n_bytes = n_bytes(&rows);
            keeper.keep(Arc::new(rows), n_bytes);
        }
    }
}

impl<B: ReadBlocks> SampleSource<B> {
    /// Evaluates a query at each `step` ms from `start` to `end`, both included, ms since the epoch, as [`promql::range`] does. Steps
    /// that were evaluated before over the same samples are not evaluated again.
    pub fn range(
        &self,
        query: &Query,
        (start, end): (i64, i64),
        step: i64,
        options: &Options,
    ) -> Result<Answer, EvalError> {
        let evaluate = |span: Span| promql::range(query, (span.first, span.last), step, self, options);
        let asked = Span { first: start, last: end };
        let is_within = [start, end].iter().all(|time| time.unsigned_abs() <= TIME_MAX);
        let n_steps = if is_within && step > 0 { (end - start) / step } else { 0 };
        let Some(reach) = query.reach(options).filter(|_| n_steps >= STEPS) else { return evaluate(asked) };
        let division = Division { range: Span { first: start, last: start + n_steps * step }, step };
        let question = format!("{:?} {options:?} {}", self.groups(), query.text());
        let range = (start.saturating_sub(reach.before), end.saturating_add(reach.after));
        let look = || {
            let (cache, runs) = self.blocks().kept(self.groups(), time_range(range))?;
            Some(StepCache { runs: SampleRuns::new(cache, &question, &runs), reach, division })
        };
        let Some(steps) = look() else { return evaluate(asked) };
        let ((mut pieces, missing), mut annotations) = (steps.pieces(), Annotations::default());
        for piece in &mut pieces {
            if let Piece::Evaluated(span, rows) = piece {
                let answer = evaluate(*span)?;
                annotations.warnings.extend(answer.annotations.warnings);
                annotations.infos.extend(answer.annotations.infos);
                let Data::Matrix(evaluated) = answer.data else { return evaluate(asked) };
                *rows = evaluated;
            }
        }
        let rows = joined(pieces.iter().map(Piece::rows));
        if rows.iter().map(|row| row.samples.len()).sum::<usize>() > options.samples_max {
            return Err(EvalError::TooManySamples(options.samples_max));
        }
        // Which steps a remark is about is not known.
        let is_plain = annotations == Annotations::default() && !self.is_missing_some();
        // What came or went meanwhile may be in the rows, but is in no key of before.
        if let Some(later) = (is_plain && !missing.is_empty()).then(look).flatten() {
            steps.keep(&rows, missing, &later);
        }
        Ok(Answer { data: Data::Matrix(rows), annotations })
    }
}

/// Returns what rows have at the steps of a span.
fn between(rows: &[Row], Span { first, last }: Span) -> Vec<Row> {
    let cut = |row: &Row| {
        let from = row.samples.partition_point(|sample| sample.time < first);
        let to = row.samples.partition_point(|sample| sample.time <= last);
        (from < to).then(|| Row { labels: row.labels.clone(), samples: row.samples[from..to].to_vec() })
    };
    rows.iter().filter_map(cut).collect()
}

fn n_bytes(rows: &[Row]) -> usize {
    let of_row = |row: &Row| {
        let labels: usize = row.labels.iter().map(|label| label.name.len() + label.value.len() + LABEL_BYTES).sum();
        labels + row.samples.len() * size_of::<Sample>()
    };
    rows.iter().map(of_row).sum()
}

#[cfg(test)]
mod tests;
