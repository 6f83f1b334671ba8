//! Groups as bytes: the partial result of an aggregation over some rows.
//!
//! ```text
//! partial   version u8 (2) · count of group columns · count of aggregates · columns · count of groups · groups ·
//! states columns   each: count of values · values groups    each: per column the number of its value states    per
//! aggregate that owns one: per group a state (aggregate/codec.rs)
//! ```
//!
//! Bytes are read for a plan: those of another plan, or of another version, are refused. Without group columns there
//! is one group.

use plan::{Aggregate, Expr, Name};

use super::Groups;
use crate::operators::aggregate::Partial;
use crate::scan::fingerprint::VERSION;
use evaluate::Cell;
use types::{
    codec::{Cursor, Damage, Decoded, put_count, put_value},
    ensure,
};

impl<'p> Groups<'p> {
    /// Appends the groups and their states.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        put_count(self.by.len() as u64, out);
        put_count(self.aggregates.len() as u64, out);
        for parts in &self.parts {
            put_count(parts.values.len() as u64, out);
            parts.values.iter().for_each(|value| put_value(value.value().as_ref(), out));
        }
        put_count(self.n_groups as u64, out);
        for group in 0..self.n_groups {
            self.parts_of(group).iter().for_each(|number| put_count((*number).into(), out));
        }
        for states in &self.states {
            states.iter().for_each(|state| state.encode(out));
        }
    }

    /// Reads groups of this aggregation.
    pub(crate) fn decode(
        by: &'p [(Name, Expr)],
        aggregates: &'p [Aggregate],
        reader: &mut Cursor<'_>,
    ) -> Decoded<Self> {
        ensure!(reader.byte()? == VERSION, Damage("partial of a known version"));
        let (n_columns, n_aggregates) = (reader.varint()?, reader.varint()?);
        if (n_columns, n_aggregates) != (by.len() as u64, aggregates.len() as u64) {
            return Err(Damage("partial of this aggregation"));
        }
        let mut groups = Self::new(by, aggregates);
        let mut numbers: Vec<Vec<u32>> = Vec::with_capacity(by.len());
        for parts in &mut groups.parts {
            let n_values = reader.count(1)?;
            let number = |_| Ok(parts.number(Cell::of(reader.value()?.as_ref())));
            numbers.push((0..n_values).map(number).collect::<Decoded<_>>()?);
        }
        let targets = groups.read_groups(&numbers, reader)?;
        groups.grow_to_keys();
        groups.read_states(&targets, reader)?;
        Ok(groups)
    }

    /// Returns the group of each group that was written.
    fn read_groups(&mut self, numbers: &[Vec<u32>], reader: &mut Cursor<'_>) -> Decoded<Vec<u32>> {
        let Some((first, rest)) = numbers.split_first() else {
            return if reader.varint()? == 1 { Ok(vec![0]) } else { Err(Damage("single group")) };
        };
        let n_groups = reader.count(1)?;
        let mut targets = Vec::with_capacity(n_groups);
        for _ in 0..n_groups {
            let mut group = first[reader.below(first.len())?];
            for (level, column) in rest.iter().enumerate() {
                group = self.pair(level, (group, column[reader.below(column.len())?]));
            }
            targets.push(group);
        }
        Ok(targets)
    }

    fn read_states(&mut self, targets: &[u32], reader: &mut Cursor<'_>) -> Decoded<()> {
        for (index, aggregate) in self.aggregates.iter().enumerate() {
            if self.owners[index] != index {
                continue;
            }
            for target in targets {
                let (state, n_bytes) = Partial::decode(aggregate.kind, reader)?;
                self.states[index][*target as usize].merge(aggregate.kind, state);
                self.state_bytes += n_bytes;
            }
        }
        Ok(())
    }
}
