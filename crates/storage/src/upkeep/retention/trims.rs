//! Retention inside segments of several days: whole UTC days of a group go, the younger ones stay.
//!
//! A run of such a segment reaches over many days, so it cannot be retired as a whole when its first day expires. A *trim*
//! hides the events of a group that are older than a time and were accepted before a sequence. It holds for all
//! segments of several days, so it survives compaction, a start and a rebuilt catalog, and it never concerns events
//! that arrive later. The rows are hidden by the masks that hide deleted events (`erase::mask`), and compaction writes the
//! segment again without them once the undo window is over.
//!
//! Trims are documents of the control store, next to the limits that they follow from.

use std::collections::HashSet;
use std::sync::Arc;

use segment::range_of;
use types::{GroupName, Timestamp};

use super::limits::RetentionPlan;
use crate::deletion::{Mask, Removals};
use crate::state::{State, StoredSegment};
use crate::tier::Place;
use crate::upkeep::retention::Retention;
use crate::upkeep::retention::limits::Candidate;
use crate::{StoreError, control};

pub(super) use crate::retention::{LONG_AGO, Trim, edges_of};

/// Trims of a group that are remembered one by one. A day adds one, so more come only from changes of limits.
const TRIMS_MAX: usize = 64;

/// Returns the trims of a group after some of its days were hidden and others shown again.
fn changed(mut trims: Vec<Trim>, hide: Option<Trim>, show_from: Option<i64>) -> Vec<Trim> {
    if let Some(from) = show_from {
        trims.iter_mut().filter(|trim| !trim.is_final()).for_each(|trim| trim.before = trim.before.min(from));
    }
    trims.extend(hide);
    let mut kept: Vec<Trim> = Vec::new();
    for (at, trim) in trims.iter().enumerate() {
        let is_repeated = |(other_at, other): (usize, &Trim)| {
            let is_older = other.since < trim.since || (other.since == trim.since && other_at < at);
            other_at != at && is_older && trim.is_within(other)
        };
        if !trims.iter().enumerate().any(is_repeated) {
            kept.push(*trim);
        }
    }
    while kept.len() > TRIMS_MAX {
        // What the next one hides as well is hidden as long as that one, and its bytes go later.
        let Some(at) = kept.windows(2).position(|pair| pair[0].is_within(&pair[1])) else { break };
        kept.remove(at);
    }
    kept
}

impl Retention {
    /// Counts the events of each day in segments of several days, before anything is locked. One that cannot be read, or
    /// lies in an object store that does not answer, is judged as a whole until it can.
    pub(super) fn count_days(&self) {
        let is_away = self.segments.files.remote.as_ref().is_none_or(|remote| remote.objects.unreachable().is_some());
        let mixed: Vec<Arc<StoredSegment>> = self.segments.state().mixed_segments().cloned().collect();
        for stored in mixed.iter().filter(|stored| stored.place == Place::Local || !is_away) {
            if let Err(error) = stored.segment.days() {
                tracing::warn!(file = stored.file, %error, "days of a segment cannot be counted");
            }
        }
    }

    /// Hides and shows days of a group as judged.
    pub(super) fn trim(&self, group: &GroupName, judged: &RetentionPlan, since: i64) -> Result<(), StoreError> {
        let state = self.segments.state();
        let Some(group_id) = state.groups.id_of(group) else { return Ok(()) };
        let hide = trim_of(&state, group_id, &judged.beyond, since);
        let show_from = judged.back.iter().filter_map(|one| one.day).map(|day| range_of(day).from.0).min();
        if hide.is_none() && show_from.is_none() {
            return Ok(());
        }
        let known = state.trims.get(&group_id).cloned().unwrap_or_default();
        drop(state);
        self.put_trims(group, group_id, changed(known, hide, show_from))
    }

    /// Hides what is older than the newest of these segments, which go since the store is too large: oldest first.
    pub(super) fn trim_older_than(&self, segments: &HashSet<u128>) -> Result<(), StoreError> {
        let state = self.segments.state();
        let gone = state.segments.iter().filter(|stored| segments.contains(&stored.segment.meta.segment));
        let Some(last) = gone.flat_map(|stored| stored.segment.summaries()).map(|run| run.last.0).max() else {
            return Ok(());
        };
        let before = last.div_euclid(Timestamp::DAY).saturating_mul(Timestamp::DAY);
        let mut trims = Vec::new();
        for (name, group) in state.groups.iter() {
            let Some(last) = state.mixed_runs(group.id).map(|run| run.last_sequence).max() else { continue };
            let trim = Trim { before, since: LONG_AGO, sequences_end: last.saturating_add(1) };
            if state.mixed_runs(group.id).any(|run| trim.concerns(run)) {
                let known = state.trims.get(&group.id).cloned().unwrap_or_default();
                trims.push((name.clone(), group.id, changed(known, Some(trim), None)));
            }
        }
        drop(state);
        trims.into_iter().try_for_each(|(name, id, trims)| self.put_trims(&name, id, trims))
    }

