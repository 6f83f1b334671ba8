//! Which ids the store has.
//!
//! A sender of many documents asks for thousands of ids with each request, and nearly always the store has none of them. So that
//! a group's ids are not read again and again, their hashes are remembered by run: runs never change, and one that is gone is
//! forgotten. A hash only rules ids out; what it cannot rule out is read.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex};

use foldhash::fast::RandomState;
use storage::Store;
use types::{
    Column, GroupName, GroupPattern, Hold, ProbeField, RowSet, Run, RunIdentity, ScanError, TextProbe, TimeRange, Value,
};

use super::IdField;

/// Up to so many ids are asked of filters one by one; for more of them all ids are read at once.
const PROBES_MAX: usize = 32;

/// Hashes that are remembered at most, 32 MiB of them. Of further runs ids are read each time.
const HASHES_MAX: usize = 8 << 20;

/// Hashes of the ids of runs, in ascending order.
type Tables = HashMap<RunIdentity, Arc<[u32]>, RandomState>;

/// What is remembered of the ids that groups have in a field.
#[derive(Debug, Default)]
pub struct KnownIds {
    /// Drawn at each start, so that nobody can find ids with equal hashes.
    hasher: RandomState,
    /// The group asked about last is the last one.
    groups: Mutex<Vec<(Asked, Arc<Tables>)>>,
}

/// A group and the field that has its ids.
type Asked = (GroupName, Arc<str>);

/// An id that is looked for, with its hash.
type Wanted<'i> = (u32, &'i str);

impl KnownIds {
    /// Returns those of some ids that events of the group have in a field, within a range of time.
    ///
    /// Deleted events are not there, and neither are those that damage keeps from being read.
    pub(crate) fn among<'i>(
        &self,
        store: &Store,
        group: &GroupName,
        (field, range): (IdField<'_>, TimeRange),
        wanted: impl Iterator<Item = &'i str>,
    ) -> HashSet<&'i str> {
        let mut wanted: Vec<Wanted<'i>> = wanted.map(|id| (self.hash(id), id)).collect();
        if wanted.is_empty() || !store.has_group(group) {
            return HashSet::new();
        }
        wanted.sort_unstable();
        let snapshot = store.snapshot(&[GroupPattern::new(group.as_str())], range);
        let mut found = HashSet::new();
        let whole_field = match field {
            // What is remembered is of whole runs.
            IdField::One(name) if range == TimeRange::ALL => Some(name),
            _ => None,
        };
        let before = whole_field.map(|name| self.take(group, name)).unwrap_or_default();
        let mut tables = Tables::default();
        for run in &snapshot.runs {
            let left = match whole_field {
                Some(name) => self.possible_in(&**run, name, &wanted, (&before, &mut tables)),
                None => Ok(wanted.clone()),
            };
            // Queries report damage; here it hides ids.
            let _ = left.and_then(|left| find_in(&**run, (field, range), &left, &mut found));
        }
        if let Some(name) = whole_field {
            self.keep(group, name, tables);
        }
        found
    }

    fn hash(&self, id: &str) -> u32 {
        self.hasher.hash_one(id) as u32
    }

    /// Returns what is remembered of a group.
    fn take(&self, group: &GroupName, name: &str) -> Arc<Tables> {
        let groups = self.groups.hold();
        let known = groups.iter().find(|(asked, _)| is_of(asked, group, name));
        known.map(|(_, tables)| tables.clone()).unwrap_or_default()
    }

    /// Remembers what is known of a group, and forgets others for it.
    fn keep(&self, group: &GroupName, name: &str, tables: Tables) {
        let mut groups = self.groups.hold();
        groups.retain(|(asked, _)| !is_of(asked, group, name));
        groups.push(((group.clone(), name.into()), Arc::new(tables)));
        let mut room = HASHES_MAX;
        let n_kept = groups.iter().rev().take_while(|(_, tables)| {
            let rest = room.checked_sub(n_hashes(tables));
            room = rest.unwrap_or(0);
            rest.is_some()
        });
        let n_gone = groups.len() - n_kept.count();
        groups.drain(..n_gone);
    }

    /// Returns those of some ids that a run may have, and remembers the ids of the run where that pays.
    fn possible_in<'i>(
        &self,
        run: &dyn Run,
        name: &str,
        wanted: &[Wanted<'i>],
        (before, tables): (&Tables, &mut Tables),
    ) -> Result<Vec<Wanted<'i>>, ScanError> {
        let Some(identity) = run.identity() else { return Ok(wanted.to_vec()) };
        let known = match before.get(&identity) {
            Some(known) => Some(known.clone()),
            // Without it each request would read the ids.
            None if wanted.len() > PROBES_MAX || matches!(identity, RunIdentity::InMemory(_)) => {
                let has_room = n_hashes(tables) + run.info().n_events as usize <= HASHES_MAX;
                // Of a run that is damaged, what can be read is asked.
                has_room.then(|| self.hashes_of(run, name).ok()).flatten()
            }
            None => None,
        };
        let Some(known) = known else {
            let may_hold = |wanted: &Wanted<'i>| Ok(run.may_hold(&probe_for(name, wanted.1, true))?.then_some(*wanted));
            return wanted.iter().filter_map(|wanted| may_hold(wanted).transpose()).collect();
        };
        let left = among(wanted, &known);
        tables.insert(identity, known);
        Ok(left)
    }

    fn hashes_of(&self, run: &dyn Run, name: &str) -> Result<Arc<[u32]>, ScanError> {
        let mut hashes = Vec::new();
        if run.field_names()?.iter().any(|known| &**known == name) {
            for block in 0..run.n_blocks() {
                for column in run.read(block, &[name], &RowSet::all(run.block_rows(block)))? {
                    each_text(&column, |text| hashes.push(self.hash(text)));
                }
            }
        }
        hashes.sort_unstable();
        hashes.dedup();
        Ok(hashes.into())
    }
}

