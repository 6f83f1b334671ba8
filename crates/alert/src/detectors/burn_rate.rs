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
mod tests {
    use types::Timestamp;

    use super::*;
    use crate::kind::WindowPair;

    /// `windows` are minutes, bad and total; shows the rate, `!` where it fires.
    fn check(windows: &[(i64, i64, i64)], expected: &str) {
        let pair = |long: i64, short: i64, factor: f64| WindowPair {
            long_ns: long * Timestamp::MINUTE,
            short_ns: short * Timestamp::MINUTE,
            factor,
        };
        let burn_rate = BurnRate {
            objective: 0.999,
            bad: String::new(),
            by: vec!["service".into()],
            min_count: 10,
            windows: vec![pair(60, 5, 14.4), pair(360, 30, 6.0)],
        };
        let table = |bad: i64, total: i64| Table {
            rows: vec![vec![Some(Value::text("api")), Some(Value::Integer(bad)), Some(Value::Integer(total))]],
            ..Table::default()
        };
        let tables = windows.iter().map(|(minutes, bad, total)| (minutes * Timestamp::MINUTE, table(*bad, *total)));
        let made = rows(&burn_rate, &tables.collect());
        let sign = if made[0].last() == Some(&Some(Value::Boolean(true))) { "!" } else { "" };
        let rate = made[0][1].as_ref().map(ToString::to_string).unwrap_or_default();
        assert_eq!(format!("{rate}{sign}"), expected);
    }

    #[test]
    fn both_windows_of_a_pair_must_burn_too_fast() {
        check(&[(5, 2, 100), (60, 20, 1000), (30, 2, 600), (360, 20, 6000)], "20!");
        // Over an hour ago it burned; now it does not.
        check(&[(5, 0, 100), (60, 20, 1000), (30, 0, 600), (360, 20, 6000)], "20");
        // A slow burn that the short pair does not see.
        check(&[(5, 1, 100), (60, 8, 1000), (30, 6, 600), (360, 48, 6000)], "8!");
        check(&[(5, 0, 100), (60, 1, 1000), (30, 0, 600), (360, 3, 6000)], "1");
    }

    #[test]
    fn few_events_say_nothing_and_none_have_no_rate() {
        check(&[(5, 1, 1), (60, 1, 9), (30, 1, 9), (360, 1, 9)], "111.11");
        check(&[(5, 0, 0), (60, 0, 0), (30, 0, 0), (360, 0, 100)], "");
    }
}
