//! What pipelines would do to events that are stored: counted over all of them, with a few shown before and after.
//!
//! Each event goes through the pipelines that hold now, since a new one is the last: what those drop would never reach it.
//! Then it goes through each candidate by itself. Nothing is stored or counted elsewhere.

use std::sync::Arc;

use parse::{ArrivalContext, Zone};
use serde::Serialize;
use serde_json::{Map, Value as Json};
use types::{Column, GroupName, GroupScope, Level, Limits, RowSet, Run, ScanError, Timestamp, Value};

use super::dry_run::shown;
use super::step::Step;
use super::{Draft, Nobody, Pipelines, Witness};
use crate::pipeline::outcome::{Done, Fate, Surroundings};

/// Events that are shown, the newest ones.
const EXAMPLES_MAX: usize = 5;

/// System fields that make up an event.
const SYSTEM_FIELDS: [&str; 4] = ["@timestamp", "@level", "@logStream", "@message"];

/// Keys that a message may come from.
const TEXT_KEYS: [&str; 3] = ["message", "msg", "MESSAGE"];

/// Pipelines to try on stored events of one group.
#[derive(Clone, Copy, Debug)]
pub struct Trial<'a> {
    /// Those that hold now.
    pub current: &'a Pipelines,
    /// Those that are tried, each by itself.
    pub candidates: &'a [Pipelines],
    /// The group of the events.
    pub group: &'a GroupName,
    /// Limits of events.
    pub limits: &'a Limits,
    /// The zone of times that have none.
    pub zone: Zone,
    /// When it is tried.
    pub now: Timestamp,
}

/// What was counted.
#[derive(Clone, Debug, Default)]
pub struct TrialCounts {
    /// Events that the current pipelines keep, and the bytes of their texts and fields.
    pub n_events: u64,
    /// See `n_events`.
    pub n_bytes: u64,
    /// Of each candidate, in their order.
    pub outcomes: Vec<TrialOutcome>,
}

/// What became of the events in one candidate.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TrialOutcome {
    /// Events that fulfil its condition.
    pub matched: u64,
    /// Those that it drops.
    pub dropped: u64,
    /// Those that fall out of its samples.
    pub sampled_out: u64,
    /// Those that it sends to another group.
    pub routed: u64,
    /// Those in which it masks something.
    pub masked: u64,
    /// Those that it keeps and changes in any way.
    pub changed: u64,
    /// Steps that could not be done.
    pub failed: u64,
    /// Bytes of the events that are dropped, sampled out, routed or changed.
    pub bytes_before: u64,
    /// Their bytes afterwards, in whatever group.
    pub bytes_after: u64,
    /// Some of those, the newest first.
    #[serde(skip)]
    pub examples: Vec<TrialExample>,
}

/// An event before and after.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialExample {
    /// When it happened.
    pub time: Timestamp,
    /// As it is stored.
    pub before: Map<String, Json>,
    /// As it would be stored; `None` if it would not.
    pub after: Option<Map<String, Json>>,
}

impl TrialCounts {
    /// Adds the counts of other events.
    pub fn merge(&mut self, other: Self) {
        self.n_events += other.n_events;
        self.n_bytes += other.n_bytes;
        self.outcomes.resize_with(self.outcomes.len().max(other.outcomes.len()), TrialOutcome::default);
        self.outcomes.iter_mut().zip(other.outcomes).for_each(|(mine, other)| mine.merge(other));
    }
}

impl TrialOutcome {
    /// Returns how many events are no longer as or where they were.
    pub fn concerned(&self) -> u64 {
        self.dropped + self.sampled_out + self.changed
    }

    fn merge(&mut self, other: Self) {
        self.matched += other.matched;
        self.dropped += other.dropped;
        self.sampled_out += other.sampled_out;
        self.routed += other.routed;
        self.masked += other.masked;
        self.changed += other.changed;
        self.failed += other.failed;
        self.bytes_before += other.bytes_before;
        self.bytes_after += other.bytes_after;
        self.examples.extend(other.examples);
        self.cut_examples();
    }

    fn cut_examples(&mut self) {
        self.examples.sort_by_key(|example| std::cmp::Reverse(example.time));
        self.examples.truncate(EXAMPLES_MAX);
    }

    /// Reports whether an event of this time would be shown.
    fn shows(&self, time: Timestamp) -> bool {
        self.examples.len() < EXAMPLES_MAX || self.examples.iter().any(|example| example.time < time)
    }

    fn add(&mut self, candidate: &Pipelines, draft: &Draft, around: Surroundings<'_>) {
        // Most events fit no condition, and are not copied.
        if candidate.list.iter().all(|pipeline| pipeline.condition.check(draft).is_err()) {
            return;
        }
        let (mut after, mut notes) = (draft.clone(), Notes::default());
        let fate = candidate.run(&mut after, around, &mut notes, false);
        self.matched += u64::from(notes.is_matched);
        self.failed += notes.n_failed;
        match fate {
            Fate::Kept if !notes.is_changed => return,
            Fate::Kept => {
                self.changed += 1;
                self.masked += u64::from(notes.is_masked);
                self.routed += u64::from(notes.is_routed);
                self.bytes_after += after.n_bytes();
            }
            Fate::Dropped => self.dropped += 1,
            Fate::SampledOut => self.sampled_out += 1,
        }
        self.bytes_before += draft.n_bytes();
        if self.shows(draft.time) {
            let after = (fate == Fate::Kept).then(|| shown(&after));
            self.examples.push(TrialExample { time: draft.time, before: shown(draft), after });
            self.cut_examples();
        }
    }
}