    /// Makes the trims of a group durable and lets snapshots follow them.
    fn put_trims(&self, group: &GroupName, group_id: u32, mut trims: Vec<Trim>) -> Result<(), StoreError> {
        let state = self.segments.state();
        trims.retain(|trim| state.mixed_runs(group_id).any(|run| trim.concerns(run)));
        let is_known = state.trims.get(&group_id).map_or(trims.is_empty(), |known| *known == trims);
        drop(state);
        if is_known {
            return Ok(());
        }
        control::set_trims(&mut **self.segments.control(), group, group_id, &trims)?;
        let mut state = self.segments.state_mut();
        if trims.is_empty() {
            state.trims.remove(&group_id);
        } else {
            state.trims.insert(group_id, trims);
        }
        drop(state);
        self.mask_trimmed();
        Ok(())
    }

    /// Marks trims whose undo window is over by `oldest`, so that their bytes go. Only in memory: the next start finds
    /// the same.
    pub(super) fn expire_trims(&self, oldest: i64) {
        let mut state = self.segments.state_mut();
        let trims = state.trims.values_mut().flatten();
        let expired: Vec<&mut Trim> = trims.filter(|trim| !trim.is_final() && trim.since <= oldest).collect();
        let is_changed = !expired.is_empty();
        expired.into_iter().for_each(|trim| trim.since = LONG_AGO);
        drop(state);
        if is_changed {
            self.mask_trimmed();
            self.segments.signals.compaction.ring();
        }
    }

    /// Forgets trims that concern no run any more, since compaction has written all of them without the events.
    pub(super) fn forget_trims(&self) -> Result<(), StoreError> {
        let state = self.segments.state();
        let is_over = |id: u32, trim: &Trim| !state.mixed_runs(id).any(|run| trim.concerns(run));
        let over = state.trims.iter().filter(|(id, trims)| trims.iter().any(|trim| is_over(**id, trim)));
        let over: Vec<(u32, Option<GroupName>, Vec<Trim>)> =
            over.map(|(id, trims)| (*id, state.groups.name_of(*id).cloned(), trims.clone())).collect();
        // A segment that cannot be read now may come back.
        let is_whole = state.damaged.is_empty();
        drop(state);
        for (id, name, trims) in over.into_iter().filter(|_| is_whole) {
            match name {
                Some(name) => self.put_trims(&name, id, trims)?,
                None => drop(self.segments.state_mut().trims.remove(&id)),
            }
        }
        Ok(())
    }

    /// Works out again which rows are hidden, of the runs that trims concern in another way than before. For callers that
    /// hold `flusher` and `upkeep`. A run that cannot be read is tried again at the next turn.
    pub(super) fn mask_trimmed(&self) {
        let state = self.segments.state();
        let mut stale = Vec::new();
        for stored in state.mixed_segments() {
            let meta = stored.segment.meta;
            for (index, run) in stored.segment.summaries().iter().enumerate() {
                let known = state.mask(meta.segment, run.group_id).map_or(&[][..], |mask| &mask.edges[..]);
                if *known != edges_of(&state.trims, meta, run) {
                    stale.push((stored.clone(), index, run.group_id));
                }
            }
        }
        let (deletions, trims) = (state.deletions.clone(), state.trims.clone());
        drop(state);
        for (stored, index, group_id) in stale {
            let key = (stored.segment.meta.segment, group_id);
            match Mask::of(&stored.segment, index, Removals { deletions: &deletions, trims: &trims }) {
                Ok(Some(mask)) => drop(self.segments.state_mut().masks.insert(key, Arc::new(mask))),
                Ok(None) => drop(self.segments.state_mut().masks.remove(&key)),
                Err(error) => tracing::warn!(file = stored.file, %error, "expired events cannot be hidden yet"),
            }
        }
    }
}

/// Returns the trim that hides these days of a group.
fn trim_of(state: &State, group_id: u32, days: &[Candidate], since: i64) -> Option<Trim> {
    let before = days.iter().filter_map(|one| one.day).map(|day| range_of(day).to.0).max()?;
    let last = state.mixed_runs(group_id).map(|run| run.last_sequence).max()?;
    Some(Trim { before, since, sequences_end: last.saturating_add(1) })
}

#[cfg(test)]
mod tests;
