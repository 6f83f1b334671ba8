//! Finds what an incident has to do with: which values differ, when it began, what began with it, and what of that
//! matters most.
//!
//! [`execute`] counts all matching events; here the counts are judged. Whatever is reported is statistically significant
//! after a correction for how many values were tried, and large enough to matter. Counts are exact, and nothing is drawn at
//! random: the same events give the same findings. This crate knows no route, no JSON, and no clock.

mod around;
mod calls;
mod concurrent;
mod differs;
mod first_look;
mod marks;
mod onset;
mod silence;
mod statistics;
mod text;
mod traces;

pub use around::{axis, concurrent, everything};
pub use calls::{CallCounts, CountCalls, RedCall};
pub use concurrent::{Concurrent, ConcurrentKind};
pub use differs::{
    Baseline, Differences, FieldDifference, NumberDifference, ValueDifference, differences, field_differences,
};
pub use first_look::{Finding, FindingKind, FirstLook, Usual, first_look};
pub use marks::{MARK_DAYS_MAX, MARK_GROUP, Mark, Marks, is_mark_group, mark_groups, mark_reach, marks};
pub use onset::{
    Measure, Onset, PatternOnset, PatternOnsets, history as onset_history, onset, pattern_onsets, reach as onset_reach,
};

#[cfg(test)]
mod lab;