/// Notes what a pipeline does to one event.
#[derive(Default)]
struct Notes {
    is_matched: bool,
    is_changed: bool,
    is_masked: bool,
    is_routed: bool,
    n_failed: u64,
}

impl Witness for Notes {
    fn matched(&mut self, _pipeline: &str) {
        self.is_matched = true;
    }

    fn step(&mut self, _number: usize, _step: &Step, done: Done, _draft: &Draft) {
        self.is_changed |= matches!(done, Done::Changed | Done::Masked | Done::Routed);
        self.is_masked |= done == Done::Masked;
        self.is_routed |= done == Done::Routed;
        self.n_failed += u64::from(matches!(done, Done::Failed(_)));
    }
}

impl Pipelines {
    /// Sends an event through these pipelines; reports whether a later one would see it.
    fn lets_through(&self, draft: &mut Draft, around: Surroundings<'_>) -> bool {
        self.list.iter().all(|pipeline| {
            pipeline.condition.check(draft).is_err()
                || pipeline.run(draft, around, &mut Nobody, false) == Fate::Kept && !pipeline.stops
        })
    }
}

impl Trial<'_> {
    /// Tries the pipelines on the rows of a block.
    ///
    /// # Errors
    /// If the block cannot be read.
    pub fn block(&self, run: &dyn Run, block: usize, rows: &RowSet) -> Result<TrialCounts, ScanError> {
        let limits = super::whole_texts(self.limits);
        let received =
            ArrivalContext { at: self.now, modified: None, previous: None, zone: self.zone, limits: &limits };
        let around = Surroundings { received: &received, within: &GroupScope::All };
        let mut names = run.field_names()?;
        let text_key = names.iter().position(|name| &**name != "@message" && run.is_message(name));
        let text_key = text_key.map(|place| names.swap_remove(place));
        names.retain(|name| !SYSTEM_FIELDS.contains(&&**name) && !run.is_message(name));
        let asked: Vec<&str> = SYSTEM_FIELDS.iter().copied().chain(names.iter().map(|name| &**name)).collect();
        let columns = run.read(block, &asked, rows)?;
        let stored = StoredBlock { columns: &columns, names: &names, text_key, group: self.group };
        let mut counts =
            TrialCounts { outcomes: vec![TrialOutcome::default(); self.candidates.len()], ..TrialCounts::default() };
        for row in 0..rows.count() {
            let mut draft = stored.draft(row);
            if !self.current.lets_through(&mut draft, around) || draft.group != *self.group {
                continue;
            }
            counts.n_events += 1;
            counts.n_bytes += draft.n_bytes();
            for (candidate, outcome) in self.candidates.iter().zip(&mut counts.outcomes) {
                outcome.add(candidate, &draft, around);
            }
        }
        Ok(counts)
    }
}

/// Columns of a block of stored events.
struct StoredBlock<'b> {
    /// Of the system fields, then of `names`.
    columns: &'b [Column],
    names: &'b [Arc<str>],
    /// The field that is the message.
    text_key: Option<Arc<str>>,
    group: &'b GroupName,
}

impl StoredBlock<'_> {
    /// Returns an event as it was when it had passed the pipelines of then.
    fn draft(&self, row: usize) -> Draft {
        let value = |place: usize| self.columns.get(place).and_then(|column| column.value(row));
        let text = |place: usize| value(place).map(|value| value.to_string());
        let time = match value(0) {
            Some(Value::Timestamp(time)) => time,
            _ => Timestamp(0),
        };
        let message = text(3).unwrap_or_default();
        let mut text_key = self.text_key.clone();
        let fields = self.names.iter().enumerate().filter_map(|(place, name)| {
            let value = value(SYSTEM_FIELDS.len() + place)?;
            // Where a run's events have their messages from different keys, each key is a column as well.
            if TEXT_KEYS.contains(&&**name) && matches!(&value, Value::String(text) if **text == *message) {
                text_key = Some(name.clone());
                return None;
            }
            Some((name.clone(), value))
        });
        let fields = fields.collect();
        Draft {
            group: self.group.clone(),
            stream: text(2).unwrap_or_default(),
            time,
            level: text(1).and_then(|level| Level::parse(&level)),
            message,
            text_key,
            time_key: None,
            fields,
        }
    }
}

impl Draft {
    /// Returns the bytes of the text, and of names and values of fields as they are shown.
    fn n_bytes(&self) -> u64 {
        let of_value = |value: &Value| match value {
            Value::String(text) => text.len(),
            other => other.to_string().len(),
        };
        let fields: usize = self.fields.iter().map(|(name, value)| name.len() + of_value(value)).sum();
        (self.message.len() + fields) as u64
    }
}

#[cfg(test)]
mod tests;
