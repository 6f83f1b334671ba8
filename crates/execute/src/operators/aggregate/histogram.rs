//! `histogram`: how many numbers lie in each of some ranges of equal width, from the least number to the greatest.

use std::sync::Arc;

use types::Value;

use evaluate::canonical;

/// Returns the ranges with their counts, for numbers in ascending order: a number that is the end of a range lies in
/// the next one, the greatest in the last. Of numbers that are all the same there is one range, whatever was asked for.
pub(super) fn ranges(numbers: &[(f64, u64)], n_ranges: usize) -> Option<Value> {
    let (least, greatest) = (numbers.first()?.0, numbers.last()?.0);
    let n_ranges = if least == greatest { 1 } else { n_ranges.max(1) };
    // Two products instead of one difference, which the widest range has none of.
    let border = |range: usize| {
        let share = range as f64 / n_ranges as f64;
        if range == n_ranges { greatest } else { least * (1.0 - share) + greatest * share }
    };
    let mut counts = vec![0u64; n_ranges];
    let mut range = 0;
    for (number, count) in numbers {
        while range + 1 < n_ranges && *number >= border(range + 1) {
            range += 1;
        }
        counts[range] += count;
    }
    let member = |(range, count): (usize, u64)| {
        let closing = if range + 1 == n_ranges { ']' } else { ')' };
        let shown = |range| canonical(Value::Float(border(range)));
        let name: Arc<str> = format!("[{}, {}{closing}", shown(range), shown(range + 1)).into();
        (name, Some(Value::Integer(i64::try_from(count).unwrap_or(i64::MAX))))
    };
    Some(Value::Object(counts.into_iter().enumerate().map(member).collect::<Vec<_>>().into()))
}

#[cfg(test)]
mod tests;
