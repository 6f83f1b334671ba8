//! More groups than fit into memory.
//!
//! Groups are collected as usual. When they take too much, each becomes a record, and counting begins anew; records
//! come back in the order of the rows, those of one group one after the other, and their states merge. So the answer is
//! that of one aggregation in memory.
//!
//! ```text
//! key       per group column its value, such that bytes order as rows do (columns/order_key.rs)
//! payload   version u8 (2) · per group column a value · per aggregate that owns one a state (aggregate/codec.rs)
//! ```

use std::sync::Arc;

use plan::{Aggregate, Expr, Name};
use types::{Column, Value, ensure};

use super::{GroupRows, Groups, owners};
use crate::operators::aggregate::Partial;
use crate::request::spilling::{LeasedMerge, LeasedSorter, Spilling, unreadable};
use crate::scan::fingerprint::VERSION;
use evaluate::{Cell, Environment, Frame, Lease, Result, Stop, put_group_key, value_bytes};
use types::codec::{Cursor, Damage, Decoded, put_value};

/// Groups that one thread collects, and where they go when there are too many.
pub(crate) struct GroupCollector<'p, 's> {
    groups: Groups<'p>,
    lease: Lease,
    bytes_max: usize,
    n_threads: usize,
    /// What it spills to.
    pub(crate) spilling: Spilling<'s>,
    sorter: Option<LeasedSorter<'s>>,
    /// Rows of a table that were added.
    n_rows: usize,
}

impl<'p, 's> GroupCollector<'p, 's> {
    /// Returns a collector, one of `n_threads` for the same aggregation.
    pub(crate) fn new(
        (by, aggregates): (&'p [(Name, Expr)], &'p [Aggregate]),
        n_threads: usize,
        spilling: Spilling<'s>,
    ) -> Result<Self> {
        let (lease, bytes_max) = (spilling.lease(0)?, spilling.groups_bytes(n_threads));
        let groups = Groups::new(by, aggregates);
        Ok(Self { groups, lease, bytes_max, n_threads, spilling, sorter: None, n_rows: 0 })
    }

    /// Adds events.
    pub(crate) fn add(&mut self, frame: &mut Frame<'_>, env: &Environment) -> Result<()> {
        self.groups.add(frame, env, None)?;
        self.settle()
    }

    /// Adds rows of a table after those that were added before.
    pub(crate) fn add_rows(&mut self, frame: &mut Frame<'_>, env: &Environment) -> Result<()> {
        self.groups.add_part(frame, env, self.n_rows)?;
        self.n_rows += frame.n_rows();
        self.settle()
    }

    fn settle(&mut self) -> Result<()> {
        let n_bytes = self.groups.memory_bytes();
        if n_bytes <= self.bytes_max && self.spilling.resize(&mut self.lease, n_bytes) {
            return Ok(());
        }
        self.spill()
    }

    fn spill(&mut self) -> Result<()> {
        let sorter = match &mut self.sorter {
            Some(sorter) => sorter,
            None => self.sorter.insert(self.spilling.sorter(self.n_threads, None)?),
        };
        self.groups.spill_into(sorter)?;
        self.groups = self.groups.fresh();
        self.spilling.resize(&mut self.lease, 0);
        Ok(())
    }

    /// Returns the groups of all collectors of an aggregation.
    pub(crate) fn finish(
        (by, aggregates): (&'p [(Name, Expr)], &'p [Aggregate]),
        spilling: Spilling<'s>,
        collectors: Vec<Self>,
    ) -> Result<SpilledGroups<'p, 's>> {
        let mut sorters = Vec::with_capacity(collectors.len());
        for mut collector in collectors {
            collector.spill()?;
            sorters.extend(collector.sorter);
        }
        let lease = spilling.lease(0)?;
        Ok(SpilledGroups {
            by,
            aggregates,
            owners: owners(aggregates),
            merge: spilling.merge(sorters)?,
            spilling,
            lease,
            next: None,
        })
    }
}

impl Groups<'_> {
    /// Adds each group as a record.
    fn spill_into(&self, sorter: &mut LeasedSorter<'_>) -> Result<()> {
        let (mut key, mut payload, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
        for group in 0..self.n_groups {
            key.clear();
            payload.clear();
            payload.push(VERSION);
            self.put_parts_of(group, &mut numbers);
            for ((number, parts), (_, expr)) in numbers.iter().zip(&self.parts).zip(self.by) {
                let value = parts.values[*number as usize].value();
                put_group_key(expr, Cell::of(value.as_ref()), &mut key);
                put_value(value.as_ref(), &mut payload);
            }
            // Of aggregates that share a state of another one there are none.
            self.states.iter().filter_map(|states| states.get(group)).for_each(|state| state.encode(&mut payload));
            sorter.add(&key, &payload)?;
        }
        Ok(())
    }
}

/// A group whose states are still to be merged with further ones.
struct Group {
    key: Vec<u8>,
    values: Vec<Option<Value>>,
    /// Per aggregate; a fresh one where another aggregate owns the state.
    states: Vec<Partial>,
    /// Bytes that states hold beside themselves.
    n_bytes: usize,
}

