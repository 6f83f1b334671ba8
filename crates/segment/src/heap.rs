//! How much memory things take: what is asked of the allocator, rounded as it rounds.

use types::Value;

/// Counts next to what an `Arc` holds.
const COUNTS_BYTES: usize = 16;

/// Returns what an allocation of `n_bytes` takes: a multiple of 16, from 128 bytes on one of an eighth to a quarter of it.
pub(crate) fn of_allocation(n_bytes: usize) -> usize {
    match n_bytes {
        0 => 0,
        1..=128 => n_bytes.next_multiple_of(16),
        _ => n_bytes.next_multiple_of(1 << ((n_bytes - 1).ilog2() - 2)),
    }
}

/// Returns what the items of a vector take themselves.
pub(crate) fn of_items<T>(items: &Vec<T>) -> usize {
    of_allocation(items.capacity() * size_of::<T>())
}

/// Returns what a shared text takes.
pub(crate) fn of_text(text: &str) -> usize {
    of_allocation(COUNTS_BYTES + text.len())
}

/// Returns what a value takes next to itself.
pub(crate) fn of_value(value: &Value) -> usize {
    let of_vec = |n_items: usize, n_bytes: usize| of_allocation(COUNTS_BYTES + 24) + of_allocation(n_items * n_bytes);
    match value {
        Value::String(text) => of_text(text),
        Value::List(items) => {
            of_vec(items.len(), size_of::<Option<Value>>()) + items.iter().flatten().map(of_value).sum::<usize>()
        }
        Value::Object(members) => {
            let of_member = |(name, value): &(std::sync::Arc<str>, Option<Value>)| {
                of_text(name) + value.as_ref().map_or(0, of_value)
            };
            of_vec(members.len(), size_of::<(std::sync::Arc<str>, Option<Value>)>())
                + members.iter().map(of_member).sum::<usize>()
        }
        _ => 0,
    }
}
