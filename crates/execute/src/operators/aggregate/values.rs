//! Distinct values with how often each occurs and in which row first: for `values` and `mode`.
//!
//! ```text
//! values     n · (value · count · place)…, by value
//! ```
//!
//! `values` sorts; of values that `sort` holds for equal (`3`, `"3"`) the one that an earlier row has comes first.
//! `mode` is the most frequent value, and of equally frequent ones the one that an earlier row has. Rows are earlier
//! the newer their event is, by `@id`.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

use types::Value;

use evaluate::{Cell, Place, RankedValue, canonical, put_place, read_place, sort_order, value_bytes};
use types::codec::{Cursor, Decoded, put_count, put_value};

/// Bytes of an entry next to its value.
const ENTRY_BYTES: usize = 104;

/// Distinct values, of which only the first few may be wanted.
#[derive(Clone, Debug)]
pub(crate) struct Values {
    seen: BTreeMap<RankedValue, Occurrences>,
    most: Option<usize>,
    n_bytes: usize,
    /// The most bytes that there ever were: so many were told.
    n_bytes_told: usize,
}

/// What is known of a value.
#[derive(Clone, Copy, Debug)]
struct Occurrences {
    count: u64,
    /// The first row that has it: rows come in descending order of place.
    first: Place,
}

impl Values {
    /// No values yet; `most` of them, the first in order, will be wanted.
    pub(super) fn new(most: Option<usize>) -> Self {
        Self { seen: BTreeMap::new(), most, n_bytes: 0, n_bytes_told: 0 }
    }

    /// Adds the value of one row; answers how many bytes more there are.
    pub(super) fn add(&mut self, cell: Cell<'_>, place: Place) -> usize {
        if let Some(value) = cell.to_value().map(canonical) {
            self.put(RankedValue(value), Occurrences { count: 1, first: place });
        }
        self.tell()
    }

    /// Adds what another state has seen; answers how many bytes more there are.
    pub(super) fn merge(&mut self, more: Self) -> usize {
        more.seen.into_iter().for_each(|(value, seen)| self.put(value, seen));
        self.tell()
    }

    fn put(&mut self, value: RankedValue, more: Occurrences) {
        if let Some(known) = self.seen.get_mut(&value) {
            known.count = known.count.saturating_add(more.count);
            known.first = known.first.max(more.first);
            return;
        }
        self.n_bytes += value_bytes(&value.0) + ENTRY_BYTES;
        self.seen.insert(value, more);
        // Now and then, so that it costs little: what lies beyond may only come back with a row of its own.
        if self.most.is_some_and(|most| self.seen.len() > most.saturating_mul(2)) {
            let wanted = std::mem::take(&mut self.seen);
            self.seen = in_order(wanted.into_iter().collect(), self.most).into_iter().collect();
            self.n_bytes = self.seen.keys().map(|value| value_bytes(&value.0) + ENTRY_BYTES).sum();
        }
    }

    fn tell(&mut self) -> usize {
        let n_more = self.n_bytes.saturating_sub(self.n_bytes_told);
        self.n_bytes_told += n_more;
        n_more
    }

    /// Bytes held next to the state itself.
    pub(super) fn memory_bytes(&self) -> usize {
        self.n_bytes
    }

    /// Returns the values wanted, in order.
    pub(super) fn list(self) -> Value {
        let values = in_order(self.seen.into_iter().collect(), self.most);
        Value::List(values.into_iter().map(|(RankedValue(value), _)| Some(value)).collect::<Vec<_>>().into())
    }

    /// Returns the most frequent value.
    pub(super) fn mode(self) -> Option<Value> {
        // Elements of a list that nothing orders may be in one row: of those the first in sort order.
        let best = self.seen.into_iter().rev().max_by_key(|(_, seen)| (seen.count, seen.first));
        best.map(|(RankedValue(value), _)| value)
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let mut wanted = in_order(self.seen.iter().collect(), self.most);
        wanted.sort_by_key(|(value, _)| *value);
        put_count(wanted.len() as u64, out);
        for (RankedValue(value), seen) in wanted {
            put_value(Some(value), out);
            put_count(seen.count, out);
            put_place(&seen.first, out);
        }
    }

    pub(super) fn decode(most: Option<usize>, reader: &mut Cursor<'_>) -> Decoded<Self> {
        let mut values = Self::new(most);
        for _ in 0..reader.count(1)? {
            let value = RankedValue(reader.present()?);
            values.put(value, Occurrences { count: reader.varint()?, first: read_place(reader)? });
        }
        values.n_bytes_told = values.n_bytes;
        Ok(values)
    }
}

/// Returns the first `most` values in the order in which they are shown; they come by value.
fn in_order<V: std::borrow::Borrow<RankedValue>, S: std::borrow::Borrow<Occurrences>>(
    mut values: Vec<(V, S)>,
    most: Option<usize>,
) -> Vec<(V, S)> {
    values.sort_by(|(a, seen_a), (b, seen_b)| order((a.borrow(), seen_a.borrow()), (b.borrow(), seen_b.borrow())));
    values.truncate(most.unwrap_or(usize::MAX));
    values
}

fn order((a, seen_a): (&RankedValue, &Occurrences), (b, seen_b): (&RankedValue, &Occurrences)) -> Ordering {
    sort_order(a.cell(), b.cell()).then_with(|| Reverse(seen_a.first).cmp(&Reverse(seen_b.first)))
}
