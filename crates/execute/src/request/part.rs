//! Parts of a query as bytes, on their way between the nodes of a fleet.
//!
//! ```text
//! part     JSON: version, range, time zone, groups, runs, operators
//! answer   version u8 · count of runs · their places in the part, each a count · events looked at · events matched ·
//!          bytes read · groups (operators/group/codec.rs)
//! ```
//!
//! Both versions are [`VERSION`]: that of everything that goes into a state. A node that has another one refuses, and the
//! node that asked works the part out itself, so that nodes of two versions answer together.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use plan::Operator;
use serde::{Deserialize, Serialize};
use types::{GroupPattern, Run, RunKey, TimeRange, Timestamp, ensure};

use crate::scan::fingerprint::VERSION;
use types::codec::{Cursor, Damage, Decoded, put_count};

/// Why a part is not worked out here.
#[derive(Debug, thiserror::Error)]
pub enum PartError {
    /// It is not what this version of catat reads.
    #[error("the part of a query cannot be read here: {0}")]
    Form(String),
    /// There is no answer, or not a whole one.
    #[error("{0}")]
    Failed(String),
}

/// An aggregation of some immutable runs.
#[derive(Serialize, Deserialize)]
pub struct Part {
    version: u8,
    from: i64,
    to: i64,
    /// The zone that calendar functions work in.
    pub time_zone: chrono_tz::Tz,
    groups: Vec<String>,
    runs: Vec<(String, u32, u32)>,
    /// Operators that look at one row at a time.
    pub(crate) lead: Vec<Operator>,
    /// What is between them and the aggregation, and this.
    pub(crate) rest: Vec<Operator>,
}

impl Part {
    /// Describes the aggregation of `runs`; their groups are given beside them.
    pub(crate) fn new(
        (range, time_zone): (TimeRange, chrono_tz::Tz),
        runs: impl Iterator<Item = (RunKey, String)>,
        lead: &[Operator],
        rest: Vec<Operator>,
    ) -> Self {
        let (runs, mut groups): (Vec<_>, Vec<String>) =
            runs.map(|(key, group)| ((format!("{:032x}", key.segment), key.run, key.version), group)).unzip();
        groups.sort_unstable();
        groups.dedup();
        let (from, to) = (range.from.0, range.to.0);
        Self { version: VERSION, from, to, time_zone, groups, runs, lead: lead.to_vec(), rest }
    }

    /// Writes it; none where one of the operators does not travel.
    pub(crate) fn write(&self) -> Option<Vec<u8>> {
        serde_json::to_vec(self).ok()
    }

    /// Reads a part.
    ///
    /// # Errors
    /// If it is none, or of another version.
    pub fn read(bytes: &[u8]) -> Result<Self, PartError> {
        let part: Self = serde_json::from_slice(bytes).map_err(|error| PartError::Form(error.to_string()))?;
        if part.version != VERSION {
            return Err(PartError::Form(format!("it has version {}, this is {VERSION}", part.version)));
        }
        Ok(part)
    }

    /// Returns the range of events to look at.
    pub fn range(&self) -> TimeRange {
        TimeRange { from: Timestamp(self.from), to: Timestamp(self.to) }
    }

    /// Returns the groups of the runs.
    pub fn groups(&self) -> Vec<GroupPattern> {
        self.groups.iter().map(GroupPattern::new).collect()
    }

    /// Returns the places of the requested runs in the part.
    pub(crate) fn places(&self) -> HashMap<RunKey, usize> {
        let key = |(place, (segment, run, version)): (usize, &(String, u32, u32))| {
            let segment = u128::from_str_radix(segment, 16).ok()?;
            Some((RunKey { segment, run: *run, version: *version }, place))
        };
        self.runs.iter().enumerate().filter_map(key).collect()
    }

    /// Reports whether all requested runs are among `runs`.
    pub fn is_within(&self, runs: &[Arc<dyn Run>]) -> bool {
        let known: HashSet<RunKey> = runs.iter().filter_map(|run| run.info().key).collect();
        self.places().keys().all(|key| known.contains(key))
    }
}

/// What a node worked out besides the groups.
pub(crate) struct PartAnswer {
    /// Places of the runs in the part.
    pub(crate) runs: Vec<usize>,
    pub(crate) n_scanned: u64,
    pub(crate) n_matched: u64,
    pub(crate) n_bytes_read: u64,
}

impl PartAnswer {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        put_count(self.runs.len() as u64, out);
        self.runs.iter().for_each(|place| put_count(*place as u64, out));
        [self.n_scanned, self.n_matched, self.n_bytes_read].into_iter().for_each(|count| put_count(count, out));
    }

    /// Reads the answer about so many runs; the groups follow.
    pub(crate) fn read(n_runs: usize, reader: &mut Cursor<'_>) -> Decoded<Self> {
        ensure!(reader.byte()? == VERSION, Damage("answer of a known version"));
        let n_done = reader.count(1)?;
        let runs = (0..n_done).map(|_| reader.below(n_runs)).collect::<Result<Vec<_>, _>>()?;
        // A run that is named twice would be counted twice.
        ensure!(runs.is_sorted_by(|a, b| a < b), Damage("runs in order"));
        Ok(Self { runs, n_scanned: reader.varint()?, n_matched: reader.varint()?, n_bytes_read: reader.varint()? })
    }
}