/// Groups in the order of their rows.
pub(crate) struct SpilledGroups<'p, 's> {
    by: &'p [(Name, Expr)],
    aggregates: &'p [Aggregate],
    owners: Vec<usize>,
    merge: LeasedMerge<'s>,
    spilling: Spilling<'s>,
    /// Memory of the group that is being merged: one may be larger than all others.
    lease: Lease,
    /// The group after those that have become rows.
    next: Option<Group>,
}

impl SpilledGroups<'_, '_> {
    /// Returns the next groups as rows; `None` after the last one.
    ///
    /// # Errors
    /// One group holds more than the query may; records cannot be read; the query is over.
    pub(crate) fn next(&mut self) -> Result<Option<GroupRows>> {
        let mut keys: Vec<Vec<Option<Value>>> = vec![Vec::new(); self.by.len()];
        let mut results: Vec<Vec<Option<Value>>> = vec![Vec::new(); self.aggregates.len()];
        let mut is_approximate = vec![false; self.aggregates.len()];
        let (n_rows_max, n_bytes_max) = self.spilling.rows_at_once(self.by.len() + self.aggregates.len());
        let (mut n_rows, mut n_bytes) = (0, 0);
        while n_rows < n_rows_max && n_bytes < n_bytes_max {
            let Some(group) = self.next_group()? else { break };
            n_bytes += group.values.iter().flatten().map(value_bytes).sum::<usize>() + group.n_bytes;
            keys.iter_mut().zip(group.values).for_each(|(column, value)| column.push(value));
            let mut states = group.states;
            for (index, aggregate) in self.aggregates.iter().enumerate() {
                let owner = self.owners[index];
                is_approximate[index] |= states[owner].is_approximate();
                let state = if self.owners[index + 1..].contains(&owner) {
                    states[owner].clone()
                } else {
                    std::mem::replace(&mut states[owner], Partial::Count(0))
                };
                results[index].push(state.finish(aggregate.kind));
            }
            n_rows += 1;
        }
        if n_rows == 0 {
            return Ok(None);
        }
        let column = |(name, values): (&Name, Vec<_>)| (name.clone(), Arc::new(Column::of_values(values)));
        let mut columns: Vec<_> = self.by.iter().map(|(name, _)| name).zip(keys).map(column).collect();
        columns.extend(self.aggregates.iter().map(|aggregate| &aggregate.name).zip(results).map(column));
        let approximate = self.aggregates.iter().zip(is_approximate).filter(|(_, is)| *is);
        let approximate = approximate.map(|(aggregate, _)| aggregate.name.clone()).collect();
        Ok(Some(GroupRows { n_rows, columns, approximate }))
    }

    /// Returns the next group, whole.
    fn next_group(&mut self) -> Result<Option<Group>> {
        while let Some((key, payload)) = self.merge.next()? {
            let mut reader = Cursor::new(payload);
            match &mut self.next {
                Some(group) if group.key == key => {
                    let more = merge_states(self.aggregates, &self.owners, &mut reader, self.by.len(), group);
                    group.n_bytes += more.map_err(unreadable)?;
                    ensure!(self.spilling.resize(&mut self.lease, group.n_bytes), Stop::Memory);
                }
                next => {
                    let group = read_group(self.aggregates, &self.owners, &mut reader, self.by.len(), key);
                    let before = next.replace(group.map_err(unreadable)?);
                    if before.is_some() {
                        return Ok(before);
                    }
                }
            }
        }
        Ok(self.next.take())
    }
}

fn read_group(
    aggregates: &[Aggregate],
    owners: &[usize],
    reader: &mut Cursor<'_>,
    n_columns: usize,
    key: &[u8],
) -> Decoded<Group> {
    check_version(reader)?;
    let values = (0..n_columns).map(|_| reader.value()).collect::<Result<_, _>>()?;
    let mut states = Vec::with_capacity(aggregates.len());
    let mut n_bytes = 0;
    for (index, aggregate) in aggregates.iter().enumerate() {
        if owners[index] != index {
            states.push(Partial::Count(0));
            continue;
        }
        let (state, more) = Partial::decode(aggregate.kind, reader)?;
        states.push(state);
        n_bytes += more;
    }
    Ok(Group { key: key.to_vec(), values, states, n_bytes })
}

/// Merges further states into those of a group; answers how many bytes more they hold.
fn merge_states(
    aggregates: &[Aggregate],
    owners: &[usize],
    reader: &mut Cursor<'_>,
    n_columns: usize,
    group: &mut Group,
) -> Decoded<usize> {
    check_version(reader)?;
    for _ in 0..n_columns {
        reader.value()?;
    }
    let mut n_bytes = 0;
    for (index, aggregate) in aggregates.iter().enumerate().filter(|(index, _)| owners[*index] == *index) {
        let (state, _) = Partial::decode(aggregate.kind, reader)?;
        n_bytes += group.states[index].merge(aggregate.kind, state);
    }
    Ok(n_bytes)
}

fn check_version(reader: &mut Cursor<'_>) -> Decoded<()> {
    if reader.byte()? == VERSION { Ok(()) } else { Err(Damage("partial of a known version")) }
}
