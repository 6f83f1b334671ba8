//! Groups by pairs of a group and a value, as a table.

use super::values::UNSEEN;

/// Pairs that a table holds at most.
const TABLE_MAX: usize = 1 << 18;

/// Groups of pairs of a group so far and a column's value, by their places in a table of lines, one for each group.
#[derive(Clone, Default)]
pub(super) struct PairTable {
    /// Values in a line, as an exponent of two.
    line_bits: u32,
    groups: Vec<u32>,
}

impl PairTable {
    /// Makes room for so many groups and values; `false` where the table would become too large.
    pub(super) fn reserve(&mut self, n_groups: usize, n_values: usize) -> bool {
        let line_bits = n_values.next_power_of_two().trailing_zeros();
        if n_groups.checked_shl(line_bits.max(self.line_bits)).is_none_or(|n| n > TABLE_MAX) || n_values > TABLE_MAX {
            return false;
        }
        if line_bits > self.line_bits {
            self.line_bits = line_bits;
            self.groups.clear();
        }
        let n_places = n_groups << self.line_bits;
        if self.groups.len() < n_places {
            self.groups.resize(n_places, UNSEEN);
        }
        true
    }

    pub(super) fn place(&mut self, (group, number): (u32, u32)) -> &mut u32 {
        &mut self.groups[((group as usize) << self.line_bits) + number as usize]
    }
}
