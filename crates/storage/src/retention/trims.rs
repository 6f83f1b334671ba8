//! Trims: what retention hides inside segments of several days.

use std::collections::BTreeMap;

use segment::{MIXED_PARTITION, RunSummary, SegmentMeta};

use crate::retention::LONG_AGO;

/// Events of a group that retention hides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trim {
    /// Events before this time are hidden; the beginning of a UTC day.
    pub(crate) before: i64,
    /// When they were hidden; [`LONG_AGO`] once the undo window is over.
    pub(crate) since: i64,
    /// Events with this sequence and later ones are not concerned.
    pub(crate) sequences_end: u64,
}

/// Trims by the number of the group.
pub(crate) type Trims = BTreeMap<u32, Vec<Trim>>;

/// A trim as it concerns a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) before: i64,
    pub(crate) sequences_end: u64,
    /// Whether the undo window is over.
    pub(crate) is_final: bool,
}

impl Trim {
    pub(crate) fn is_final(&self) -> bool {
        self.since == LONG_AGO
    }

    pub(crate) fn concerns(&self, run: &RunSummary) -> bool {
        run.first.0 < self.before && run.first_sequence < self.sequences_end
    }

    /// Reports whether `other` hides everything that this one hides.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        self.before <= other.before && self.sequences_end <= other.sequences_end
    }
}

/// Returns the trims that concern a run.
pub(crate) fn edges_of(trims: &Trims, meta: SegmentMeta, run: &RunSummary) -> Vec<Edge> {
    if meta.partition != MIXED_PARTITION {
        return Vec::new();
    }
    let of_group = trims.get(&run.group_id).into_iter().flatten();
    let edge = |trim: &Trim| Edge { before: trim.before, sequences_end: trim.sequences_end, is_final: trim.is_final() };
    of_group.filter(|trim| trim.concerns(run)).map(edge).collect()
}

/// Returns only those trims whose undo window is over.
pub(crate) fn final_only(trims: &Trims) -> Trims {
    let finals = |of_group: &Vec<Trim>| of_group.iter().filter(|trim| trim.is_final()).copied().collect::<Vec<_>>();
    trims.iter().map(|(id, of_group)| (*id, finals(of_group))).filter(|(_, finals)| !finals.is_empty()).collect()
}
