//! Cache of PromQL ranges: a panel that is drawn again evaluates only the steps that are new.
//!
//! The last answer to each question is kept, together with the runs that it was made of; ranges with another distance of steps, or of
//! quite another length, are other questions. A step of it is used as long as the runs with samples within its reach are the same. A late
//! sample, a deletion or a compaction changes these runs, so a cached step is never wrong; it is only evaluated again.

use std::sync::Arc;

use execute::{Keeper, SampleRuns};
use promql::{Annotations, Answer, Data, EvalError, Options, Query, Reach, Row, Sample, TIME_MAX, joined};
use types::Timestamp;

use crate::source::{ReadBlocks, SampleSource, time_range};

/// Fewer distances between steps are evaluated faster than they are joined with others.
const STEPS_MIN: i64 = 16;

/// Bytes of a label besides its texts.
const LABEL_BYTES: usize = 64;

/// Steps from one to another, both included; ms since the epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Span {
    first: i64,
    last: i64,
}

/// The steps of a range.
#[derive(Clone, Copy)]
struct Steps {
    range: Span,
    /// ms
    step: i64,
}

/// The answer of a range, and what it was made of.
struct KeptRange {
    runs: SampleRuns,
    span: Span,
    rows: Vec<Row>,
}

impl Steps {
    /// Returns the longest span of steps that a kept answer has and that no change of the runs can affect; `None` if it has at most
    /// [`STEPS_MIN`] steps. The kept steps must be at the same times as these.
    fn unchanged(self, kept: &KeptRange, runs: &SampleRuns, reach: Reach) -> Option<Span> {
        let both = Span { first: self.range.first.max(kept.span.first), last: self.range.last.min(kept.span.last) };
        let ms = |time: Timestamp| time.0.div_euclid(Timestamp::MILLISECOND);
        let steps_reaching =
            |(first, last)| (ms(first).saturating_sub(reach.after), ms(last).saturating_add(reach.before));
        let mut changed: Vec<(i64, i64)> = kept.runs.changes(runs).map(steps_reaching).collect();
        changed.sort_unstable();
        // No time after the last step counts.
        changed.push((both.last.saturating_add(1), i64::MAX));
        let mut longest: Option<Span> = None;
        let mut from = both.first;
        for (first_changed, last_changed) in changed {
            let between = self.within(Span { first: from, last: first_changed.saturating_sub(1).min(both.last) });
            if longest.is_none_or(|longest| longest.last - longest.first < between.last - between.first) {
                longest = Some(between);
            }
            from = from.max(last_changed.saturating_add(1));
        }
        longest.filter(|span| (span.last - span.first) / self.step >= STEPS_MIN)
    }

    /// Returns the steps that lie in a span of times.
    fn within(self, Span { first, last }: Span) -> Span {
        let beyond = |time: i64| time.saturating_sub(self.range.first).rem_euclid(self.step);
        Span {
            first: first.saturating_add((self.step - beyond(first)) % self.step),
            last: last.saturating_sub(beyond(last)),
        }
    }

    /// Returns the steps before a span, and those behind it.
    fn around(self, span: Span) -> (Span, Span) {
        let before = Span { first: self.range.first, last: span.first - self.step };
        (before, Span { first: span.last + self.step, last: self.range.last })
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
        let Some(reach) = query.reach(options).filter(|_| n_steps >= STEPS_MIN) else { return evaluate(asked) };
        let reached = time_range((start.saturating_sub(reach.before), end.saturating_add(reach.after)));
        let Some((cache, runs)) = self.blocks.hold(self.groups(), reached) else { return evaluate(asked) };
        // A panel over an hour does not replace what one over a day has; a range that is longer by a step finds what is kept.
        let (phase, length) = (start.rem_euclid(step), n_steps.ilog2());
        let keeper = Keeper::of_question(
            cache,
            &format!("{:?} {options:?} {step} {phase} {length} {}", self.groups(), query.text()),
        );
        let runs = SampleRuns::new(&runs);
        let steps = Steps { range: Span { first: start, last: start + n_steps * step }, step };
        let kept: Option<Arc<KeptRange>> = keeper.find();
        let unchanged = kept.as_ref().and_then(|kept| Some((kept, steps.unchanged(kept, &runs, reach)?)));
        let Some((kept, unchanged)) = unchanged else {
            let answer = evaluate(steps.range)?;
            self.keep(keeper, steps.range, runs, &answer);
            return Ok(answer);
        };
        let (before, behind) = steps.around(unchanged);
        let mut annotations = Annotations::default();
        let mut rows_of = |span: Span| -> Result<Vec<Row>, EvalError> {
            if span.first > span.last {
                return Ok(Vec::new());
            }
            let answer = evaluate(span)?;
            annotations.warnings.extend(answer.annotations.warnings);
            annotations.infos.extend(answer.annotations.infos);
            Ok(match answer.data {
                Data::Matrix(rows) => rows,
                _ => Vec::new(),
            })
        };
        let (before, behind) = (rows_of(before)?, rows_of(behind)?);
        let rows = joined([&before, &between(&kept.rows, unchanged), &behind].map(Vec::as_slice));
        if rows.iter().map(|row| row.samples.len()).sum::<usize>() > options.samples_max {
            return Err(EvalError::TooManySamples(options.samples_max));
        }
        let answer = Answer { data: Data::Matrix(rows), annotations };
        if unchanged != steps.range {
            self.keep(keeper, steps.range, runs, &answer);
        }
        Ok(answer)
    }

    /// Keeps an answer that has all samples, and no remarks: which step one is about is not known.
    fn keep(&self, keeper: Keeper<'_>, span: Span, runs: SampleRuns, answer: &Answer) {
        let Data::Matrix(rows) = &answer.data else { return };
        let n_bytes = n_bytes(rows) + runs.n_bytes();
        if answer.annotations == Annotations::default() && !self.is_missing_some() && keeper.takes(n_bytes) {
            keeper.keep(Arc::new(KeptRange { runs, span, rows: rows.clone() }), n_bytes);
        }
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
