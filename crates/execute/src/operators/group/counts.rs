//! Events that are only counted, by columns of few values: counted code by code, without a group for each row.

use std::sync::Arc;

use plan::{Aggregate, AggregateKind};
use types::{Column, Value};

use super::Groups;
use super::key::Key;
use crate::operators::aggregate::Partial;

/// Rows per value of a dictionary from which on counting codes is less work than finding the group of each row.
const ROWS_PER_VALUE_MIN: usize = 4;

impl Groups<'_> {
    /// Counts rows by their keys; `false`, and nothing is counted, where more than counts is asked or the keys are others
    /// than a column of codes, alone or beside times that come in runs.
    pub(super) fn count_by_codes(&mut self, keys: &[Key]) -> bool {
        let is_count = |aggregate: &Aggregate| aggregate.kind == AggregateKind::Count && aggregate.argument.is_none();
        if !self.aggregates.iter().all(is_count) {
            return false;
        }
        let columns: Option<Vec<&Column>> =
            keys.iter().map(|key| if let Key::Column(column) = key { Some(&**column) } else { None }).collect();
        match columns.as_deref() {
            Some([Column::Dictionary { codes, values }]) if is_worth(codes.len(), 1, values) => {
                for (number, n_rows) in self.counts(0, codes, values) {
                    self.grow_to_keys();
                    self.count(number, n_rows);
                }
            }
            Some([Column::Timestamps(times), Column::Dictionary { codes, values }]) => {
                return self.count_runs(times, 0, codes, values);
            }
            Some([Column::Dictionary { codes, values }, Column::Timestamps(times)]) => {
                return self.count_runs(times, 1, codes, values);
            }
            _ => return false,
        }
        true
    }

    /// Counts rows by times, which are the key `level`, and by codes.
    fn count_runs(&mut self, times: &[i64], level: usize, codes: &[u32], values: &Arc<Vec<Value>>) -> bool {
        let runs = || times.chunk_by(|a, b| a == b);
        if !is_worth(codes.len(), runs().count(), values) {
            return false;
        }
        let mut rest = codes;
        for run in runs() {
            let (codes, others) = rest.split_at(run.len());
            rest = others;
            let time = self.parts[level].number_of_time(run[0]);
            for (number, n_rows) in self.counts(1 - level, codes, values) {
                let group = self.pair(0, if level == 0 { (time, number) } else { (number, time) });
                self.grow_to_keys();
                self.count(group, n_rows);
            }
        }
        true
    }

    /// Returns the number of each value of the key `level` that occurs, and how often it does.
    fn counts(&mut self, level: usize, codes: &[u32], values: &Arc<Vec<Value>>) -> Vec<(u32, u64)> {
        let (found, counts): (Vec<u32>, Vec<u64>) =
            (0..).zip(count_codes(codes, values.len())).filter(|(_, n_rows)| *n_rows > 0).unzip();
        self.parts[level].numbers_of_codes(&found, values).into_iter().zip(counts).collect()
    }

    fn count(&mut self, group: u32, n_rows: u64) {
        for states in &mut self.states {
            if let Some(Partial::Count(count)) = states.get_mut(group as usize) {
                *count += n_rows;
            }
        }
    }
}

fn is_worth(n_rows: usize, n_runs: usize, values: &[Value]) -> bool {
    n_runs.saturating_mul(values.len() + 1).saturating_mul(ROWS_PER_VALUE_MIN) <= n_rows
}

/// Returns how often each code below `n_values` occurs, and last how often any other does: rows without a value.
fn count_codes(codes: &[u32], n_values: usize) -> Vec<u64> {
    let width = n_values + 1;
    // Four tables in turn: equal codes stand together, and one table would have each wait for the one before.
    let mut tables = vec![0u32; 4 * width];
    let place = |code: u32| (code as usize).min(n_values);
    let (first, others) = tables.split_at_mut(width);
    let (second, others) = others.split_at_mut(width);
    let (third, fourth) = others.split_at_mut(width);
    let mut fours = codes.chunks_exact(4);
    for four in &mut fours {
        first[place(four[0])] += 1;
        second[place(four[1])] += 1;
        third[place(four[2])] += 1;
        fourth[place(four[3])] += 1;
    }
    fours.remainder().iter().for_each(|code| first[place(*code)] += 1);
    let sums = first.iter().zip(second).zip(third.iter().zip(fourth));
    sums.map(|((a, b), (c, d))| u64::from(*a) + u64::from(*b) + u64::from(*c) + u64::from(*d)).collect()
}

#[cfg(test)]
mod tests;
