//! How much of the data that lies there already is read during the first search.

use std::collections::HashMap;
use std::fs::File;
use std::io;

use types::Timestamp;

use super::FollowOptions;
use crate::discover::{Backlog, Candidate, Discovery, Reason};
use crate::identity::read_at_most;

/// How much of the data that a search finds is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OldData {
    /// What the limits on old data allow: the first search of a new state directory.
    Limited,
    /// All of it: whatever a later search finds came while the shipper ran or was down.
    Whole,
}

impl OldData {
    fn limit(self, backlog: Backlog) -> Backlog {
        match self {
            Self::Limited => backlog,
            Self::Whole => Backlog::ALL,
        }
    }
}

/// What is left of the limits on old data during the first search: inputs that say nothing share one.
pub(super) struct Budgets {
    shared: Budget,
    own: HashMap<usize, Budget>,
}

impl Budgets {
    /// Returns the limits of the first search, or none.
    pub(super) fn new(options: &FollowOptions, old_data: OldData, now: Timestamp) -> Self {
        let budget = |backlog| Budget::new(old_data.limit(backlog), now);
        let inputs = options.inputs.iter().enumerate();
        let own = inputs.filter_map(|(number, input)| Some((number, budget(input.backlog?))));
        Self { shared: budget(options.backlog), own: own.collect() }
    }

    /// Returns the one that an input's files count against.
    pub(super) fn of(&mut self, input: usize) -> &mut Budget {
        self.own.get_mut(&input).unwrap_or(&mut self.shared)
    }
}

/// What is left of one limit.
pub(super) struct Budget {
    bytes_left: u64,
    modified_least: Timestamp,
}

impl Budget {
    fn new(backlog: Backlog, now: Timestamp) -> Self {
        let modified_least = backlog.age_ns_max.map_or(i64::MIN, |age| now.0.saturating_sub(age));
        Self { bytes_left: backlog.bytes_max.unwrap_or(u64::MAX), modified_least: Timestamp(modified_least) }
    }

    /// Returns where to start a file; adds to `report` what is left out.
    pub(super) fn start_of(&mut self, candidate: &Candidate, file: &File, report: &mut Discovery) -> io::Result<u64> {
        if candidate.modified < self.modified_least && !candidate.is_named {
            let reason = Reason::TooOld { modified: candidate.modified };
            if candidate.size > 0 {
                report.leave_out(&candidate.path, reason);
            }
            return Ok(candidate.size);
        }
        if candidate.size <= self.bytes_left {
            self.bytes_left -= candidate.size;
            return Ok(0);
        }
        let start = line_start_after(file, candidate.size - self.bytes_left, candidate.size)?;
        self.bytes_left = 0;
        report.leave_out(&candidate.path, Reason::OverBudget { n_bytes: start });
        Ok(start)
    }
}

/// Returns the first start of a line at or after `offset`, looked for within 1 MiB; else `size`.
fn line_start_after(file: &File, offset: u64, size: u64) -> io::Result<u64> {
    let Some(before) = offset.checked_sub(1) else { return Ok(0) };
    let bytes = read_at_most(file, before, 1 << 20)?;
    let newline = bytes.iter().position(|b| *b == b'\n');
    Ok(newline.map_or(size, |at| before + at as u64 + 1).min(size))
}