/// Returns those of some ids whose hashes are among the known ones. Both are in the order of hashes.
fn among<'i>(mut wanted: &[Wanted<'i>], mut known: &[u32]) -> Vec<Wanted<'i>> {
    let mut left = Vec::new();
    while let (Some((hash, _)), Some(first)) = (wanted.first(), known.first()) {
        match hash.cmp(first) {
            Ordering::Less => wanted = &wanted[types::n_before(wanted, |(hash, _)| hash < first)..],
            Ordering::Greater => known = &known[types::n_before(known, |known| known < hash)..],
            Ordering::Equal => {
                left.push(wanted[0]);
                wanted = &wanted[1..];
            }
        }
    }
    left
}

fn is_of((group, field): &Asked, of_group: &GroupName, name: &str) -> bool {
    group == of_group && **field == *name
}

fn n_hashes(tables: &Tables) -> usize {
    tables.values().map(|hashes| hashes.len()).sum()
}

fn find_in<'i>(
    run: &dyn Run,
    (field, range): (IdField<'_>, TimeRange),
    wanted: &[Wanted<'i>],
    found: &mut HashSet<&'i str>,
) -> Result<(), ScanError> {
    let (IdField::One(name) | IdField::List(name)) = field;
    if wanted.is_empty() || !run.field_names()?.iter().any(|known| &**known == name) {
        return Ok(());
    }
    // Asked for each id that is read: a slow hash would be much of the work.
    let wanted: HashSet<&'i str, RandomState> = wanted.iter().map(|(_, id)| *id).collect();
    for block in 0..run.n_blocks() {
        let (first, last) = run.block_times(block);
        if !range.overlaps(first, last) {
            continue;
        }
        let rows = rows_to_read(run, block, field, &wanted)?;
        if rows.is_empty() {
            continue;
        }
        for column in run.read(block, &[name], &rows)? {
            each_text(&column, |text| match field {
                IdField::One(_) => found.extend(wanted.get(text)),
                IdField::List(_) => found.extend(text.split(' ').filter_map(|id| wanted.get(id))),
            });
        }
    }
    Ok(())
}

/// Returns the rows of a block that may hold one of the ids.
pub(crate) fn rows_to_read<S>(
    run: &dyn Run,
    block: usize,
    field: IdField<'_>,
    wanted: &HashSet<&str, S>,
) -> Result<RowSet, ScanError> {
    let n_rows = run.block_rows(block);
    if wanted.len() > PROBES_MAX {
        return Ok(RowSet::all(n_rows));
    }
    let mut rows = RowSet::none(n_rows);
    for id in wanted {
        let (IdField::One(name) | IdField::List(name)) = field;
        let is_whole = matches!(field, IdField::One(_));
        rows.or(&run.narrow(block, &probe_for(name, id, is_whole))?.rows);
        if rows.is_all() {
            break;
        }
    }
    Ok(rows)
}

fn probe_for<'p>(name: &'p str, id: &'p str, is_whole: bool) -> TextProbe<'p> {
    TextProbe { field: ProbeField::Named(name), literal: id, ignores_case: false, is_whole }
}

/// Hands over the texts of a column; numbers as they are written.
fn each_text(column: &Column, mut take: impl FnMut(&str)) {
    match column {
        Column::Missing { .. } => {}
        Column::Strings { values, .. } => values.iter().for_each(take),
        column => {
            for row in 0..column.n_rows() {
                match column.value(row) {
                    Some(Value::String(text)) => take(&text),
                    Some(other) => take(&other.to_string()),
                    None => {}
                }
            }
        }
    }
}
