//! How fast an error budget is used up: 1 is exactly as fast as it lasts.
//!
//! Source: Google's SRE workbook, chapter 5, "multiwindow, multi-burn-rate alerts". The long window says that it
//! matters, the short one that it still continues, so that the alert ends soon after the errors do.

use std::collections::{BTreeMap, BTreeSet};

use types::Value;

use super::DetectorInput;
use crate::compile::CompiledRule;
use crate::detectors::cells::{Key, columns_of, count_at, key_of, partial_of, rounded, whole};
use crate::kind::BurnRate;
use crate::{Rule, Table};

/// The columns after those of the label sets.
const COLUMNS: [&str; 3] = ["burn_rate", "bad", "total"];

/// Asks for the bad events and all events of every window.
pub(super) fn answer(
    rule: &Rule,
    burn_rate: &BurnRate,
    compiled: &mut CompiledRule,
    asking: &DetectorInput<'_>,
) -> Result<Table, String> {
    let mut tables: BTreeMap<i64, Table> = BTreeMap::new();
    let lengths = burn_rate.windows.iter().flat_map(|pair| [pair.long_ns, pair.short_ns]);
    for length in lengths.collect::<BTreeSet<i64>>() {
        tables.insert(length, asking.of_last(rule, compiled, length)?);
    }
    let rows = rows(burn_rate, &tables);
    let n_by = burn_rate.by.len();
    compiled.value = Some(n_by);
    let columns = columns_of(&burn_rate.by, COLUMNS);
    Ok(Table { columns, rows, partial: partial_of(tables.values()) })
}

/// Bad and all events of one window, by label set.
type Counts = BTreeMap<Key, (u64, u64)>;

/// Returns a row for each label set of the longest window. Its rate is that of the first pair that burns too fast, else that of
/// the first pair's long window.
fn rows(burn_rate: &BurnRate, tables: &BTreeMap<i64, Table>) -> Vec<Vec<Option<Value>>> {
    let n_by = burn_rate.by.len();
    let counts: BTreeMap<i64, Counts> = tables
        .iter()
        .map(|(length, table)| {
            let count =
                |row: &Vec<Option<Value>>| (key_of(row, 0..n_by), (count_at(row, n_by), count_at(row, n_by + 1)));
            (*length, table.rows.iter().map(count).collect())
        })
        .collect();
    let of =
        |length: i64, key: &Key| counts.get(&length).and_then(|counts| counts.get(key)).copied().unwrap_or_default();
    let rate = |(bad, total): (u64, u64)| (total > 0).then(|| bad as f64 / total as f64 / (1.0 - burn_rate.objective));
    let Some(longest) = tables.values().last() else { return Vec::new() };
    let row = |row: &Vec<Option<Value>>| {
        let key = key_of(row, 0..n_by);
        let is_fast = |length: i64, factor: f64| rate(of(length, &key)).is_some_and(|rate| rate >= factor);
        let burns = burn_rate.windows.iter().find(|pair| {
            of(pair.long_ns, &key).1 >= burn_rate.min_count
                && is_fast(pair.long_ns, pair.factor)
                && is_fast(pair.short_ns, pair.factor)
        });
        let shown = burns.or(burn_rate.windows.first()).map_or(0, |pair| pair.long_ns);
        let (bad, total) = of(shown, &key);
        let value = rate((bad, total)).map(rounded);
        let mut made = row[..n_by.min(row.len())].to_vec();
        made.extend([value, whole(bad), whole(total), Some(Value::Boolean(burns.is_some()))]);
        made
    };
    longest.rows.iter().map(row).collect()
}

#[cfg(test)]
mod tests;
